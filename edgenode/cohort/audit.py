"""What of the cohort is told to people, in a server's audit log."""

from collections.abc import Sequence

from edgenode.cohort.model import MemberRecord, NodeInfo, Removal
from edgenode.cohort.presence import Change
from edgenode.events.model import EventError
from edgenode.observability.audit_log import (
    AuditLog,
    AuditMessage,
    OMRSAuditingComponent,
)
from edgenode.observability.audit_messages import (
    COLLECTION_ID_CONFLICT,
    COMPLAINT_RECEIVED,
    COPY_OF_THIS_NODE,
    EVENT_REFUSED,
    INSTANCE_MOVED,
    MEMBER_COPIED,
    MEMBER_JOINED,
    MEMBER_LEFT,
    MEMBER_MENDED,
    MEMBERS_FULL,
    NODE_BACK,
    NODE_COPIED,
    NODE_LOST,
    NODE_READMITTED,
    NODE_REMOVED,
    SERVER_CONNECTED,
    SERVER_DISCONNECTED,
    SERVER_UNREGISTERED,
)

_NAMELESS = "without a name"


def machines(runs: Sequence[NodeInfo]) -> str:
    """Where the machines are that speak as one node, to stand behind that they do."""
    places = [
        f"{run.name or _NAMELESS} at {', '.join(run.addresses)}, port {run.rest_port}"
        for run in runs
        if run.addresses
    ]
    return f" ({'; '.join(places)})" if places else ""


class CohortAudit:
    """Writes the records of one server's part in the cohort."""

    def __init__(self, log: AuditLog, server_name: str) -> None:
        self._log = log
        self._server_name = server_name

    # this server

    def connected(self) -> None:
        """It takes part again."""
        self._record(SERVER_CONNECTED, self._server_name)

    def disconnected(self) -> None:
        """It takes no part for now."""
        self._record(SERVER_DISCONNECTED, self._server_name)

    def unregistered(self) -> None:
        """It has left the cohort."""
        self._record(SERVER_UNREGISTERED, self._server_name)

    # members

    def joined(self, record: MemberRecord) -> None:
        """A member is followed from now on."""
        registration = record.registration
        self._record(
            MEMBER_JOINED,
            registration.server_name or _NAMELESS,
            registration.metadata_collection_id,
            record.node_id,
        )

    def left(self, origin: str) -> None:
        """A member isn't followed any more."""
        self._record(MEMBER_LEFT, origin)

    def copied(self, origin: str, count: int) -> None:
        """What a new member holds was taken over."""
        self._record(MEMBER_COPIED, origin, count)

    def mended(self, origin: str, count: int) -> None:
        """Something was held otherwise than its origin holds it."""
        self._record(MEMBER_MENDED, origin, count)

    def moved(self, origin: str, guid: str, new_guid: str) -> None:
        """An instance of this member gave way to another member's with its GUID."""
        self._record(INSTANCE_MOVED, guid, origin, new_guid)

    def refused(self, origin: str, reason: str) -> None:
        """An event of a member wasn't taken in."""
        self._record(EVENT_REFUSED, origin, reason)

    def conflict(self, known: MemberRecord, refused: MemberRecord) -> None:
        """A node speaks for a member of another one."""
        collection_id = known.registration.metadata_collection_id
        self._record(
            COLLECTION_ID_CONFLICT, collection_id, known.node_id, refused.node_id
        )

    def claimed(self, node_id: str) -> None:
        """Another node speaks for this server."""
        self._record(COPY_OF_THIS_NODE, self._server_name, node_id)

    def complaint(self, sender: str, error: EventError) -> None:
        """Another member complains of a registration."""
        code = "" if error.error_code is None else error.error_code.name
        self._record(COMPLAINT_RECEIVED, sender, code, error.error_message)

    def full(self, record: MemberRecord) -> None:
        """There is no room for another member."""
        self._record(MEMBERS_FULL, record.registration.server_name or _NAMELESS)

    # nodes

    def removal(self, removal: Removal) -> None:
        """A node was removed from the cohort, or may be in it again."""
        message = NODE_REMOVED if removal.is_removed else NODE_READMITTED
        self._record(message, removal.node_id, removal.by or "somebody")

    def presence(self, change: Change) -> None:
        """A node is gone, or there again."""
        info = change.peer.info
        message = NODE_LOST if change.is_lost else NODE_BACK
        self._record(message, info.name or _NAMELESS, info.node_id)

    def node_copied(self, node_id: str, name: str, runs: Sequence[NodeInfo]) -> None:
        """Two machines speak as one node."""
        self._record(NODE_COPIED, name or _NAMELESS, node_id, machines(runs))

    def _record(self, message: AuditMessage, *parameters: object) -> None:
        self._log.record(OMRSAuditingComponent.COHORT_MANAGER, message, *parameters)
