"""The programs of the build machine that an image is made with."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "arch-test": "arch-test",
    "update-binfmts": "binfmt-support",
    "qemu-aarch64-static": "qemu-user-static",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "mke2fs": "e2fsprogs",
    "sfdisk": "fdisk",
    "zstd": "zstd",
}
"""Debian's package of each program."""

_FORMATS = Path("/proc/sys/fs/binfmt_misc")
_WORK = ".edgenode-image-"
"""What no file of anybody else begins with: what has this name is removed."""

_LOCK = Path("/run/edgenode-image.lock")


class ImageError(Exception):
    """An image can't be built; ``mend`` says what would help."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


def check_tools() -> None:
    """Look whether all programs are there.

    Raises:
        ImageError: Some are missing, or this isn't root.
    """
    if os.geteuid() != 0:
        raise ImageError("only root builds an image", "write sudo before it")
    missing = sorted(
        package for program, package in PACKAGES.items() if not shutil.which(program)
    )
    if missing:
        names = " ".join(missing)
        raise ImageError(f"programs are missing: {names}", f"apt-get install {names}")


def run(
    command: list[str | Path],
    environ: Mapping[str, str] | None = None,
    given: str | None = None,
) -> str:
    """Run a program to its end; what it prints.

    Args:
        command: The program and its arguments.
        environ: Variables besides those that are there.
        given: What it reads.

    Raises:
        ImageError: It fails; the end of what it has said is in it.
    """
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ) | dict(environ or {}),
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
        raise ImageError(f"{command[0]} has failed:\n{said}", "see above")
    return done.stdout


@contextmanager
def alone() -> Iterator[None]:
    """Build nothing else meanwhile: whoever ends first takes from others what runs_arm64 gave.

    Raises:
        ImageError: Another image is being built.
    """
    with _LOCK.open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise ImageError(
                "another image is being built on this machine", "wait for its end"
            ) from error
        yield


def workplace(directory: Path) -> TemporaryDirectory[str]:
    """A directory for what is made on the way, some 3 GB, in another one; to be alone with.

    What builds have left there that were killed is removed.
    """
    for left in directory.glob(f"{_WORK}*"):
        shutil.rmtree(left)
    return TemporaryDirectory(dir=directory, prefix=_WORK)


@contextmanager
def runs_arm64() -> Iterator[None]:
    """Have this machine run programs for arm64; what that took is undone at the end.

    Raises:
        ImageError: It can't.
    """
    mounted = enabled = False
    try:
        if not _runs():
            if not (_FORMATS / "register").exists():
                run(["mount", "-t", "binfmt_misc", "binfmt_misc", _FORMATS])
                mounted = True
            if not _runs():
                run(["update-binfmts", "--enable", "qemu-aarch64"])
                enabled = True
        if not _runs():
            raise ImageError(
                "this machine can't run programs for arm64",
                "its kernel needs binfmt_misc; or build on a machine with arm64",
            )
        yield
    finally:
        if enabled:
            run(["update-binfmts", "--disable", "qemu-aarch64"])
        if mounted:
            run(["umount", _FORMATS])


def _runs() -> bool:
    tested = subprocess.run(["arch-test", "arm64"], capture_output=True, check=False)
    return tested.returncode == 0
