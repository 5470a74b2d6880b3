"""The boot partition: the Pi's firmware, the kernel, and how they are told what to do.

A Pi's own programs read it before any kernel runs, and it is where people put the files for a
node: every computer can read and write it.
"""

import shutil
from pathlib import Path

from .tools import ImageError

FIRMWARE = "usr/lib/raspi-firmware"
FIRMWARE_FILES = ("bootcode.bin", "start*.elf", "fixup*.dat")
"""Of a Pi 3, 4 and Zero 2 W; a Pi 5 has its own in a flash memory."""

DEVICE_TREES = (
    "bcm2837-rpi-3-*.dtb",
    "bcm2837-rpi-zero-2-w.dtb",
    "bcm2837-rpi-cm3-*.dtb",
    "bcm2711-rpi-*.dtb",
    "bcm2712-*rpi-*.dtb",
)
KERNEL, RAM_DISK = "vmlinuz", "initrd.img"

CONFIG = f"""\
# Read by the Pi's firmware; there is no need to change it.
arm_64bit=1
upstream_kernel=1
enable_uart=1
kernel={KERNEL}
initramfs {RAM_DISK} followkernel
disable_splash=1
# Nothing here draws.
gpu_mem=16
"""

COMMAND_LINE = (
    "console=tty0 console=ttyS1,115200 root=LABEL=edgenode-root rootwait ro "
    "fsck.repair=yes systemd.firstboot=off panic=10 quiet\n"
)

LICENCES = "usr/share/doc/raspi-firmware/copyright"

READ_ME = """\
This card is edgenode's, for a Raspberry Pi 3, 4, 5 or Zero 2 W.

Before the first start, or at any time later, two files may be put here:

  edgenode.toml   the node's configuration
  machine.toml    the machine's name, Wi-Fi, who may log in, the cohort to join

They are taken away at the next start. What was taken stands in edgenode-report.txt then,
and what is wrong in edgenode-mistakes.txt: a new card runs no node until that is mended.
machine.example has all that machine.toml may say.
Without any file the node starts by itself, with an address by DHCP.
"""

EXAMPLE = """\
# Remove the # before what is wanted, and save this as machine.toml.
#host_name = "cellar"
#join_token = "..."             # what "edgenode cohort token" shows
#wifi_country = "DE"
#wifi_network = "plant"
#wifi_password = "..."
#ssh_key = "ssh-ed25519 ..."    # or a list of them; the user is root
"""


def make_boot(root: Path, boot: Path) -> str:
    """Put a boot partition's files together, and remove from the root what is only there.

    Args:
        root: The root file system, unpacked.
        boot: An empty directory for the files.

    Returns:
        The kernel's version.

    Raises:
        ImageError: The root hasn't one kernel and its parts.
    """
    version = _version(root)
    for pattern in FIRMWARE_FILES:
        _copy(root / FIRMWARE, pattern, boot)
    trees = _device_trees(root, version)
    for pattern in DEVICE_TREES:
        _copy(trees, pattern, boot)
    shutil.copyfile(_kernel(root, version), boot / KERNEL)
    shutil.copyfile(root / f"boot/initrd.img-{version}", boot / RAM_DISK)
    shutil.copyfile(root / LICENCES, boot / "LICENCE.broadcom")
    (boot / "config.txt").write_text(CONFIG)
    (boot / "cmdline.txt").write_text(COMMAND_LINE)
    for name, text in (("README.txt", READ_ME), ("machine.example", EXAMPLE)):
        (boot / name).write_text(text.replace("\n", "\r\n"), newline="")
    _forget(root)
    return version


def _forget(root: Path) -> None:
    """Remove what is read from the boot partition alone: a third of the root, otherwise."""
    for pattern in ("boot/*", "usr/lib/modules/*/vmlinuz", "usr/lib/modules/*/dtb",
                    "usr/lib/linux-image-*", FIRMWARE):  # fmt: skip
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    (root / "boot/firmware").mkdir()


def _version(root: Path) -> str:
    found = [each.name.partition("-")[2] for each in root.glob("boot/initrd.img-*")]
    if len(found) != 1:
        raise ImageError(
            f"there is not one kernel with its RAM disk, but {found}",
            "look at packages.txt",
        )
    return found[0]


def _kernel(root: Path, version: str) -> Path:
    return _first(
        [root / f"boot/vmlinuz-{version}", root / f"usr/lib/modules/{version}/vmlinuz"]
    )


def _device_trees(root: Path, version: str) -> Path:
    """Where a kernel has them: newer ones below its modules."""
    return _first(
        [
            root / f"usr/lib/modules/{version}/dtb/broadcom",
            root / f"usr/lib/linux-image-{version}/broadcom",
        ]
    )


def _first(paths: list[Path]) -> Path:
    for path in paths:
        if path.exists():
            return path
    raise ImageError(f"the kernel has no {paths[0].name}", "look at packages.txt")


def _copy(directory: Path, pattern: str, boot: Path) -> None:
    found = sorted(directory.glob(pattern))
    if not found:
        raise ImageError(f"{directory} has no {pattern}", "look at boot.py")
    for each in found:
        shutil.copyfile(each, boot / each.name)
