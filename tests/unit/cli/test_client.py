"""What the command line makes of answers, and of none."""

import socket
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from edgenode.cli.client import NodeClient, Stream, node_client, segment
from edgenode.cli.outcome import CommandError, ExitCode

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def answering(text: bytes) -> Iterator[NodeClient]:
    """A client of something that answers one request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(text)

        thread = threading.Thread(target=answer)
        thread.start()
        port = listener.getsockname()[1]
        yield NodeClient(f"http://127.0.0.1:{port}/", "pi", "me")
        thread.join()


def chunk(text: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(text), text)


def refused(client: NodeClient, use: Callable[[Stream], object]) -> CommandError:
    """How it ends when a stream can't be had or used."""

    def ask() -> None:
        with client.node_service("GET", "/archive", {}) as stream:
            use(stream)

    with pytest.raises(CommandError) as caught:
        ask()
    assert caught.value.mend
    return caught.value


def outcome(stream: Stream) -> object:
    return stream.outcome(lambda done, total: None)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + chunk(b'{"done":1,"total":2}\n'),
        HEAD + chunk(b'{"done":1,"total":2}\n') + b"0\r\n\r\n",
        HEAD + chunk(b'{"done":') + b"0\r\n\r\n",
    ],
)
def test_a_node_that_breaks_off_has_not_succeeded(text: bytes) -> None:
    with answering(text) as client:
        error = refused(client, outcome)
    assert error.code is ExitCode.UNREACHABLE
    assert "broke off" in error.message


def test_a_file_that_breaks_off_is_not_taken() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    with answering(head + b"half of it") as client:
        error = refused(client, lambda stream: list(stream.pieces()))
    assert error.code is ExitCode.UNREACHABLE


def test_progress_is_followed_to_the_outcome() -> None:
    lines = b'{"done":1,"total":2}\n{"done":2,"total":2}\n{"report":7}\n'
    seen = []
    with (
        answering(HEAD + chunk(lines) + b"0\r\n\r\n") as client,
        client.node_service("POST", "/backups", {}) as stream,
    ):
        found = stream.outcome(lambda done, total: seen.append((done, total)))
    assert found == {"report": 7}
    assert seen == [(1, 2), (2, 2)]


def test_an_error_ends_what_is_followed() -> None:
    line = b'{"error":{"message":"full","mend":"make room"}}\n'
    with answering(HEAD + chunk(line) + b"0\r\n\r\n") as client:
        error = refused(client, outcome)
    assert (error.code, error.message, error.mend) == (
        ExitCode.REFUSED,
        "full",
        "make room",
    )


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found",
        b'HTTP/1.1 404 Not Found\r\nContent-Length: 21\r\n\r\n{"error":"Not Found"}',
    ],
)
def test_what_is_no_node_is_told_apart(text: bytes) -> None:
    with answering(text) as client:
        assert refused(client, outcome).code is ExitCode.UNREACHABLE


def test_a_page_is_no_answer_of_the_api() -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
    with (
        answering(page) as client,
        pytest.raises(CommandError, match="not as a metadata server") as caught,
    ):
        client.repository("GET", "/types/all")
    assert caught.value.code is ExitCode.UNREACHABLE


@pytest.mark.parametrize(
    "url", ["pi", "pi:80", "https://pi", "http://", "http://pi:port", "http://[::1"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(CommandError) as caught:
        NodeClient(url, "pi", "me")
    assert caught.value.code is ExitCode.USAGE
    assert "http://HOST:PORT" in caught.value.mend


def test_a_node_is_where_the_configuration_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGENODE_LISTEN", "[::1]:7000")
    monkeypatch.setenv("EDGENODE_SERVER_NAME", "hub")
    none = Namespace(config=None, url=None, server=None, user=None)
    client = node_client(none)
    assert (client.url, client.server) == ("http://[::1]:7000", "hub")
    assert client.user
    given = Namespace(config=None, url="http://pi:1/", server="a", user="b")
    client = node_client(given)
    assert (client.url, client.server, client.user) == ("http://pi:1", "a", "b")


def test_a_name_is_one_segment() -> None:
    assert segment("a b/../c?d#e%") == "a%20b%2F..%2Fc%3Fd%23e%25"


def test_who_hangs_up_may_be_a_port_for_other_nodes() -> None:
    with answering(b"") as client, pytest.raises(CommandError) as caught:
        client.fetch("GET", "/health/ready")
    assert caught.value.code is ExitCode.UNREACHABLE
    assert "hung up" in caught.value.message
    assert "cohort.listen" in caught.value.mend
