"""Whom a server asks beside itself: the members of every cohort that it is in."""

from collections.abc import Callable, Iterable
from typing import Protocol

from edgenode.clock import Clock
from edgenode.events.registration import MemberRegistration
from edgenode.federation.enterprise import EnterpriseMetadataCollection
from edgenode.federation.enterprise_base import EnterpriseParts
from edgenode.federation.members import AskedCollection, FederationMembers
from edgenode.instances.model import InstanceHeader
from edgenode.node.servers import OpenServer


class MemberSource(Protocol):
    """The members of one cohort, as a server in it knows them."""

    @property
    def alone(self) -> str:
        """Why none of them is asked; empty where they are."""
        ...

    def on_change(self, told: Callable[[], None]) -> None:
        """Have somebody told when others came, left or changed, and now."""
        ...

    def registrations(self) -> Iterable[MemberRegistration]:
        """Who is in it beside the server."""
        ...

    def connect(self, registration: MemberRegistration) -> AskedCollection | None:
        """What is asked for one of them; None for one that isn't to be."""
        ...

    def unanswered(self, collection_id: str) -> None:
        """One of them left a question unanswered."""
        ...

    def was_read(self, header: InstanceHeader) -> None:
        """An instance was read from the cohort."""
        ...


class ServerFederation:
    """Everybody that one server asks, and the collection of all together.

    Attributes:
        members: Who is asked.
        enterprise: The collection of all, this server included.
    """

    def __init__(self, server: OpenServer, clock: Clock) -> None:
        self._sources: list[MemberSource] = []
        self._origins: dict[str, MemberSource] = {}
        self.members = FederationMembers(self._connect, clock, self._unanswered)
        self.enterprise = EnterpriseMetadataCollection(
            EnterpriseParts(
                local=server.collection,
                local_id=server.collection_id,
                members=self.members,
                types=server.types,
                codec=server.codec,
                was_read=self._was_read,
            )
        )

    def add(self, source: MemberSource) -> None:
        """Ask the members of a cohort, too; who is in several is asked by the first."""
        self._sources.append(source)
        source.on_change(self._update)

    def _update(self) -> None:
        registrations: dict[str, MemberRegistration] = {}
        absent: dict[str, str] = {}
        for source in self._sources:
            if source.alone:
                for each in source.registrations():
                    absent[str(each.metadata_collection_id)] = source.alone
                continue
            for each in source.registrations():
                key = str(each.metadata_collection_id)
                if key not in registrations:
                    registrations[key] = each
                    self._origins[key] = source
        reasons = [source.alone for source in self._sources]
        self.members.update(
            registrations.values(),
            alone=reasons[0] if all(reasons) else "",
            # Who can be asked through another cohort isn't absent.
            absent={key: absent[key] for key in absent.keys() - registrations.keys()},
        )
        self._origins = {key: self._origins[key] for key in registrations}

    def _connect(self, registration: MemberRegistration) -> AskedCollection | None:
        source = self._origins[str(registration.metadata_collection_id)]
        return source.connect(registration)

    def _unanswered(self, collection_id: str) -> None:
        source = self._origins.get(collection_id)
        if source is not None:
            source.unanswered(collection_id)

    def _was_read(self, header: InstanceHeader) -> None:
        for source in self._sources:
            source.was_read(header)
