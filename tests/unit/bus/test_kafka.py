"""What brokers answer, taken apart."""

import asyncio
import gzip

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

from edgenode.bus.base import Address
from edgenode.bus.kafka.records import RawRecord, unpacked
from edgenode.bus.kafka.session import KafkaSession, Topic
from edgenode.bus.topics import BusUnavailableError, KafkaBroker
from edgenode.limits import KAFKA_FETCHED_RECORDS, MAX_INFLATED_BYTES

RUBBISH = bytes(range(256))
BLOCKS = b"\x82SNAPPY\0\0\0\0\1\0\0\0\1"
_HEADER = 61


def batch(
    offset: int, *values: bytes, compression: int = 0, producer_id: int = -1
) -> bytes:
    """Records from an offset on, as brokers keep them."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=producer_id,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    for number, value in enumerate(values):
        builder.append(number, 0, None, value, [])
    return offset.to_bytes(8, "big") + bytes(builder.build())[8:]


def packed_as(compression: int, packed: bytes) -> bytes:
    """A batch whose records are packed so."""
    data = bytearray(batch(0, b"one", compression=compression)[:_HEADER] + packed)
    data[8:12] = (len(data) - 12).to_bytes(4, "big")
    return _with_checksum(data)


def old_batch(offset: int, value: bytes, compression: int = 0) -> bytes:
    """A record as brokers kept it before 0.11."""
    builder = LegacyRecordBatchBuilder(1, compression, 1 << 20)
    builder.append(offset, 0, b"key", value)
    data = bytes(builder.build())
    return offset.to_bytes(8, "big") + data[8:]


def test_records_have_their_offsets() -> None:
    found = unpacked(batch(5, b"one", b"two") + batch(7, b"three"), 8, 6)
    assert found.records == [RawRecord(6, None, b"two"), RawRecord(7, None, b"three")]
    assert (found.next_offset, found.damaged) == (8, [])


def test_records_tell_their_producer() -> None:
    found = unpacked(batch(0, b"one", producer_id=1_234) + batch(1, b"two"), 2, 0)
    assert [each.producer_id for each in found.records] == [1_234, -1]


def test_a_damaged_batch_costs_its_own_records_alone() -> None:
    damaged = bytearray(batch(1, b"one", b"two"))
    damaged[-1] ^= 1
    found = unpacked(batch(0, b"zero") + damaged + batch(3, b"three"), 4, 0)
    assert [each.value for each in found.records] == [b"zero", b"three"]
    ((offset, count, why),) = found.damaged
    assert (offset, count) == (1, 2)
    assert "checksum" in why
    assert found.next_offset == 4


def test_an_unknown_compression_costs_its_own_records_alone() -> None:
    unknown = bytearray(batch(0, b"one", compression=1))
    unknown[22] = 7  # the attributes, of which three bits say the compression
    fixed = _with_checksum(unknown)
    found = unpacked(fixed + batch(1, b"two"), 2, 0)
    assert [each.value for each in found.records] == [b"two"]
    assert [each[:2] for each in found.damaged] == [(0, 1)]


@pytest.mark.parametrize("compression", [1, 3, 4])
def test_what_becomes_too_large_is_not_inflated(compression: int) -> None:
    large = batch(1, bytes(MAX_INFLATED_BYTES + 1), compression=compression)
    assert len(large) < 100_000
    whole = batch(2, bytes(MAX_INFLATED_BYTES - 100), compression=compression)
    found = unpacked(batch(0, b"", compression=compression) + large + whole, 3, 0)
    assert [each.value for each in found.records] == [b""]
    assert [each[:2] for each in found.damaged] == [(1, 1)]
    assert found.next_offset == 2
    found = unpacked(whole, 3, 2)
    assert [len(each.value or b"") for each in found.records] == [
        MAX_INFLATED_BYTES - 100
    ]


@pytest.mark.parametrize("compression", [1, 2, 3, 4])
def test_what_becomes_too_much_together_is_read_in_turns(compression: int) -> None:
    third = bytes(MAX_INFLATED_BYTES // 3)
    batches = [batch(each, third, compression=compression) for each in range(5)]
    offset, taken = 0, []
    while offset < len(batches):
        found = unpacked(b"".join(batches[offset:]), 5, offset)
        assert found.damaged == []
        offset = found.next_offset
        taken.append(len(found.records))
    assert taken == [2, 2, 1]


def test_many_damaged_batches_are_told_together() -> None:
    large = bytes(MAX_INFLATED_BYTES + 1)
    damaged = bytearray(batch(0, b"one"))
    damaged[-1] ^= 1
    other = bytearray(batch(1, b"two"))
    other[-1] ^= 1
    packed = batch(2, large, compression=4)
    found = unpacked(bytes(damaged + other) + packed + batch(3, b"three"), 4, 0)
    assert [each[:2] for each in found.damaged] == [(0, 2), (2, 1)]
    assert [each.value for each in found.records] == [b"three"]


def test_records_that_are_too_many_are_read_in_turns() -> None:
    most = KAFKA_FETCHED_RECORDS
    many = batch(0, *([b""] * (most + 5)))
    found = unpacked(many + batch(most + 5, b"last"), most + 6, 0)
    assert (len(found.records), found.next_offset) == (most, most)
    found = unpacked(many + batch(most + 5, b"last"), most + 6, most)
    assert [each.offset for each in found.records] == list(range(most, most + 6))


def test_a_second_part_of_what_is_compressed_is_not_inflated() -> None:
    first = batch(0, b"one", compression=1)[_HEADER:]
    bomb = packed_as(1, first + gzip.compress(bytes(MAX_INFLATED_BYTES + 1)))
    found = unpacked(bomb + batch(1, b"two"), 2, 0)
    assert [each.value for each in found.records] == [b"two"]
    ((_, _, why),) = found.damaged
    assert "follows" in why


@pytest.mark.parametrize("start", [b"", BLOCKS + (6).to_bytes(4, "big")])
def test_no_room_is_made_for_what_snappy_says_alone(start: bytes) -> None:
    four_gigabytes = b"\xff\xff\xff\xff\x0f\0"
    found = unpacked(packed_as(2, start + four_gigabytes), 1, 0)
    ((_, _, why),) = found.damaged
    assert "too large" in why


def test_records_of_older_formats_are_read_unless_they_are_compressed() -> None:
    found = unpacked(old_batch(4, b"one") + old_batch(5, b"two", compression=1), 6, 4)
    assert found.records == [RawRecord(4, b"key", b"one")]
    assert [each[:2] for each in found.damaged] == [(5, 1)]
    assert found.next_offset == 6


def test_a_batch_that_is_cut_short_is_read_later() -> None:
    whole = batch(0, b"one")
    found = unpacked(whole + batch(1, RUBBISH)[:-1], 2, 0)
    assert (found.next_offset, len(found.records), found.damaged) == (1, 1, [])


def test_a_key_has_the_partition_that_java_gives_it() -> None:
    # murmur2 of "21" is -973932308 by the tests of Kafka's own clients.
    topic = Topic("", dict.fromkeys(range(7), 1))
    assert topic.partition_of(b"21") == (-973932308 & 0x7FFFFFFF) % 7


async def test_no_room_is_made_for_an_answer_that_is_said_to_be_huge() -> None:
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        writer.write((2**31 - 1).to_bytes(4, "big"))
        await done.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        session = KafkaSession(KafkaBroker(addresses=(address,)), "pi")
        with pytest.raises(BusUnavailableError, match="closed"):
            await session.open()
        done.set()


def _with_checksum(data: bytearray) -> bytes:
    from aiokafka.record._crc32c import crc

    data[17:21] = crc(bytes(data[21:])).to_bytes(4, "big")
    return bytes(data)
