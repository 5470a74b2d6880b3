"""Looks into a write-ahead log beside SQLite, which stops at the first damaged frame.

The layout is that of "WAL-mode File Format" in SQLite's documentation: a header of 32
bytes, then frames of 24 bytes and a page each.
"""

import struct
import sys
from pathlib import Path

_HEADER = struct.Struct(">4I8s8x")  # magic, format, page size, number, salts
_FRAME = struct.Struct(">2I8s")  # page, size in pages where it ends a commit, salts
_FRAME_BYTES = 24
_SALTS_AT = 8
_SECTOR = 512
"""Disks write at least so much at once, or nothing of it."""
_FRAMES_AT = 16
"""Where the header of the index has the number, in the machine's own byte order."""
_MAGIC = (0x377F0682, 0x377F0683)


def is_garbage(log: Path) -> bool:
    """Whether a log has never been one; the power's failing leaves zeros at worst."""
    with log.open("rb") as file:
        start = file.read(4)
    return int.from_bytes(start, "big") not in (0, *_MAGIC)


def commits_behind(log: Path, frames: int) -> int:
    """How many commits there are behind the frames that SQLite could read.

    One in 64 is not counted: it can't be told from remains of others.
    """
    size = log.stat().st_size
    if size < _HEADER.size:
        return 0
    with log.open("rb") as file:
        _, _, page_size, _, salts = _HEADER.unpack(file.read(_HEADER.size))
        step = _FRAME_BYTES + page_size
        count = 0
        for place in range(_HEADER.size + frames * step, size - step + 1, step):
            file.seek(place)
            _, ends, own = _FRAME.unpack(file.read(_FRAME.size))
            # Frames with other salts are left from before the log was begun again. The
            # power's failing mixes such a frame with a new one where a sector ends.
            may_be_mixed = (place + _SALTS_AT) % _SECTOR == 0
            count += own == salts and ends > 0 and not may_be_mixed
    return count


def frames_read(index: Path) -> int:
    """How many frames SQLite could read when it opened the log, from its index."""
    with index.open("rb") as file:
        file.seek(_FRAMES_AT)
        return int.from_bytes(file.read(4), sys.byteorder)
