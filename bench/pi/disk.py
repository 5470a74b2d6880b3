"""The disk, most often a card, that a directory is on, as the kernel describes it."""

from dataclasses import dataclass
from pathlib import Path

UNKNOWN = "unknown"
SECTOR = 512  # bytes, in /sys, whatever the disk's own are
CARDS = {"SD": "SD card", "MMC": "eMMC", "SDIO": "SDIO card"}


@dataclass(frozen=True, slots=True)
class Disk:
    """What is known of a disk.

    Attributes:
        kind: An SD card, eMMC, or another disk.
        name: What it calls itself: a card's product name, a disk's model.
        manufacturer: The manufacturer's id of a card, in hexadecimal.
        made: When a card was made, as month/year.
        size: In bytes; 0 where it isn't known.
        file_system: What is on it.
    """

    kind: str
    name: str
    manufacturer: str
    made: str
    size: int
    file_system: str

    def __str__(self) -> str:
        parts = [self.kind, self.name]
        if self.manufacturer != UNKNOWN:
            parts.append(f"manufacturer {self.manufacturer}")
        if self.made != UNKNOWN:
            parts.append(f"made {self.made}")
        if self.size:
            parts.append(f"{self.size / 1e9:.1f} GB")
        return ", ".join([*parts, self.file_system])


def disk_of(directory: Path, root: Path) -> Disk:
    """The disk that a directory is on.

    Args:
        directory: Any, whether or not it is there.
        root: Of the tree that has ``proc`` and ``sys``.
    """
    numbers, file_system, source = _mount(directory.resolve(), root)
    block = root / "sys/dev/block" / numbers
    if not block.exists():  # btrfs and others have numbers of their own
        block = root / "sys/class/block" / Path(source).name
    if not block.exists():
        return Disk(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 0, file_system)
    whole = block.resolve()
    if (whole / "partition").exists():
        whole = whole.parent
    device = whole / "device"
    return Disk(
        kind=CARDS.get(text_of(device / "type"), "disk"),
        name=text_of(device / "name", _model(device) or whole.name),
        manufacturer=text_of(device / "manfid"),
        made=text_of(device / "date"),
        size=int(text_of(whole / "size", "0")) * SECTOR,
        file_system=file_system,
    )


def text_of(path: Path, otherwise: str = UNKNOWN) -> str:
    """What a small file of the kernel says; ``otherwise`` where it says nothing.

    What can't be shown is a question mark: cards of doubtful making have such names.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return otherwise
    text = text.strip("\0 \n\t")
    shown = (each if each.isprintable() or each in "\n\t" else "?" for each in text)
    return "".join(shown) or otherwise


def _model(device: Path) -> str:
    """What a disk that is no card calls itself; a vendor alone is but a number."""
    model = text_of(device / "model", "")
    return f"{text_of(device / 'vendor', '')} {model}".strip() if model else ""


def _mount(directory: Path, root: Path) -> tuple[str, str, str]:
    """The device's numbers, the file system and the source of a directory's mount."""
    found, depth = (UNKNOWN, UNKNOWN, UNKNOWN), -1
    for line in text_of(root / "proc/self/mountinfo", "").splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        point = Path(fields[4].replace("\\040", " "))
        if directory.is_relative_to(point) and len(point.parts) >= depth:
            file_system, source = after.split()[:2]
            found, depth = (fields[2], file_system, source), len(point.parts)
    return found
