"""The measured node: a real process, counted by the system from start to end."""

import sqlite3
import zlib
from pathlib import Path

import pytest

from bench.bytes_written import KINDS
from bench.harness import BenchError
from bench.loading import load
from bench.node import (
    NO_DISKS,
    SERVER,
    Io,
    Node,
    data_directory,
    disk_written,
    file_system,
    stored_bytes,
)
from bench.scale import CASES, not_found
from bench.variants import VARIANTS

TERMS = 25


def test_a_node_is_counted_until_its_end(tmp_path: Path) -> None:
    with Node(tmp_path / "data") as node:
        target = node.target()
        before = node.io()
        commits = node.metric("edgenode_store_commits_total")
        target.call(KINDS["add an entity"](target, 0))
        assert node.metric("edgenode_store_commits_total") == commits + 1
        after = node.io()
        target.close()
        memory = node.memory()
        at_end = node.stop()
    # A group of pages is synced with the change; the rest comes at the end.
    assert (after - before).given > 2_000
    assert at_end.given > after.given
    assert at_end.disk >= after.disk
    assert memory.resident > memory.private > 1_000_000
    assert stored_bytes(tmp_path / "data") > 2_000
    assert Io(5, 7) - Io(2, 3) == Io(3, 4)


def test_a_node_that_cannot_start_is_not_measured(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no directory")
    with pytest.raises(BenchError, match="did not start"):
        Node(tmp_path / "data")


def test_a_figure_that_is_not_counted_is_no_nought(tmp_path: Path) -> None:
    with Node(tmp_path / "data") as node, pytest.raises(BenchError, match="no such"):
        node.metric("no such")


def test_data_in_memory_is_refused_where_bytes_count() -> None:
    memory = Path("/dev/shm")  # noqa: S108 - it is what must be refused
    if not memory.is_dir() or file_system(memory) not in NO_DISKS:
        pytest.skip("this system has no file system in memory at /dev/shm")
    with (
        pytest.raises(BenchError, match="on a disk"),
        data_directory(memory, may_be_memory=False),
    ):
        pass
    with data_directory(memory, may_be_memory=True) as directory:
        assert directory.is_dir()
    assert not directory.exists()


def test_the_disk_of_a_directory_is_known_or_said_to_be_unknown(tmp_path: Path) -> None:
    written = disk_written(tmp_path)
    assert written is None or written >= 0
    assert file_system(tmp_path) != "unknown"


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A variant that was loaded, changed and asked, each answer looked at."""
    name: str = request.param
    with Node(tmp_path, ("-m", "bench.variants", name)) as node:
        target = node.target()
        load(target, TERMS)
        for make in KINDS.values():
            target.call(make(target, 1))
        asked = [case for case in CASES if case.finds is not None]
        assert [text for case in asked for text in not_found([target], case)] == []
        target.call(KINDS["add an entity"](target, 2))
        target.close()
        node.kill()  # so that nothing is written at the end
    return name


def test_a_variant_answers_right_and_stores_otherwise(
    variant: str, tmp_path: Path
) -> None:
    file = tmp_path / "servers" / SERVER / "metadata.db"
    store = sqlite3.connect(file)
    tables = store.execute(
        "SELECT sql FROM sqlite_schema WHERE name IN ('link', 'superseded', 'property')"
    ).fetchall()
    (size,) = store.execute("PRAGMA page_size").fetchone()
    (document,) = store.execute("SELECT document FROM version LIMIT 1").fetchone()
    (lacking,) = store.execute(
        "SELECT max(seq) - (SELECT indexed_through FROM store) FROM version"
    ).fetchone()
    store.close()
    found = {
        "page size": size,
        "rowid": not any("WITHOUT ROWID" in sql for (sql,) in tables),
        "compressed": not document.startswith(b"{"),
        "at once": lacking == 0,
    }
    usual: dict[str, object] = {
        "page size": 2048,
        "rowid": False,
        "compressed": False,
        "at once": False,
    }
    changed: dict[str, dict[str, object]] = {
        "as it is": {},
        "page size 1024": {"page size": 1024},
        "page size 4096": {"page size": 4096},
        "page size 8192": {"page size": 8192},
        "index at once": {"at once": True},
        "rowid tables": {"rowid": True},
        "compressed documents": {"compressed": True},
    }
    assert found == usual | changed[variant]
    if found["compressed"]:
        assert zlib.decompress(document).startswith(b"{")
