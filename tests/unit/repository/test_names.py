"""Names are given ids once, and forgotten when their transaction is undone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from edgenode.repository.names import NameReader, Names
from edgenode.repository.statements import load


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT UNIQUE)"
        )
        yield connection


def test_a_name_has_one_id(connection: sqlite3.Connection) -> None:
    names = Names()
    one, two = names.id_of(connection, "one"), names.id_of(connection, "two")
    assert one != two
    assert names.id_of(connection, "one") == one
    assert names.text_of(connection, two) == "two"
    other = Names()
    assert other.text_of(connection, one) == "one"
    assert other.id_of(connection, "two") == two


def test_names_of_an_undone_transaction_are_given_anew(
    connection: sqlite3.Connection,
) -> None:
    names = Names()
    names.id_of(connection, "kept")
    names.committed()
    connection.execute("BEGIN")
    undone = names.id_of(connection, "undone")
    connection.execute("ROLLBACK")
    names.rolled_back()
    assert names.id_of(connection, "other") == undone
    assert names.text_of(connection, undone) == "other"
    assert names.id_of(connection, "undone") != undone
    assert names.text_of(connection, names.id_of(connection, "kept")) == "kept"


def test_reading_a_name_adds_none(connection: sqlite3.Connection) -> None:
    reader = NameReader(connection)
    assert reader.id_of("later") is None
    given = Names().id_of(connection, "later")
    assert reader.id_of("later") == given
    assert reader.text_of(given) == "later"


def test_statements_are_loaded_by_their_names() -> None:
    assert load("names") == {
        "id": "SELECT id FROM name WHERE text = ?",
        "text": "SELECT text FROM name WHERE id = ?",
        "add": "INSERT INTO name (text) VALUES (?)",
    }
