"""A member's part in the topics of a cohort, on a Kafka broker."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewPartitions, RecordsToDelete

from edgenode.bus.topics import OmrsTopic, Partition
from edgenode.limits import MAX_MESSAGE_BYTES
from tests.egeria.harness.broker import Broker
from tests.egeria.reader import SECONDS, Reader, admin, create, fresh_names, put

INSTANCES, TYPES = OmrsTopic.INSTANCES, OmrsTopic.TYPES


async def test_what_one_sends_others_read_in_order(kafka: Broker) -> None:
    names = fresh_names()
    one, other = Reader(names), Reader(names)
    async with one.reading(kafka.address), other.reading(kafka.address):
        events = [b"%d" % number for number in range(500)]
        await one.topics.send(INSTANCES, events[:300])
        await one.topics.send(INSTANCES, events[300:])
        await other.until_read(*events)
        statistics = one.topics.statistics()
        assert (statistics.sent, statistics.received) == (500, 0)
        assert other.heard[-1] == ("connected",)
    record = other.records[0]
    assert record.key == one.local_server_id.encode()
    assert other.topics.kinds[record.partition.topic] is INSTANCES


async def test_each_kind_has_a_topic_or_all_have_the_same(kafka: Broker) -> None:
    for dedicated in (True, False):
        names = fresh_names(dedicated=dedicated)
        one, other = Reader(names), Reader(names)
        async with one.reading(kafka.address), other.reading(kafka.address):
            for kind in OmrsTopic:
                await one.topics.send(kind, [kind.encode()])
            await other.until(lambda: len(other.records) == 3)  # noqa: B023
            kinds = other.topics.kinds
            read = {each.value: kinds[each.partition.topic] for each in other.records}
            assert read == {
                kind.encode(): kind if dedicated else None for kind in OmrsTopic
            }


async def test_what_it_sent_itself_is_passed_over(kafka: Broker) -> None:
    one = Reader(fresh_names())
    async with one.reading(kafka.address):
        key = one.local_server_id.encode()
        await put(kafka.address, one.names[TYPES], b"of a former life", key=key)
        await one.topics.send(TYPES, [b"own"])
        await put(kafka.address, one.names[TYPES], b"other")
        await one.until_read(b"other")
        assert one.topics.statistics().echoes == 2


async def test_who_runs_with_a_copy_of_its_data_is_heard(kafka: Broker) -> None:
    names = fresh_names()
    one = Reader(names)
    copy = Reader(names, local_server_id=one.local_server_id)
    async with one.reading(kafka.address), copy.reading(kafka.address):
        await one.topics.send(TYPES, [b"of one"])
        await one.until(lambda: one.topics.statistics().echoes == 1)
        await copy.topics.send(TYPES, [b"of the copy"])
        await one.until_read(b"of the copy")


async def test_a_new_member_reads_what_comes_and_not_what_was(kafka: Broker) -> None:
    names = fresh_names()
    await put(kafka.address, names[INSTANCES], b"before")
    one = Reader(names)
    async with one.reading(kafka.address):
        await put(kafka.address, names[INSTANCES], b"after")
        await one.until_read(b"after")


async def test_a_restarted_member_reads_what_came_meanwhile(kafka: Broker) -> None:
    names = fresh_names()
    one = Reader(names)
    async with one.reading(kafka.address):
        await put(kafka.address, names[INSTANCES], b"first")
        await one.until_read(b"first")
    await put(kafka.address, names[INSTANCES], b"second")
    # That nothing was ever read of a topic, is no reason to miss its first record.
    await put(kafka.address, names[TYPES], b"third")
    async with one.reading(kafka.address):
        await one.until(lambda: len(one.records) >= 3)
    assert (one.values[0], sorted(one.values[1:])) == (b"first", [b"second", b"third"])


async def test_committed_offsets_stand_in_for_kept_positions(kafka: Broker) -> None:
    names = fresh_names()
    one = Reader(names)
    async with one.reading(kafka.address):
        await put(kafka.address, names[INSTANCES], b"first")
        await one.until_read(b"first")
    await put(kafka.address, names[INSTANCES], b"second")
    async with one.reading(kafka.address, positions=()):
        await one.until_read(b"first", b"second")


async def test_what_is_not_dealt_with_comes_again(kafka: Broker) -> None:
    names = fresh_names()
    one = Reader(names)
    async with one.reading(kafka.address):
        await one.until(lambda: one.positions)
        one.keeps = False
        await put(kafka.address, names[INSTANCES], b"first")
        # After something of its own, which must not be taken for the end of the rest.
        await one.topics.send(INSTANCES, [b"own"])
        await one.until_read(b"first")
        await one.until(lambda: one.topics.statistics().echoes == 1)
    async with one.reading(kafka.address):
        await one.until_read(b"first", b"first")


async def test_what_is_not_dealt_with_is_asked_after_where_nothing_more_comes(
    kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.bus.kafka.session.KAFKA_FETCH_SECONDS", 0.05)
    names = fresh_names()
    one = Reader(names)
    async with one.reading(kafka.address):
        one.keeps = False
        await put(kafka.address, names[INSTANCES], b"event")
        await one.until_read(b"event")
        so_far = one.batches
        await one.until(lambda: one.batches > so_far + 1)


async def test_records_of_all_partitions_are_read(kafka: Broker) -> None:
    names = fresh_names()
    await create(kafka.address, names[INSTANCES], partitions=3)
    one, other = Reader(names), Reader(names)
    async with one.reading(kafka.address), other.reading(kafka.address):
        events = [b"%d" % number for number in range(9)]
        for number, event in enumerate(events):
            await put(kafka.address, names[INSTANCES], event, key=b"%d" % number)
        await one.topics.send(INSTANCES, [b"of", b"one"])
        await other.until(lambda: len(other.records) == 11)
        own = one.local_server_id.encode()
        assert [each.value for each in other.records if each.key == own] == [
            b"of",
            b"one",
        ]
        assert len({each.partition for each in other.records}) == 3
        assert len({each.partition for each in other.records if each.key == own}) == 1
    assert set(other.positions) > {
        Partition(names[INSTANCES], each) for each in range(3)
    }


async def test_reading_begins_where_nothing_moved(kafka: Broker) -> None:
    one = Reader(fresh_names())
    async with one.reading(kafka.address):
        pass
    async with one.reading(kafka.address):
        assert one.topics.statistics().connected_since is not None


async def test_partitions_that_are_added_are_read_from_their_beginning(
    kafka: Broker,
) -> None:
    names = fresh_names()
    one = Reader(names)
    async with one.reading(kafka.address):
        pass
    async with admin(kafka.address) as manager:
        three = NewPartitions(3)  # type: ignore[no-untyped-call]
        await manager.create_partitions({names[TYPES]: three})
    for number in range(9):
        await put(kafka.address, names[TYPES], b"meanwhile", key=b"%d" % number)
    async with one.reading(kafka.address):
        await one.until_read(*[b"meanwhile"] * 9)


async def test_a_topic_that_is_made_anew_is_read_from_its_beginning(
    kafka: Broker,
) -> None:
    names = fresh_names()
    one = Reader(names)
    async with one.reading(kafka.address):
        await put(kafka.address, names[INSTANCES], b"1", b"2", b"3")
        await one.until_read(b"1", b"2", b"3")
        async with admin(kafka.address) as manager:
            await manager.delete_topics([names[INSTANCES]])
        await one.until(lambda: ("recreated", names[INSTANCES]) in one.heard)
        await put(kafka.address, names[INSTANCES], b"4")
        await one.until_read(b"1", b"2", b"3", b"4")
        await one.topics.send(INSTANCES, [b"own"])


async def test_a_topic_that_was_made_anew_meanwhile_is_told_by_its_id(
    kafka: Broker,
) -> None:
    names = fresh_names()
    one = Reader(names)
    async with one.reading(kafka.address):
        await put(kafka.address, names[INSTANCES], b"1", b"2")
        await one.until_read(b"1", b"2")
    async with admin(kafka.address) as manager:
        await manager.delete_topics([names[INSTANCES]])
        # Brokers take records for a while yet, and lose them.
        async with asyncio.timeout(SECONDS):
            while names[INSTANCES] in await manager.list_topics():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    # Its end is beyond where the former one was read to.
    await put(kafka.address, names[INSTANCES], b"3", b"4", b"5")
    async with one.reading(kafka.address):
        await one.until_read(b"1", b"2", b"3", b"4", b"5")
    assert ("recreated", names[INSTANCES]) in one.heard


async def test_what_was_removed_unread_is_counted(kafka: Broker) -> None:
    names = fresh_names()
    one = Reader(names)
    async with one.reading(kafka.address):
        await put(kafka.address, names[INSTANCES], b"1")
        await one.until_read(b"1")
    await put(kafka.address, names[INSTANCES], b"2", b"3", b"4")
    async with admin(kafka.address) as manager:
        partition = TopicPartition(names[INSTANCES], 0)
        until = RecordsToDelete(3)  # type: ignore[no-untyped-call]
        await manager.delete_records({partition: until})
    async with one.reading(kafka.address):
        await one.until_read(b"1", b"4")
        assert one.topics.statistics().expired == 2
    assert ("expired", names[INSTANCES], 2) in one.heard


async def test_records_of_any_kind_are_handed_on_or_told(kafka: Broker) -> None:
    names = fresh_names()
    await create(kafka.address, names[INSTANCES], max_message_bytes="9000000")
    one = Reader(names)
    rubbish = bytes(range(256))
    async with one.reading(kafka.address):
        topic = names[INSTANCES]
        await put(kafka.address, topic, b"without a key", key=None)
        await put(kafka.address, topic, rubbish, key=rubbish)
        await put(kafka.address, topic, None, b"", b"x" * (MAX_MESSAGE_BYTES + 1))
        await put(kafka.address, topic, b"y" * MAX_MESSAGE_BYTES)
        await one.until(lambda: len(one.records) == 4)
        assert [(each.key, each.value[:20]) for each in one.records] == [
            (None, b"without a key"),
            (rubbish, rubbish[:20]),
            (b"other", b""),
            (b"other", b"y" * 20),
        ]
        assert one.topics.statistics().dropped == 2
    assert [each[1:3] for each in one.heard if each[0] == "dropped"] == [(2, 1), (4, 1)]


@pytest.mark.parametrize("compression", ["gzip", "lz4", "snappy", "zstd"])
async def test_compressed_records_are_read(kafka: Broker, compression: str) -> None:
    names = fresh_names()
    one = Reader(names)
    event = b"an event " * 100
    async with one.reading(kafka.address):
        await put(kafka.address, names[INSTANCES], event, compression=compression)
        await one.until_read(event)


async def test_an_event_that_brokers_refuse_holds_up_no_other(kafka: Broker) -> None:
    names = fresh_names()
    one, other = Reader(names), Reader(names)
    large = b"x" * 2_000_000
    async with one.reading(kafka.address), other.reading(kafka.address):
        await one.topics.send(INSTANCES, [b"before", large, b"after"])
        await other.until_read(b"before", b"after")
        assert one.topics.statistics().refused == 1
    assert ("refused", names[INSTANCES], large) in one.heard


async def test_partitions_are_noticed_while_reading(
    kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.bus.cohort_topics.KAFKA_METADATA_SECONDS", 0)
    names = fresh_names()
    one = Reader(names)
    async with one.reading(kafka.address):
        async with admin(kafka.address) as manager:
            three = NewPartitions(3)  # type: ignore[no-untyped-call]
            await manager.create_partitions({names[TYPES]: three})
        for number in range(9):
            await put(kafka.address, names[TYPES], b"event", key=b"%d" % number)
        await one.until_read(*[b"event"] * 9)
        assert {each.partition.number for each in one.records} == {0, 1, 2}


async def test_what_is_dealt_with_is_committed_for_those_who_look_on(
    kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.bus.cohort_topics.KAFKA_COMMIT_SECONDS", 0)
    names = fresh_names()
    one = Reader(names)
    partition = TopicPartition(names[INSTANCES], 0)
    sent = committed = 0
    async with (
        asyncio.timeout(SECONDS),
        one.reading(kafka.address),
        admin(kafka.address) as manager,
    ):
        while committed < 2:
            await put(kafka.address, names[INSTANCES], b"event")
            sent += 1
            told = await manager.list_consumer_group_offsets(one.local_server_id)
            committed = told[partition].offset if partition in told else 0
    assert committed <= sent


async def test_a_place_among_many_own_records_is_kept(
    kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.bus.cohort_topics.KAFKA_PASSED_OVER", 10)
    one = Reader(fresh_names())
    async with one.reading(kafka.address):
        place = Partition(one.names[INSTANCES], 0)
        await one.topics.send(INSTANCES, [b"own"] * 25)
        await one.until(lambda: one.positions[place].offset >= 10)
    assert one.records == []
