"""What of a cohort over Kafka is told to people, in a server's audit log."""

import asyncio

from edgenode.bus.topics import Partition
from edgenode.events.model import EventError, OMRSEventErrorCode
from edgenode.events.registration import MemberRegistration
from edgenode.observability.audit_log import (
    AuditLog,
    AuditMessage,
    OMRSAuditingComponent,
)
from edgenode.observability.audit_messages import (
    COMPLAINT_RECEIVED,
    EVENT_REFUSED,
    EVENT_UNSENDABLE,
    KAFKA_COLLECTION_CLAIMED,
    KAFKA_CONNECTED,
    KAFKA_DISCONNECTED,
    KAFKA_MEMBER_JOINED,
    KAFKA_MEMBER_UNUSABLE,
    KAFKA_RECORDS_DROPPED,
    KAFKA_RECORDS_EXPIRED,
    KAFKA_SERVER_CONNECTED,
    KAFKA_SERVER_DISCONNECTED,
    KAFKA_SERVER_UNREGISTERED,
    KAFKA_TOPIC_RECREATED,
    MEMBER_LEFT,
    MEMBERS_FULL,
)

_NAMELESS = "without a name"


class KafkaAudit:
    """Writes the records of one server's part in the cohort; hears of its topics.

    Attributes:
        is_connected: Set while the topics are read.
    """

    def __init__(self, log: AuditLog, server_name: str, cohort_name: str) -> None:
        self._log = log
        self._server_name = server_name
        self._cohort_name = cohort_name
        self.is_connected = asyncio.Event()

    # this server

    def took_part_again(self) -> None:
        """It takes part again."""
        self._record(KAFKA_SERVER_CONNECTED, self._server_name, self._cohort_name)

    def went(self) -> None:
        """It takes no part for now."""
        self._record(KAFKA_SERVER_DISCONNECTED, self._server_name, self._cohort_name)

    def unregistered(self) -> None:
        """It has left the cohort."""
        self._record(KAFKA_SERVER_UNREGISTERED, self._server_name, self._cohort_name)

    # members

    def joined(self, member: MemberRegistration) -> None:
        """A member is new."""
        connection = member.repository_connection
        endpoint = None if connection is None else connection.endpoint
        self._record(
            KAFKA_MEMBER_JOINED,
            member.server_name or _NAMELESS,
            member.metadata_collection_id,
            "nowhere" if endpoint is None else endpoint.address,
        )

    def unusable(self, member: MemberRegistration, reason: str) -> None:
        """A member can't be asked by the connection that it has registered."""
        self._record(
            KAFKA_MEMBER_UNUSABLE,
            member.server_name or _NAMELESS,
            member.metadata_collection_id,
            reason,
        )

    def left(self, collection_id: str) -> None:
        """A member has left."""
        self._record(MEMBER_LEFT, collection_id)

    def claimed(self, member: MemberRegistration) -> None:
        """Another server has registered with this one's collection id."""
        connection = member.repository_connection
        endpoint = None if connection is None else connection.endpoint
        self._record(
            KAFKA_COLLECTION_CLAIMED,
            member.server_name or _NAMELESS,
            "nowhere" if endpoint is None else endpoint.address,
            member.metadata_collection_id,
            self._server_name,
        )

    def complaint(self, sender: str, error: EventError) -> None:
        """Another member complains of this server's registration."""
        code = "" if error.error_code is None else error.error_code.name
        self._record(COMPLAINT_RECEIVED, sender, code, error.error_message)

    def full(self, member: MemberRegistration) -> None:
        """There is no room for another member."""
        self._record(MEMBERS_FULL, member.server_name or _NAMELESS)

    def event_refused(self, origin: str, reason: str) -> None:
        """An event of a member wasn't taken in."""
        self._record(EVENT_REFUSED, origin or "nobody", reason)

    # the topics: bus.topics.TopicsListener

    def connected(self) -> None:
        """Records are read from now on."""
        self.is_connected.set()
        self._record(KAFKA_CONNECTED, self._cohort_name)

    def disconnected(self, reason: str) -> None:
        """They can't be read, for another reason than before."""
        self.is_connected.clear()
        self._record(KAFKA_DISCONNECTED, self._cohort_name, reason)

    def dropped(self, partition: Partition, offset: int, count: int, why: str) -> None:
        """Records from an offset on can't be handed on."""
        code = OMRSEventErrorCode.INVALID_EVENT_FORMAT.name
        told = f"{code}: {why}"
        self._record(KAFKA_RECORDS_DROPPED, count, partition.topic, offset, told)

    def expired(self, partition: Partition, count: int) -> None:
        """Records were removed from the topic before they were read."""
        self._record(KAFKA_RECORDS_EXPIRED, count, partition.topic)

    def recreated(self, partition: Partition) -> None:
        """The topic is another one than before, and is read from its beginning."""
        self._record(KAFKA_TOPIC_RECREATED, partition.topic)

    def refused(self, topic: str, event: bytes, why: str) -> None:
        """The bus won't ever take an event, which is not sent."""
        self._record(EVENT_UNSENDABLE, len(event), topic, why)

    def _record(self, message: AuditMessage, *parameters: object) -> None:
        self._log.record(OMRSAuditingComponent.COHORT_MANAGER, message, *parameters)
