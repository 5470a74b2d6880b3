"""The boot partition and the disk, made of small files that stand in for Debian's."""

import hashlib
import json
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.raspberrypi.image.boot import make_boot
from deploy.raspberrypi.image.disk import MIB, SECTOR, START_MIB, compress, make_disk
from deploy.raspberrypi.image.root import trust_compiled
from deploy.raspberrypi.image.tools import PACKAGES, ImageError

VERSION = "7.3.4+deb13-arm64"
EPOCH = 1_790_000_000
PROGRAMS = (
    "mkfs.vfat",
    "mcopy",
    "mdir",
    "mke2fs",
    "e2fsck",
    "debugfs",
    "sfdisk",
    "zstd",
)
LACKING = [PACKAGES.get(each, each) for each in PROGRAMS if shutil.which(each) is None]
needs_programs = pytest.mark.skipif(bool(LACKING), reason=f"there is no {LACKING}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As much of a root file system as the boot partition is made of."""
    made = tmp_path / "root"
    firmware = [
        f"usr/lib/raspi-firmware/{name}"
        for name in ("bootcode.bin", "start4.elf", "fixup4.dat")
    ]
    trees = [
        f"usr/lib/modules/{VERSION}/dtb/broadcom/{name}.dtb"
        for name in (
            "bcm2837-rpi-3-b", "bcm2837-rpi-zero-2-w", "bcm2837-rpi-cm3-io3",
            "bcm2711-rpi-4-b", "bcm2712-rpi-5-b", "bcm2835-rpi-a",
        )
    ]  # fmt: skip
    kernel = [
        f"boot/vmlinuz-{VERSION}",
        f"boot/initrd.img-{VERSION}",
        "boot/firmware/old",
    ]
    others = [
        "usr/share/doc/raspi-firmware/copyright",
        "etc/hosts",
        "opt/edgenode/releases/1/bin",
    ]
    for name in (*firmware, *trees, *kernel, *others):
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"stands for {name}\n")
    (made / "opt/edgenode/current").symlink_to("releases/1")
    return made


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    made = tmp_path / "boot"
    made.mkdir()
    return made


def test_the_boot_partition_has_what_each_model_reads(root: Path, boot: Path) -> None:
    assert make_boot(root, boot) == VERSION
    names = {each.name for each in boot.iterdir()}
    assert names >= {
        "bootcode.bin",
        "start4.elf",
        "fixup4.dat",
        "vmlinuz",
        "initrd.img",
    }
    assert names >= {
        "bcm2837-rpi-3-b.dtb",
        "bcm2711-rpi-4-b.dtb",
        "bcm2712-rpi-5-b.dtb",
    }
    assert "bcm2835-rpi-a.dtb" not in names  # has 32 bits
    config = (boot / "config.txt").read_text()
    assert "kernel=vmlinuz\n" in config
    assert "initramfs initrd.img followkernel\n" in config
    assert "root=LABEL=edgenode-root" in (boot / "cmdline.txt").read_text()
    assert b"machine.toml" in (boot / "README.txt").read_bytes()
    assert b"\r\n" in (boot / "README.txt").read_bytes()


def test_what_is_read_there_is_not_in_the_root_again(root: Path, boot: Path) -> None:
    make_boot(root, boot)
    assert list((root / "boot").iterdir()) == [root / "boot/firmware"]
    assert list((root / "boot/firmware").iterdir()) == []
    assert not (root / f"usr/lib/modules/{VERSION}/dtb").exists()
    assert not (root / "usr/lib/raspi-firmware").exists()
    assert (root / "etc/hosts").exists()


@pytest.mark.parametrize(
    "gone",
    [
        f"boot/initrd.img-{VERSION}",
        f"boot/vmlinuz-{VERSION}",
        "usr/lib/raspi-firmware/start4.elf",
    ],
)
def test_without_one_of_its_parts_there_is_no_image(
    root: Path, boot: Path, gone: str
) -> None:
    (root / gone).unlink()
    with pytest.raises(ImageError) as raised:
        make_boot(root, boot)
    assert raised.value.mend


def made(root: Path, boot: Path, work: Path) -> Path:
    work.mkdir()
    image = work / "edgenode.img"
    make_disk(root, boot, work, image, EPOCH)
    return image


@needs_programs
def test_the_disk_has_both_partitions(root: Path, boot: Path, tmp_path: Path) -> None:
    make_boot(root, boot)
    image = made(root, boot, tmp_path / "work")
    table = json.loads(_run("sfdisk", "--json", image))["partitiontable"]
    first, second = table["partitions"]
    assert image.stat().st_mode & 0o777 == 0o600  # it may have a key
    assert table["label"] == "dos"  # a Pi 3 knows no other
    assert (first["type"], second["type"], first["bootable"]) == ("c", "83", True)
    assert first["start"] == START_MIB * MIB // SECTOR
    assert second["start"] == first["start"] + first["size"]
    assert image.stat().st_size == (second["start"] + second["size"]) * SECTOR
    at = f"{image}@@{first['start'] * SECTOR}"
    assert "root=LABEL=edgenode-root" in _run("mtype", "-i", at, "::cmdline.txt")
    ext4 = tmp_path / "work/root.ext4"
    with image.open("rb") as read:
        read.seek(second["start"] * SECTOR)
        assert read.read(4 * MIB) == ext4.read_bytes()[: 4 * MIB]
    assert "stands for etc/hosts" in _run("debugfs", "-R", "cat /etc/hosts", ext4)
    assert "edgenode-root" in _run("dumpe2fs", "-h", ext4)


@needs_programs
def test_the_same_files_make_the_same_disk(
    root: Path, boot: Path, tmp_path: Path
) -> None:
    make_boot(root, boot)
    digests = set()
    for number in range(2):
        for path in (*root.rglob("*"), root):
            os.utime(path, (EPOCH, EPOCH + number), follow_symlinks=False)
        image = made(root, boot, tmp_path / f"work{number}")
        digests.add(hashlib.sha256(image.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_what_is_compiled_is_used_without_its_source(tmp_path: Path) -> None:
    source = tmp_path / "told.py"
    source.write_text("WHAT = 'compiled'")
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(str(source), doraise=True, invalidation_mode=mode)
    source.write_text("WHAT = 'the source'")
    command = [sys.executable, "-c", "import told; print(told.WHAT)"]
    trust_compiled(tmp_path)
    told = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout == "compiled\n"


@needs_programs
def test_what_is_given_away_has_a_digest(tmp_path: Path) -> None:
    image = tmp_path / "edgenode.img"
    image.write_bytes(bytes(MIB))
    packed = compress(image)
    told = packed.with_name(f"{packed.name}.sha256").read_text()
    assert told.split() == [
        hashlib.sha256(packed.read_bytes()).hexdigest(),
        packed.name,
    ]
    image.unlink()
    _run("zstd", "--decompress", "--quiet", packed)
    assert image.read_bytes() == bytes(MIB)


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
