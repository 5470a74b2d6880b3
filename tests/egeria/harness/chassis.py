"""The two Java programs that the harness starts: built once from artifacts, then kept.

Each is a folder in tests/egeria/java with a pom, which names the artifacts, and a class
with the ``main`` to start. Maven finds the artifacts where this machine's Maven is
configured to look for them.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.egeria.harness.errors import HarnessError

JAVA = Path(__file__).parent.parent / "java"
MOST_SAID = 2_000  # characters of what a failed build said


@dataclass(frozen=True, slots=True)
class Chassis:
    """A folder of tests/egeria/java, and the class in it that is started."""

    folder: str
    main: str

    def class_path(self) -> str:
        """Where Java finds its classes; builds it first where that is needed.

        Raises:
            HarnessError: it can't be built.
        """
        with _locked(_kept()):
            place = _kept() / f"{self.folder}-{self._digest()}"
            if not _is_whole(place):
                self._build(place)
            return _class_path(place)

    def _sources(self) -> list[Path]:
        own = JAVA / self.folder / "src"
        return sorted([*own.rglob("*.java"), *(JAVA / "starter").rglob("*.java")])

    def _digest(self) -> str:
        """Another one after each change of the pom or the sources."""
        digest = hashlib.sha256()
        for path in (JAVA / self.folder / "pom.xml", *self._sources()):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    def _build(self, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as made:
            work = Path(made) / "work"
            classes = work / "classes"
            classes.mkdir(parents=True)
            pom = str(JAVA / self.folder / "pom.xml")
            to = f"-Dmdep.outputFile={work / 'artifacts'}"
            _run("mvn", "-B", "-q", "-f", pom, "dependency:build-classpath", to)
            artifacts = (work / "artifacts").read_text().strip()
            quiet = ("-nowarn", "-Xlint:none")
            where = ("-cp", artifacts, "-d", str(classes))
            _run("javac", *quiet, "-parameters", *where, *map(str, self._sources()))
            work.rename(place)


def _kept() -> Path:
    """The directory of what was built."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    place = Path(cache).expanduser() / "edgenode-egeria"
    place.mkdir(parents=True, exist_ok=True)
    return place


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Alone in a directory: two test runs may start at once."""
    with (directory / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_whole(place: Path) -> bool:
    """Whether all artifacts are still where Maven put them."""
    try:
        artifacts = (place / "artifacts").read_text().strip()
    except FileNotFoundError:
        return False
    return all(Path(each).exists() for each in artifacts.split(os.pathsep))


def _class_path(place: Path) -> str:
    artifacts = (place / "artifacts").read_text().strip()
    return f"{place / 'classes'}{os.pathsep}{artifacts}"


def _run(*command: str) -> None:
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr)[-MOST_SAID:]
        raise HarnessError(f"{command[0]} failed:\n{said}")
