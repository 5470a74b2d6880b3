"""Records as brokers keep them, taken apart."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cramjam
from aiokafka import errors
from aiokafka.record.memory_records import MemoryRecords

from edgenode.limits import KAFKA_FETCHED_RECORDS, MAX_INFLATED_BYTES

_LENGTH, _LENGTH_END = 8, 12
"""Where a batch tells the length of the rest."""

_FORMAT_AT, _FORMAT = 16, 2
_HEADER_END = 61
"""Where a batch tells its format, that of all brokers since 0.11, and where its records
begin then, if need be packed."""

_OLD_ATTRIBUTES, _COMPRESSED = 17, 0x07
"""Where older formats tell how they are packed."""

_GZIP = 31
_NO_PRODUCER = -1
_BLOCKS = b"\x82SNAPPY\0\0\0\0\1\0\0\0\1"
_BLOCK_LENGTH = 4
"""What Java's Snappy begins with, and how long the length of each of its blocks is."""

_TOO_LARGE = "it is too large when it is inflated"


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
    """Take a partition's answer apart; what comes before the offset is left out.

    Where it becomes a great deal, only its beginning is taken apart: the rest is fetched
    once more.
    """
    found = Fetched(offset, high_watermark, next_offset=offset)
    batches, room = MemoryRecords(data), _Room()
    at = 0
    while batches.has_next():
        size = _LENGTH_END + int.from_bytes(data[at + _LENGTH : at + _LENGTH_END])
        batch: Any = batches.next_batch()
        end = batch.next_offset
        if not batch.is_control_batch:
            try:
                is_room = room.take(batch, memoryview(data)[at : at + size])
                if not is_room and found.next_offset > offset:
                    return found
                if not _unpack(batch, found):
                    return found
            except Exception as error:  # noqa: BLE001 - a damaged batch may raise any
                reason = f"{type(error).__name__}: {error}"
                _leave_out(found, end - found.next_offset, reason)
        found.next_offset = max(found.next_offset, end)
        at += size
    return found


def _leave_out(found: Fetched, count: int, reason: str) -> None:
    """Tell of a damaged batch; of several in a row with one reason together."""
    if found.damaged:
        first, before, known = found.damaged[-1]
        if known == reason and first + before == found.next_offset:
            found.damaged[-1] = (first, before + count, reason)
            return
    found.damaged.append((found.next_offset, count, reason))


class _Room:
    """What there is for the packed batches of one answer."""

    def __init__(self) -> None:
        self._left = MAX_INFLATED_BYTES
        self._scratch = bytearray()

    def take(self, batch: Any, data: memoryview) -> bool:
        """Whether there is room for a batch beside those before it.

        Raises:
            Exception: It is damaged, or there would be none for it alone.
        """
        # To find that out may have taken as long as for all there is room for.
        left, self._left = self._left, 0
        self._left = left - self._inflated(batch, data)
        return self._left >= 0

    def _inflated(self, batch: Any, data: memoryview) -> int:
        """How large a batch becomes when it is inflated."""
        if not batch.validate_crc():
            raise errors.CorruptRecordException("the checksum is wrong")
        if data[_FORMAT_AT] < _FORMAT:
            if data[_OLD_ATTRIBUTES] & _COMPRESSED:
                raise ValueError("it is compressed in a format that is too old")
            return 0
        if data[_FORMAT_AT] > _FORMAT:
            raise ValueError("its format is not known")
        inflated = _INFLATED.get(batch.compression_type)
        if inflated is None:
            return 0
        if not self._scratch:
            self._scratch = bytearray(MAX_INFLATED_BYTES)
        return inflated(data[_HEADER_END:], self._scratch)


def _inflated_gzip(packed: memoryview, _: bytearray) -> int:
    inflater = zlib.decompressobj(wbits=_GZIP)
    inflated = len(inflater.decompress(packed, MAX_INFLATED_BYTES))
    if inflater.unconsumed_tail:
        raise ValueError(_TOO_LARGE)
    if inflater.unused_data:  # it would be inflated as well
        raise ValueError("something follows the compressed records")
    return inflated


def _inflated_snappy(packed: memoryview, _: bytearray) -> int:
    """By what it says: that is made room for before anything else is looked at."""
    if len(packed) <= len(_BLOCKS) or packed[: len(_BLOCKS)] != _BLOCKS:
        inflated, at = cramjam.snappy.decompress_raw_len(packed), len(packed)
    else:
        inflated, at = 0, len(_BLOCKS)
    while at < len(packed):
        start = at + _BLOCK_LENGTH
        length = int.from_bytes(packed[at:start], signed=True)
        if length <= 0:
            raise ValueError("an empty block")
        inflated += cramjam.snappy.decompress_raw_len(packed[start : start + length])
        at = start + length
    if inflated > MAX_INFLATED_BYTES:
        raise ValueError(_TOO_LARGE)
    return inflated


def _inflated_lz4(packed: memoryview, scratch: bytearray) -> int:
    return cramjam.lz4.decompress_into(packed, scratch)


def _inflated_zstd(packed: memoryview, scratch: bytearray) -> int:
    return cramjam.zstd.decompress_into(packed, scratch)


_INFLATED: dict[int, Callable[[memoryview, bytearray], int]] = {
    1: _inflated_gzip,
    2: _inflated_snappy,
    3: _inflated_lz4,
    4: _inflated_zstd,
}
"""How large something becomes, by Kafka's number of its compression."""


def _unpack(batch: Any, found: Fetched) -> bool:
    """Take the records of a batch; False where there are too many for one answer."""
    known = batch.producer_id  # which older formats don't have
    producer_id = _NO_PRODUCER if known is None else known
    for record in batch:
        if record.offset >= found.next_offset:
            if len(found.records) >= KAFKA_FETCHED_RECORDS:
                return False
            found.records.append(
                RawRecord(record.offset, record.key, record.value, producer_id)
            )
            found.next_offset = record.offset + 1
    return True
