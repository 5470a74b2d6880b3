"""A file that a command writes is there whole, or not at all."""

import os
from pathlib import Path

import pytest

from edgenode.cli.files import arriving, opened
from edgenode.cli.outcome import CommandError, ExitCode


def test_a_file_arrives(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"before")
    with arriving(target) as file:
        file.write(b"after")
        assert target.read_bytes() == b"before"
    assert target.read_bytes() == b"after"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_what_stood_in_its_way_is_not_written_to(tmp_path: Path) -> None:
    target, other = tmp_path / "file", tmp_path / "other"
    other.write_bytes(b"another's")
    (tmp_path / "file.part").symlink_to(other)
    with arriving(target) as file:
        file.write(b"ours")
    assert target.read_bytes() == b"ours"
    assert other.read_bytes() == b"another's"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_that_is_not_finished_is_removed(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"before")

    def write_a_part() -> None:
        with arriving(target) as file:
            file.write(b"after")
            raise error

    with pytest.raises(error):
        write_a_part()
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_told() -> None:
    with (
        pytest.raises(CommandError, match="/dev/full/file can't be written") as caught,
        arriving(Path("/dev/full/file")),
    ):
        pytest.fail("a device is no directory")
    assert caught.value.code is ExitCode.REFUSED
    assert caught.value.mend


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "x", "can't be read"), (tmp_path, "is no file")):
        with pytest.raises(CommandError, match=why) as caught:
            opened(path)
        assert caught.value.code is ExitCode.REFUSED


def test_nothing_but_a_file_is_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target in (pipe, tmp_path, Path("/dev/null"), Path("-"), tmp_path / ".."):
        with (
            pytest.raises(CommandError, match="is no") as caught,
            arriving(target),
        ):
            pytest.fail("it would be replaced")
        assert caught.value.code is ExitCode.REFUSED
    assert pipe.is_fifo()


def test_a_link_stays_and_what_it_points_to_is_written(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    with arriving(link) as file:
        file.write(b"ours")
    assert link.is_symlink()
    assert target.read_bytes() == b"ours"


@pytest.mark.parametrize("own", ["metadata.db", "edgenode.lock"])
def test_a_nodes_own_files_are_not_replaced(tmp_path: Path, own: str) -> None:
    (tmp_path / own).write_bytes(b"precious")
    for name in (own, f"{own}-wal", "copy.db"):
        with (
            pytest.raises(CommandError, match=f"node's own {own}"),
            arriving(tmp_path / name),
        ):
            pytest.fail("it would be replaced")
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "copy.db").symlink_to(tmp_path / own)
    with (
        pytest.raises(CommandError, match=f"node's own {own}"),
        arriving(tmp_path / "link" / "copy.db"),
    ):
        pytest.fail("it would be replaced")
    assert (tmp_path / own).read_bytes() == b"precious"
