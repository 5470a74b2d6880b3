"""The measuring itself: the client reads whole answers, the figures are right."""

import socket
import threading
from collections.abc import Callable

import pytest

from bench.finding import FINDING
from bench.glossary import Glossary, updated
from bench.harness import BenchError, Connection, Figures, RefusedError, client_cost
from bench.method import Method
from bench.rest_methods import METHODS, chosen
from bench.rounds import Outcome, requests_for, results
from bench.target import Request, Target


def serve(*answers: list[bytes]) -> tuple[str, Callable[[], None]]:
    """A server for one connection after another: an answer's pieces a request."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        waiting = list(answers)
        while waiting:
            connection, _ = listener.accept()
            with connection:
                while waiting and connection.recv(1 << 16):
                    pieces = waiting.pop(0)
                    for piece in pieces:
                        connection.sendall(piece)
                    if b"onnection: close" in pieces[0]:
                        break
        listener.close()

    thread = threading.Thread(target=run)
    thread.start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", thread.join


CHUNKED = b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", b'{"a"', b":1}"],
        [b"HTTP/1.1 200 OK\r\ncontent-le", b'ngth: 7\r\n\r\n{"a":1}'],
        [CHUNKED + b'4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'],
        [CHUNKED, b'4\r\n{"a"\r', b"\n3\r\n:1}\r\n0", b"\r\n\r", b"\n"],
    ],
)
def test_an_answer_in_any_pieces_is_read_whole(pieces: list[bytes]) -> None:
    url, ended = serve(pieces)
    connection = Connection(url)
    elapsed, body = connection.exchange(connection.message("GET", "/"))
    connection.close()
    ended()
    assert body == b'{"a":1}'
    assert elapsed > 0


def test_a_connection_that_the_server_closes_is_opened_again() -> None:
    last = b"HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 1\r\n\r\n1"
    url, ended = serve([last], [b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n2"])
    connection = Connection(url)
    message = connection.message("GET", "/")
    assert [connection.exchange(message)[1] for _ in range(2)] == [b"1", b"2"]
    connection.close()
    ended()


def test_an_http_error_is_a_refusal_with_its_text() -> None:
    url, ended = serve([b"HTTP/1.1 404 \r\nContent-Length: 4\r\n\r\ngone"])
    connection = Connection(url)
    with pytest.raises(RefusedError, match=r"404.*gone"):
        connection.exchange(connection.message("GET", "/"))
    connection.close()
    ended()


def test_an_answer_that_breaks_off_ends_the_measurement() -> None:
    url, ended = serve([b"HTTP/1.1 200 \r\nContent-Length: 9\r\n\r\nhalf"])
    connection = Connection(url)
    with pytest.raises(BenchError, match="closed the connection"):
        connection.exchange(connection.message("GET", "/"))
    connection.close()
    ended()


def test_figures_are_the_median_and_the_nearest_rank() -> None:
    hundred = Figures.of([n * 1_000_000 for n in range(100, 0, -1)])
    assert (hundred.n, hundred.median, hundred.p99) == (100, 50.5, 99.0)
    one = Figures.of([2_000_000])
    assert (one.median, one.p99) == (2.0, 2.0)


def test_client_cost_has_a_figure_for_each_size() -> None:
    cost = client_cost((10, 1000))
    assert list(cost) == ["10 bytes", "1000 bytes"]
    assert all(
        0 < figures["lowest ms"] <= figures["highest ms"] for figures in cost.values()
    )


def outcome(genuine: list[int], edgenode: list[int]) -> Outcome:
    """What a read gave on two servers."""
    method = Method("find", lambda _target, _number: Request("GET", "/"))
    return Outcome(method, results={"genuine": genuine, "edgenode": edgenode})


def test_other_numbers_of_results_are_remarked_on() -> None:
    assert outcome([1, 2, 0], [1, 2, 0]).remarks() == []
    (remark,) = outcome([1, 2, 0], [1, 3, 1]).remarks()
    assert "2 of 3" in remark
    assert "2 and 3, 0 and 1" in remark


def test_a_method_that_never_finds_anything_is_remarked_on() -> None:
    remarks = outcome([0, 0], [0, 0]).remarks()
    assert len(remarks) == 2
    assert all("found anything" in remark for remark in remarks)


def test_results_are_the_elements_of_an_answer() -> None:
    envelope = {"class": "X", "relatedHTTPCode": 200, "offset": 0, "pageSize": 20}
    assert results(envelope) == 0
    assert results({**envelope, "entities": [1, 2], "relationships": [3]}) == 3
    assert results({**envelope, "entity": {"guid": "1"}}) == 1


def test_slow_methods_get_fewer_requests() -> None:
    assert [requests_for(seconds) for seconds in (0.001, 0.005, 0.05, 0.5)] == [
        300,
        200,
        60,
        15,
    ]


def test_the_glossary_is_the_same_every_time() -> None:
    one, other = Glossary(), Glossary()
    assert [one.term(n) for n in range(50)] == [other.term(n) for n in range(50)]
    assert one.term(7)["description"] != one.term(7, edition=2)["description"]
    assert one.term(7)["displayName"] == one.term(7, edition=2)["displayName"]
    assert [n for n in range(41) if updated(n)] == [7, 27]


def test_methods_have_their_own_names_and_historical_requests_a_time() -> None:
    names = [method.name for method in METHODS]
    assert len(set(names)) == len(names)
    target = Target("x", "", "", None, terms=["1"], before_updates=5)  # type: ignore[arg-type]
    past = [m.request(target, 1) for m in FINDING if m.name.endswith("asOfTime")]
    assert past
    for request in past:
        assert isinstance(request.body, dict)
        assert request.body["asOfTime"] == 5
        assert "HistoricalFindRequest" in request.body["class"]
        assert "/history" in request.path


def test_a_chosen_change_keeps_the_steps_before_it() -> None:
    methods = chosen("^(getEntitySummary|purgeEntity)$")
    assert [m.name for m in methods if m.measured] == [
        "getEntitySummary",
        "purgeEntity",
    ]
    assert {"addEntity", "deleteEntity"} <= {m.name for m in methods if not m.measured}
    assert [m.name for m in chosen("Summary")] == ["getEntitySummary"]
