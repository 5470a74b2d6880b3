"""What is asked of several servers: in turn, in order, and with an eye on the answers."""

from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from bench.harness import BenchError, Figures
from bench.loading import CHUNK, chunks, exchanged
from bench.method import Method
from bench.rounds import FULL, Outcome, Pace, measure
from bench.scale import CHECKED, Case, not_found
from bench.target import Request
from tests.bench.serving import answering

PACE = Pace(0.0, (1, 1), (20, 20), (3, 20))
METHOD = Method("find", lambda _target, number: Request("GET", f"/{number}"))


def test_servers_are_asked_in_turn_and_warm_up_does_not_count() -> None:
    asked: list[tuple[str, int]] = []

    def answer(label: str, path: str) -> dict[str, Any]:
        asked.append((label, int(path[1:])))
        return {"entities": [1]}

    with ExitStack() as stack:
        targets = [
            stack.enter_context(answering(partial(answer, label), label))
            for label in ("one", "other")
        ]
        outcome = measure(targets, METHOD, PACE)
    warm_up, counted = asked[:2], asked[2:]
    assert warm_up == [("one", 1_000_000), ("other", 1_000_000)]
    assert [label for label, _ in counted] == ["one", "one", "other", "other"] * 10
    for label in ("one", "other"):
        assert [n for asked_of, n in counted if asked_of == label] == list(range(20))
        assert Figures.of(outcome.times[label]).n == 20
        assert outcome.results[label] == [1] * 20


def test_a_change_is_made_once_for_each_number() -> None:
    asked: list[str] = []

    def answer(path: str) -> dict[str, Any]:
        asked.append(path)
        return {}

    method = Method("change", METHOD.request, changes=True)
    with answering(answer) as target:
        outcome = measure([target], method, PACE)
    assert asked == [f"/{number}" for number in range(23)]
    assert len(outcome.times["edgenode"]) == 20


def test_a_refusal_ends_the_asking_of_that_server_and_is_remarked_on() -> None:
    def refuse(path: str) -> dict[str, Any]:
        late = int(path[1:]) in range(5, 1000)
        return {"relatedHTTPCode": 404} if late else {"entities": [1]}

    with (
        answering(refuse, "one") as one,
        answering(lambda _: {"entities": [1]}, "other") as other,
    ):
        outcome = measure([one, other], METHOD, PACE)
    assert len(outcome.times["one"]) == 5
    assert len(outcome.times["other"]) == 20
    assert "404" in outcome.refusals["one"]
    assert any("404" in remark for remark in outcome.remarks())


def test_other_content_may_give_other_numbers_of_results_but_must_give_some() -> None:
    outcome = Outcome(METHOD, results={"1,000": [1, 1], "100,000": [1, 20]})
    assert outcome.remarks(same_content=False) == []
    outcome.results["1,000"] = [0, 0]
    assert len(outcome.remarks(same_content=False)) == 1
    assert outcome.remarks(same_content=False, must_find=False) == []


@pytest.mark.parametrize("lanes", [1, 7])
def test_answers_come_in_the_order_of_requests_over_any_connections(lanes: int) -> None:
    requests = [Request("POST", f"/{number}", {}) for number in range(50)]
    with answering(lambda path: {"entity": path}) as target:
        seconds, answers = exchanged(target, requests, lanes)
    assert [answer["entity"] for answer in answers] == [r.path for r in requests]
    assert seconds > 0


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_refusal_ends_the_loading(lanes: int) -> None:
    requests = [Request("GET", f"/{number}") for number in range(9)]

    def answer(path: str) -> dict[str, Any]:
        return {"relatedHTTPCode": 400 if path == "/4" else 200}

    with (
        answering(answer) as target,
        pytest.raises(BenchError, match="400"),
    ):
        exchanged(target, requests, lanes)


def test_parts_have_everything_once_and_none_is_small() -> None:
    for count in (0, 1, CHUNK, 2 * CHUNK - 1, 2 * CHUNK, 5 * CHUNK + 3):
        parts = list(chunks(range(count)))
        assert [n for part in parts for n in part] == list(range(count))
        assert all(len(part) >= min(CHUNK, count) for part in parts)


def test_an_answer_without_what_it_was_asked_for_is_wrong() -> None:
    case = Case(METHOD, finds=lambda _target, number: f"guid-{number}")

    def right(path: str) -> dict[str, Any]:
        return {"entities": [{"guid": f"guid-{path[1:]}"}]}

    with answering(right, "one") as one, answering(lambda _: {}, "other") as other:
        (wrong,) = not_found([one, other], case)
        assert not_found([other], Case(METHOD)) == []
    assert "other: " in wrong
    assert f"{CHECKED} of {CHECKED}" in wrong


def test_the_full_pace_has_enough_requests_for_its_figures() -> None:
    assert FULL.requests[0] >= 60
    assert FULL.changes[1] >= 100
