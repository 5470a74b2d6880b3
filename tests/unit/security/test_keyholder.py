"""The cohort's key while a node runs: told, rotated by a command, renewed, ended."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edgenode.limits import MAX_KEY_JUMP, MAX_OVERLAP_DAYS, UPKEEP_SECONDS
from edgenode.security.cohorts import Cohort, ToldKey
from edgenode.security.directory import CohortDirectory, DamagedCohortError
from edgenode.security.identity import CERTIFICATE_LIFE_MILLIS
from edgenode.security.keyholder import KeyHolder
from edgenode.security.keys import CohortKey
from tests.unit.cohort.clocks import FakeClock
from tests.unit.security.samples import COHORT, DAY, KEY, NEXT_KEY, NOW, issued

ROTATED = COHORT.rotated(NEXT_KEY, NOW, 7)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(seconds=NOW / 1000)


@pytest.fixture
async def directory(tmp_path: Path) -> CohortDirectory:
    """A node's, as it stands after a start."""

    def made() -> CohortDirectory:
        found = CohortDirectory(tmp_path)
        shutil.copytree(issued("one").files.directory, found.path)
        found.save(COHORT)
        return found

    return await asyncio.to_thread(made)


@pytest.fixture
async def keys(directory: CohortDirectory, clock: FakeClock) -> KeyHolder:
    return await KeyHolder.opened(directory, COHORT, set().__contains__, clock)


async def asleep(clock: FakeClock) -> None:
    """Wait until what time brought about is done, and the next time is waited for."""
    async with asyncio.timeout(10):
        while not clock.is_waited_for:  # noqa: ASYNC110
            await asyncio.sleep(0)


@asynccontextmanager
async def kept_up(keys: KeyHolder, clock: FakeClock) -> AsyncIterator[None]:
    task = asyncio.create_task(keys.keep_up())
    await asleep(clock)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_told_key_is_kept_and_used(
    keys: KeyHolder, directory: CohortDirectory
) -> None:
    changed, server = keys.changed, keys.server_context()
    assert keys.is_behind(2, NEXT_KEY.tag)
    assert not keys.is_behind(1, KEY.tag)
    await keys.take(ROTATED.told(), 2, NEXT_KEY.tag)
    assert changed.is_set()
    assert not keys.changed.is_set()
    assert keys.cohort == await asyncio.to_thread(directory.load) == ROTATED
    assert keys.trusted_tags == {KEY.tag, NEXT_KEY.tag}
    assert keys.server_context() is not server
    assert keys.told() == ROTATED.told()
    assert not keys.is_behind(2, NEXT_KEY.tag)


async def test_the_number_alone_changes_nothing_else(
    directory: CohortDirectory, clock: FakeClock
) -> None:
    joined = Cohort(key=KEY, number=0)
    keys = await KeyHolder.opened(directory, joined, set().__contains__, clock)
    assert keys.is_behind(1, KEY.tag)
    await keys.take(COHORT.told(), 1, KEY.tag)
    assert not keys.is_behind(1, KEY.tag)
    assert not keys.changed.is_set()
    assert await asyncio.to_thread(directory.load) == COHORT


@pytest.mark.parametrize("days", [0.25, 7])
async def test_an_overlap_that_began_meanwhile_ends_in_time(
    keys: KeyHolder, clock: FakeClock, days: float
) -> None:
    distrusted: list[frozenset[str]] = []
    keys.on_distrust(lambda: distrusted.append(keys.trusted_tags))
    rotated = COHORT.rotated(NEXT_KEY, NOW, days)
    async with kept_up(keys, clock):
        await keys.take(rotated.told(), 2, NEXT_KEY.tag)
        ended = keys.changed
        while (left := (rotated.overlap_ends - clock.now()) / 1000) > 0:
            for _ in range(5):  # the change is heard of
                await asyncio.sleep(0)
            await asleep(clock)
            assert distrusted == []
            clock.advance(min(UPKEEP_SECONDS, left))
        await asyncio.wait_for(ended.wait(), 10)
    assert distrusted == [frozenset({NEXT_KEY.tag})]
    assert keys.cohort.trusted(clock.now()) == (NEXT_KEY,)


async def test_certificates_are_renewed_before_they_end(
    keys: KeyHolder, clock: FakeClock
) -> None:
    first = keys.identity.not_after
    async with kept_up(keys, clock):
        clock.advance(CERTIFICATE_LIFE_MILLIS / 1000 * 0.7)
        await asleep(clock)
    assert keys.identity.not_after - first > CERTIFICATE_LIFE_MILLIS * 0.6
    assert keys.identity.node_id == issued("one").node_id


async def test_what_fails_is_logged_and_tried_again(
    keys: KeyHolder,
    directory: CohortDirectory,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = await asyncio.to_thread(directory.path.joinpath("node.key").read_bytes)
    async with kept_up(keys, clock):
        path = directory.path / "node.key"
        await asyncio.to_thread(path.write_bytes, b"damaged")
        clock.advance(UPKEEP_SECONDS)
        await asleep(clock)
        assert "can't be renewed" in caplog.text
        caplog.clear()
        await asyncio.to_thread(path.write_bytes, key)
        clock.advance(UPKEEP_SECONDS)
        await asleep(clock)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "told",
    [
        ToldKey("edgenode-nothing", 9, NOW + DAY),
        ToldKey(CohortKey("work", bytes(32)).token, 9, NOW + DAY),
        ToldKey(NEXT_KEY.token, 0, NOW + DAY),
        ToldKey(NEXT_KEY.token, 2 + MAX_KEY_JUMP, NOW + DAY),
        ToldKey(NEXT_KEY.token, 2**40, NOW + DAY),
    ],
)
async def test_what_is_no_newer_key_is_not_taken(
    keys: KeyHolder, directory: CohortDirectory, told: ToldKey
) -> None:
    tag = NEXT_KEY.tag if told.token == NEXT_KEY.token else KEY.tag
    await keys.take(told, told.number, tag)
    assert keys.cohort == await asyncio.to_thread(directory.load) == COHORT


async def test_a_key_is_taken_as_the_exchange_told_of_it_alone(keys: KeyHolder) -> None:
    await keys.take(ROTATED.told(), 3, NEXT_KEY.tag)
    await keys.take(ROTATED.told(), 2, KEY.tag)
    assert keys.cohort == COHORT


async def test_a_number_that_uses_up_those_above_is_not_asked_for(
    keys: KeyHolder,
) -> None:
    assert keys.is_behind(1 + MAX_KEY_JUMP, NEXT_KEY.tag)
    assert not keys.is_behind(2 + MAX_KEY_JUMP, NEXT_KEY.tag)


async def test_an_overlap_is_no_longer_than_it_can_be_asked_for(
    keys: KeyHolder,
) -> None:
    await keys.take(ToldKey(NEXT_KEY.token, 2, 2**62), 2, NEXT_KEY.tag)
    assert keys.cohort.overlap_ends == NOW + MAX_OVERLAP_DAYS * DAY


async def test_a_key_that_cannot_be_kept_is_not_used(
    keys: KeyHolder, directory: CohortDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(shutil.rmtree, directory.path)
    await asyncio.to_thread(directory.path.touch)
    await keys.take(ROTATED.told(), 2, NEXT_KEY.tag)
    assert keys.cohort == COHORT
    assert "can't be used" in caplog.text
    assert NEXT_KEY.token not in caplog.text


async def test_an_open_cohort_has_no_key_to_follow(
    directory: CohortDirectory, clock: FakeClock
) -> None:
    cohort = Cohort(key=CohortKey.open("home"), is_open=True)
    keys = await KeyHolder.opened(directory, cohort, set().__contains__, clock)
    assert keys.server_context() is keys.client_context() is None
    assert keys.told() is None
    assert not keys.is_behind(9, NEXT_KEY.tag)
    await keys.take(ROTATED.told(), 2, NEXT_KEY.tag)
    assert not await keys.reload()
    assert keys.cohort == cohort


async def test_a_command_rotated_the_key(
    keys: KeyHolder, directory: CohortDirectory
) -> None:
    assert await keys.reload()
    assert not keys.changed.is_set()
    at_once = COHORT.rotated(NEXT_KEY, NOW, 0)
    await asyncio.to_thread(directory.save, at_once)
    told: list[str] = []
    keys.on_distrust(lambda: told.append(keys.cohort.key.tag))
    assert await keys.reload()
    assert keys.cohort == at_once
    assert told == [NEXT_KEY.tag]  # connections are cut when the new key is in use


@pytest.mark.parametrize(
    "kept",
    [
        None,
        Cohort(key=NEXT_KEY, number=0),
        Cohort(key=CohortKey("work", bytes(32)), number=9),
        Cohort(key=NEXT_KEY, number=9),
    ],
)
async def test_another_cohort_takes_a_restart(
    keys: KeyHolder, directory: CohortDirectory, kept: Cohort | None
) -> None:
    if kept is None:
        await asyncio.to_thread(directory.leave)
    else:
        await asyncio.to_thread(directory.save, kept)
    assert not await keys.reload()
    assert keys.cohort == COHORT
    # What the former one tells doesn't bring it back.
    await keys.take(ROTATED.told(), 2, NEXT_KEY.tag)
    assert await asyncio.to_thread(directory.load) == kept
    assert keys.cohort == COHORT


async def test_damage_is_told(keys: KeyHolder, directory: CohortDirectory) -> None:
    await asyncio.to_thread(directory.cohort_path.write_bytes, b"{")
    with pytest.raises(DamagedCohortError):
        await keys.reload()
    assert keys.cohort == COHORT
