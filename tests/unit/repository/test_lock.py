"""A data directory belongs to one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgenode.repository.lock import LOCK_FILE, DirectoryInUseError, locked
from tests.conftest import ROOT

HOLD = """
import sys
from pathlib import Path
from edgenode.repository.lock import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.readline()
"""


def holder(directory: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", HOLD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_second_process_is_told_of_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(DirectoryInUseError) as caught, locked(tmp_path):
            pass
        assert caught.value.process_id == process.pid
        assert f"process {process.pid}" in str(caught.value)
        process.communicate("\n")
    with locked(tmp_path):
        assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
        process.communicate()
    with locked(tmp_path):
        assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"


def test_the_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "edgenode"
    with locked(directory):
        for each in (directory, directory.parent):
            assert each.stat().st_mode & 0o777 == 0o700


def test_a_lock_that_names_nobody_is_still_one(tmp_path: Path) -> None:
    with locked(tmp_path):
        (tmp_path / LOCK_FILE).write_text("")
        with pytest.raises(DirectoryInUseError, match="another process"):
            locked(tmp_path).__enter__()
