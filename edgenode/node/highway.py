"""A server's cohort, as its metadata highway services show it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from edgenode.clock import EpochMillis
from edgenode.cohort.member import CohortMember
from edgenode.cohort.model import Standing
from edgenode.events.registration import MemberRegistration
from edgenode.rest.hosting import CohortConnectionStatus, CohortDescription

_STATUS = {
    Standing.STARTING: CohortConnectionStatus.INITIALIZING,
    Standing.CONNECTED: CohortConnectionStatus.CONNECTED,
    Standing.DISCONNECTED: CohortConnectionStatus.DISCONNECTED,
    Standing.UNREGISTERED: CohortConnectionStatus.DISCONNECTED,
}


class Away(NamedTuple):
    """That somebody had a server go, and what brings it back."""

    reason: str
    mend: str


def away(member: CohortMember) -> Away | None:
    """Why a server takes no part in its cohort; None where it does."""
    if not member.standing.is_away:
        return None
    return Away(
        f"this server is {member.standing.name.lower()}",
        f"'edgenode cohort connect --server {member.name}' brings it back",
    )


class CohortHighway:
    """The one cohort that a server is in."""

    def __init__(self, cohort_name: str, member: CohortMember) -> None:
        self._name = cohort_name
        self._member = member

    def cohorts(self) -> Sequence[CohortDescription]:
        """Each cohort of the server."""
        status = _STATUS[self._member.standing]
        return [CohortDescription(cohort_name=self._name, connection_status=status)]

    def local_member(self) -> MemberRegistration:
        """The server as its cohorts know it."""
        return replace(self._member.registration, registration_time=None)

    def registration_time(self, cohort_name: str) -> EpochMillis | None:
        """When the server registered; None where it is in no such cohort."""
        record = self._member.records().get(self._member.collection_id)
        if cohort_name != self._name or record is None or not record.is_registered:
            return None
        return record.registration.registration_time

    def remote_members(self, cohort_name: str) -> Sequence[MemberRegistration]:
        """The others that are registered; nobody in a cohort that it isn't in."""
        if cohort_name != self._name:
            return []
        return [
            record.registration
            for collection_id, record in self._member.records().items()
            if record.is_registered and collection_id != self._member.collection_id
        ]

    async def connect(self, cohort_name: str) -> bool:
        """Take part in a cohort again; False where it isn't configured."""
        if cohort_name == self._name:
            self._member.connect()
        return cohort_name == self._name

    async def disconnect(self, cohort_name: str) -> bool:
        """Take no part for now; the others keep what they know."""
        if cohort_name == self._name:
            self._member.disconnect()
        return cohort_name == self._name

    async def unregister(self, cohort_name: str) -> bool:
        """Leave a cohort; the others forget the server."""
        if cohort_name == self._name:
            self._member.unregister()
        return cohort_name == self._name
