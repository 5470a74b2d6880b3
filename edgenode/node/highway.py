"""A server's cohorts, as its metadata highway services show them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from edgenode.cohort.member import CohortMember
from edgenode.cohort.model import Standing
from edgenode.errors import EdgeNodeError
from edgenode.events.registration import MemberRegistration
from edgenode.rest.hosting import CohortConnectionStatus, CohortDescription

_STATUS = {
    Standing.STARTING: CohortConnectionStatus.INITIALIZING,
    Standing.CONNECTED: CohortConnectionStatus.CONNECTED,
    Standing.DISCONNECTED: CohortConnectionStatus.DISCONNECTED,
    Standing.UNREGISTERED: CohortConnectionStatus.DISCONNECTED,
}


class CohortNameTakenError(EdgeNodeError):
    """Two cohorts of a node have one name, by which servers are told to leave them."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"both cohorts of this node are called {self.name}"


class Away(NamedTuple):
    """That somebody had a server go, and what brings it back."""

    reason: str
    mend: str


def away(member: CohortMember) -> Away | None:
    """Why a server takes no part in its cohort of nodes; None where it does."""
    if not member.standing.is_away:
        return None
    return Away(
        f"this server is {member.standing.name.lower()}",
        f"'edgenode cohort connect --server {member.name}' brings it back",
    )


class CohortOfServer(Protocol):
    """One cohort that a server is in."""

    @property
    def name(self) -> str:
        """The cohort's."""
        ...

    @property
    def local(self) -> MemberRegistration:
        """The server as it is known there; without a time where it isn't registered."""
        ...

    def description(self) -> CohortDescription:
        """How the server stands with it."""
        ...

    def remote(self) -> Iterable[MemberRegistration]:
        """The others that are registered."""
        ...

    async def connect(self) -> None:
        """Take part again."""
        ...

    async def disconnect(self) -> None:
        """Take no part for now."""
        ...

    async def unregister(self) -> None:
        """Leave it."""
        ...


class ServerHighway:
    """The cohorts that a server is in, each of another name."""

    def __init__(self, cohorts: Sequence[CohortOfServer]) -> None:
        """Take them; there is one at least."""
        self._cohorts = {each.name: each for each in cohorts}

    def cohorts(self) -> Sequence[CohortDescription]:
        """Each cohort of the server."""
        return [each.description() for each in self._cohorts.values()]

    def local_member(self) -> MemberRegistration:
        """The server as the first of its cohorts knows it, but for the time."""
        first = next(iter(self._cohorts.values()))
        return _shown(replace(first.local, registration_time=None))

    def local_registration(self, cohort_name: str) -> MemberRegistration | None:
        """The server as a cohort knows it; None where it isn't registered there."""
        cohort = self._cohorts.get(cohort_name)
        if cohort is None or cohort.local.registration_time is None:
            return None
        return _shown(cohort.local)

    def remote_members(self, cohort_name: str) -> Sequence[MemberRegistration]:
        """The others that are registered; nobody in a cohort that it isn't in."""
        cohort = self._cohorts.get(cohort_name)
        return [] if cohort is None else [_shown(each) for each in cohort.remote()]

    async def connect(self, cohort_name: str) -> bool:
        """Take part in a cohort again; False where it isn't configured."""
        cohort = self._cohorts.get(cohort_name)
        if cohort is not None:
            await cohort.connect()
        return cohort is not None

    async def disconnect(self, cohort_name: str) -> bool:
        """Take no part for now; the others keep what they know."""
        cohort = self._cohorts.get(cohort_name)
        if cohort is not None:
            await cohort.disconnect()
        return cohort is not None

    async def unregister(self, cohort_name: str) -> bool:
        """Leave a cohort; the others forget the server."""
        cohort = self._cohorts.get(cohort_name)
        if cohort is not None:
            await cohort.unregister()
        return cohort is not None


def _shown(member: MemberRegistration) -> MemberRegistration:
    """A registration without the password that members of a cohort may tell each other."""
    connection = member.repository_connection
    if connection is None:
        return member
    open_to_all = replace(
        connection,
        clear_password=None,
        encrypted_password=None,
        secured_properties=None,
    )
    return replace(member, repository_connection=open_to_all)


class NodesCohort:
    """The cohort of nodes that a server is in: ``CohortOfServer``."""

    def __init__(self, name: str, member: CohortMember) -> None:
        self.name = name
        self._member = member

    @property
    def local(self) -> MemberRegistration:
        """The server as it is known there; without a time where it isn't registered."""
        record = self._member.records().get(self._member.collection_id)
        is_registered = record is not None and record.is_registered
        time = (
            record.registration.registration_time if record and is_registered else None
        )
        return replace(self._member.registration, registration_time=time)

    def description(self) -> CohortDescription:
        """How the server stands with it."""
        status = _STATUS[self._member.standing]
        return CohortDescription(cohort_name=self.name, connection_status=status)

    def remote(self) -> Iterable[MemberRegistration]:
        """The others that are registered."""
        return [
            record.registration
            for collection_id, record in self._member.records().items()
            if record.is_registered and collection_id != self._member.collection_id
        ]

    async def connect(self) -> None:
        """Take part again."""
        self._member.connect()

    async def disconnect(self) -> None:
        """Take no part for now; the others keep what they know."""
        self._member.disconnect()

    async def unregister(self) -> None:
        """Leave it; the others forget the server."""
        self._member.unregister()
