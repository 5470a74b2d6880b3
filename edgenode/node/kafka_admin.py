"""What people are told of a node's cohort of platforms, and have it forget."""

from collections.abc import Mapping
from typing import Any

from edgenode.bus.topics import topic_names
from edgenode.config import KafkaCohortConfig
from edgenode.errors import StoreFullError, StoreUnavailableError
from edgenode.events.registration import MemberRegistration
from edgenode.federation.members import FederationMembers, MemberStatistics
from edgenode.kafka_cohort.member import KafkaCohortMember
from edgenode.node.admin import queries_told
from edgenode.node.kafka_highway import away
from edgenode.rest.cohort_admin import AdminRefusedError

_UNREACHED_MEND = (
    "see that Kafka runs there, and that brokers, security_protocol and what belongs to it "
    "in [kafka_cohort] are as it wants them; it is tried again by itself"
)
_FAILED_MEND = "the node's log says more; it is tried again by itself"
_UNASKED_MEND = (
    "see admit and transport in [kafka_cohort], and the server-url-root of the platform"
)


class KafkaAdmin:
    """The servers of a node as members of its cohort of platforms, for people."""

    def __init__(
        self,
        config: KafkaCohortConfig,
        members: Mapping[str, KafkaCohortMember],
        federations: Mapping[str, FederationMembers],
    ) -> None:
        """Take the parts.

        Args:
            config: The cohort's.
            members: The node's servers as members, by name.
            federations: What each of them asks of others.
        """
        self._config = config
        self._members = members
        self._federations = federations

    def summary(self) -> dict[str, Any]:
        """How the node stands in it, in short; that Kafka is away is no fault of it."""
        servers = self._members.values()
        remote = {key for member in servers for key in member.remote}
        return {
            "name": self._config.name,
            "members": len(remote - {each.collection_id for each in servers}),
            "worstLag": max((each.statistics().lag for each in servers), default=0),
            "backlog": max((each.backlog for each in servers), default=0),
            "troubles": [
                {"server": each.name, **trouble}
                for each in servers
                for trouble in (self._trouble(each), _unasked(each))
                if trouble
            ],
        }

    def _trouble(self, member: KafkaCohortMember) -> dict[str, str] | None:
        """Why a server isn't connected, and what helps; None where it is."""
        statistics, gone = member.statistics(), away(member)
        if gone is not None:
            return gone._asdict()
        if member.trouble:
            return {"reason": member.trouble, "mend": _FAILED_MEND}
        if statistics.connected_since is not None:
            return None
        brokers = ", ".join(map(str, self._config.brokers))
        reason = statistics.last_error or "it is being connected"
        return {
            "reason": f"no connection to Kafka at {brokers}: {reason}",
            "mend": _UNREACHED_MEND,
        }

    def platforms(self, server: str | None) -> dict[str, Any]:
        """The cohort and its members, as a server sees them; the first by default."""
        name = server or next(iter(self._members))
        member = self._members.get(name)
        if member is None:
            raise AdminRefusedError(
                f"there is no server {name} here",
                f"name one of {', '.join(self._members)}",
            )
        asked = {
            each.collection_id: each for each in self._federations[name].statistics()
        }
        members = [
            _told(each)
            | {"fault": member.fault_of(each) or None}
            | _asked(asked.get(collection_id))
            for collection_id, each in member.remote.items()
        ]
        return {
            "cohort": member.cohort_name,
            "server": name,
            "metadataCollectionId": member.collection_id,
            "registeredSince": member.registered_since,
            "trouble": self._trouble(member),
            "topics": self._topics(member),
            "members": sorted(members, key=_by_name),
            "spokenFor": sorted(map(_told, member.spoken_for.values()), key=_by_name),
            "typeConflicts": [
                {
                    "metadataCollectionId": each.member,
                    "name": _name(member.remote.get(each.member)),
                    "typeDefGUID": each.type_guid,
                    "typeDefName": each.type_name,
                    "code": each.code.name,
                    "reason": each.reason,
                }
                for each in member.type_conflicts
            ],
        }

    async def forget(self, member: str) -> dict[str, Any]:
        """Have all servers here forget a member that is gone for good."""
        found = self._meant(member)
        own = {each.collection_id for each in self._members.values()}
        if found in own:
            raise AdminRefusedError(
                f"{member} is a server of this node",
                "it leaves by the metadata highway services, or when it is taken out of "
                "the configuration",
            )
        knowing = [each for each in self._members.values() if found in each.remote]
        name = _name(knowing[0].remote[found])
        for each in knowing:
            try:
                await each.forget(found)
            except (StoreFullError, StoreUnavailableError) as error:
                raise AdminRefusedError(str(error), error.user_action) from error
        return {"metadataCollectionId": found, "name": name}

    def _meant(self, text: str) -> str:
        """The member that somebody means, by its metadata collection."""
        known = {
            key: each
            for member in self._members.values()
            for key, each in member.remote.items()
        }
        found = {key for key, each in known.items() if _name(each) == text}
        found = found or {key for key in known if key.startswith(text)}
        if len(found) == 1:
            return next(iter(found))
        if found:
            raise AdminRefusedError(
                f"{text} may be any of {', '.join(sorted(found))}",
                "write its whole metadata collection id",
            )
        raise AdminRefusedError(
            f"no member {text} is known here",
            "'edgenode cohort platforms' shows who is",
        )

    def _topics(self, member: KafkaCohortMember) -> dict[str, Any]:
        """What goes over the cohort's topics."""
        config, statistics = self._config, member.statistics()
        names = topic_names(
            config.topic_root, config.name, dedicated=config.topics == "dedicated"
        )
        return {
            "names": sorted(set(names.values())),
            "connectedSince": statistics.connected_since,
            "lastError": statistics.last_error,
            "lag": statistics.lag,
            "backlog": member.backlog,
            "received": statistics.received,
            "sent": statistics.sent,
            "dropped": statistics.dropped,
            "expired": statistics.expired,
            "refused": statistics.refused,
            "reconnects": statistics.reconnects,
        }


def _unasked(member: KafkaCohortMember) -> dict[str, str] | None:
    """Which members a server doesn't ask, and why the first of them; None for none."""
    faults = [
        (_name(each) or key, fault)
        for key, each in member.remote.items()
        if (fault := member.fault_of(each))
    ]
    if not faults or member.standing.is_away:
        return None
    name, fault = faults[0]
    more = ""
    if others := len(faults) - 1:
        more = f"; nor {'are' if others > 1 else 'is'} {others} more"
    reason = f"member {name} isn't asked: {fault}{more}"
    return {"reason": reason, "mend": _UNASKED_MEND}


def _name(member: MemberRegistration | None) -> str:
    return "" if member is None else member.server_name or ""


def _told(member: MemberRegistration) -> dict[str, Any]:
    """What a member says of itself, but for passwords."""
    connection = member.repository_connection
    endpoint = None if connection is None else connection.endpoint
    return {
        "metadataCollectionId": member.metadata_collection_id,
        "metadataCollectionName": member.metadata_collection_name,
        "name": _name(member),
        "organizationName": member.organization_name,
        "address": None if endpoint is None else endpoint.address,
        "registeredSince": member.registration_time,
    }


def _asked(asked: MemberStatistics | None) -> dict[str, Any]:
    """What came of questions to a member; nothing where it offers no repository."""
    return {} if asked is None else {"queries": queries_told(asked)}


def _by_name(told: Mapping[str, Any]) -> tuple[str, str]:
    return told["name"], str(told["metadataCollectionId"])
