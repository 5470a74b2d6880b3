"""What machine this is, and whether it is one: a Raspberry Pi, an emulated one, another.

Emulation hides, and its figures say nothing of the machine that is emulated. So a machine
counts as emulated as soon as one sign says so, and as a Raspberry Pi only if the firmware
has left its mark.
"""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.pi.disk import UNKNOWN, Disk, disk_of, text_of


class Kind(StrEnum):
    """What figures of a machine can be compared with."""

    PI = "Raspberry Pi"
    EMULATED = "emulated"
    OTHER = "not a Raspberry Pi"


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts of a machine.

    Attributes:
        model: Which one it says that it is.
        kind: What it is.
        signs: Why it counts as emulated.
        system: The operating system.
        kernel: Its release.
        architecture: As the kernel calls it.
        processor: What the processor calls itself.
        cores: How many processors the system has.
        is_virtual: Whether the machine shares those of another one.
        memory: In bytes.
        disk: Where the data is.
    """

    model: str
    kind: Kind
    signs: tuple[str, ...]
    system: str
    kernel: str
    architecture: str
    processor: str
    cores: int
    is_virtual: bool
    memory: int
    disk: Disk

    @property
    def label(self) -> str:
        """What tables call it."""
        if self.kind is Kind.EMULATED:
            return f"{self.model}, emulated"
        if self.kind is Kind.OTHER:
            return f"{self.model}, {self.architecture}, {self.processors}, {self.kind}"
        return self.model

    @property
    def processors(self) -> str:
        """How many there are, and whether they are its own."""
        return f"{self.cores} {'virtual ' if self.is_virtual else ''}cores"


def machine(
    directory: Path, root: Path = Path("/"), architecture: str | None = None
) -> Machine:
    """What is known of this machine.

    Args:
        directory: Where the data is kept.
        root: Of the tree that has ``proc``, ``sys`` and ``etc``.
        architecture: That of this process, if it isn't the one that Python names.
    """
    architecture = architecture or platform.machine()
    processor = _processor(root)
    model = text_of(root / "proc/device-tree/model", "") or _board(root) or processor
    signs = tuple(emulation_signs(root, architecture))
    kind = Kind.OTHER
    if signs:
        kind = Kind.EMULATED
    elif model.startswith("Raspberry Pi"):
        kind = Kind.PI
    return Machine(
        model=model,
        kind=kind,
        signs=signs,
        system=_value(root / "etc/os-release", "PRETTY_NAME", "=").strip('"'),
        kernel=text_of(root / "proc/sys/kernel/osrelease"),
        architecture=architecture,
        processor=processor,
        cores=os.cpu_count() or 1,
        is_virtual="hypervisor" in _value(root / "proc/cpuinfo", "flags").split(),
        memory=_kilobytes(_value(root / "proc/meminfo", "MemTotal")),
        disk=disk_of(directory, root),
    )


def emulation_signs(root: Path, architecture: str) -> Iterator[str]:
    """What says that instructions of this machine are run by a program.

    A guest of KVM runs its own, so QEMU around it is no sign; it is known by its clock,
    which guests on ARM haven't got: what can't be told there counts as emulated.
    """
    if (root / f"proc/sys/fs/binfmt_misc/qemu-{architecture}").exists():
        yield f"the system runs programs for {architecture} by QEMU"
    parent = root / f"proc/{os.getppid()}/exe"
    if parent.is_symlink() and parent.readlink().name.startswith("qemu-"):
        yield "the process that started this one is run by QEMU"
    vendor = _value(root / "proc/cpuinfo", "vendor_id")
    if architecture == "aarch64" and vendor != UNKNOWN:
        yield f"an aarch64 processor can't be of {vendor}"
    processor = _processor(root)
    if "QEMU" in processor:
        yield f"the processor is {processor}"
    if _is_of_qemu(root) and "kvm-clock" not in _clocks(root):
        yield "QEMU made the machine, and no KVM is seen"
    for name in root.glob("sys/block/mmcblk*/device/name"):
        if "QEMU" in text_of(name):
            yield f"the card is {text_of(name)}"
    model = text_of(root / "proc/device-tree/model", "")
    serial = text_of(root / "proc/device-tree/serial-number", "")
    if model.startswith("Raspberry Pi") and not serial.strip("0"):
        yield "a Raspberry Pi's firmware would have told its serial number"


def _is_of_qemu(root: Path) -> bool:
    says = (
        text_of(root / "sys/class/dmi/id/sys_vendor", ""),
        text_of(root / "sys/class/dmi/id/product_name", ""),
        text_of(root / "proc/device-tree/model", ""),
    )
    known = ("QEMU" in said or said == "linux,dummy-virt" for said in says)
    return any(known) or (root / "sys/firmware/qemu_fw_cfg").exists()


def _clocks(root: Path) -> list[str]:
    clocks = "sys/devices/system/clocksource/clocksource0/available_clocksource"
    return text_of(root / clocks, "").split()


def _board(root: Path) -> str:
    """What the firmware of a PC calls it."""
    told = root / "sys/class/dmi/id"
    return f"{text_of(told / 'sys_vendor', '')} {text_of(told / 'product_name', '')}".strip()


def _processor(root: Path) -> str:
    cpuinfo = root / "proc/cpuinfo"
    name = _value(cpuinfo, "model name")
    if name != UNKNOWN:
        return name
    implementer, part = _value(cpuinfo, "CPU implementer"), _value(cpuinfo, "CPU part")
    if UNKNOWN in (implementer, part):
        return UNKNOWN
    return PARTS.get((implementer, part), f"implementer {implementer}, part {part}")


PARTS = {
    ("0x41", "0xd03"): "ARM Cortex-A53",
    ("0x41", "0xd08"): "ARM Cortex-A72",
    ("0x41", "0xd0b"): "ARM Cortex-A76",
}
"""Those of the Raspberry Pi 3 and Zero 2 W, 4, and 5, by implementer and part."""


def _value(path: Path, name: str, separator: str = ":") -> str:
    """The value of the first line with this name."""
    for line in text_of(path, "").splitlines():
        key, _, value = line.partition(separator)
        if key.strip() == name:
            return value.strip()
    return UNKNOWN


def _kilobytes(text: str) -> int:
    return 0 if text == UNKNOWN else int(text.split()[0]) * 1024
