"""What machine it is, and how it fares, is read from the kernel's files."""

import os
import threading
from pathlib import Path

import pytest

from bench.pi.conditions import (
    Sample,
    Watcher,
    conditions,
    flags_of,
    temperature,
    throttling,
)
from bench.pi.disk import Disk, disk_of
from bench.pi.machine import Kind, emulation_signs, machine

PATIENCE_SECONDS = 30.0
DATA = Path("/home/data")
CPUINFO = """processor\t: 0
BogoMIPS\t: 108.00
CPU implementer\t: 0x41
CPU part\t: 0xd08

processor\t: 1
"""
MOUNTS = """\
22 1 179:2 / / rw,noatime - ext4 /dev/mmcblk0p2 rw
23 22 0:21 / /proc rw - proc proc rw
24 22 8:1 / /media/my\\040stick rw - vfat /dev/sda1 rw
25 22 0:40 / /pool rw - btrfs /dev/nvme0n1 rw
26 22 0:41 / /memory rw - tmpfs tmpfs rw
"""
PI = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/device-tree/serial-number": "10000000abcdef01\0",
    "proc/cpuinfo": CPUINFO,
    "proc/meminfo": "MemTotal:        3884000 kB\nMemFree: 1 kB\n",
    "proc/sys/kernel/osrelease": "6.12.25+rpt-rpi-v8\n",
    "proc/self/mountinfo": MOUNTS,
    "proc/stat": "cpu  10 0 20 60 10 0 0 0 0 0\ncpu0 10 0 20 60 10 0 0 0 0 0\n",
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
    "sys/devices/mmc0/block/mmcblk0/size": "62333952\n",
    "sys/devices/mmc0/block/mmcblk0/device/type": "SD\n",
    "sys/devices/mmc0/block/mmcblk0/device/name": "SC32G\n",
    "sys/devices/mmc0/block/mmcblk0/device/manfid": "0x000003\n",
    "sys/devices/mmc0/block/mmcblk0/device/date": "08/2023\n",
    "sys/devices/mmc0/block/mmcblk0/mmcblk0p2/partition": "2\n",
    "sys/devices/usb/block/sda/size": "1000\n",
    "sys/devices/usb/block/sda/device/vendor": "Fast    \n",
    "sys/devices/usb/block/sda/device/model": "Stick\n",
    "sys/devices/usb/block/sda/sda1/partition": "1\n",
    "sys/devices/nvme/nvme0n1/size": "2000\n",
    "sys/devices/nvme/nvme0n1/device/model": "NVM of somebody\n",
    "sys/class/thermal/thermal_zone0/type": "battery\n",
    "sys/class/thermal/thermal_zone0/temp": "12000\n",
    "sys/class/thermal/thermal_zone1/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone1/temp": "48312\n",
}
LINKS = {
    "sys/dev/block/179:2": "sys/devices/mmc0/block/mmcblk0/mmcblk0p2",
    "sys/dev/block/8:1": "sys/devices/usb/block/sda/sda1",
    "sys/class/block/nvme0n1": "sys/devices/nvme/nvme0n1",
    "sys/block/mmcblk0": "sys/devices/mmc0/block/mmcblk0",
}
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


def tree(root: Path, changes: dict[str, str | None] | None = None) -> Path:
    """The files of a Raspberry Pi with these changes; None takes a file away."""
    for name, text in (PI | (changes or {})).items():
        if text is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    for name, target in LINKS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(root / target)
    return root


# The machine


def test_a_raspberry_pi_is_recognised(tmp_path: Path) -> None:
    found = machine(DATA, tree(tmp_path), "aarch64")
    assert found.kind is Kind.PI
    assert found.signs == ()
    assert found.model == found.label == "Raspberry Pi 4 Model B Rev 1.4"
    assert found.system == "Debian GNU/Linux 12 (bookworm)"
    assert found.kernel == "6.12.25+rpt-rpi-v8"
    assert found.processor == "ARM Cortex-A72"
    assert found.memory == 3_884_000 * 1024
    assert found.cores == os.cpu_count()
    assert not found.is_virtual


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({"proc/sys/fs/binfmt_misc/qemu-aarch64": "enabled"}, "runs programs for"),
        ({"proc/cpuinfo": "vendor_id\t: GenuineIntel\n"}, "can't be of GenuineIntel"),
        ({"proc/cpuinfo": "model name\t: QEMU TCG CPU\n"}, "processor is QEMU TCG"),
        ({"proc/device-tree/model": "linux,dummy-virt\0"}, "QEMU made the machine"),
        ({"sys/class/dmi/id/sys_vendor": "QEMU\n"}, "QEMU made the machine"),
        ({"sys/firmware/qemu_fw_cfg/rev": "3\n"}, "QEMU made the machine"),
        (
            {"sys/devices/mmc0/block/mmcblk0/device/name": "QEMU!\n"},
            "the card is QEMU!",
        ),
        ({"proc/device-tree/serial-number": None}, "told its serial number"),
        ({"proc/device-tree/serial-number": "0000000000000000\0"}, "serial number"),
    ],
)
def test_an_emulated_machine_is_known_by_one_sign(
    changes: dict[str, str | None], sign: str, tmp_path: Path
) -> None:
    found = machine(DATA, tree(tmp_path, changes), "aarch64")
    assert found.kind is Kind.EMULATED
    (said,) = found.signs
    assert sign in said
    assert found.label.endswith(", emulated")


def test_a_parent_that_qemu_runs_is_a_sign(tmp_path: Path) -> None:
    root = tree(tmp_path)
    exe = root / f"proc/{os.getppid()}/exe"
    exe.parent.mkdir()
    exe.symlink_to("/usr/bin/qemu-aarch64-static")
    assert len(list(emulation_signs(root, "aarch64"))) == 1


def test_another_machine_is_no_raspberry_pi_even_as_a_guest_of_kvm(
    tmp_path: Path,
) -> None:
    clock = "sys/devices/system/clocksource/clocksource0/available_clocksource"
    root = tree(
        tmp_path,
        {
            "proc/device-tree/model": None,
            "proc/device-tree/serial-number": None,
            "proc/cpuinfo": "model name\t: A Processor\nflags\t\t: fpu hypervisor\n",
            "sys/class/dmi/id/sys_vendor": "QEMU\n",
            "sys/class/dmi/id/product_name": "Standard PC\n",
            # Registered for others' programs, as on any PC that builds for them.
            "proc/sys/fs/binfmt_misc/qemu-aarch64": "enabled",
            clock: "tsc kvm-clock\n",
        },
    )
    found = machine(DATA, root, "x86_64")
    assert (found.kind, found.model) == (Kind.OTHER, "QEMU Standard PC")
    assert found.is_virtual
    assert found.label.endswith(" virtual cores, not a Raspberry Pi")


def test_a_machine_that_tells_nothing_is_unknown(tmp_path: Path) -> None:
    found = machine(DATA, tmp_path, "riscv64")
    assert (found.kind, found.model, found.memory) == (Kind.OTHER, "unknown", 0)
    assert found.disk.name == "unknown"


def test_this_machine_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = machine(tmp_path)
    assert found.memory > 1 << 28
    assert found.disk.file_system != "unknown"
    monkeypatch.chdir(tmp_path)
    assert machine(Path("data")).disk == found.disk


# The disk


@pytest.mark.parametrize(
    ("directory", "disk", "said"),
    [
        (
            "/home/data",
            Disk("SD card", "SC32G", "0x000003", "08/2023", 62333952 * 512, "ext4"),
            "SD card, SC32G, manufacturer 0x000003, made 08/2023, 31.9 GB, ext4",
        ),
        (
            "/media/my stick/data",
            Disk("disk", "Fast Stick", "unknown", "unknown", 1000 * 512, "vfat"),
            "disk, Fast Stick, 0.0 GB, vfat",
        ),
        (
            "/pool",
            Disk("disk", "NVM of somebody", "unknown", "unknown", 2000 * 512, "btrfs"),
            "disk, NVM of somebody, 0.0 GB, btrfs",
        ),
        (
            "/memory/data",
            Disk("unknown", "unknown", "unknown", "unknown", 0, "tmpfs"),
            "unknown, unknown, tmpfs",
        ),
    ],
)
def test_the_disk_of_a_directory_is_found(
    directory: str, disk: Disk, said: str, tmp_path: Path
) -> None:
    found = disk_of(Path(directory), tree(tmp_path))
    assert found == disk
    assert str(found) == said


def test_a_name_that_cannot_be_shown_can_be_told(tmp_path: Path) -> None:
    root = tree(tmp_path, {"sys/devices/mmc0/block/mmcblk0/device/name": "SD\x01\x7f"})
    assert disk_of(Path("/home/data"), root).name == "SD??"


# How it fares


@pytest.mark.parametrize(
    ("flags", "happened"),
    [
        ([], None),
        ([0x0, 0x0], ()),
        ([0x1], ("under-voltage",)),
        ([0x2], ("frequency capped",)),
        ([0x4], ("throttled",)),
        ([0x8], ("soft temperature limit",)),
        # What was before the first look isn't what happened.
        ([0xF0000, 0xF0000], ()),
        # Between two looks, which only the later one tells.
        ([0x0, 0x80000], ("soft temperature limit",)),
        ([0x50000, 0x0, 0x50000], ("under-voltage", "throttled")),
        ([0x50005, 0x50000], ("under-voltage", "throttled")),
    ],
)
def test_throttling_is_decoded(
    flags: list[int], happened: tuple[str, ...] | None
) -> None:
    assert throttling(flags) == happened


def test_the_kernels_file_tells_of_throttling_in_hexadecimal(tmp_path: Path) -> None:
    flags = flags_of(tree(tmp_path, {THROTTLED: "80008\n"}))
    assert flags() == 0x80008
    (tmp_path / THROTTLED).write_text("")
    assert flags() is None


@pytest.mark.parametrize(
    ("prints", "flags"),
    [("echo throttled=0x50005", 0x50005), ("exit 255", None), ("echo no", None)],
)
def test_else_the_firmwares_program_tells(
    prints: str,
    flags: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / "vcgencmd"
    program.write_text(f'#!/bin/sh\n[ "$1" = get_throttled ] || exit 1\n{prints}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert flags_of(tree(tmp_path))() == flags


def test_a_machine_without_either_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert flags_of(tree(tmp_path))() is None


def test_the_temperature_is_the_processors(tmp_path: Path) -> None:
    root = tree(tmp_path)
    assert temperature(root) == 48.312
    (root / "sys/class/thermal/thermal_zone1/temp").unlink()
    assert temperature(root) == 12.0
    (root / "sys/class/thermal/thermal_zone0/temp").unlink()
    assert temperature(root) is None


def test_the_machine_is_watched_until_the_end_of_the_run(tmp_path: Path) -> None:
    root = tree(tmp_path, {THROTTLED: "0"})
    heat = root / "sys/class/thermal/thermal_zone1/temp"
    with Watcher(root, interval=1000.0) as watcher:
        watcher.stage = "hot"
        heat.write_text("80000")
        (root / THROTTLED).write_text("40004")
        (root / "proc/stat").write_text("cpu  60 0 20 110 10 0 0 0 0 0\n")
        watcher.look()
    first, second = watcher.samples
    assert (first.stage, first.temperature, first.flags) == ("", 48.312, 0)
    assert (second.stage, second.temperature, second.flags) == ("hot", 80.0, 0x40004)
    assert (first.busy, second.busy) == (None, 0.5)
    assert conditions(watcher.samples).throttling == ("throttled",)


def test_the_watcher_looks_by_itself(tmp_path: Path) -> None:
    looked = threading.Event()
    with Watcher(tree(tmp_path), interval=0.001) as watcher:
        watcher._flags = looked.set
        assert looked.wait(PATIENCE_SECONDS)
    assert len(watcher.samples) > 1


def test_samples_come_to_conditions() -> None:
    samples = [
        Sample(0.0, "", 40.0, None, None),
        Sample(1.0, "", None, 0.5, None),
        Sample(2.0, "", 60.0, 1.0, None),
    ]
    found = conditions(samples)
    assert (found.lowest, found.highest, found.busy) == (40.0, 60.0, 0.75)
    assert found.throttling is None
    assert conditions([]).lowest is None
