"""Members of a cohort that hear each other's events without anything in between."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.collection.mending import Mended
from edgenode.collection.received import Outcome, Received
from edgenode.events.exchange import ExchangeRules
from edgenode.events.frames import StateFrame
from edgenode.events.model import EventError, InstanceEvent, TypeDefEvent
from edgenode.events.streams import Position, Step, Sum
from edgenode.instances.provenance import Home
from edgenode.releases import SERVED
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.registry import TypeRegistry
from tests.model.house import CODEC, SetClock, types

THIRD = Home("third-id", "third")

ALL = ExchangeRules()
SHIPPED = types()
"""Read from their file before any event loop runs."""
BUCKETS = range(256)


@dataclass
class Member:
    """One member: a collection on a repository of its own."""

    home: Home
    repository: SqliteRepository
    clock: SetClock
    known_collections: set[str]
    types: TypeRegistry
    rules: ExchangeRules = ALL
    uuids: Iterable[int] = field(default_factory=count)
    passes_on: bool = False
    collection: LocalMetadataCollection = field(init=False)

    def __post_init__(self) -> None:
        numbers = iter(self.uuids)
        self.collection = LocalMetadataCollection(
            LocalCollectionParts(
                home=self.home,
                repository=self.repository,
                types=self.types,
                codec=CODEC,
                release=SERVED,
                clock=self.clock,
                random_uuid=lambda: f"{self.home.name}-{next(numbers)}",
                is_known_collection=self.known_collections.__contains__,
                passes_on=self.passes_on,
            )
        )

    @property
    def id(self) -> str:
        return self.home.id

    # what it tells

    async def told(self) -> list[tuple[Step, InstanceEvent | TypeDefEvent]]:
        """All its events so far, each with its place."""
        incarnation = self.repository.incarnation()
        return [
            (Step(incarnation, queued.after, queued.sequence), queued.event)
            for queued in await self.repository.events_after(0, 10_000)
            if queued.origin is None
        ]

    async def instance_events(self) -> list[InstanceEvent]:
        told = await self.told()
        return [event for _, event in told if isinstance(event, InstanceEvent)]

    async def frames(self, guids: Iterable[str]) -> list[StateFrame]:
        """Its states of some instances, as another member is given them."""
        wanted = list(guids)
        stored = await self.repository.documents(wanted)
        found = {known.guid: known for known in stored}
        return [
            StateFrame(guid, found[guid].kind, found[guid].json)
            if guid in found
            else StateFrame(guid)
            for guid in wanted
        ]

    # what it hears

    async def hear(
        self,
        origin: str,
        event: InstanceEvent,
        step: Step | None = None,
        *,
        error: EventError | None = None,
        last_try: bool = False,
    ) -> Received:
        return await self.collection.receive_instance_event(
            origin, step, event, self.rules, error=error, last_try=last_try
        )

    async def begin_with(self, origin: "Member") -> None:
        """Follow another member from the beginning."""
        start = Position(origin.repository.incarnation(), 0)
        await self.repository.change(lambda tx: tx.move_to(origin.id, start))

    def position(self, origin: str) -> Position | None:
        return self.repository.positions().get(origin)

    async def follow(self, origin: "Member", limit: int = 10_000) -> list[Received]:
        """Hear some of what another member told since the last time."""
        position = self.position(origin.id)
        assert position is not None
        news = [
            (step, event)
            for step, event in await origin.told()
            if step.sequence > position.sequence
        ]
        return [
            await self.hear(origin.id, event, step)
            for step, event in news[:limit]
            if isinstance(event, InstanceEvent)
        ]

    # what it holds

    async def holdings(self) -> dict[str, Mapping[str, Sum]]:
        """The sums of everything, by owner and group."""
        repository = self.repository
        return {
            owner: sums
            for owner in sorted(await repository.owners())
            if (sums := await repository.group_sums(owner))
        }

    async def differences(self, owner: "Member") -> list[str]:
        """What it holds of another member otherwise than that member does."""
        ours = await self.repository.group_sums(owner.id)
        theirs = await owner.repository.group_sums(owner.id)
        guids: dict[str, None] = {}
        for group in {*ours, *theirs}:
            mine, its = [
                await member.repository.bucket_items(owner.id, group, BUCKETS)
                for member in (self, owner)
            ]
            guids |= {g: None for g in {*mine, *its} if mine.get(g) != its.get(g)}
        return sorted(guids)

    async def mend(self, owner: "Member") -> Mended:
        """Hold what another member holds of its own."""
        frames = await owner.frames(await self.differences(owner))
        return await self.collection.adopt_states(owner.id, owner.id, frames)


@asynccontextmanager
async def cohort(path: Path, *names: str) -> AsyncIterator[list[Member]]:
    """Members that know each other and follow each other from the beginning."""
    clock = SetClock()
    ids = {f"{name}-id" for name in names}
    async with AsyncExitStack() as stack:
        members = []
        for name in names:
            repository = await stack.enter_async_context(
                SqliteRepository.opened(
                    path / name / "server.db",
                    CODEC,
                    clock,
                    name=name,
                    keep_events=True,
                )
            )
            home = Home(f"{name}-id", name)
            known = SHIPPED.copy()
            members.append(Member(home, repository, clock, set(ids), known))
        for member in members:
            for other in members:
                if other is not member:
                    await member.begin_with(other)
        yield members


def outcomes(received: Iterable[Received]) -> list[Outcome]:
    return [each.outcome for each in received]
