"""What a node tells of its cohort to people, and does in it for them."""

from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from edgenode.clock import Clock
from edgenode.cohort.audit import machines
from edgenode.cohort.follower import Follower
from edgenode.cohort.member import CohortMember
from edgenode.cohort.model import MemberRecord, Removal
from edgenode.cohort.node import CohortNode
from edgenode.cohort.peers import Peer, PeerState
from edgenode.cohort.runs import Copied
from edgenode.errors import (
    EdgeNodeError,
    NodeRemovedError,
    OtherKeyError,
    PeerRefusedError,
    is_disk_full,
)
from edgenode.federation.breaker import BreakerState
from edgenode.federation.members import FederationMembers, MemberStatistics
from edgenode.limits import SKEW_TOLD_SECONDS
from edgenode.node.highway import Away, away
from edgenode.rest.cohort_admin import AdminRefusedError
from edgenode.security.certificates import is_node_id
from edgenode.security.directory import DamagedCohortError
from edgenode.security.keyholder import KeyHolder
from edgenode.security.trust import Trust

THIS_NODE = "this node"
"""The state of the node's own members."""

_ASKED = {
    BreakerState.CLOSED: "is asked",
    BreakerState.OPEN: "isn't asked for now",
    BreakerState.HALF_OPEN: "is tried again",
}
_COPIED = "two machines use the key of this node"
_COPY_MEND = (
    "decide which one stays; what was added on the other is lost, unless it is exported "
    "there first: 'edgenode archive export FILE'; then stop the node there, remove its data "
    "directory and join again: 'edgenode cohort join TOKEN'"
)
_CLOCK_MEND = "set the clock that is wrong, this machine's or that one's"
_MAX_BY = 64
_MAX_CLOCKS = 5
_MAX_REFUSALS = 5
_TOLD_ID = 8
"""How much of a node's id is told: enough to tell a hundred nodes apart."""


class NodeAdmin:
    """Looks at the parts of a node that have to do with its cohort."""

    def __init__(
        self,
        keys: KeyHolder,
        node: CohortNode,
        trust: Trust,
        members: Mapping[str, CohortMember],
        federations: Mapping[str, FederationMembers],
        clock: Clock,
    ) -> None:
        """Take the parts.

        Args:
            keys: Which one it is by now, and with which key.
            node: This node in it.
            trust: Who isn't let in.
            members: The node's servers as members, by name.
            federations: What each of them asks of others.
            clock: The time.
        """
        self._keys = keys
        self._node = node
        self._trust = trust
        self._members = members
        self._federations = federations
        self._clock = clock

    def summary(self) -> dict[str, Any]:
        """How the node stands in its cohort, in short; a lost peer is no fault of it."""
        own = {member.collection_id for member in self._members.values()}
        states = Counter(
            self._state(record.node_id)
            for collection_id, record in self._node.records().items()
            if record.is_registered and collection_id not in own
        )
        lags = [
            follower.lag
            for member in self._members.values()
            for follower in member.followers().values()
        ]
        bus = self._node.bus_statistics()
        cohort = self._keys.cohort
        return {
            "name": cohort.key.name,
            "mode": self._mode(),
            "nodeId": self._node.info.node_id,
            "members": {state.value: states[state.value] for state in PeerState},
            "worstLag": max(lags, default=0),
            "refusals": self._refusals(),
            "copies": self._copies(),
            "clocks": self._clocks(),
            "away": [
                {"server": name, **gone._asdict()}
                for name, member in self._members.items()
                if (gone := away(member))
            ],
            "busLinks": 0 if bus is None else bus.links,
            "busPeers": 0 if bus is None else bus.peers,
        }

    def _mode(self) -> str:
        return "open" if self._keys.cohort.is_open else "keyed"

    def members(self, server: str | None) -> dict[str, Any]:
        """The members, as a server sees them; the first server's view by default."""
        name = server or next(iter(self._members))
        member = self._members.get(name)
        if member is None:
            raise AdminRefusedError(
                f"there is no server {name} here",
                f"name one of {', '.join(self._members)}",
            )
        followers = member.followers()
        asked = {
            each.collection_id: each for each in self._federations[name].statistics()
        }
        records = self._node.records()
        cohort = self._keys.cohort
        own = {each.collection_id: away(each) for each in self._members.values()}
        told = [
            self._told(record, followers.get(key), asked.get(key), own.get(key))
            for key, record in records.items()
            if record.is_registered or key in own
        ]
        gone = away(member)
        return {
            "cohort": cohort.key.name,
            "tag": cohort.key.tag,
            "mode": self._mode(),
            "server": name,
            "away": None if gone is None else gone._asdict(),
            "nodeId": self._node.info.node_id,
            "members": sorted(told, key=lambda each: (each["name"], each["nodeId"])),
            "removed": [
                {
                    "nodeId": each.node_id,
                    "node": self._node.removed_names.get(each.node_id, ""),
                    "at": each.at,
                    "by": each.by,
                }
                for each in self._trust.removals()
                if each.is_removed
            ],
        }

    def _told(
        self,
        record: MemberRecord,
        follower: Follower | None,
        asked: MemberStatistics | None,
        gone: Away | None,
    ) -> dict[str, Any]:
        registration = record.registration
        told: dict[str, Any] = {
            "metadataCollectionId": registration.metadata_collection_id,
            "metadataCollectionName": registration.metadata_collection_name,
            "name": registration.server_name or "",
            "nodeId": record.node_id,
            "state": self._state(record.node_id),
            **self._of_node(record.node_id),
        }
        refusal = self._node.conversations.refusals().get(record.node_id)
        if refusal is not None:
            reason, mend = self._refusal(refusal)
            told["refusal"] = {"reason": reason, "mend": mend}
        if copied := self._node.copies().get(record.node_id):
            told["copy"] = {"reason": _copied(copied), "mend": _COPY_MEND}
        peer = self._node.peers.get(record.node_id)
        if peer is not None and _is_far_off(peer):
            told["clock"] = {"reason": _clock(peer.skew), "mend": _CLOCK_MEND}
        if gone is not None:
            told["trouble"] = f"{gone.reason}; {gone.mend}"
        elif any(
            each.is_put_back
            for each in self._members.values()
            if each.collection_id == registration.metadata_collection_id
        ):
            told["trouble"] = "restored, not caught up yet"
        elif follower is not None:
            told |= {
                "lag": follower.lag,
                "trouble": follower.trouble,
                "isComparing": follower.is_comparing,
                "applied": follower.figures.applied,
                "copied": follower.figures.copied,
                "mended": follower.figures.mended,
                "comparisons": follower.figures.comparisons,
            }
        if asked is not None:
            told["queries"] = queries_told(asked)
        return told

    def _refusals(self) -> list[dict[str, Any]]:
        """Why others won't speak with this node, and how many say so."""
        counts = Counter(
            map(self._refusal, self._node.conversations.refusals().values())
        )
        return [
            {"nodes": count, "reason": reason, "mend": mend}
            for (reason, mend), count in counts.most_common(_MAX_REFUSALS)
        ]

    def _copies(self) -> list[dict[str, Any]]:
        """The nodes that two machines speak as, this one among them."""
        return [
            {
                "nodeId": node_id,
                "node": self._of_node(node_id)["node"],
                "seconds": copied.seconds,
                "reason": _copied(copied),
                "mend": _COPY_MEND,
            }
            for node_id, copied in self._node.copies().items()
        ]

    def _clocks(self) -> list[dict[str, Any]]:
        """The nodes whose clocks are furthest from this one's."""
        found = sorted(
            filter(_is_far_off, self._node.peers.all()),
            key=lambda peer: -abs(peer.skew or 0.0),
        )
        return [
            {
                "nodeId": peer.info.node_id,
                "node": peer.info.name,
                "skew": peer.skew,
                "reason": _clock(peer.skew),
                "mend": _CLOCK_MEND,
            }
            for peer in found[:_MAX_CLOCKS]
        ]

    def _refusal(self, error: PeerRefusedError) -> tuple[str, str]:
        """A refusal as a person should read it, and what helps."""
        match error:
            case NodeRemovedError():
                own = self._node.info.node_id[:_TOLD_ID]
                return (
                    error.reason,
                    f"'edgenode cohort readmit {own}' on another member lets it in again",
                )
            case OtherKeyError():
                return self._other_key(error.reason)
            case _:
                return error.reason, "this node's log and the other's say more"

    def _other_key(self, reason: str) -> tuple[str, str]:
        """Who has the newer key; to take the older one may let in who was shut out."""
        if self._keys.cohort.was_rotated_lately(self._clock.now()):
            return (
                f"the key was rotated here, the others still have the old one ({reason})",
                "on each of them run 'edgenode cohort join TOKEN' with this node's token, "
                "which 'edgenode cohort token' shows here",
            )
        return (
            f"another key than this node's ({reason})",
            "if the key was rotated, run 'edgenode cohort token' on a machine that has "
            "the new one, and 'edgenode cohort join TOKEN' with that on each that still "
            "has the old one, here or there; never the other way round",
        )

    def _state(self, node_id: str) -> str:
        if node_id == self._node.info.node_id:
            return THIS_NODE
        peer = self._node.peers.get(node_id)
        state = PeerState.UNKNOWN
        if peer is not None:
            state = peer.state
        return state.value

    def _of_node(self, node_id: str) -> dict[str, Any]:
        """What is known of a node; there may be nothing but its id."""
        own = self._node.info
        if node_id == own.node_id:
            return {
                "node": own.name,
                "version": own.version,
                "addresses": list(own.addresses),
            }
        peer = self._node.peers.get(node_id)
        if peer is None:
            return {"node": "", "version": "", "addresses": []}
        told: dict[str, Any] = {
            "node": peer.info.name,
            "version": peer.info.version,
            "addresses": list(peer.addresses),
        }
        if peer.skew is not None:
            told["skew"] = peer.skew
        if peer.heard is not None:
            told["lastSeen"] = max(0.0, self._clock.monotonic() - peer.heard)
        return told

    async def remove(self, node: str, by: str) -> dict[str, Any]:
        """Let a node in no more."""
        node_id = self._meant(node)
        if node_id == self._node.info.node_id:
            raise AdminRefusedError(
                f"{node} is this node itself",
                "remove it on another machine, or leave the cohort: "
                "'edgenode cohort leave'",
            )
        gone = [
            record.registration.server_name or collection_id
            for collection_id, record in self._node.records().items()
            if record.node_id == node_id and record.is_registered
        ]
        known = self._node.peers.get(node_id)
        is_known = node_id in self._names() or any(
            each.node_id == node_id for each in self._trust.removals()
        )
        told = await self._kept(self._node.remove(node_id, by[:_MAX_BY]))
        return {
            "nodeId": told.node_id,
            "node": "" if known is None else known.info.name,
            "isKnown": is_known,
            "mode": self._mode(),
            "members": sorted(gone),
            "toldNodes": len(self._node.peers),
        }

    async def readmit(self, node: str, by: str) -> dict[str, Any]:
        """Let a node in again."""
        removed = {each.node_id for each in self._trust.removals() if each.is_removed}
        names = self._node.removed_names
        found = {each for each in removed if node and names.get(each) == node}
        if not found:
            found = {each for each in removed if each.startswith(node.lower())}
        node_id = _the_only(node, found, "removed nodes", removed)
        name = names.get(node_id, "")
        told = await self._kept(self._node.readmit(node_id, by[:_MAX_BY]))
        return {
            "nodeId": told.node_id,
            "node": name,
            "toldNodes": len(self._node.peers),
        }

    async def reload(self) -> dict[str, Any]:
        """Use the cohort's key as it is kept by now."""
        try:
            is_used = await self._keys.reload()
        except DamagedCohortError as error:
            raise AdminRefusedError(
                f"{error.path} can't be used ({error.why})", error.mend
            ) from error
        except (OSError, EdgeNodeError) as error:
            mend = "let the node's user write its data directory"
            if is_disk_full(error):
                mend = "free space on the disk of the node's data directory"
            raise AdminRefusedError(
                f"the key can't be used: {error}", f"{mend}, then start it again"
            ) from error
        if is_used:
            self._node.conversations.speak_with_all()
        return {
            "keyNumber": self._keys.cohort.number,
            "tag": self._keys.cohort.key.tag,
            "restartNeeded": not is_used,
        }

    def leave(self, cohort_id: str) -> dict[str, Any]:
        """Have the node's servers leave the cohort, and the others told."""
        cohort = self._keys.cohort
        if cohort_id != cohort.id:
            raise AdminRefusedError(
                f"the node that runs is in another cohort, {cohort.key.name}",
                "start it again, then leave",
            )
        own = self._node.info.node_id
        others = {
            record.node_id
            for record in self._node.records().values()
            if record.is_registered and record.node_id != own
        }
        states = [self._state(node_id) for node_id in others]
        for member in self._members.values():
            member.unregister()
        self._node.conversations.speak_with_all()
        return {"others": len(others), "toldNodes": states.count(PeerState.ALIVE.value)}

    async def _kept(self, deciding: Awaitable[Removal]) -> Removal:
        try:
            removal = await deciding
        except EdgeNodeError as error:
            raise AdminRefusedError(str(error), "rotate the cohort's key") from error
        fault = self._trust.fault
        if fault is not None:
            mend = "let the node's user write its data directory"
            if is_disk_full(fault):
                mend = "free space on the disk of the node's data directory"
            raise AdminRefusedError(
                "it holds and the others are told, but it can't be kept here "
                f"({fault.strerror or fault}): after a restart this node has to hear of "
                "it from the others",
                f"{mend}, then do it again",
            ) from fault
        return removal

    def _meant(self, text: str) -> str:
        """The id of the node that somebody means."""
        if is_node_id(text):
            return text  # it may be one that nobody has heard of yet
        names = self._names()
        found = {node_id for node_id in names if text in names[node_id]}
        if not found:
            found = {each for each in names if each.startswith(text.lower())}
        return _the_only(text, found, "nodes", names)

    def _names(self) -> dict[str, set[str]]:
        """What each node that was heard of is called, by id."""
        own = self._node.info
        names: dict[str, set[str]] = {own.node_id: {own.name}}
        peers: Iterable[Peer] = self._node.peers.all()
        for peer in peers:
            names.setdefault(peer.info.node_id, set()).add(peer.info.name)
        for record in self._node.records().values():
            name = record.registration.server_name
            names.setdefault(record.node_id, set()).add(name or "")
        return names


def queries_told(asked: MemberStatistics) -> dict[str, Any]:
    """What came of questions to a member."""
    return {
        "state": _ASKED[asked.state],
        "answered": asked.answered,
        "failed": asked.failed,
        "medianSeconds": asked.median_seconds,
        "reason": asked.reason,
    }


def _is_far_off(peer: Peer) -> bool:
    """Whether a node that is there has another time than this one."""
    skew = peer.skew
    return peer.lost is None and skew is not None and abs(skew) > SKEW_TOLD_SECONDS


def _clock(skew: float | None) -> str:
    skew = skew or 0.0
    way = "ahead of" if skew > 0 else "behind"
    return f"its clock is {abs(skew):.0f} s {way} this one's"


def _copied(copied: Copied) -> str:
    return f"{_COPIED}{machines(copied.runs)}"


def _the_only(text: str, found: set[str], what: str, known: Iterable[str]) -> str:
    if len(found) == 1:
        return next(iter(found))
    if found:
        some = ", ".join(sorted(found))
        mend = "write more of the node's id"
        raise AdminRefusedError(f"{text} may be any of {some}", mend)
    some = ", ".join(sorted(known)) or "there are none"
    raise AdminRefusedError(f"{text} is none of the {what}", f"choose of: {some}")
