"""Records as brokers keep them, taken apart."""

import zlib
from dataclasses import dataclass, field
from typing import Any

import cramjam
from aiokafka import errors
from aiokafka.record.memory_records import MemoryRecords

from edgenode.limits import MAX_INFLATED_BYTES

_LENGTH, _LENGTH_END = 8, 12
"""Where a batch tells the length of the rest."""

_MAGIC = 2
_HEADER_END = 61
"""The format of all brokers since 0.11, and where its records begin, if need be packed."""

_GZIP = 31
_NO_PRODUCER = -1


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it came, with the number that brokers gave to its producer."""

    offset: int
    key: bytes | None
    value: bytes | None
    producer_id: int = _NO_PRODUCER


@dataclass(slots=True)
class Fetched:
    """What a partition had from an offset on.

    Attributes:
        offset: The one that was asked for.
        high_watermark: The offset after the last record that can be read now.
        records: The records in their order.
        damaged: Records that can't be made out: the first one's offset, how many, and why.
        next_offset: Where to read on.
    """

    offset: int
    high_watermark: int
    next_offset: int
    records: list[RawRecord] = field(default_factory=list)
    damaged: list[tuple[int, int, str]] = field(default_factory=list)


def unpacked(data: bytes, high_watermark: int, offset: int) -> Fetched:
    """Take a partition's answer apart; what comes before the offset is left out."""
    found = Fetched(offset, high_watermark, next_offset=offset)
    batches = MemoryRecords(data)
    at = 0
    while batches.has_next():
        size = _LENGTH_END + int.from_bytes(data[at + _LENGTH : at + _LENGTH_END])
        batch: Any = batches.next_batch()
        end = batch.next_offset
        if not batch.is_control_batch:
            try:
                _check_inflated(batch, memoryview(data)[at : at + size])
                _unpack(batch, found)
            except Exception as error:  # noqa: BLE001 - a damaged batch may raise any
                reason = f"{type(error).__name__}: {error}"
                count = end - found.next_offset
                found.damaged.append((found.next_offset, count, reason))
        found.next_offset = max(found.next_offset, end)
        at += size
    return found


def _check_inflated(batch: Any, packed: memoryview) -> None:
    """Raise for a batch that would become very large; some become a thousand times so.

    Snappy isn't looked at: what it makes is no larger than some twenty times.
    """
    inflate = _INFLATE.get(batch.compression_type)
    if batch.magic == _MAGIC and inflate is not None:
        inflate(packed[_HEADER_END:])


def _inflate_gzip(packed: memoryview) -> None:
    inflater = zlib.decompressobj(wbits=_GZIP)
    inflater.decompress(packed, MAX_INFLATED_BYTES)
    if inflater.unconsumed_tail:
        raise ValueError("it is too large when it is inflated")


def _inflate_lz4(packed: memoryview) -> None:
    cramjam.lz4.decompress_into(packed, bytearray(MAX_INFLATED_BYTES))


def _inflate_zstd(packed: memoryview) -> None:
    cramjam.zstd.decompress_into(packed, bytearray(MAX_INFLATED_BYTES))


_INFLATE = {1: _inflate_gzip, 3: _inflate_lz4, 4: _inflate_zstd}
"""What raises for too much of each compression, by Kafka's number of it."""


def _unpack(batch: Any, found: Fetched) -> None:
    if not batch.validate_crc():
        raise errors.CorruptRecordException("the checksum is wrong")
    producer_id = batch.producer_id if batch.magic == _MAGIC else _NO_PRODUCER
    for record in batch:
        if record.offset >= found.next_offset:
            found.records.append(
                RawRecord(record.offset, record.key, record.value, producer_id)
            )
            found.next_offset = record.offset + 1
