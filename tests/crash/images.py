"""The files that a disk may hold after the power failed.

A write that was not synced may be there, may be missing, or may be there in part: disks
write sectors, in any order. Names that were not synced may be there or not, but file
systems keep a journal of them: a later one is never there without the earlier ones.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from random import Random

from tests.crash.recording import (
    Content,
    DirectorySynced,
    Linked,
    Made,
    Naming,
    Noted,
    Recording,
    Renamed,
    Synced,
    Truncated,
    Unlinked,
    Written,
)

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Disk:
    """What is on it, whatever happens: files by number, and their names."""

    contents: dict[int, bytearray]
    names: dict[str, int]
    directories: set[str]

    def copy(self) -> "Disk":
        contents = {file: bytearray(text) for file, text in self.contents.items()}
        return Disk(contents, dict(self.names), set(self.directories))

    def apply(self, change: Content | Naming) -> None:
        match change:
            case Written(file, offset, data):
                content = self.contents.setdefault(file, bytearray())
                content.extend(bytes(max(0, offset - len(content))))
                content[offset : offset + len(data)] = data
            case Truncated(file, size):
                del self.contents.setdefault(file, bytearray())[size:]
            case Linked(name, file):
                self.names[name] = file
            case Renamed(name, target):
                self.names[target] = self.names.pop(name)
            case Unlinked(name):
                del self.names[name]
            case Made(name):
                self.directories.add(name)

    def lay_out(self, root: Path) -> None:
        """Write the files whose directories are all there."""
        for name, file in self.names.items():
            above = PurePath(name).parents
            if {str(each) for each in above} <= self.directories:
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.contents.get(file, b""))


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which the power may fail, and what the workload had noted by then."""

    step: int
    notes: tuple[Noted, ...]
    disk: Disk
    pending: tuple[Content | Naming, ...]


def moments(recording: Recording) -> Iterator[Moment]:
    """Every sync, just before it is done, and the end."""
    start = recording.start
    disk = Disk(
        {number: bytearray(text) for number, text in enumerate(start.values())},
        {name: number for number, name in enumerate(start)},
        set(recording.directories),
    )
    pending: Pending = []
    notes: list[Noted] = []

    def moment(step: int) -> Moment:
        changes = tuple(change for _, change in pending)
        return Moment(step, tuple(notes), disk.copy(), changes)

    for number, step in enumerate(recording.steps):
        match step:
            case Noted():
                notes.append(step)
            case Synced(file, before):
                yield moment(number)
                pending = _synced(disk, pending, before, partial(_is_in, file=file))
            case DirectorySynced(name, before):
                yield moment(number)
                pending = _synced(
                    disk, pending, before, partial(_is_of, directory=name)
                )
            case _:
                pending.append((number, step))
    yield moment(len(recording.steps))


Pending = list[tuple[int, Content | Naming]]


def _is_in(change: Content | Naming, file: int) -> bool:
    return isinstance(change, Content) and change.file == file


def _is_of(change: Content | Naming, directory: str) -> bool:
    return isinstance(change, Naming) and str(PurePath(change.name).parent) == directory


def _synced(
    disk: Disk,
    pending: Pending,
    before: int,
    concerns: Callable[[Content | Naming], bool],
) -> Pending:
    """Apply the changes that a sync concerns, and give the others."""
    left: Pending = []
    for number, change in pending:
        if number < before and concerns(change):
            disk.apply(change)
        else:
            left.append((number, change))
    return left


def torn(change: Content, random: Random) -> Iterator[Content]:
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


def images(moment: Moment, random: Random, more: int) -> Iterator[tuple[str, Disk]]:
    """What the disk may hold: how it came to it, and what it holds.

    Args:
        moment: When the power fails.
        random: Chooses.
        more: How often each kind that is chosen at random is made.
    """
    yield "all lost", moment.disk
    if not moment.pending:
        return
    writes = [each for each in moment.pending if isinstance(each, Content)]
    names = [each for each in moment.pending if isinstance(each, Naming)]

    def built(changes: Iterable[Content], named: int) -> Disk:
        disk = moment.disk.copy()
        for change in (*names[:named], *changes):
            disk.apply(change)
        return disk

    def some_names() -> int:
        return random.randint(0, len(names))

    yield "all there", built(writes, len(names))
    for _ in range(more):
        if writes:
            cut = random.randrange(len(writes))
            first = (*writes[:cut], *torn(writes[cut], random))
            yield "the first", built(first, some_names())
        some = [change for change in writes if random.random() < 0.5]
        yield "some", built(some, some_names())
        pieces = [piece for change in writes for piece in torn(change, random)]
        yield "torn", built(pieces, some_names())
        random.shuffle(pieces)
        yield "torn, in any order", built(pieces, some_names())
