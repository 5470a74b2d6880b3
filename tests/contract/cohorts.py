"""Members of a cohort for tests: real collections over SQLite, joined directly or by REST."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from edgenode.clock import Clock, SystemClock
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.errors import PeerUnavailableError
from edgenode.events.registration import MemberRegistration
from edgenode.federation.enterprise import EnterpriseMetadataCollection
from edgenode.federation.enterprise_base import EnterpriseParts
from edgenode.federation.members import AskedCollection, FederationMembers
from edgenode.federation.platform import PlatformMetadataCollection
from edgenode.federation.remote import RemoteMetadataCollection
from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.instances.provenance import Home
from edgenode.releases import SERVED
from edgenode.repository.sqlite import SqliteRepository
from tests.model.house import CODEC, types
from tests.wire.http import Client
from tests.wire.seeds import plant
from tests.wire.serving import hosted, serving

HOMES = tuple(Home(f"{name}-id", name) for name in ("alder", "birch", "cedar"))


@dataclass(frozen=True)
class Member:
    """One member of the cohort."""

    home: Home
    repository: SqliteRepository
    collection: LocalMetadataCollection

    @property
    def registration(self) -> MemberRegistration:
        return MemberRegistration(
            metadata_collection_id=self.home.id,
            metadata_collection_name=self.home.name,
            server_name=self.home.name,
        )

    async def has(self, *instances: EntityDetail | EntityProxy | Relationship) -> None:
        """Store instances as they are, as copies arrive."""
        await plant(self.repository, instances)


@asynccontextmanager
async def member(
    home: Home,
    path: Path,
    clock: Clock,
    known: Iterable[Home] = HOMES,
    new_uuid: Callable[[], str] = lambda: str(uuid4()),
) -> AsyncIterator[Member]:
    """A member with a store of its own."""
    async with SqliteRepository.opened(
        path, CODEC, clock, name=str(home.name)
    ) as repository:
        collection = LocalMetadataCollection(
            LocalCollectionParts(
                home=home,
                repository=repository,
                types=await asyncio.to_thread(types),
                codec=CODEC,
                release=SERVED,
                clock=clock,
                random_uuid=new_uuid,
                is_known_collection={each.id for each in known}.__contains__,
            )
        )
        yield Member(home, repository, collection)


@dataclass(frozen=True)
class LoopbackCaller:
    """Sends a member's requests to a port of this machine."""

    client: Client

    async def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        others = {key: told for key, told in headers.items() if key != "Content-Type"}
        try:
            reply = await self.client.request(method, path, body, headers=others)
        except asyncio.IncompleteReadError as error:
            raise PeerUnavailableError("loopback", "breaks off") from error
        return reply.status, reply.headers, reply.text


class JsonCaller(LoopbackCaller):
    """The same for one that knows nothing of packed lists, as genuine members don't."""

    async def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        plain = {**headers, "Accept": "application/json"}
        return await super().request(method, path, body, plain)


class GenuineCaller(JsonCaller):
    """The same for one that answers as a genuine member with its worst repository.

    Nothing but texts, dates and GUIDs is put in order, and without pages no entities are;
    what genuine members don't offer, don't look at, or fail over, this one doesn't either.
    """

    async def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        asked = json.loads(body) if body else None
        if "/by-relationship" in path or "/by-linkage" in path:
            return failed(
                501, "FunctionNotSupportedException", "OMRS-REPOSITORY-501-001"
            )
        if isinstance(asked, dict):
            if asked.get("matchClassifications") is not None:
                return failed(400, "java.lang.NullPointerException", UNFORESEEN)
            body = json.dumps(_looked_at(path, asked)).encode()
        status, told, text = await super().request(method, path, body, headers)
        answer = json.loads(text)
        if answer.get("exceptionErrorMessageId") == CLASSIFIED:
            entity = path.partition("/classification/")[0]
            return await super().request("GET", entity, None, {})
        return status, told, json.dumps(_told(path, answer)).encode()


def _looked_at(path: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What a genuine member looks at of what it is asked."""
    order = str(asked.get("sequencingOrder"))
    is_whole = "/instances/entities" in path and not asked.get("pageSize")
    if is_whole or order.startswith("PROPERTY"):
        asked["sequencingOrder"] = "ANY"
    if path.endswith("/relationships"):
        asked.pop("limitResultsByStatus", None)
    return asked


def _told(path: str, answer: dict[str, Any]) -> dict[str, Any]:
    """What a genuine member makes of an answer."""
    if "/by-neighborhood" in path and answer["relatedHTTPCode"] == 404:
        answer = {"class": answer["class"], "relatedHTTPCode": 200}
    if path.endswith("/home-classifications"):
        answer.pop("classifications", None)
    if path.endswith("/history/all"):
        for name in {"entities", "relationships"} & answer.keys():
            answer[name] = [each for row in answer[name] for each in (row, row)]
    return answer


class UnorderedCaller(GenuineCaller):
    """One whose repository passes over orders altogether."""

    async def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        if body and b'"sequencingOrder"' in body and not path.endswith("/history/all"):
            body = json.dumps(json.loads(body) | {"sequencingOrder": "ANY"}).encode()
        return await super().request(method, path, body, headers)


class UnpagedCaller(GenuineCaller):
    """One whose repository passes over pages, too."""

    async def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        if body and b'"pageSize"' in body:
            body = json.dumps(json.loads(body) | {"pageSize": 0, "offset": 0}).encode()
        return await super().request(method, path, body, headers)


CLASSIFIED = "OMRS-REPOSITORY-400-081"
UNFORESEEN = "OMRS-REPOSITORY-400-062"


def failed(code: int, name: str, message_id: str) -> tuple[int, dict[str, str], bytes]:
    """An answer of a genuine member that fails."""
    package = "org.odpi.openmetadata.repositoryservices.ffdc.exception."
    answer = {
        "class": "EntityListResponse",
        "relatedHTTPCode": code,
        "exceptionClassName": name if "." in name else package + name,
        "exceptionErrorMessage": f"{message_id} failed",
        "exceptionErrorMessageId": message_id,
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


def remote_of(
    home: Home, client: Client, caller: type[LoopbackCaller] = LoopbackCaller
) -> RemoteMetadataCollection:
    """The collection of a member that is served at a port."""
    prefix = f"/servers/{home.name}"
    if issubclass(caller, GenuineCaller):
        return PlatformMetadataCollection(
            home.id, caller(client), prefix, CODEC, types()
        )
    return RemoteMetadataCollection(home.id, caller(client), prefix, CODEC)


@asynccontextmanager
async def served(members: Sequence[Member], clock: Clock) -> AsyncIterator[Client]:
    """The REST API of members, all of them in one process."""
    servers = {
        str(each.home.name): hosted(each.collection, clock, name=str(each.home.name))
        for each in members
    }
    async with serving(clock, servers) as client:
        yield client


def registration_of(home: Home) -> MemberRegistration:
    """A member as it is registered."""
    return MemberRegistration(
        metadata_collection_id=home.id, metadata_collection_name=home.name
    )


def enterprise_of(
    local: Member, others: Mapping[Home, AskedCollection], clock: Clock
) -> tuple[EnterpriseMetadataCollection, FederationMembers]:
    """The whole cohort's collection as one member has it."""
    by_id = {home.id: collection for home, collection in others.items()}
    members = FederationMembers(
        lambda registration: by_id.get(str(registration.metadata_collection_id)), clock
    )
    members.update(map(registration_of, others))
    parts = EnterpriseParts(
        local=local.collection,
        local_id=local.home.id,
        members=members,
        types=types(),
        codec=CODEC,
    )
    return EnterpriseMetadataCollection(parts), members


@dataclass(frozen=True)
class Cohort:
    """Three members that know nothing of each other but by asking."""

    alder: Member
    birch: Member
    cedar: Member
    enterprise: EnterpriseMetadataCollection
    """As alder has it."""
    members: FederationMembers


@asynccontextmanager
async def cohort(
    directory: Path, *, over: type[LoopbackCaller] | None, clock: Clock | None = None
) -> AsyncIterator[Cohort]:
    """A cohort; ``over`` says how they are joined, None directly."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        alder, birch, cedar = [
            await stack.enter_async_context(
                member(home, directory / f"{home.name}.db", clock)
            )
            for home in HOMES
        ]
        others: dict[Home, AskedCollection] = {
            each.home: each.collection for each in (birch, cedar)
        }
        if over is not None:
            client = await stack.enter_async_context(served([birch, cedar], clock))
            others = {home: remote_of(home, client, over) for home in others}
        enterprise, members = enterprise_of(alder, others, clock)
        yield Cohort(alder, birch, cedar, enterprise, members)
