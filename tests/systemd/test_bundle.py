"""What the making of a bundle removes, and what it leaves alone."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.systemd.versions import make_bundle

BUNDLE = ROOT / "deploy/raspberrypi/bundle"


def written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.name)
    return path


def album(place: Path) -> Path:
    return written(place / "album/wheels/1998.jpg").parents[1]


def file(place: Path) -> Path:
    return written(place / "file")


def link(place: Path) -> Path:
    (place / "link").symlink_to(album(place).name)
    return place / "link"


def link_to_nothing(place: Path) -> Path:
    (place / "link").symlink_to("nothing")
    return place / "link"


@pytest.mark.parametrize("there", [album, file, link, link_to_nothing])
def test_what_is_no_bundle_stays(tmp_path: Path, there: Callable[[Path], Path]) -> None:
    directory = there(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    refused = subprocess.run(
        [sys.executable, BUNDLE, directory], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert f"{directory} is there already, and is no bundle" in refused.stderr
    assert "mend: name a directory that isn't there" in refused.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_an_older_bundle_is_made_anew(bundle: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(bundle, again, ignore=shutil.ignore_patterns("__pycache__"))
    old = written(again / "wheels/edgenode-0.0.1-py3-none-any.whl")
    make_bundle(again)
    assert not old.exists()
    assert {path.name for path in again.iterdir()} == {
        path.name for path in bundle.iterdir()
    }
    assert list((again / "wheels").glob("edgenode-*.whl"))
    assert list(tmp_path.iterdir()) == [again]
