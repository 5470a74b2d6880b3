"""The units are what systemd understands, and let a service do no more than it has to."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

UNITS = sorted((ROOT / "systemd").glob("edgenode*.*"))
TRIAL = "edgenode-trial.service"
"""It ends an upgrade, for which it turns links of the system and talks with systemd."""

SERVICES = [each for each in UNITS if each.suffix == ".service" and each.name != TRIAL]
MOST_EXPOSED = 20
"""In tenths, as systemd rates services from 0 to 10."""

ANALYZE = shutil.which("systemd-analyze")
pytestmark = pytest.mark.skipif(
    ANALYZE is None, reason="there is no systemd-analyze (Debian's package systemd)"
)


def analyzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run(
        [ANALYZE, *arguments], capture_output=True, text=True, check=False
    )


def test_units_are_understood(tmp_path: Path) -> None:
    program = tmp_path / "current/bin/edgenode"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name
        text = unit.read_text(encoding="utf-8")
        copy.write_text(text.replace("/opt/edgenode", str(tmp_path)), encoding="utf-8")
        copies.append(str(copy))
    assert len(copies) == 4
    verified = analyzed("verify", "--man=no", *copies)
    told = [line for line in verified.stderr.splitlines() if "edgenode" in line]
    assert (verified.returncode, told) == (0, [])


def test_what_systemd_does_not_understand_is_found(tmp_path: Path) -> None:
    unit = tmp_path / "edgenode.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nTypo=yes\n", encoding="utf-8")
    assert "Typo" in analyzed("verify", "--man=no", str(unit)).stderr


@pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)
def test_services_are_locked_in(service: Path) -> None:
    rated = analyzed(
        "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(service)
    )
    assert rated.returncode == 0, rated.stdout
    assert "Overall exposure level" in rated.stdout
