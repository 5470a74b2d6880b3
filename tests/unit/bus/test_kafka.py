"""What brokers answer, taken apart."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from edgenode.bus.kafka.records import RawRecord, unpacked
from edgenode.bus.kafka.session import Topic
from edgenode.limits import MAX_INFLATED_BYTES

RUBBISH = bytes(range(256))


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
    large = batch(0, bytes(MAX_INFLATED_BYTES + 1), compression=compression)
    assert len(large) < 100_000
    whole = batch(1, bytes(MAX_INFLATED_BYTES - 100), compression=compression)
    found = unpacked(batch(0, b"", compression=compression) + large + whole, 2, 0)
    assert [len(each.value or b"") for each in found.records] == [
        0,
        MAX_INFLATED_BYTES - 100,
    ]


def test_a_batch_that_is_cut_short_is_read_later() -> None:
    whole = batch(0, b"one")
    found = unpacked(whole + batch(1, RUBBISH)[:-1], 2, 0)
    assert (found.next_offset, len(found.records), found.damaged) == (1, 1, [])


def test_a_key_has_the_partition_that_java_gives_it() -> None:
    # murmur2 of "21" is -973932308 by the tests of Kafka's own clients.
    topic = Topic("", dict.fromkeys(range(7), 1))
    assert topic.partition_of(b"21") == (-973932308 & 0x7FFFFFFF) % 7


def _with_checksum(data: bytearray) -> bytes:
    from aiokafka.record._crc32c import crc

    data[17:21] = crc(bytes(data[21:])).to_bytes(4, "big")
    return bytes(data)
