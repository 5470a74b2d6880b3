"""A server's cohort of platforms, as its metadata highway services show it."""

from collections.abc import Iterable

from edgenode.bus.topics import OmrsTopic, topic_names
from edgenode.config import KafkaCohortConfig
from edgenode.connectors.connection import Connection
from edgenode.connectors.topics import topic_connection
from edgenode.events.registration import MemberRegistration
from edgenode.kafka_cohort.member import KafkaCohortMember
from edgenode.node.highway import Away
from edgenode.rest.hosting import CohortConnectionStatus, CohortDescription

_TOPICS = {
    OmrsTopic.REGISTRATION: "registrations",
    OmrsTopic.TYPES: "types",
    OmrsTopic.INSTANCES: "instances",
}
"""What each topic is for, as genuine servers say it."""


def away(member: KafkaCohortMember) -> Away | None:
    """Why a server takes no part in its cohort of platforms; None where it does."""
    if not member.standing.is_away:
        return None
    return Away(
        f"this server is {member.standing.name.lower()} from cohort "
        f"{member.cohort_name}",
        f"'edgenode cohort connect --server {member.name} --cohort "
        f"{member.cohort_name}' brings it back",
    )


class PlatformsCohort:
    """The cohort of platforms that a server is in: ``CohortOfServer``."""

    def __init__(self, config: KafkaCohortConfig, member: KafkaCohortMember) -> None:
        self.name = config.name
        self._config = config
        self._member = member

    @property
    def local(self) -> MemberRegistration:
        """The server as it is known there; without a time where it isn't registered."""
        return self._member.local

    def description(self) -> CohortDescription:
        """How the server stands with it, and its topics."""
        dedicated = self._config.topics == "dedicated"
        names = topic_names(self._config.topic_root, self.name, dedicated=dedicated)
        status = self._status()
        if not dedicated:
            topic = self._topic(f"{self.name} OMRS Topic", names[OmrsTopic.INSTANCES])
            return CohortDescription(
                cohort_name=self.name,
                connection_status=status,
                topic_connection=topic,
                single_topic_connection=topic,
            )
        topics = {
            kind: self._topic(f"{self.name} OMRS Topic for {what}", names[kind])
            for kind, what in _TOPICS.items()
        }
        return CohortDescription(
            cohort_name=self.name,
            connection_status=status,
            topic_connection=topics[OmrsTopic.REGISTRATION],
            registration_topic_connection=topics[OmrsTopic.REGISTRATION],
            types_topic_connection=topics[OmrsTopic.TYPES],
            instances_topic_connection=topics[OmrsTopic.INSTANCES],
        )

    def _status(self) -> CohortConnectionStatus:
        if self._member.standing.is_away:
            return CohortConnectionStatus.DISCONNECTED
        if self._member.statistics().connected_since is None:
            return CohortConnectionStatus.INITIALIZING
        return CohortConnectionStatus.CONNECTED

    def _topic(self, display_name: str, topic: str) -> Connection:
        config = self._config
        client = {"bootstrap.servers": ",".join(map(str, config.brokers))}
        if config.security_protocol != "PLAINTEXT":
            client["security.protocol"] = config.security_protocol
        return topic_connection(display_name, topic, self._member.server_id, client)

    def remote(self) -> Iterable[MemberRegistration]:
        """The others that are registered."""
        return self._member.remote.values()

    async def connect(self) -> None:
        """Take part again."""
        await self._member.connect()

    async def disconnect(self) -> None:
        """Take no part for now; the others keep what they know."""
        await self._member.disconnect()

    async def unregister(self) -> None:
        """Leave it; the others forget the server."""
        await self._member.unregister()
