"""Changes are committed in groups, undone one by one, and acknowledged when durable."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable

import pytest

from edgenode.errors import EntityNotKnownError, StoreUnavailableError
from edgenode.limits import MAX_GROUP_CHANGES, MAX_GROUP_SECONDS
from edgenode.repository.base import Transaction
from edgenode.repository.sqlite import SqliteRepository
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import (
    START,
    SetClock,
    entity,
    guid,
    relationship,
    saving,
    until,
)


def failing(number: int) -> Callable[[Transaction], int]:
    def work(change: Transaction) -> int:
        change.save_entity(entity(number, type_name="Undone"), START)
        change.save_relationship(relationship(number + 500, number, 1), START)
        raise EntityNotKnownError(guid(number), "test", "pi")

    return work


async def run_as_group(
    repository: SqliteRepository, works: list[Callable[[Transaction], int]]
) -> list[int | BaseException]:
    """Run changes that wait together while the writer is busy with another."""
    has_begun = threading.Event()
    may_end = threading.Event()

    def first(change: Transaction) -> None:
        has_begun.set()
        may_end.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(repository.change(first))
        await until(has_begun.is_set)
        everything = tasks.create_task(gathered(repository, works))
        depth = len(works)
        await until(lambda: repository.statistics().queue_depth == depth)
        may_end.set()
    return everything.result()


async def gathered(
    repository: SqliteRepository, works: list[Callable[[Transaction], int]]
) -> list[int | BaseException]:
    changes = (repository.change(work) for work in works)
    return await asyncio.gather(*changes, return_exceptions=True)


async def test_what_waits_is_committed_together(repository: SqliteRepository) -> None:
    before = repository.statistics()
    results = await run_as_group(repository, [saving(n) for n in range(20)])
    after = repository.statistics()
    assert results == list(range(20))
    assert after.commits - before.commits == 2
    assert after.largest_group == 20
    assert all(repository.entity(guid(n)) for n in range(20))


async def test_a_group_is_bounded(repository: SqliteRepository) -> None:
    works = [saving(n) for n in range(MAX_GROUP_CHANGES + 1)]
    before = repository.statistics()
    assert len(await run_as_group(repository, works)) == len(works)
    after = repository.statistics()
    assert after.largest_group == MAX_GROUP_CHANGES
    assert after.commits - before.commits == 3


async def test_slow_changes_are_committed_before_those_behind_them(
    repository: SqliteRepository, clock: SetClock
) -> None:
    def slow(number: int) -> Callable[[Transaction], int]:
        def work(change: Transaction) -> int:
            clock.seconds += MAX_GROUP_SECONDS * 0.6
            return saving(number)(change)

        return work

    before = repository.statistics()
    results = await run_as_group(repository, [slow(n) for n in range(6)])
    assert results == list(range(6))
    after = repository.statistics()
    assert after.commits - before.commits == 1 + 3
    assert after.largest_group == 2


async def test_a_failing_change_is_undone_alone(repository: SqliteRepository) -> None:
    works = [saving(1), failing(2), saving(3), failing(4), saving(5)]
    results = await run_as_group(repository, works)
    assert [r for r in results if isinstance(r, int)] == [1, 3, 5]
    assert [type(r) for r in results if not isinstance(r, int)] == [
        EntityNotKnownError
    ] * 2
    known = [n for n in range(1, 6) if repository.entity(guid(n))]
    assert known == [1, 3, 5]
    assert repository.relationship(guid(502)) is None
    assert repository.counts() == {"GlossaryTerm": 3}


async def test_a_change_that_fails_alone_leaves_nothing(
    repository: SqliteRepository,
) -> None:
    with pytest.raises(EntityNotKnownError):
        await repository.change(failing(1))
    assert repository.entity(guid(1)) is None
    assert await repository.change(saving(1)) == 1
    assert repository.counts() == {"GlossaryTerm": 1}


async def test_names_of_an_undone_change_are_not_remembered(
    repository: SqliteRepository,
) -> None:
    def work(change: Transaction) -> int:
        change.save_entity(entity(7, type_name="Other"), START)
        return 7

    await run_as_group(repository, [failing(2), work])
    found = repository.entity(guid(7))
    assert found is not None
    assert found.type_name == "Other"
    used = await repository.change(lambda change: change.is_type_used("Undone"))
    assert not used


async def test_any_exception_of_a_change_is_its_own(
    repository: SqliteRepository,
) -> None:
    def divide(change: Transaction) -> int:
        return change.save_entity(entity(2), START).value.version // 0

    def violate(change: Transaction) -> int:
        raise sqlite3.IntegrityError

    results = await run_as_group(repository, [saving(1), divide, violate, saving(3)])
    assert [type(r) for r in results] == [
        int,
        ZeroDivisionError,
        sqlite3.IntegrityError,
        int,
    ]
    assert repository.entity(guid(2)) is None
    assert repository.statistics().failed_changes == 2


async def test_a_later_change_of_a_group_sees_the_earlier_ones(
    repository: SqliteRepository,
) -> None:
    def look(change: Transaction) -> int:
        found = change.entity(guid(1))
        return found.document.value.version if found else 0

    results = await run_as_group(repository, [look, saving(1), look, failing(1), look])
    assert [r for r in results if isinstance(r, int)] == [0, 1, 1, 1]


async def test_a_change_happens_though_its_caller_went_away(
    repository: SqliteRepository,
) -> None:
    has_begun = threading.Event()
    may_end = threading.Event()

    def work(change: Transaction) -> None:
        has_begun.set()
        may_end.wait()
        change.save_entity(entity(1), START)

    task = asyncio.create_task(repository.change(work))
    await until(has_begun.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    may_end.set()
    assert await repository.change(saving(2)) == 2
    assert repository.entity(guid(1)) is not None


async def test_it_is_drained_when_what_was_sent_is_done_and_nothing_is_written_for_that(
    repository: SqliteRepository,
) -> None:
    has_begun = threading.Event()
    may_end = threading.Event()

    def work(change: Transaction) -> None:
        has_begun.set()
        may_end.wait()
        change.save_entity(entity(1), START)

    change = asyncio.create_task(repository.change(work))
    await until(has_begun.is_set)
    draining = asyncio.create_task(repository.drain())
    await until(lambda: repository.statistics().queue_depth == 1)
    assert not draining.done()
    may_end.set()
    await draining
    assert change.done()
    commits = repository.statistics().commits
    await repository.drain()
    assert repository.statistics().commits == commits


async def test_changes_under_way_are_finished_at_the_end(opener: Opener) -> None:
    async with opener() as repository, asyncio.TaskGroup() as tasks:
        for number in range(50):
            tasks.create_task(repository.change(saving(number)))
    async with opener() as repository:
        assert repository.counts() == {"GlossaryTerm": 50}
        assert repository.report.was_closed


async def test_a_closed_repository_says_so(opener: Opener) -> None:
    async with opener() as repository:
        pass
    with pytest.raises(StoreUnavailableError, match="closed"):
        await repository.change(saving(1))


async def test_statistics_count_commits_by_time(repository: SqliteRepository) -> None:
    for number in range(3):
        await repository.change(saving(number))
    figures = repository.statistics()
    assert (figures.changes, figures.commits, figures.failed_commits) == (3, 3, 0)
    assert sum(count for _, count in figures.commit_classes) == 3
    assert figures.commit_classes[0] == (0.001, 3)  # the clock stands still
    assert figures.wal_bytes > 0
    assert figures.queue_depth == 0
