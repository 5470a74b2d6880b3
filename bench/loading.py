"""Loads the glossary over REST, over one connection or several at once."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from bench.glossary import (
    ASSIGNMENT,
    CATEGORIZATION,
    CATEGORY,
    GLOSSARY,
    ROOT,
    TERM,
    TERMS_A_CATEGORY,
    TERMS_A_TODO,
    TODO,
    text,
    updated,
)
from bench.harness import BenchError, Connection, Json, Progress, RefusedError
from bench.target import (
    Request,
    Target,
    add_entity,
    add_relationship,
    answered,
    update_entity,
)

CHUNK = 2_000
"""Requests whose bytes are made before the clock starts."""

Make = Callable[[Target, int], Request]


@dataclass(frozen=True, slots=True)
class Stage:
    """How the loading of one kind of thing went.

    Attributes:
        what: Its kind.
        count: How many there were.
        seconds: The time in which requests were under way.
        last_count: How many there were in the last part of it.
        last_seconds: The time of those: slower where loading slows down as it goes on.
    """

    what: str
    count: int
    seconds: float
    last_count: int
    last_seconds: float

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.count / self.seconds

    @property
    def last_per_second(self) -> float:
        """Requests a second in the last part."""
        return self.last_count / self.last_seconds


def exchanged(
    target: Target, requests: Sequence[Request], lanes: int
) -> tuple[float, list[Json]]:
    """Send requests over so many connections; the seconds, and the answers in order.

    Raises:
        BenchError: The server refused one.
    """
    messages = [target.message(request) for request in requests]
    answers = [b""] * len(messages)
    numbers = itertools.count()

    def run(connection: Connection) -> None:
        while (number := next(numbers)) < len(messages):
            answers[number] = connection.exchange(messages[number])[1]

    with ExitStack() as stack:
        connections = [target.connection]
        for _ in range(lanes - 1):
            connections.append(Connection(target.url))
            stack.callback(connections[-1].close)
        pool = stack.enter_context(ThreadPoolExecutor(lanes))
        try:
            started = time.perf_counter()
            list(pool.map(run, connections))
            seconds = time.perf_counter() - started
            return seconds, [answered(body) for body in answers]
        except RefusedError as error:
            raise BenchError(f"{target.label}: {error}") from error


def load(target: Target, size: int, lanes: int = 1) -> list[Stage]:
    """Bring a target up to ``size`` terms and as many relationships.

    Args:
        target: The server.
        size: How many terms it shall have.
        lanes: Over how many connections at once.

    Returns:
        What was sent, in that order.

    Raises:
        BenchError: The server refused something.
    """
    first = len(target.terms)
    if first == 0:
        values = {
            "qualifiedName": text("Glossary::bench"),
            "displayName": text("Bench"),
        }
        target.call(add_entity(ROOT, values))
    categories = max(size // TERMS_A_CATEGORY, 1)
    stages = [
        _added(target, what, guids, count, make, lanes)
        for what, guids, count, make in (
            ("categories", target.categories, categories, _category),
            ("terms", target.terms, size, _term),
            ("to-dos", target.todos, size // TERMS_A_TODO, _todo),
            ("relationships", target.relationships, size, _link),
        )
    ]
    target.before_updates = _a_moment_later(target)
    changed = [index for index in range(first, size) if updated(index)]
    stages.append(_sent(target, "updates of terms", _update, changed, lanes)[0])
    return [stage for stage in stages if stage.count]


def _added(
    target: Target, what: str, guids: list[str], count: int, make: Make, lanes: int
) -> Stage:
    stage, answers = _sent(target, what, make, range(len(guids), count), lanes)
    guids += [
        (answer.get("entity") or answer["relationship"])["guid"] for answer in answers
    ]
    return stage


def _sent(
    target: Target, what: str, make: Make, numbers: Sequence[int], lanes: int
) -> tuple[Stage, list[Json]]:
    """Send the requests of these numbers, a chunk at a time."""
    progress = Progress(f"{target.label}: {what}", len(numbers))
    answers: list[Json] = []
    stage = Stage(what, 0, 0.0, 0, 0.0)
    for chunk in chunks(numbers):
        requests = [make(target, number) for number in chunk]
        seconds, found = exchanged(target, requests, lanes)
        answers += found
        stage = Stage(what, len(answers), stage.seconds + seconds, len(chunk), seconds)
        progress.at(len(answers))
    return stage, answers


def chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """The numbers in parts of at least ``CHUNK``, where there are as many."""
    start = 0
    while start < len(numbers):
        is_last = len(numbers) - start < 2 * CHUNK
        end = len(numbers) if is_last else start + CHUNK
        yield numbers[start:end]
        start = end


def _category(_: Target, index: int) -> Request:
    classifications = GLOSSARY.category_classifications(index)
    return add_entity(CATEGORY, GLOSSARY.category(index), classifications)


def _term(_: Target, index: int) -> Request:
    classifications = GLOSSARY.term_classifications(index)
    return add_entity(TERM, GLOSSARY.term(index), classifications)


def _todo(_: Target, index: int) -> Request:
    return add_entity(TODO, GLOSSARY.todo(index))


def _link(target: Target, index: int) -> Request:
    end2 = target.terms[index]
    if index % 10 == 9:
        end1 = target.terms[GLOSSARY.chance("assigned", index).randrange(index)]
        return add_relationship(ASSIGNMENT, end1, end2, GLOSSARY.assignment(index))
    share = GLOSSARY.chance("category of", index).random() ** 1.5
    end1 = target.categories[int(share * len(target.categories))]
    return add_relationship(CATEGORIZATION, end1, end2, GLOSSARY.categorization(index))


def _update(target: Target, index: int) -> Request:
    return update_entity(target.terms[index], GLOSSARY.term(index, edition=2))


def _a_moment_later(target: Target) -> int:
    """A time of the server's clock after all that it stored, and before what comes."""
    request = Request("GET", f"/instances/relationship/{target.relationships[-1]}")
    created: str = target.call(request)["relationship"]["createTime"]
    last = round(datetime.fromisoformat(created).timestamp() * 1000)
    time.sleep(0.01)
    return last + 2
