"""The demo of a cohort shows what it says, with namespaces and without."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# The commands that can make namespaces are not found with this one.
NOWHERE = "/nonexistent"


@pytest.mark.parametrize("path", [os.environ["PATH"], NOWHERE], ids=["", "on ports"])
def test_the_demo_ends_well_and_leaves_nothing(path: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.demo_cohort"],
        cwd=ROOT,
        env=os.environ | {"PATH": path, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith(
        "all of it was as it should be, and nothing of it is left\n"
    )
    for name in ("kitchen", "cellar", "attic"):
        assert f"of the {name}" in ran.stdout
    assert not list(tmp_path.iterdir())
    if path == NOWHERE:
        assert "three ports of this machine" in ran.stdout
