"""Nodes find each other, share metadata and catch up, over a simulated network."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from edgenode.bus.base import Message
from edgenode.cohort.envelope import Header, TopicKind, wrap
from edgenode.cohort.model import Exchange
from edgenode.cohort.peers import PeerState
from edgenode.cohort.service import PeerService
from edgenode.collection.base import ClassificationSource
from edgenode.errors import PeerUnavailableError, StorePutBackError
from edgenode.events.streams import Sum
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.instances.lifecycle import entity_proxy
from edgenode.instances.model import (
    Classification,
    ClassificationEntityExtension,
    EntityDetail,
    InstanceProvenanceType,
    InstanceType,
    Relationship,
)
from edgenode.limits import (
    EXCHANGE_SECONDS,
    MAX_OVERTAKINGS,
    RESTORING_SECONDS,
    SILENT_AFTER_SECONDS,
)
from edgenode.observability.audit_messages import COMPLAINT_RECEIVED
from edgenode.repository.backup import back_up, restore
from edgenode.security.trust import Refusal
from edgenode.typedefs.model import (
    EntityDef,
    TypeDefCategory,
    TypeDefLink,
    TypeDefPatch,
)
from edgenode.typedefs.status import InstanceStatus
from tests.cohort.simulation import BUS_KEY, CODEC, PORT, TOPICS, SimulatedNode, World
from tests.model.house import properties

USER = "erin"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, Random(7))  # noqa: S311


async def add_term(node: SimulatedNode, name: str) -> EntityDetail:
    term_type = str(node.collection.get_type_def_by_name(USER, "GlossaryTerm").guid)
    document = await node.collection.add_entity(
        USER, term_type, properties(qualifiedName=name), None, None
    )
    return document.value


async def test_two_nodes_learn_of_each_other(world: World) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        assert set(one.member.records()) == {one.id, other.id}
        assert set(other.member.records()) == {one.id, other.id}


async def test_a_node_is_found_again_wherever_it_is_announced(world: World) -> None:
    async with world.node("a") as one:
        async with world.node("b", peers=["a"]):
            await world.settle()
        for number in range(20):
            one.cohort.conversations.seen("b", [(f"192.168.1.{number}", PORT)])
        await world.settle()
        peer = one.cohort.peers.get("b")
        assert peer is not None
        assert peer.state is PeerState.LOST
        assert peer.addresses[0] == "b"
        async with world.node("b"):  # knows of nobody
            one.cohort.conversations.seen("b", [("192.168.1.99", PORT)])
            await world.settle(deliver=False)
            peer = one.cohort.peers.get("b")
            assert peer is not None
            assert peer.state is PeerState.ALIVE


async def test_a_peer_of_the_configuration_is_met_whoever_is_announced_there(
    world: World,
) -> None:
    async with (
        world.node("a") as one,
        world.node("c") as other,
        world.node("b", peers=["a"]),
    ):
        await world.settle()
        one.cohort.conversations.seen("b", [("c", PORT)])
        one.cohort.conversations.found([("c", PORT)])
        await world.settle()
        assert set(one.member.records()) >= {one.id, other.id}


async def test_a_change_is_known_to_the_other(world: World) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        term = await add_term(one, "t")
        await world.settle()
        assert other.repository.entity(str(term.guid)) is not None
        assert await one.holdings() == await other.holdings()


async def test_what_was_there_before_is_known_to_who_comes_later(world: World) -> None:
    async with world.node("a") as one:
        for number in range(30):
            await add_term(one, f"t{number}")
        async with world.node("b", peers=["a"]) as other:
            await world.settle()
            assert len(await other.holdings()) == 30
            assert await one.holdings() == await other.holdings()
            assert "EDGENODE-AUDIT-0023" in recorded(other)
            assert "EDGENODE-AUDIT-0022" not in recorded(other), "nothing was mended"


async def test_a_link_that_outlasts_a_lost_question_counts(world: World) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        world.refusing["b"] = PeerUnavailableError("b", "no answer")
        one.cohort.conversations.speak_with_all()
        await world.settle()
        lost = one.cohort.peers.get("b")
        assert lost is not None
        assert lost.state is PeerState.LOST
        world.refusing.clear()
        other.cohort.conversations.speak_with_all()
        await world.settle()
        found = one.cohort.peers.get("b")
        assert found is not None
        later = world.clock.monotonic() + 2 * SILENT_AFTER_SECONDS
        one.cohort.peers.tick(later)
        found = one.cohort.peers.get("b")
        assert found is not None
        assert found.state is PeerState.ALIVE, "its link stands"
        world.network.part(["a"], ["b"])
        await world.settle()
        gone = one.cohort.peers.get("b")
        assert gone is not None
        assert gone.state is PeerState.LOST


async def test_a_copy_is_classified_and_all_others_see_it(world: World) -> None:
    async with (
        world.node("a") as home,
        world.node("b", peers=["a"]) as classifier,
        world.node("c", peers=["a"]) as third,
    ):
        await world.settle()
        term = await add_term(home, "t")
        await world.settle()
        guid = str(term.guid)
        await classifier.collection.classify_entity(
            USER, guid, "Confidentiality", ClassificationSource(), None
        )
        await world.settle()
        async with world.node("d", peers=["a"]) as late:
            await world.settle()
            for node in (home, classifier, third, late):
                assert given(node, guid) == {"Confidentiality": classifier.id}, (
                    node.name
                )
            # It stays with the entity when that is changed at home.
            await home.collection.update_entity_properties(
                USER, guid, properties(qualifiedName="t2")
            )
            await world.settle()
            for node in (home, classifier, third, late):
                assert given(node, guid) == {"Confidentiality": classifier.id}, (
                    node.name
                )
            await classifier.collection.declassify_entity(USER, guid, "Confidentiality")
            await world.settle()
            for node in (home, classifier, third, late):
                assert given(node, guid) == {}, node.name


def given(node: SimulatedNode, guid: str) -> dict[str, str]:
    """The classifications of an entity as a node tells them, with their homes."""
    entity = node.collection.get_entity_detail(USER, guid).value
    return {
        str(each.name): str(each.metadata_collection_id)
        for each in entity.classifications or ()
    }


async def test_a_split_heals(world: World) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        world.network.part(["a"], ["b"])
        await world.settle()
        for number in range(10):
            await add_term(one, f"one{number}")
            await add_term(other, f"other{number}")
        await world.settle()
        assert len(await one.holdings()) == 10
        world.network.join_all()
        await world.pass_time(60)
        assert len(await one.holdings()) == 20
        assert await one.holdings() == await other.holdings()


async def test_a_node_that_was_away_catches_up(world: World) -> None:
    async with world.node("a") as one:
        async with world.node("b", peers=["a"]):
            await world.settle()
        for number in range(10):
            await add_term(one, f"one{number}")
        async with world.node("b", peers=["a"]) as other:
            await world.settle()
            assert await one.holdings() == await other.holdings()


async def test_types_are_known_to_the_other(world: World) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        term = one.collection.get_type_def_by_name(USER, "GlossaryTerm")
        sensor = EntityDef(
            guid="5f8b9f0e-0000-4000-8000-00000000000e",
            name="Sensor",
            version=1,
            category=TypeDefCategory.ENTITY_DEF,
            super_type=TypeDefLink(guid=term.guid, name=term.name),
        )
        await one.collection.add_type_def(USER, sensor)
        thing = await one.collection.add_entity(
            USER, sensor.guid, properties(qualifiedName="s"), None, None
        )
        async with world.node("c", peers=["b"]) as third:
            await world.settle()
            for node in (other, third):
                known = node.collection.get_type_def_by_name(USER, "Sensor")
                assert known.guid == sensor.guid
                assert node.repository.entity(str(thing.value.guid)) is not None


async def test_a_type_that_grew_unheard_is_taken_over(world: World) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        world.network.part(["a"], ["b"])
        known = one.collection.get_type_def_by_name(USER, "GlossaryTerm")
        patch = TypeDefPatch(
            type_def_guid=known.guid,
            type_def_name=known.name,
            apply_to_version=known.version,
            update_to_version=known.version + 1,
            new_version_name="next",
            updated_by=USER,
            update_time=world.clock.now(),
        )
        await one.collection.update_type_def(USER, patch)
        world.network.join_all()
        for follower in other.member.followers().values():
            follower.compare()
        await world.settle()
        grown = other.collection.get_type_def_by_name(USER, "GlossaryTerm")
        assert grown.version == known.version + 1


# An archive may be the backup of a server elsewhere, whose instances are its own.
ARCHIVED = (InstanceProvenanceType.CONTENT_PACK, InstanceProvenanceType.LOCAL_COHORT)


@pytest.mark.parametrize("provenance", ARCHIVED)
async def test_what_an_archive_brings_is_told_at_once(
    world: World, provenance: InstanceProvenanceType
) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        term = await add_term(one, "t")
        packed = replace(
            term,
            guid="0e6b9ad1-0000-4000-8000-000000000001",
            instance_provenance_type=provenance,
            metadata_collection_id="an-archive",
        )
        await one.collection.save_archive_instances(USER, [packed])
        await world.settle()
        assert str(packed.guid) in await other.holdings()


@pytest.mark.parametrize("provenance", ARCHIVED)
async def test_what_an_archive_brought_reaches_who_comes_later(
    world: World, provenance: InstanceProvenanceType
) -> None:
    async with world.node("a") as one:
        term = await add_term(one, "t")
        packed = replace(
            term,
            guid="0e6b9ad1-0000-4000-8000-000000000001",
            instance_provenance_type=provenance,
            metadata_collection_id="an-archive",
        )
        await one.collection.save_entity_reference_copy(USER, packed)
        async with (
            world.node("b", peers=["a"]) as other,
            world.node("c", peers=["a"]) as third,
        ):
            await world.settle()
            assert str(packed.guid) in await other.holdings()
            assert await one.holdings() == await other.holdings()
            # Whoever lacks it doesn't take it away from the others.
            for follower in other.member.followers().values():
                follower.compare()
            await world.settle()
            assert await one.holdings() == await third.holdings()


async def test_relationships_of_an_archive_read_alike_for_who_comes_later(
    world: World,
) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        ends = [packed(await add_term(one, f"t{n}"), number=n) for n in (1, 2)]
        known = one.collection.get_type_def_by_name(USER, "RelatedTerm")
        linked = Relationship(
            type=InstanceType(
                type_def_name=known.name,
                type_def_guid=known.guid,
                type_def_version=known.version,
            ),
            guid="0e6b9ad1-0000-4000-8000-000000000003",
            instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
            metadata_collection_id="an-archive",
            status=InstanceStatus.ACTIVE,
            version=1,
            entity_one_proxy=entity_proxy(ends[0], frozenset({"qualifiedName"})),
            entity_two_proxy=entity_proxy(ends[1], frozenset({"qualifiedName"})),
        )
        spine = Classification(
            name="SpineObject",
            type=InstanceType(type_def_name="SpineObject"),
            instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
            metadata_collection_id="an-archive",
            status=InstanceStatus.ACTIVE,
            version=1,
        )
        # Full ends are there before it, and the classification comes after it.
        await one.collection.save_archive_instances(
            USER,
            ends,
            [linked],
            [
                ClassificationEntityExtension(
                    classification=spine, entity_to_classify=linked.entity_one_proxy
                )
            ],
        )
        await world.settle()
        async with world.node("c", peers=["a"]) as third:
            await world.settle()
            seen = [
                each.collection.get_relationship(USER, str(linked.guid))
                for each in (one, other, third)
            ]
            assert seen[0].json == seen[1].json == seen[2].json
            assert b"SpineObject" in seen[0].json


def packed(entity: EntityDetail, number: int) -> EntityDetail:
    """An entity as an archive might hold it."""
    return replace(
        entity,
        guid=f"0e6b9ad1-0000-4000-8000-00000000000{number}",
        instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
        metadata_collection_id="an-archive",
    )


async def test_who_was_put_back_takes_back_what_others_hold(world: World) -> None:
    store = world.directory / "a" / "metadata.db"
    copy = world.directory / "copy.db"
    async with world.node("b") as other:
        async with world.node("a", peers=["b"]) as one:
            old = await add_term(one, "old")
            await world.settle()
        await asyncio.to_thread(back_up, store, copy)
        async with world.node("a", peers=["b"]) as one:
            await one.collection.update_entity_properties(
                USER, str(old.guid), properties(qualifiedName="newer")
            )
            await add_term(one, "young")
            await world.settle()
            before = await one.holdings()
            assert await other.holdings() == before
        await asyncio.to_thread(restore, copy, store, world.clock.now())
        async with world.node("a", peers=["b"]) as one:
            await world.pass_time(30)
            assert await one.holdings() == before
            assert await other.holdings() == before
            await add_term(one, "after that")
            await world.settle()
            assert await one.holdings() == await other.holdings()


async def test_who_was_put_back_alone_waits_for_others(world: World) -> None:
    store = world.directory / "a" / "metadata.db"
    copy = world.directory / "copy.db"
    async with world.node("b"), world.node("a", peers=["b"]) as one:
        await add_term(one, "old")
        await world.settle()
    await asyncio.to_thread(back_up, store, copy)
    async with world.node("b") as other, world.node("a", peers=["b"]) as one:
        await add_term(one, "young")
        await world.settle()
        before = await other.holdings()
        assert len(before) == 2
    await asyncio.to_thread(restore, copy, store, world.clock.now())
    async with world.node("a", peers=["b"]) as one:
        await world.pass_time(30)
        (guid,) = await one.holdings()
        # It would give way to a newer state that the other holds.
        with pytest.raises(StorePutBackError):
            await one.collection.update_entity_properties(
                USER, guid, properties(qualifiedName="changed")
            )
        with pytest.raises(StorePutBackError):
            await add_term(one, "refused")
        assert one.collection.get_entity_detail(USER, guid).value.guid == guid
        async with world.node("b", peers=["a"]) as other:
            await world.pass_time(150, step=5)
            assert await other.holdings() == before
            assert await one.holdings() == before
            await add_term(one, "after that")
            await world.settle()
            assert await one.holdings() == await other.holdings()


class Hanging(PeerService):
    """Never says what it holds of one member."""

    about = ""

    async def group_sums(
        self, node_id: str, collection_id: str, owner: str
    ) -> Mapping[str, Sum]:
        if owner == self.about:
            await asyncio.Event().wait()
        return await super().group_sums(node_id, collection_id, owner)


async def test_one_that_hangs_holds_up_nobody_for_long(world: World) -> None:
    store = world.directory / "a" / "metadata.db"
    copy = world.directory / "copy.db"
    async with world.node("b") as other, world.node("c", peers=["b"]) as slow:
        async with world.node("a", peers=["b"]) as one:
            await add_term(one, "old")
            await world.settle()
        await asyncio.to_thread(back_up, store, copy)
        async with world.node("a", peers=["b"]) as one:
            await add_term(one, "young")
            await world.settle()
            before = await other.holdings()
        await asyncio.to_thread(restore, copy, store, world.clock.now())
        hanging = Hanging(slow.cohort, {slow.id: slow.member}, lambda: None)
        hanging.about = one.id
        slow.service = hanging
        async with world.node("a", peers=["b"]) as one:
            await world.pass_time(30)
            assert await one.holdings() == before
            assert one.member.is_put_back
            await world.pass_time(RESTORING_SECONDS, step=10)
            await add_term(one, "after that")


async def test_who_was_put_back_for_good_alone_waits_for_nobody(world: World) -> None:
    store = world.directory / "a" / "metadata.db"
    copy = world.directory / "copy.db"
    async with world.node("b"), world.node("a", peers=["b"]) as one:
        await add_term(one, "old")
        await world.settle()
    await asyncio.to_thread(back_up, store, copy)
    await asyncio.to_thread(restore, copy, store, world.clock.now(), alone=True)
    async with world.node("a") as one:
        await add_term(one, "young")
        async with world.node("b", peers=["a"]) as other:
            await world.pass_time(150, step=5)
            assert len(await one.holdings()) == 2
            assert await one.holdings() == await other.holdings()


async def test_a_removed_node_is_not_waited_for(world: World) -> None:
    store = world.directory / "a" / "metadata.db"
    copy = world.directory / "copy.db"
    name = "b" * 32
    async with world.node(name), world.node("a", peers=[name]):
        await world.settle()
    await asyncio.to_thread(back_up, store, copy)
    await asyncio.to_thread(restore, copy, store, world.clock.now())
    async with world.node("a") as one:
        await world.settle()
        assert one.member.is_put_back
        await one.cohort.remove(name, "erin")
        await world.settle()
        await add_term(one, "goes on")


async def test_who_is_let_in_again_is_back_at_once(world: World) -> None:
    name = "b" * 32
    async with world.node("a") as one, world.node(name, peers=["a"]) as other:
        await world.settle()
        await add_term(other, "before")
        await world.settle()
        await one.cohort.remove(name, "erin")
        world.network.part(["a"], [name])
        await world.settle()
        assert set(one.member.records()) == {one.id}
        await add_term(other, "meanwhile")
        world.network.join_all()
        await one.cohort.readmit(name, "erin")
        await world.settle()
        assert set(one.member.records()) == {one.id, other.id}
        assert len(await one.holdings()) == 2
        assert await one.holdings() == await other.holdings()


def recorded(node: SimulatedNode) -> list[str]:
    """The ids of what the audit log holds."""
    return [record.message_id for record in node.audit_log.records()]


def conflicts(node: SimulatedNode) -> int:
    """How often somebody else spoke for this node, or for a member of another."""
    return sum(
        count
        for (reason, _), count in node.trust.refusals().items()
        if reason is Refusal.CONFLICT
    )


async def test_a_copied_card_shows(world: World) -> None:
    async with (
        world.node("c") as other,
        world.node("x", peers=["c"]) as one,
        world.node("copy", peers=["c"], node_id="x", collection_id=one.id) as copy,
    ):
        await world.pass_time(100, step=20)
        assert conflicts(other) > 0
        assert set(other.cohort.copies()) == {"x"}
        await world.pass_time(1000, step=20)
        assert conflicts(other) > 1
        for node in (other, one, copy):
            (copied,) = node.cohort.copies().values()
            assert {each.addresses for each in copied.runs} == {("x",), ("copy",)}
            assert recorded(node).count("EDGENODE-AUDIT-0024") == 1, "not each time"


async def test_a_node_is_told_that_it_has_a_copy(world: World) -> None:
    async with world.node("c", peers=["x"]) as other, world.node("x") as one:
        await world.pass_time(3)
        info = one.cohort.info
        copy = replace(info, run_id="another", addresses=("copy",))
        half = Exchange(sender=copy, time=0)
        await other.cohort.conversations.exchange("x", half)
        await other.cohort.conversations.exchange("x", replace(half, sender=info))
        told = await other.cohort.conversations.exchange("x", half)
        assert {each.addresses for each in told.copies} == {("x",), ("copy",)}
        await world.pass_time(2 * EXCHANGE_SECONDS)
        assert set(one.cohort.copies()) == {"x"}
        assert recorded(one).count("EDGENODE-AUDIT-0024") == 1
        await one.cohort.remove("c", "erin")
        assert not one.cohort.copies(), "nobody says so any more"


async def test_two_copies_that_meet_know_it(world: World) -> None:
    async with world.node("x") as one:
        half = Exchange(sender=replace(one.cohort.info, run_id="another"), time=0)
        await one.cohort.conversations.exchange(
            "x", replace(half, sender=one.cohort.info)
        )
        assert recorded(one).count("EDGENODE-AUDIT-0024") == 0
        for _ in range(2):
            await one.cohort.conversations.exchange("x", half)
        assert set(one.cohort.copies()) == {"x"}
        assert recorded(one).count("EDGENODE-AUDIT-0024") == 1


async def test_a_copy_shows_on_a_bus_that_all_share(world: World) -> None:
    async with world.node("c"), world.node("x", peers=["c"]) as one:
        await world.settle()
        registration = one.member.records()[one.id]
        for count in range(1, MAX_OVERTAKINGS + 2):
            assert conflicts(one) == 0
            revision = one.member.records()[one.id].revision
            build = EventBuilder(originator_of(registration.registration))
            event = build.registered(registration.registration, revision, again=True)
            topic = TOPICS.name(TopicKind.REGISTRATION, one.id)
            header = Header(node="x", run="another", revision=revision + count)
            text = wrap(BUS_KEY, topic, header, CODEC.encode_event(event))
            one.cohort.received(Message(topic, text), None)
            await world.settle()
        assert conflicts(one) == 1
        assert recorded(one).count("EDGENODE-AUDIT-0024") == 1


async def test_an_earlier_run_with_a_clock_ahead_is_no_copy(world: World) -> None:
    async with world.node("c") as other:
        async with world.node("x", peers=["c"], skew=86_400):
            await world.settle()
        async with world.node("x", peers=["c"]) as again:
            await world.pass_time(120, step=20)
            known = other.cohort.peers.get("x")
            assert known is not None
            assert known.info.run_id == again.cohort.info.run_id
            assert conflicts(again) == conflicts(other) == 0
            assert not again.cohort.copies()
            assert not other.cohort.copies()


async def test_who_can_not_be_asked_as_it_registered_hears_of_it(world: World) -> None:
    async with (
        world.node("a") as one,
        world.node("b", peers=["a"]) as other,
        world.node("c", peers=["a"]) as third,
    ):
        await world.settle()
        one.member.complain_of(other.id, "no server is named")
        await world.settle()
        told = [
            record
            for record in other.audit_log.records()
            if record.message_id == COMPLAINT_RECEIVED.message_id
        ]
        assert [record.parameters[1:] for record in told] == [
            ("BAD_REMOTE_CONNECTION", "no server is named")
        ]
        # Who is reached by whom differs from network to network.
        assert COMPLAINT_RECEIVED.message_id not in recorded(third)
