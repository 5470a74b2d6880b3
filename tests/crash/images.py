"""The files that a disk may hold after the power failed.

A write that was not synced may be there, may be missing, or may be there in part: disks
write sectors, in any order. What was synced is there. The first sync of a log or journal
also syncs the directory, and with it the removals before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.crash.recording import Deleted, Noted, Step, Synced, Truncated, Written

SECTOR = 512
Files = dict[str, bytes]
Change = Written | Truncated | Deleted


@dataclass(frozen=True, slots=True)
class Outage:
    """A moment at which the power may fail, and what the workload had noted by then."""

    step: int
    notes: tuple[Noted, ...]
    synced: Files
    pending: tuple[Change, ...]


def apply(files: dict[str, bytearray], change: Change) -> None:
    if isinstance(change, Deleted):
        files.pop(change.file, None)
        return
    content = files.setdefault(change.file, bytearray())
    if isinstance(change, Truncated):
        del content[change.size :]
        return
    missing = change.offset - len(content)
    if missing > 0:
        content.extend(bytes(missing))
    content[change.offset : change.offset + len(change.data)] = change.data


def outages(steps: list[Step]) -> Iterator[Outage]:
    """Every sync, just before it is done, and the end."""
    synced: dict[str, bytearray] = {}
    pending: list[Change] = []
    notes: list[Noted] = []
    entered: set[str] = set()  # files whose names the directory has for certain

    def outage(step: int) -> Outage:
        files = {name: bytes(content) for name, content in synced.items()}
        return Outage(step, tuple(notes), files, tuple(pending))

    for number, step in enumerate(steps):
        if isinstance(step, Noted):
            notes.append(step)
        elif isinstance(step, Synced):
            yield outage(number)
            is_first = step.file not in entered
            entered.add(step.file)
            left: list[Change] = []
            for change in pending:
                is_removal = isinstance(change, Deleted)
                if change.file == step.file or (is_first and is_removal):
                    apply(synced, change)
                else:
                    left.append(change)
            pending = left
        else:
            pending.append(step)
            if isinstance(step, Deleted):
                entered.discard(step.file)
    yield outage(len(steps))


def torn(change: Change, random: Random) -> Iterator[Change]:
    """Some of a write's sectors."""
    if not isinstance(change, Written):
        yield change
        return
    start = change.offset
    end = change.offset + len(change.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        if random.random() < 0.5:
            piece = change.data[start - change.offset : stop - change.offset]
            yield Written(change.file, start, piece)
        start = stop


def images(outage: Outage, random: Random) -> Iterator[tuple[str, Files]]:
    """What the disk may hold: how it came to it, and the files."""
    pending = outage.pending
    yield "all lost", _built(outage, ())
    if not pending:
        return
    yield "all there", _built(outage, pending)
    cut = random.randrange(len(pending))
    yield "the first", _built(outage, (*pending[:cut], *torn(pending[cut], random)))
    some = [change for change in pending if random.random() < 0.5]
    yield "some", _built(outage, some)
    pieces = [piece for change in pending for piece in torn(change, random)]
    yield "torn", _built(outage, pieces)
    random.shuffle(pieces)
    yield "torn, in any order", _built(outage, pieces)


def _built(
    outage: Outage, changes: Iterator[Change] | list[Change] | tuple[Change, ...]
) -> Files:
    files = {name: bytearray(content) for name, content in outage.synced.items()}
    for change in changes:
        apply(files, change)
    return {name: bytes(content) for name, content in files.items()}
