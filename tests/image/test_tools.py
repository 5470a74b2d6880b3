"""What the builder asks of its machine."""

from pathlib import Path

import pytest

from deploy.raspberrypi.image import tools


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
