"""The versions on a machine: each whole, or not there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .layout import Layout
from .parts import COMPILED, HERE, Parts, buildable

KEPT = 2
"""The version that runs, and the one to go back to: one takes some 80 MB of a card."""

UNITS_DIRECTORY = "systemd"
"""The directory of a version's units."""

_WHOLE = "installed"
_SCHEMA = "edgenode/repository/schema/[0-9][0-9][0-9]_*.sql"


class FailedInstallationError(Exception):
    """A version could not be installed; nothing of it is left."""


class Releases:
    """The versions below one directory, and which of them runs."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @property
    def current(self) -> str | None:
        """The name of the one that runs."""
        link = self._layout.current
        return Path(link.readlink()).name if link.is_symlink() else None

    def names(self) -> list[str]:
        """All that are whole, those that were used last first."""
        found = [
            each
            for each in self._layout.releases.glob("*")
            if (each / _WHOLE).is_file()
        ]
        found.sort(key=lambda each: (each / _WHOLE).stat().st_mtime_ns, reverse=True)
        return [each.name for each in found]

    def path(self, name: str) -> Path:
        """Where one is."""
        return self._layout.releases / name

    def add(self, parts: Parts) -> None:
        """Install a version beside the others, unless it is there.

        Raises:
            FailedInstallationError: A package can't be had, or installed.
        """
        path = self.path(parts.name)
        if (path / _WHOLE).is_file():
            return
        shutil.rmtree(path, ignore_errors=True)  # what a power cut left
        path.parent.mkdir(parents=True, exist_ok=True)
        pip = [str(path / "bin/python"), "-m", "pip", "install", "--quiet"]
        pip += ["--disable-pip-version-check", "--no-cache-dir"]
        source = (
            []
            if parts.wheels is None
            else ["--no-index", f"--find-links={parts.wheels}"]
        )
        locked = [
            "--require-hashes",
            "--only-binary=:all:",
            "-r",
            str(parts.requirements),
        ]
        try:
            _run([sys.executable, "-m", "venv", str(path)])
            _run([*pip, *source, *locked])
            # Its build tool is among the locked packages.
            with buildable(parts.package) as package:
                _run([*pip, *source, "--no-deps", "--no-build-isolation", str(package)])
            _run([str(path / "bin/edgenode"), "--version"])
            (path / UNITS_DIRECTORY).mkdir()
            for unit in parts.units:
                shutil.copyfile(unit, path / UNITS_DIRECTORY / unit.name)
            shutil.copytree(
                HERE, path / HERE.name, ignore=shutil.ignore_patterns(COMPILED)
            )
            self.mark(parts.name)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise

    def mark(self, name: str) -> None:
        """Take down that one is whole, and was used now."""
        os.sync()  # thousands of small files; what is marked is on the disk
        (self.path(name) / _WHOLE).touch()
        os.sync()

    def schema(self, name: str) -> int:
        """The newest schema of a store that one knows."""
        steps = self.path(name).glob("lib/python3*/site-packages/" + _SCHEMA)
        return max(int(each.name[:3]) for each in steps)

    @property
    def before_trial(self) -> str | None:
        """Which one ran before the one that is on trial; None where none is."""
        trial = self._layout.trial
        return trial.read_text().strip() if trial.is_file() else None

    def begin_trial(self, before: str) -> None:
        """Take down which one to go back to."""
        trial = self._layout.trial
        new = trial.with_name(f"{trial.name}.new")
        new.write_text(before)
        os.sync()  # it is there as a whole, or not at all
        new.replace(trial)
        os.sync()

    def end_trial(self) -> None:
        """The one that runs now stays."""
        self._layout.trial.unlink(missing_ok=True)
        os.sync()

    def turn(self, name: str) -> None:
        """Have another one be the one that runs."""
        link = self._layout.current
        new = link.with_name(f"{link.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(Path("releases") / name)
        new.replace(link)
        os.sync()

    def tidy(self) -> list[str]:
        """Remove what nobody goes back to; what was removed."""
        kept = [self.current, *(each for each in self.names() if each != self.current)]
        gone = [
            each.name
            for each in self._layout.releases.glob("*")
            if each.name not in kept[:KEPT]
        ]
        for name in gone:
            shutil.rmtree(self.path(name))
        return gone


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise FailedInstallationError("\n".join([" ".join(command), *said]))
