"""What the builder asks of its machine, and of who calls it."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.raspberrypi.image import tools
from tests.conftest import ROOT


@pytest.mark.parametrize("target", ["/dev/null", "."])
def test_only_a_file_is_written(target: str) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "deploy.raspberrypi.image", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert f"{target} is no file" in refused.stderr
    assert "mend: name one" in refused.stderr


def test_one_image_is_built_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_LOCK", tmp_path / "lock")
    with (
        tools.alone(),
        pytest.raises(tools.ImageError, match="another image"),
        tools.alone(),
    ):
        pytest.fail("two are built")
    with tools.alone():
        assert (tmp_path / "lock").exists()


def test_what_a_killed_build_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".edgenode-image-killed/root").mkdir(parents=True)
    with tools.workplace(tmp_path) as name:
        assert [str(each) for each in tmp_path.iterdir()] == [name]
