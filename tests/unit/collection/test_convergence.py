"""Whatever members do and in whatever order they hear of it, they come to hold the same."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenode.collection.base import ClassificationSource
from edgenode.collection.mending import Mended
from edgenode.collection.received import Outcome, Received
from edgenode.errors import OMRSError
from edgenode.events.model import InstanceEvent
from edgenode.instances.digests import held
from edgenode.instances.model import EntityDetail, Relationship
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import USER, properties, type_guid
from tests.unit.collection.members import Member, cohort

CLASSIFICATIONS = {
    "a": ("Confidentiality", "Retention"),
    "b": ("Criticality", "Impact"),
    "c": ("Confidence", "Ownership"),
}
"""By member: an entity has only one of a name, and who gives it keeps it."""

TERM, SUBTERM, RELATED = "GlossaryTerm", "ControlledGlossaryTerm", "RelatedTerm"
NAMES = ("a", "b", "c")

quick = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def run(work: Callable[[list[Member]], Awaitable[None]], *names: str) -> None:
    """Do something with new members."""

    async def with_members() -> None:
        with tempfile.TemporaryDirectory() as directory:
            async with cohort(Path(directory), *names) as members:
                await work(members)

    asyncio.run(with_members())


class Life:
    """What a member's users do, by chance; what isn't possible is left out."""

    def __init__(self, member: Member, draw: Any, *, least_time: int = 0) -> None:
        self.member = member
        self._least_time = least_time
        self.collection = member.collection
        self._draw = draw
        self._count = 0

    async def does(self, name: str) -> None:
        self.member.clock.time += self._draw(st.integers(self._least_time, 2))
        with suppress(OMRSError):
            await getattr(self, name)()

    # what there is

    async def _entities(self) -> list[EntityDetail]:
        return await self._states(EntityDetail)

    async def _states(self, kind: Any) -> list[Any]:
        repository = self.member.repository
        newest = await repository.newest_state()
        found = await repository.states_until(kind, newest, "", 1_000)
        return [document.value for document in found]

    def _one(self, states: list[Any], fits: Callable[[Any], bool]) -> Any:
        fitting = [state for state in states if fits(state)]
        if not fitting:
            raise NothingFitsError
        return self._draw(st.sampled_from(fitting))

    def _is_own(self, state: Any) -> bool:
        return bool(state.metadata_collection_id == self.member.id)

    def _own_live(self, state: Any) -> bool:
        return self._is_own(state) and state.status is not InstanceStatus.DELETED

    def _own_gone(self, state: Any) -> bool:
        return self._is_own(state) and state.status is InstanceStatus.DELETED

    def _new(self) -> Any:
        self._count += 1
        return properties(qualifiedName=f"{self.member.home.name} {self._count}")

    # entities

    async def add(self) -> None:
        given = self._draw(st.booleans())
        await self.collection.add_entity(USER, type_guid(TERM), self._new(), None, None)
        if given:
            await self.classify()

    async def update(self) -> None:
        guid = self._one(await self._entities(), self._own_live).guid
        await self.collection.update_entity_properties(USER, guid, self._new())

    async def undo(self) -> None:
        guid = self._one(await self._entities(), self._own_live).guid
        await self.collection.undo_entity_update(USER, guid)

    async def delete(self) -> None:
        known = self._one(await self._entities(), self._own_live)
        name = known.type.type_def_name
        await self.collection.delete_entity(USER, type_guid(name), name, known.guid)

    async def restore(self) -> None:
        guid = self._one(await self._entities(), self._own_gone).guid
        await self.collection.restore_entity(USER, guid)

    async def restore_alone(self) -> None:
        """Restore what had no relationships, which would have been deleted with it."""
        guid = self._one(await self._entities(), self._own_gone).guid
        for known in await self._states(Relationship):
            if guid in (known.entity_one_proxy.guid, known.entity_two_proxy.guid):
                return
        await self.collection.restore_entity(USER, guid)

    async def purge(self) -> None:
        known = self._one(await self._entities(), self._own_gone)
        name = known.type.type_def_name
        await self.collection.purge_entity(USER, type_guid(name), name, known.guid)

    async def re_identify(self) -> None:
        known = self._one(await self._entities(), self._own_live)
        name = known.type.type_def_name
        self._count += 1
        new = f"{self.member.home.name}-moved-{self._count}"
        await self.collection.re_identify_entity(
            USER, type_guid(name), name, known.guid, new
        )

    async def re_type(self) -> None:
        known = self._one(await self._entities(), self._own_live)
        types = self.member.types
        before = types.type_def(known.type.type_def_name)
        after = types.type_def(SUBTERM if before is types.type_def(TERM) else TERM)
        assert before is not None
        assert after is not None
        await self.collection.re_type_entity(
            USER, known.guid, before.summary, after.summary
        )

    async def re_home(self) -> None:
        known = self._one(await self._entities(), lambda state: not self._is_own(state))
        name = known.type.type_def_name
        await self.collection.re_home_entity(
            USER,
            known.guid,
            type_guid(name),
            name,
            known.metadata_collection_id,
            self.member.id,
            self.member.home.name,
        )

    # classifications

    async def classify(self) -> None:
        guid = self._one(await self._entities(), lambda _: True).guid
        name = self._draw(st.sampled_from(CLASSIFICATIONS[str(self.member.home.name)]))
        await self.collection.classify_entity(
            USER, guid, name, ClassificationSource(), None
        )

    async def re_classify(self) -> None:
        guid, name = await self._given()
        await self.collection.update_entity_classification(USER, guid, name, None)

    async def declassify(self) -> None:
        guid, name = await self._given()
        await self.collection.declassify_entity(USER, guid, name)

    async def _given(self) -> tuple[str, str]:
        given = [
            (entity.guid, each.name)
            for entity in await self._entities()
            for each in entity.classifications or ()
            if each.metadata_collection_id == self.member.id
        ]
        guid, name = self._one(given, lambda _: True)
        return guid, name

    # relationships

    async def relate(self) -> None:
        entities = await self._entities()
        one, two = (self._one(entities, lambda _: True).guid for _ in range(2))
        await self.collection.add_relationship(
            USER, type_guid(RELATED), properties(description="x"), one, two, None
        )

    async def update_relationship(self) -> None:
        guid = self._one(await self._states(Relationship), self._own_live).guid
        self._count += 1
        await self.collection.update_relationship_properties(
            USER, guid, properties(description=f"{self._count}")
        )

    async def delete_relationship(self) -> None:
        guid = self._one(await self._states(Relationship), self._own_live).guid
        await self.collection.delete_relationship(
            USER, type_guid(RELATED), RELATED, guid
        )

    async def restore_relationship(self) -> None:
        guid = self._one(await self._states(Relationship), self._own_gone).guid
        await self.collection.restore_relationship(USER, guid)

    async def purge_relationship(self) -> None:
        guid = self._one(await self._states(Relationship), self._own_gone).guid
        await self.collection.purge_relationship(
            USER, type_guid(RELATED), RELATED, guid
        )

    async def re_identify_relationship(self) -> None:
        guid = self._one(await self._states(Relationship), self._own_live).guid
        self._count += 1
        new = f"{self.member.home.name}-moved-{self._count}"
        await self.collection.re_identify_relationship(
            USER, type_guid(RELATED), RELATED, guid, new
        )


class NothingFitsError(OMRSError):
    """There is nothing to do this with."""

    message_id = "TEST-400-001"
    related_http_code = 400
    exception_class_name = "Test"
    template = "nothing fits"

    def __init__(self) -> None:
        super().__init__()


STATES = (
    "add",
    "add",
    "update",
    "undo",
    "delete",
    "restore_alone",
    "re_type",
    "classify",
    "re_classify",
    "relate",
    "relate",
    "update_relationship",
    "delete_relationship",
)
"""What leaves an order of its own in the versions."""

ALL = (
    *STATES,
    "restore",
    "restore_relationship",
    "purge_relationship",
    "purge",
    "declassify",
    "re_identify",
    "re_identify_relationship",
)

SHARED = (*ALL, "re_home")


@pytest.mark.usefixtures("no_leaked_thread")
@quick
@given(st.data())
def test_events_in_their_order_make_others_hold_what_the_home_holds(data: Any) -> None:
    async def work(members: list[Member]) -> None:
        home, other = members
        life = Life(home, data.draw)
        for name in data.draw(st.lists(st.sampled_from(ALL), max_size=40)):
            await life.does(name)
            if data.draw(st.booleans()):
                await other.follow(home, data.draw(st.integers(0, 3)))
        received = await other.follow(home)
        assert {each.outcome for each in received} <= {Outcome.SAVED, Outcome.IGNORED}
        assert await other.holdings() == await home.holdings()
        assert not await other.instance_events()

    run(work, "a", "b")


@pytest.mark.usefixtures("no_leaked_thread")
@quick
@given(st.data())
def test_states_in_any_order_end_as_they_are_at_home(data: Any) -> None:
    async def work(members: list[Member]) -> None:
        home, other = members
        life = Life(home, data.draw, least_time=1)
        for name in data.draw(st.lists(st.sampled_from(STATES), max_size=30)):
            await life.does(name)
        events = await home.instance_events()
        again = (
            data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
        )
        for event in data.draw(st.permutations([*events, *again])):
            await other.hear(home.id, event)
        assert await states(other) == await states(home)

    run(work, "a", "b")


async def states(member: Member) -> list[Any]:
    """The states of all instances, as far as they are told.

    When a relationship was deleted is not told, if it was with one of its ends.
    """
    life = Life(member, None)
    relationships = [
        (known.guid, known.version, known.status)
        for known in await life._states(Relationship)
    ]
    return [*map(held, await life._entities()), *relationships]


@pytest.mark.usefixtures("no_leaked_thread")
@quick
@given(st.data())
def test_members_that_all_change_things_hold_the_same_once_they_compared(
    data: Any,
) -> None:
    async def work(members: list[Member]) -> None:
        lives = [Life(member, data.draw) for member in members]
        for name in data.draw(st.lists(st.sampled_from(SHARED), max_size=40)):
            life = data.draw(st.sampled_from(lives))
            await life.does(name)
            one, two = data.draw(st.permutations(members))[:2]
            await told(
                members, one, await one.follow(two, data.draw(st.integers(0, 4)))
            )
        await settled(members)
        held = [await member.holdings() for member in members]
        assert held[1:] == held[:-1]

    run(work, *NAMES)


async def settled(members: list[Member]) -> None:
    """Let all hear everything, and compare what they hold until nothing differs."""
    pairs = [(one, two) for one in members for two in members if one is not two]
    for _ in range(8):
        news = True
        while news:
            news = False
            for one, two in pairs:
                received = await one.follow(two)
                await told(members, one, received)
                news = news or bool(received)
        changed = False
        for one, two in pairs:
            mended = await one.mend(two)
            await told(members, one, [mended])
            changed = changed or bool(mended.saved or mended.purged or mended.reports)
        if not changed:
            return
    pytest.fail("they don't come to an end")


async def told(
    members: list[Member], sender: Member, found: Sequence[Received | Mended]
) -> None:
    """Let the others hear what a member complains of."""
    for each in found:
        reports = each.reports if isinstance(each, Mended) else [each.report]
        for report in filter(None, reports):
            assert isinstance(report.section, InstanceEvent)
            for member in members:
                if member is not sender:
                    await member.hear(sender.id, report.section, error=report.error)
