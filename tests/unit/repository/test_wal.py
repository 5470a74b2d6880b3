"""Commits in a write-ahead log that SQLite can't reach."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edgenode.repository.wal import commits_behind

PAGE = 4096
STEP = 24 + PAGE
COMMITS = 60
MIXED = 41
"""The frame whose salts begin a sector: 32 + 41 * 4120 + 8 = 330 * 512."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of commits of one frame each, as a crash leaves it."""
    path = tmp_path / "test.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        for number in range(COMMITS):
            connection.execute(f"PRAGMA user_version = {number + 1}")
        text = path.with_name("test.db-wal").read_bytes()
    assert len(text) == 32 + COMMITS * STEP
    copy = tmp_path / "copy.db-wal"
    copy.write_bytes(text)
    return copy


def put(log: Path, place: int, text: bytes) -> None:
    with log.open("r+b") as file:
        file.seek(place)
        file.write(text)


def test_commits_behind_those_that_were_read_are_counted(log: Path) -> None:
    assert commits_behind(log, COMMITS) == 0
    assert commits_behind(log, COMMITS - 3) == 3
    assert commits_behind(log, 30) == 29, "one lies across two sectors"


def test_frames_from_before_the_log_began_again_do_not_count(log: Path) -> None:
    for frame in range(50, COMMITS):
        put(log, 32 + frame * STEP + 8, b"formerly")
    assert commits_behind(log, 48) == 2


def test_remains_of_a_commit_are_not_taken_for_one(log: Path) -> None:
    # The power failed while a commit wrote frames 40 to 43 over older ones: of the
    # sector that ends in the middle of a frame's header only the second half is new.
    for frame in (40, 42):
        put(log, 32 + frame * STEP + 4, bytes(4))
    for frame in range(44, COMMITS):
        put(log, 32 + frame * STEP + 8, b"formerly")
    assert commits_behind(log, 40) == 1


def test_a_log_without_a_header_has_no_commits(log: Path) -> None:
    log.write_bytes(bytes(31))
    assert commits_behind(log, 0) == 0
