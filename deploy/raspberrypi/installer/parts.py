"""What is installed: from a checkout and a package index, or from a bundle alone.

A bundle is a directory that ``bundle`` has made: ``wheels/`` with every package, and copies
of the lists and units that a checkout has.
"""

import hashlib
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

SOURCE = ("pyproject.toml", "README.md", "LICENSE")
"""What a wheel is built of, beside the package."""

COMPILED = "__pycache__"
HERE = Path(__file__).resolve().parent


class UnusablePartsError(Exception):
    """What would be installed isn't there as a whole."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is installed.

    Attributes:
        directory: The checkout, or the bundle.
        requirements: The locked packages.
        wheels: Where they are; None for a package index.
        package: The checkout or the wheel of edgenode.
        units: The units of systemd.
        name: Names this version among others, different for different content.
    """

    directory: Path
    requirements: Path
    wheels: Path | None
    package: Path
    units: tuple[Path, ...]
    name: str


def parts_of(directory: Path, *, kafka: bool = False) -> Parts:
    """The parts in a checkout or a bundle.

    Args:
        directory: Which one.
        kafka: Whether what a cohort over Kafka needs is installed, too.

    Raises:
        UnusablePartsError: It is neither, or not whole.
    """
    requirements = directory / "requirements" / ("kafka.txt" if kafka else "run.txt")
    units = tuple(sorted((directory / "systemd").glob("edgenode*.*")))
    wheels = directory / "wheels"
    found = sorted(wheels.glob("edgenode-*.whl"))
    package = found[-1] if found else directory
    version = package.name.split("-")[1] if found else _version(directory)
    if not (requirements.is_file() and units and version):
        raise UnusablePartsError(
            f"{directory} is no checkout of edgenode, and no bundle"
        )
    digest = hashlib.sha256()
    for path in (requirements, *units, *_content(package)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return Parts(
        directory=directory,
        requirements=requirements,
        wheels=wheels if found else None,
        package=package,
        units=units,
        name=f"{version}-{digest.hexdigest()[:10]}",
    )


@contextmanager
def buildable(package: Path) -> Iterator[Path]:
    """What pip installs, or builds a wheel of.

    Of a checkout that is a copy: wheels are built among their sources, and have whatever an
    earlier build has left there, modules that are gone by now among it.

    Args:
        package: A checkout, or a wheel.
    """
    if package.is_file():
        yield package
        return
    with TemporaryDirectory(prefix="edgenode-") as name:
        copy = Path(name)
        for each in SOURCE:
            shutil.copy2(package / each, copy)
        shutil.copytree(
            package / "edgenode",
            copy / "edgenode",
            ignore=shutil.ignore_patterns(COMPILED),
        )
        yield copy


def _version(directory: Path) -> str | None:
    try:
        project = tomllib.loads((directory / "pyproject.toml").read_text("utf-8"))
        return str(project["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return None


def _content(package: Path) -> Iterator[Path]:
    if package.is_file():
        yield package
        return
    yield package / "pyproject.toml"
    for path in sorted((package / "edgenode").rglob("*")):
        if path.is_file() and COMPILED not in path.parts:
            yield path
