"""The command that builds an image."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from edgenode.security.keys import CohortKey, InvalidTokenError

from .boot import make_boot
from .disk import compress, make_disk
from .root import PYTHON, Wanted, make_root, mirror, trust_compiled
from .tools import ImageError, alone, check_tools, run, runs_arm64, workplace

ROOT = Path(__file__).resolve().parents[3]
OK, REFUSED = 0, 1
COHORT = "cohort"


def main() -> int:
    """Do what the command line says; returns the exit code."""
    arguments = _parser().parse_args()
    try:
        _check_target(arguments.image)
        check_tools()
        _build(arguments)
    except ImageError as error:
        print(f"edgenode: {error}\n  mend: {error.mend}", file=sys.stderr)
        return REFUSED
    return OK


def _check_target(image: Path) -> None:
    """Look that no card or directory is meant.

    Raises:
        ImageError: One is.
    """
    if image.exists() and not image.is_file():
        raise ImageError(
            f"{image} is no file", "name one; what is built is written on cards later"
        )


def _build(arguments: argparse.Namespace) -> None:
    image: Path = arguments.image
    image.parent.mkdir(parents=True, exist_ok=True)
    token = None if arguments.no_key else _token(arguments.join_token)
    epoch = _epoch()
    steps = _Steps(6)
    with alone(), workplace(image.parent) as name, runs_arm64():
        work = Path(name)
        steps.begin("the node and its packages, for arm64")
        bundle = work / "bundle"
        # The node's version is named after its wheel, which has the times of its files.
        run([sys.executable, ROOT / "deploy/raspberrypi/bundle", bundle,
             "--machine", "aarch64", "--python", PYTHON],
            {"SOURCE_DATE_EPOCH": str(epoch)})  # fmt: skip
        steps.begin("Debian's packages, configured by programs for arm64")
        wanted = Wanted(
            bundle,
            arguments.mirror or mirror("Debian", "--mirror"),
            arguments.security_mirror or mirror("Debian-Security", "--security-mirror"),
            _kept(token, work),
            epoch,
        )
        make_root(wanted, work / "root.tar")
        steps.begin("unpacking")
        root, boot = work / "root", work / "boot"
        root.mkdir()
        boot.mkdir()
        run(["tar", "--extract", "--numeric-owner", "--xattrs", "--xattrs-include=*",
             f"--file={work / 'root.tar'}", f"--directory={root}"])  # fmt: skip
        (work / "root.tar").unlink()
        trust_compiled(root)
        steps.begin("the boot partition")
        kernel = make_boot(root, boot)
        steps.begin("the disk")
        make_disk(root, boot, work, image, wanted.epoch)
        steps.begin("compressing")
        packed = compress(image)
        listed = run(["chroot", root, "dpkg-query", "--show"])
    packages = image.with_name(f"{image.name}.packages")
    packages.write_text(listed)
    _give([image, packed, packed.with_name(f"{packed.name}.sha256"), packages])
    steps.end()
    size = packed.stat().st_size
    print(
        f"{packed}: {size / 1e6:.0f} MB, kernel {kernel}, {len(listed.splitlines())} packages"
    )
    print(f"{packages.name} names them, {packed.name}.sha256 is its digest")
    if token is None:
        print("it has no key: each card makes a cohort of its own")
    else:
        whose = "a cohort that is there" if arguments.join_token else "a new cohort"
        print(
            f"it has the key of {whose}, whose members all its cards are: the image is a "
            "secret (--no-key leaves it out)"
        )


def _give(files: list[Path]) -> None:
    """Have files belong to whoever called sudo, who is to write them on cards."""
    if "SUDO_UID" in os.environ:
        for each in files:
            os.chown(each, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def _token(given: Path | None) -> str:
    """The cohort's token: a given one, or that of a new cohort.

    Raises:
        ImageError: What is given can't be used.
    """
    if given is None:
        return CohortKey.create(COHORT, os.urandom).token
    try:
        return CohortKey.from_token(given.read_text("utf-8")).token
    except (OSError, UnicodeDecodeError, InvalidTokenError) as error:
        raise ImageError(
            f"{given} has no join token: {error}",
            "write into it what 'edgenode cohort token' shows",
        ) from error


def _kept(token: str | None, work: Path) -> Path | None:
    if token is None:
        return None
    path = work / "join-token"
    path.touch(mode=0o600)
    path.write_text(token)
    return path


def _epoch() -> int:
    """When what is built was changed last, in seconds."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        return int(given)
    shown = subprocess.run(
        ["git", "-C", ROOT, "log", "-1", "--format=%ct"],
        capture_output=True,
        text=True,
        check=False,
    )
    return int(shown.stdout) if shown.returncode == 0 else int(time.time())


class _Steps:
    """Says what is done, and how long it has taken."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._number = 0
        self._began = self._start = time.monotonic()

    def begin(self, what: str) -> None:
        self._took()
        self._number += 1
        self._start = time.monotonic()
        print(f"[{self._number}/{self._count}] {what}", end="", flush=True)

    def end(self) -> None:
        self._took()
        print(f"built in {time.monotonic() - self._began:.0f} s")

    def _took(self) -> None:
        if self._number:
            print(f": {time.monotonic() - self._start:.0f} s", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="build-image",
        description="Build an image for the cards of Raspberry Pis (3, 4, 5, Zero 2 W), "
        "from Debian's packages and this checkout. Takes root, some twenty minutes and 5 GB.",
    )
    parser.add_argument(
        "image",
        type=Path,
        nargs="?",
        default=ROOT / "build/edgenode.img",
        help="the file to write, and NAME.zst beside it; build/edgenode.img by default",
    )
    key = parser.add_mutually_exclusive_group()
    key.add_argument(
        "--join-token",
        type=Path,
        metavar="FILE",
        help="with the token of a cohort that all its cards join; a new one by default",
    )
    key.add_argument(
        "--no-key",
        action="store_true",
        help="without: each card makes a cohort of its own",
    )
    parser.add_argument(
        "--mirror",
        metavar="URL",
        help="of Debian's packages; this machine's by default",
    )
    parser.add_argument(
        "--security-mirror",
        metavar="URL",
        help="of their security updates; this machine's by default",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
