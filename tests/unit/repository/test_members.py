"""Places go with the changes they belong to, and lives with the state of the file."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from edgenode.errors import EntityNotKnownError
from edgenode.events.model import InstanceEvent, OMRSInstanceEventType
from edgenode.events.streams import Position
from edgenode.repository.backup import back_up, restore
from edgenode.repository.base import MemberRow, Transaction
from edgenode.repository.sqlite import SqliteRepository
from tests.model.house import REMOTE, remote_classification, remote_entity
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import (
    CODEC,
    START,
    SetClock,
    copy_as_after_a_crash,
    entity,
    files,
    guid,
    saving,
)


def damage(path: Path) -> None:
    """Overwrite what is behind the first page."""
    content = path.read_bytes()
    path.write_bytes(content[:2_048] + b"\xff" * (len(content) - 2_048))


HERE, THERE = Position("life", 7), Position("life", 9)


async def test_a_place_is_stored_with_its_change(opener: Opener) -> None:
    def apply(change: Transaction) -> Position | None:
        change.save_entity(entity(1), START)
        change.move_to("origin", HERE)
        return change.position("origin")

    def fail(change: Transaction) -> None:
        change.move_to("origin", THERE)
        change.move_to("another", THERE)
        raise EntityNotKnownError(guid(1), "test", "pi")

    async with opener() as repository:
        assert await repository.change(lambda c: c.position("origin")) is None
        assert await repository.change(apply) == HERE
        with pytest.raises(EntityNotKnownError):
            await repository.change(fail)
    async with opener() as repository:
        assert repository.positions() == {"origin": HERE}
        await repository.change(lambda change: change.move_to("origin", THERE))
        assert repository.positions() == {"origin": THERE}


async def test_members_are_stored_as_they_announced_themselves(opener: Opener) -> None:
    one = MemberRow("one", "node", 1, is_registered=True, document=b"{}")
    two = MemberRow("two", "node", 1, is_registered=False, document=b'{"a":1}')
    async with opener() as repository:
        assert (repository.members(), repository.local_registration()) == ([], None)
        for row in (two, one._replace(revision=0), one):
            await repository.save_member(row)
        await repository.save_local_registration(b"first")
        await repository.save_local_registration(b"second")
        await repository.change(lambda change: change.move_to("two", HERE))
    async with opener() as repository:
        assert repository.members() == [one, two]
        assert repository.local_registration() == b"second"
        await repository.remove_member("two")
        assert (repository.members(), repository.positions()) == ([one], {})


def moved(origin: str, change: Transaction) -> None:
    change.move_to(origin, HERE)


async def test_members_are_of_one_cohort(opener: Opener) -> None:
    async def join(repository: SqliteRepository) -> None:
        await repository.save_member(MemberRow(REMOTE.id, "node", 7, True, b"{}"))
        await repository.change(lambda change: change.move_to(REMOTE.id, HERE))
        await repository.save_local_registration(b"registered")

    def known(repository: SqliteRepository) -> tuple[int, int, bytes | None]:
        found = len(repository.members()), len(repository.positions())
        return (*found, repository.local_registration())

    all_of_it, nothing = (1, 2, b"registered"), (0, 1, None)
    async with opener() as repository:
        await repository.change(
            lambda change: change.save_entity(remote_entity(guid(1)), START)
        )
        await repository.change(lambda change: change.move_to("itself", HERE))
        await join(repository)
        # Nothing is known yet of which cohort they are.
        await repository.enter_cohort("home", adopts=True)
        assert known(repository) == all_of_it
    async with opener() as repository:
        await repository.enter_cohort("home", adopts=False)
        assert known(repository) == all_of_it
        for cohort in ("open-home", "home"):
            await repository.enter_cohort(cohort, adopts=True)
            assert known(repository) == nothing
            assert repository.was_member(REMOTE.id)
            await join(repository)


@pytest.mark.parametrize("adopts", [True, False])
async def test_a_restored_file_is_of_the_cohort_it_is_restored_to(
    opener: Opener, path: Path, tmp_path: Path, adopts: bool
) -> None:
    async with opener() as repository:
        await repository.enter_cohort("home", adopts=True)
        await repository.save_member(MemberRow(REMOTE.id, "node", 7, True, b"{}"))
    backup = tmp_path / "copy.db"
    await asyncio.to_thread(back_up, path, backup)
    await asyncio.to_thread(restore, backup, path, START)
    async with opener() as repository:
        await repository.enter_cohort("home under its next key", adopts=adopts)
        assert len(repository.members()) == adopts


# Made here: it reads the types from their file.
CLASSIFIED = remote_entity(
    classifications=(remote_classification(metadata_collection_id="giver"),)
)


async def test_who_was_a_member_is_remembered_by_what_is_stored(
    opener: Opener,
) -> None:
    """Nobody else may tell of that; of others there is nothing to remember."""
    stored = (REMOTE.id, "giver")
    async with opener() as repository:
        await repository.change(lambda change: change.save_entity(CLASSIFIED, START))
        assert not any(map(repository.was_member, stored))
        for name in (*stored, "empty"):
            row = MemberRow(name, "node", 1, is_registered=True, document=b"{}")
            await repository.save_member(row)
            assert repository.was_member(name)
            await repository.change(partial(moved, name))
            await repository.remove_member(name)
        assert await repository.change(lambda c: c.position(stored[0])) is None
    async with opener() as repository:
        assert (repository.members(), repository.positions()) == ([], {})
        assert all(map(repository.was_member, stored))
        assert not repository.was_member("empty")
        await repository.change(lambda change: change.move_to("giver", HERE))
        assert repository.positions() == {"giver": HERE}


EVENT = InstanceEvent(event_type=OMRSInstanceEventType.NEW_ENTITY_EVENT)


async def queue(repository: SqliteRepository) -> None:
    await repository.change(lambda change: change.queue_event(EVENT))


async def test_the_loop_is_told_of_committed_events(
    path: Path, clock: SetClock
) -> None:
    told: list[tuple[int, int]] = []
    repository: SqliteRepository

    def queued(sequence: int) -> None:
        told.append((sequence, repository.last_sequence()))

    def fail(change: Transaction) -> None:
        change.queue_event(EVENT)
        raise EntityNotKnownError(guid(1), "test", "pi")

    def add_two(change: Transaction) -> None:
        change.queue_event(EVENT)
        change.queue_event(EVENT)

    async with SqliteRepository.opened(
        path, CODEC, clock, name="pi", keep_events=True, events_queued=queued
    ) as repository:
        await repository.change(saving(1))
        with pytest.raises(EntityNotKnownError):
            await repository.change(fail)
        assert told == []
        assert repository.last_sequence() == 0
        await repository.change(add_two)
        # The number of what failed is given to nobody else while the file is open.
        assert told == [(3, 3)]
        await asyncio.gather(*(queue(repository) for _ in range(20)))
        assert told[-1] == (23, 23)
        assert len(told) < 20


async def life(opener: Opener, *, keep_events: bool = True) -> str:
    async with opener(keep_events=keep_events) as repository:
        await queue(repository)
        return repository.incarnation()


async def test_a_life_goes_on_from_opening_to_opening(opener: Opener) -> None:
    first = await life(opener)
    assert first
    assert await life(opener) == first


async def test_changes_without_events_end_a_life(opener: Opener) -> None:
    first = await life(opener)
    assert await life(opener, keep_events=False) == ""
    async with opener(keep_events=True) as repository:
        assert repository.incarnation() not in ("", first)
        assert repository.last_sequence() == 1


async def test_what_was_there_before_the_first_life_is_no_history(
    opener: Opener,
) -> None:
    async with opener() as repository:
        await repository.change(saving(1))
    async with opener(keep_events=True) as repository:
        assert repository.last_sequence() == 1
        await queue(repository)
        (event,) = await repository.events_after(0, 10)
    assert (event.after, event.sequence) == (1, 2)


async def test_a_restored_file_lives_another_life(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    first = await life(opener)
    backup = tmp_path / "copy.db"
    await asyncio.to_thread(back_up, path, backup)
    assert await life(opener) == first
    restored = await asyncio.to_thread(restore, backup, path, START)
    second = await life(opener)
    # So does a file that was no backup.
    assert restored.set_aside is not None
    await asyncio.to_thread(restore, restored.set_aside, path, START + 60_000)
    third = await life(opener)
    # And a backup that is put in the place by hand.
    await asyncio.to_thread(backup.replace, path)
    fourth = await life(opener)
    assert len({first, second, third, fourth}) == 4


async def test_a_file_without_its_log_lives_another_life(
    opener: Opener, path: Path, tmp_path: Path, clock: SetClock
) -> None:
    async with opener(keep_events=True) as repository:
        await queue(repository)
        first = repository.incarnation()
    async with opener(keep_events=True) as repository:
        await queue(repository)
        crashed = copy_as_after_a_crash(path, tmp_path / "crashed")
    log = crashed.with_name(crashed.name + "-wal")
    log.write_bytes(b"\xff" * log.stat().st_size)
    lives = []
    for _ in range(2):
        async with SqliteRepository.opened(
            crashed, CODEC, clock, name="pi", keep_events=True
        ) as repository:
            lives.append(repository.incarnation())
    assert first not in lives
    assert len(set(lives)) == 1
    assert not any(name.endswith(".put-back") for name in files(crashed.parent))


async def test_a_file_that_was_set_aside_leaves_another_life(
    opener: Opener, path: Path
) -> None:
    first = await life(opener)
    damage(path)
    assert await life(opener) not in ("", first)
