"""What nodes of a cohort tell each other of themselves and of their members.

A node is a process with one identity; each of its servers is a member, by the id of its
metadata collection. These beans travel between nodes as JSON; see docs/cohort.md.
"""

from dataclasses import dataclass
from enum import Enum

from edgenode.clock import EpochMillis
from edgenode.events.frames import (
    EndFrame,
    EventFrame,
    HistoryFrame,
    ResetFrame,
    StateFrame,
)
from edgenode.events.registration import MemberRegistration
from edgenode.security.trust import Removal

__all__ = [
    "PEER_PROTOCOL",
    "EndFrame",
    "EventFrame",
    "Exchange",
    "HistoryFrame",
    "Known",
    "Mark",
    "MemberRecord",
    "NodeInfo",
    "Removal",
    "ResetFrame",
    "Standing",
    "StateFrame",
]

PEER_PROTOCOL = 1
"""The version of what nodes say to each other beside OMRS's own events."""


class Standing(Enum):
    """How a member of this node stands with its cohort."""

    STARTING = 0
    CONNECTED = 1
    DISCONNECTED = 2
    UNREGISTERED = 3

    @property
    def is_away(self) -> bool:
        """Whether somebody had it go: it takes no part until it is told to."""
        return self in (Standing.DISCONNECTED, Standing.UNREGISTERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeInfo:
    """One node, as it describes itself.

    Attributes:
        node_id: The first half of the SHA-256 of its public key, in hexadecimal.
        run_id: Another one each time that the process starts.
        revision: Rises with everything else here: epoch milliseconds, made unique.
        addresses: Where its listeners are reached; numeric or names.
        rest_port: The port of its REST API for members (mutual TLS).
        bus_port: The port of its broker; 0 where it embeds none.
    """

    node_id: str
    run_id: str
    revision: int
    name: str = ""
    version: str = ""
    protocol: int = PEER_PROTOCOL
    addresses: tuple[str, ...] = ()
    rest_port: int = 0
    bus_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far the events of a member go.

    Attributes:
        metadata_collection_id: The member.
        incarnation: Another one when its store was put back to an earlier state.
        sequence: The number of its newest event; 0 before the first.
    """

    metadata_collection_id: str
    incarnation: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """A member as its node announces it.

    Attributes:
        node_id: The node that it belongs to; nobody else may speak for it.
        revision: Rises with each announcement; the highest one holds.
        registration: What the registry holds of it.
        is_registered: False once it has left the cohort.
    """

    node_id: str
    revision: int
    registration: MemberRegistration
    is_registered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a node knows of another, or of its member, without saying it all again."""

    id: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One half of an exchange: what a node knows, and what it has that the other lacks.

    Attributes:
        sender: Who says this.
        time: The sender's clock, for telling how far clocks are apart.
        known_nodes: Every node it knows, itself included.
        known_members: Every member it knows, by collection id.
        told_nodes: The ids of nodes that it was only told of: it tells nobody of them,
            and needn't be told of all of them again.
        told_members: Members that it was only told of; likewise.
        copies: How the other described itself in its last two runs, where both live: two
            machines speak as it.
        marks: How far the events of its own members go, and of those it follows.
        nodes: Nodes of which the other has an older description, or none.
        members: Members of which the other has an older record, or none.
        removals: All removals it knows.
        key_number: The number of the sender's key; 0 where the cohort is open, or it
            hasn't been told yet.
        key_tag: The tag of that key; of two keys with one number the higher tag holds.
    """

    sender: NodeInfo
    time: EpochMillis
    known_nodes: tuple[Known, ...] = ()
    known_members: tuple[Known, ...] = ()
    told_nodes: tuple[str, ...] = ()
    told_members: tuple[Known, ...] = ()
    copies: tuple[NodeInfo, ...] = ()
    marks: tuple[Mark, ...] = ()
    nodes: tuple[NodeInfo, ...] = ()
    members: tuple[MemberRecord, ...] = ()
    removals: tuple[Removal, ...] = ()
    key_number: int = 0
    key_tag: str = ""
