"""A file that a command writes is there whole, or not at all."""

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
    with pytest.raises(CommandError, match="can't be read") as caught:
        opened(tmp_path)
    assert caught.value.code is ExitCode.REFUSED
