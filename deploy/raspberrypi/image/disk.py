"""Two partitions as one disk, without mounting anything."""

import hashlib
import os
import uuid
from pathlib import Path

from .tools import ImageError, run

MIB = 1024 * 1024
SECTOR = 512
START_MIB = 4
"""Before the first partition: as cards are, so that nothing straddles what they erase at once."""

BOOT_MIB = 256
"""Kernel, RAM disk, firmware and device trees are some 100 MiB."""

SPARE = 1.15
SPARE_MIB = 96
"""Room in the root file system before it grows: for its own tables, and a first start."""

BOOT_LABEL = "EDGENODE"
ROOT_LABEL = "edgenode-root"


def make_disk(root: Path, boot: Path, work: Path, image: Path, epoch: int) -> None:
    """Write an image of a disk.

    Args:
        root: The root file system, unpacked.
        boot: The boot partition's files.
        work: A directory for both partitions on their own.
        image: The file to write.
        epoch: The time that is told in it, in seconds.

    Raises:
        ImageError: A program fails.
    """
    fat, ext4 = work / "boot.fat", work / "root.ext4"
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"edgenode:{epoch}")
    _make_fat(boot, fat, identity, epoch)
    _make_ext4(root, ext4, identity, epoch)
    start = START_MIB * MIB // SECTOR
    boot_size, root_size = fat.stat().st_size // SECTOR, ext4.stat().st_size // SECTOR
    table = (
        f"label: dos\nlabel-id: 0x{identity.hex[:8]}\nunit: sectors\n"
        f"start={start},size={boot_size},type=c,bootable\n"
        f"start={start + boot_size},size={root_size},type=83\n"
    )
    image.touch()
    image.chmod(0o600)  # it may have the key of a cohort
    with image.open("wb") as made:
        made.truncate((start + boot_size + root_size) * SECTOR)
    run(["sfdisk", "--quiet", image], given=table)
    for part, at in ((fat, start), (ext4, start + boot_size)):
        run(["dd", f"if={part}", f"of={image}", "bs=1M", f"seek={at * SECTOR // MIB}",
             "conv=notrunc,sparse", "status=none"])  # fmt: skip


def compress(image: Path) -> Path:
    """Compress an image, and write down its digest; the file that is to be given away."""
    packed = image.with_name(f"{image.name}.zst")
    run(["zstd", "--quiet", "--force", "-19", "-T0", image, "-o", packed])
    digest = hashlib.sha256()
    with packed.open("rb") as read:
        while block := read.read(MIB):
            digest.update(block)
    packed.with_name(f"{packed.name}.sha256").write_text(
        f"{digest.hexdigest()}  {packed.name}\n"
    )
    return packed


def _make_fat(boot: Path, fat: Path, identity: uuid.UUID, epoch: int) -> None:
    with fat.open("wb") as made:
        made.truncate(BOOT_MIB * MIB)
    run(
        [
            "mkfs.vfat",
            "-F",
            "32",
            "-n",
            BOOT_LABEL,
            "-i",
            identity.hex[:8],
            "--invariant",
            fat,
        ]
    )
    for each in sorted(boot.iterdir()):
        os.utime(each, (epoch, epoch))
        run(["mcopy", "-m", "-i", fat, each, f"::{each.name}"])


def _make_ext4(root: Path, ext4: Path, identity: uuid.UUID, epoch: int) -> None:
    for each in (root, *root.rglob("*")):
        if each.lstat().st_mtime > epoch:  # by the builder, on the way
            os.utime(each, (epoch, epoch), follow_symlinks=False)
    size = sum(_size(each) for each in root.rglob("*"))
    blocks = int(size * SPARE) // MIB + SPARE_MIB
    run(
        ["mke2fs", "-q", "-F", "-t", "ext4", "-L", ROOT_LABEL, "-U", str(identity),
         "-E", f"hash_seed={identity},lazy_itable_init=0,lazy_journal_init=0",
         # A node's files are few and large; -m: nobody else needs what root has left;
         # -e: a damaged card isn't written on, in the overlay's mode either.
         "-m", "1", "-e", "remount-ro", "-d", root, ext4, f"{blocks}M"],
        _at(epoch),
    )  # fmt: skip
    _set_times(root, ext4, epoch)
    run(["e2fsck", "-fn", ext4])


def _at(epoch: int) -> dict[str, str]:
    """Has the programs for this file system think that it is another time."""
    return {"E2FSPROGS_FAKE_TIME": str(epoch)}


def _set_times(root: Path, ext4: Path, epoch: int) -> None:
    """Have all files read and changed at one time: those they are made of were when they were."""
    names = ["/", *(f"/{each.relative_to(root)}" for each in sorted(root.rglob("*")))]
    script = ext4.with_suffix(".times")
    lines = [
        f'set_inode_field "{name}" {field} {value}'
        for name in names
        for field, value in (
            ("atime", f"@{epoch}"),
            ("atime_extra", 0),
            ("ctime", f"@{epoch}"),
            ("ctime_extra", 0),
        )
    ]
    script.write_text("\n".join(lines) + "\n")
    told = run(["debugfs", "-w", "-f", script, ext4], _at(epoch))
    if failed := [line for line in told.splitlines() if "not found" in line]:
        raise ImageError(f"times can't be set: {failed[0]}", "look at disk.py")


def _size(path: Path) -> int:
    status = path.lstat()
    return -(-status.st_size // 4096) * 4096 + 256
