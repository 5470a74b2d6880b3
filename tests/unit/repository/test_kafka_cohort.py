"""What is remembered of a cohort over Kafka."""

import asyncio
from pathlib import Path

from edgenode.events.model import InstanceEvent, OMRSInstanceEventType
from edgenode.events.streams import Position
from edgenode.repository.backup import back_up, restore
from edgenode.repository.kafka_cohort import Standing, TopicPlace
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import START, guid, saving

EVENT = InstanceEvent(event_type=OMRSInstanceEventType.UPDATED_ENTITY_EVENT)


async def test_it_is_all_there_after_a_restart(opener: Opener) -> None:
    async with opener() as repository:
        store = repository.kafka_cohort
        assert store.standing is None
        assert await store.enter("plant", "id 1") == Standing(
            "plant", "id 1", None, None
        )
        await store.save_registration_time(77)
        await store.save_sent(Position("life", 5))
        await store.save_member("hub", b"hub as it was")
        await store.save_member("hub", b"hub as it is")
        await store.save_places([TopicPlace("t", 0, 4, ""), TopicPlace("t", 1, 9, "x")])
        await store.save_places([TopicPlace("t", 0, 5, "x")])
    async with opener() as repository:
        store = repository.kafka_cohort
        known = Standing("plant", "id 1", 77, Position("life", 5))
        assert store.standing == known
        assert await store.enter("plant", "id 2") == known
        assert store.members == {"hub": b"hub as it is"}
        assert sorted(store.places) == [
            TopicPlace("t", 0, 5, "x"),
            TopicPlace("t", 1, 9, "x"),
        ]


async def test_who_was_told_of_is_remembered(opener: Opener) -> None:
    async with opener() as repository:
        store = repository.kafka_cohort
        await store.enter("plant", "id 1")
        await store.save_told(["one", "other"])
        await store.save_told(["other", "third"], untold=["one", "nobody"])
    async with opener() as repository:
        store = repository.kafka_cohort
        assert store.told == {"other", "third"}
        await store.enter("office", "id 2")
        assert store.told == set()


async def test_in_another_cohort_nothing_of_the_first_counts(opener: Opener) -> None:
    async with opener() as repository:
        store = repository.kafka_cohort
        await store.enter("plant", "id 1")
        await store.save_registration_time(77)
        await store.save_member("hub", b"")
        await store.save_places([TopicPlace("t", 0, 4, "")])
        entered = await store.enter("office", "id 2")
        assert entered == Standing("office", "id 2", None, None)
        assert store.members == {}
        assert store.places == []


async def test_who_was_a_member_is_known_when_it_has_left(opener: Opener) -> None:
    async with opener() as repository:
        store = repository.kafka_cohort
        await repository.change(saving(1))
        stored = repository.entity(guid(1))
        assert stored is not None
        home = stored.metadata_collection_id
        await store.enter("plant", "id 1")
        for name in (home, "hub"):
            assert not repository.was_member(name)
            await store.save_member(name, b"")
            assert repository.was_member(name)
            await store.remove_member(name)
        assert repository.was_member(home)
        assert not repository.was_member("hub"), "nothing of it was ever stored"


async def test_a_store_that_was_put_back_is_known_by_another_id(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    async with opener() as repository:
        store = repository.kafka_cohort
        await store.enter("plant", "id 1")
        await store.save_registration_time(77)
        await asyncio.to_thread(back_up, path, tmp_path / "copy.db")
    await asyncio.to_thread(restore, tmp_path / "copy.db", path, START)
    async with opener() as repository:
        entered = await repository.kafka_cohort.enter("plant", "id 2")
        assert entered == Standing("plant", "id 2", 77, None)


async def test_an_event_that_is_passed_on_says_whose_it_is(opener: Opener) -> None:
    async with opener(keep_events=True) as repository:
        await repository.change(lambda tx: tx.queue_event(EVENT))
        await repository.change(lambda tx: tx.queue_event(EVENT, "hub"))
        found = await repository.events_after(0, 10)
        assert [each.origin for each in found] == [None, "hub"]
