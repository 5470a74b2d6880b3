"""In the name of a member that is gone nobody tells anything, by whatever way it comes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from edgenode.collection.base import ClassificationSource
from edgenode.events import outbound
from edgenode.events.model import (
    InstanceEvent,
    OMRSInstanceEventType,
)
from edgenode.instances.lifecycle import classification_of
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    InstanceGraph,
    InstanceProvenanceType,
)
from edgenode.repository.base import Transaction
from tests.cohort.simulation import SimulatedNode, World
from tests.cohort.test_simulated import USER, add_term

GONE, HERE, LIAR = ("ab" + digit * 30 for digit in "123")
PACKED = InstanceProvenanceType.CONTENT_PACK


@dataclass
class Scene:
    """A member that is gone, one that remembers it, and one that speaks for it."""

    world: World
    here: SimulatedNode
    liar: SimulatedNode
    theirs: EntityDetail
    """An instance of the member that is gone, with a classification of its own."""
    lent: EntityDetail
    """An instance of the liar's, with a classification of the member that is gone."""

    async def tell(
        self, events: Sequence[InstanceEvent], *stored: EntityDetail
    ) -> None:
        """Have the liar tell events, and hold what it lies about."""

        def work(tx: Transaction) -> None:
            for entity in stored:
                tx.save_entity(entity, self.world.clock.now())
            for event in events:
                tx.queue_event(event)

        await self.liar.repository.change(work)
        await self.world.settle()
        self.here.member.followers()[self.liar.id].compare()
        await self.world.settle()

    def known(self, guid: str) -> EntityDetail | None:
        stored = self.here.repository.entity(guid)
        if stored is None or stored.is_proxy:
            return None
        assert isinstance(stored.document.value, EntityDetail)
        return stored.document.value


@pytest.fixture(params=["left", "removed", "restarted", "rejoined"])
async def scene(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        liar = await stack.enter_async_context(world.node(LIAR))
        async with AsyncExitStack() as first:
            here = await first.enter_async_context(world.node(HERE, peers=[LIAR]))
            async with world.node(GONE, peers=[LIAR]) as gone:
                theirs, lent = await filled(world, gone, liar)
                if request.param in ("left", "rejoined"):
                    gone.member.unregister()
                else:
                    await here.cohort.remove(GONE, USER)
                await world.settle()
            if request.param == "rejoined":
                here.member.unregister()
                await world.settle()
                here.member.connect()
                await world.pass_time(30)
            if request.param == "restarted":
                await first.aclose()
                here = await stack.enter_async_context(world.node(HERE, peers=[LIAR]))
                await world.settle()
            scene = Scene(world, here, liar, theirs, lent)
            assert liar.id in here.member.followers()
            assert scene.known(str(theirs.guid)) == theirs
            assert scene.known(str(lent.guid)) == lent
            yield scene


async def filled(
    world: World, gone: SimulatedNode, liar: SimulatedNode
) -> tuple[EntityDetail, EntityDetail]:
    await world.settle()
    held = []
    for term in (await add_term(gone, "theirs"), await add_term(liar, "lent")):
        await world.settle()
        document = await gone.collection.classify_entity(
            USER, str(term.guid), "Confidentiality", ClassificationSource(), None
        )
        held.append(document.value)
        await world.settle()
    return held[0], held[1]


def forgeries(told: EntityDetail, guid: str) -> list[EntityDetail]:
    """An instance as its owner doesn't tell it, and others that it never told."""
    newer = replace(told, version=told.version + 9, update_time=told.create_time)
    packed = replace(newer, instance_provenance_type=PACKED)
    loaded = replace(newer, replicated_by=told.metadata_collection_id)
    return [
        *(newer, packed, loaded),
        *(
            replace(forged, guid=f"{guid}{number}")
            for number, forged in enumerate((newer, packed, loaded))
        ),
    ]


async def test_it_is_known_that_it_was_a_member(scene: Scene) -> None:
    """So nobody else is even asked for what it had."""
    gone = str(scene.theirs.metadata_collection_id)
    assert not scene.here.member.is_known(gone)
    assert scene.here.member.was_member(gone)
    assert scene.here.member.was_member(scene.liar.id)
    assert scene.here.member.was_member(scene.here.id)
    assert not scene.here.member.was_member("pack")


async def test_its_instances_stay_as_they_are(scene: Scene) -> None:
    for forged in forgeries(scene.theirs, "new"):
        batch = InstanceGraph(entities=(forged,))
        given = classification(scene.lent, metadata_collection_id=scene.liar.id)
        events = [
            outbound.updated(forged, forged),
            InstanceEvent(
                event_type=OMRSInstanceEventType.BATCH_INSTANCES_EVENT,
                instance_batch=batch,
            ),
            outbound.classified(
                replace(forged, guid="new"), replace(given, name="Retention")
            ),
        ]
        await scene.tell(events, forged)
    assert scene.known(str(scene.theirs.guid)) == scene.theirs
    for guid in ("new", "new0", "new1", "new2"):
        assert scene.known(guid) is None


async def test_nobody_classifies_in_its_name(scene: Scene) -> None:
    given = classification(scene.lent)
    without = replace(scene.lent, version=scene.lent.version + 1, classifications=None)
    for forged in (
        replace(given, version=given.version + 9, instance_provenance_type=PACKED),
        replace(given, name="Retention"),
        replace(given, name="Retention", instance_provenance_type=PACKED),
    ):
        entity = replace(without, classifications=(forged,))
        new = replace(entity, guid="new")
        events = [
            outbound.classified(entity, forged),
            outbound.updated(entity, entity),
            outbound.created(new),
        ]
        await scene.tell(events, entity, new)
    await scene.tell([outbound.declassified(without, given)], without)
    known, made = scene.known(str(scene.lent.guid)), scene.known("new")
    assert known is not None
    assert known.classifications == (given,)
    assert made is not None
    assert made.classifications is None


async def test_of_an_archive_anybody_tells(scene: Scene) -> None:
    """Else the others would prove nothing."""
    packed = replace(
        scene.theirs,
        metadata_collection_id="pack",
        instance_provenance_type=PACKED,
        classifications=None,
    )
    given = classification(
        scene.lent, metadata_collection_id="pack", instance_provenance_type=PACKED
    )
    held, told = replace(packed, guid="held"), replace(packed, guid="told")
    classified = replace(
        scene.lent, classifications=(replace(given, name="Retention"),)
    )
    await scene.tell([outbound.created(told)], held, classified)
    assert scene.known("held") == held
    assert scene.known("told") == told
    known = scene.known(str(scene.lent.guid))
    assert known is not None
    assert classification_of(known, "Retention") is not None


def classification(entity: EntityDetail, **changes: object) -> Classification:
    given = classification_of(entity, "Confidentiality")
    assert given is not None
    return replace(given, **changes)  # type: ignore[arg-type]
