"""Members that say another one's instances are theirs: who gives way, and what stays."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edgenode.cohort.service import PeerService
from edgenode.collection.base import ClassificationSource
from edgenode.collection.received import Outcome as Reception
from edgenode.events import outbound
from edgenode.events.frames import StateFrame
from edgenode.events.model import (
    EventError,
    InstanceEvent,
    OMRSEventErrorCode,
    OMRSInstanceEventType,
)
from edgenode.events.streams import Step, Sum
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.instances.model import EntityDetail
from edgenode.limits import COMPLAINT_SECONDS
from tests.cohort.simulation import CODEC, SimulatedNode, World
from tests.cohort.test_rules import TERM
from tests.cohort.test_simulated import USER, add_term

CLAIMANT = "e" * 32
MOVED = "EDGENODE-AUDIT-0025"


class ClaimingService(PeerService):
    """Tells of one instance that it is the member's own."""

    claimed: EntityDetail

    async def owners(self, node_id: str, collection_id: str) -> Collection[str]:
        return [collection_id]

    async def group_sums(
        self, node_id: str, collection_id: str, owner: str
    ) -> Mapping[str, Sum]:
        return {"GlossaryTerm": Sum(1, 99)} if owner == collection_id else {}

    async def bucket_sums(
        self, node_id: str, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        return {0: Sum(1, 99)}

    async def bucket_items(self, *asked: Any) -> Mapping[str, int]:
        return {str(self.claimed.guid): 99}

    async def states(
        self, node_id: str, collection_id: str, guids: Sequence[str]
    ) -> AsyncIterator[StateFrame]:
        for guid in guids:
            yield StateFrame(guid, "EntityDetail", CODEC.encode(self.claimed))


@dataclass
class Scene:
    """A member with a term, another one that holds it, and one that wants it."""

    world: World
    home: SimulatedNode
    holder: SimulatedNode
    claimant: SimulatedNode
    term: EntityDetail

    @property
    def guid(self) -> str:
        return str(self.term.guid)

    def claim(self, **fields: Any) -> None:
        """Have the term told as the claimant's own from now on."""
        node = self.claimant
        service = ClaimingService(node.cohort, {node.id: node.member}, lambda: None)
        fields = {"metadata_collection_id": node.id, **fields}
        service.claimed = replace(self.term, **fields)
        node.service = service

    async def complain(self) -> None:
        """Have the claimant say that the home's term is another one than its own."""
        section = InstanceEvent(
            event_type=OMRSInstanceEventType.INSTANCE_ERROR_EVENT,
            type_def_guid=TERM,
            type_def_name="GlossaryTerm",
            instance_guid=self.guid,
        )
        error = EventError(
            error_code=OMRSEventErrorCode.CONFLICTING_INSTANCES,
            target_metadata_collection_id=self.home.id,
            target_instance_guid=self.guid,
            other_metadata_collection_id=self.claimant.id,
            other_instance_guid=self.guid,
        )
        build = EventBuilder(originator_of(self.claimant.member.registration))
        text = CODEC.encode_event(build.event(section, 0, error))
        for node in (self.home, self.holder):
            node.member.hear_error(self.claimant.id, text)
        await self.world.settle()

    async def classify(self) -> None:
        """Have the claimant give the term what its home gave it, but before that."""
        stored = self.home.repository.entity(self.guid)
        assert stored is not None
        (given,) = stored.document.value.classifications or ()
        forged = replace(
            given,
            metadata_collection_id=self.claimant.id,
            create_time=1,
            version=9,
            properties=None,
        )
        section = outbound.classified(self.term, forged)
        build = EventBuilder(originator_of(self.claimant.member.registration))
        text = CODEC.encode_event(build.event(section, 0))
        for node in (self.home, self.holder):
            reached = node.repository.positions()[self.claimant.id]
            step = Step(reached.incarnation, reached.sequence, reached.sequence + 1)
            node.member.hear_event(self.claimant.id, step, text)
        await self.world.settle()

    async def compare(self, *nodes: SimulatedNode) -> None:
        """Have the home and the holder compare what they hold with somebody."""
        for one in (self.home, self.holder):
            for other in nodes:
                if other is not one:
                    one.member.followers()[other.id].compare()
        await self.world.settle()

    async def remove_claimant(self) -> None:
        await self.holder.cohort.remove(CLAIMANT, "somebody")
        await self.world.pass_time(60)
        assert self.home.cohort.is_removed(CLAIMANT)

    def owner_at(self, node: SimulatedNode) -> str | None:
        stored = node.repository.entity(self.guid)
        return None if stored is None else stored.document.value.metadata_collection_id


def moves(node: SimulatedNode) -> int:
    return sum(record.message_id == MOVED for record in node.audit_log.records())


@pytest.fixture(params=["f", "0"], ids=["comes later", "comes first"])
async def scene(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        holder = await stack.enter_async_context(world.node("a"))
        home = await stack.enter_async_context(
            world.node("b", peers=["a"], collection_id="b")
        )
        claimant = await stack.enter_async_context(
            world.node(CLAIMANT, peers=["a"], collection_id=request.param)
        )
        await world.pass_time(60)
        term = await add_term(home, "t")
        await world.settle()
        yield Scene(world, home, holder, claimant, term)


async def test_nothing_becomes_of_a_complaint_alone(scene: Scene) -> None:
    before = await scene.home.holdings()
    await scene.complain()
    assert await scene.home.holdings() == before
    assert await scene.holder.holdings() == before
    assert moves(scene.home) == 0


async def test_a_home_gives_way_to_a_claim_that_it_sees_and_says_so(
    scene: Scene,
) -> None:
    scene.claim(version=1)
    await scene.complain()
    is_first = scene.claimant.id < scene.home.id
    assert moves(scene.home) == is_first
    owner = scene.claimant.id if is_first else scene.home.id
    assert scene.owner_at(scene.home) == owner
    await scene.compare(scene.home, scene.claimant)
    assert scene.owner_at(scene.holder) == owner
    held = await scene.home.holdings()
    assert sum(home == scene.home.id for _, home, _ in held.values()) == 1


async def test_nobody_gives_way_to_who_was_removed(scene: Scene) -> None:
    scene.claim()
    await scene.remove_claimant()
    await scene.complain()
    assert moves(scene.home) == 0
    assert scene.owner_at(scene.home) == scene.home.id
    assert scene.owner_at(scene.holder) == scene.home.id


@pytest.mark.parametrize("version", [2, 2**31 - 1])
async def test_a_claim_ends_with_who_made_it(scene: Scene, version: int) -> None:
    scene.claim(version=version)
    scene.holder.member.followers()[scene.claimant.id].compare()
    await scene.world.settle()
    is_first = scene.claimant.id < scene.home.id
    assert (scene.owner_at(scene.holder) == scene.claimant.id) is is_first
    await scene.remove_claimant()
    await scene.compare(scene.home, scene.holder)
    for node in (scene.home, scene.holder):
        assert scene.owner_at(node) == scene.home.id
    assert moves(scene.home) == 0


async def test_a_classification_by_the_home_is_not_replaced(scene: Scene) -> None:
    await scene.home.collection.classify_entity(
        USER, scene.guid, "Confidentiality", ClassificationSource(), None
    )
    await scene.world.settle()
    before = await scene.home.holdings()
    await scene.classify()
    await scene.compare(scene.home, scene.holder)
    assert await scene.home.holdings() == before
    assert await scene.holder.holdings() == before
    taken = scene.home.member.outcomes
    assert taken[Reception.IGNORED] == 1, "it was heard, and refused by the rule"


async def test_complaints_bring_few_comparisons(scene: Scene) -> None:
    figures = scene.home.member.followers()[scene.claimant.id].figures
    before = figures.comparisons
    for _ in range(5):
        await scene.complain()
    assert figures.comparisons == before + 1
    await scene.world.pass_time(COMPLAINT_SECONDS, step=10)
    await scene.complain()
    assert figures.comparisons == before + 2
