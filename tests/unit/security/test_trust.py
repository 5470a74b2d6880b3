"""Removals: told in any order they come to the same; they outlast the process."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.limits import MAX_REFUSED_PEERS, MAX_REMOVAL_LEAD_MILLIS, MAX_REMOVALS
from edgenode.security.directory import DamagedCohortError
from edgenode.security.trust import (
    OTHER_PEERS,
    Refusal,
    Removal,
    TooManyRemovalsError,
    Trust,
    read_removals,
)

NOW = 1_795_000_000_000


def node(number: int) -> str:
    return f"{number:032x}"


REMOVALS = st.builds(
    Removal,
    node_id=st.integers(0, 3).map(node),
    at=st.integers(0, 3),
    by=st.sampled_from(["", "erin", "pi"]),
    is_removed=st.booleans(),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cohort" / "removals.json"


async def removed_and_kept(path: Path, told: Sequence[Removal]) -> Trust:
    trust = Trust(path)
    await trust.merge(told, NOW)
    return trust


async def test_a_removed_node_stays_out(path: Path) -> None:
    trust = await Trust.opened(path)
    assert not trust.is_removed(node(1))
    removal = await trust.remove(node(1), NOW, "erin")
    assert removal == Removal(node_id=node(1), at=NOW, by="erin")
    again = await Trust.opened(path)
    assert (again.is_removed(node(1)), again.is_removed(node(2))) == (True, False)
    assert again.removals() == (removal,)


async def test_a_node_is_let_in_again_even_by_a_slow_clock(path: Path) -> None:
    trust = Trust(path)
    await trust.remove(node(1), NOW, "erin")
    readmission = await trust.readmit(node(1), 0, "erin")
    assert readmission.at == NOW + 1
    assert not (await Trust.opened(path)).is_removed(node(1))
    assert (await trust.remove(node(1), 0, "erin")).at == NOW + 2
    assert trust.is_removed(node(1))


@given(st.lists(REMOVALS, max_size=4))
def test_the_order_makes_no_difference(removals: list[Removal]) -> None:
    async def ends() -> set[frozenset[Removal]]:
        found = set()
        for order in permutations(removals):
            trust = Trust(Path("/dev/null/nowhere"))
            for each in order:
                trust._put(each, is_stranger=True)
            for each in order:
                trust._put(each, is_stranger=True)
            found.add(frozenset(trust.removals()))
        return found

    (end,) = asyncio.run(ends())
    assert {each.node_id for each in end} == {each.node_id for each in removals}
    for each in end:
        assert each.at == max(r.at for r in removals if r.node_id == each.node_id)


async def test_what_cannot_be_kept_holds_and_is_kept_when_it_can(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.touch()  # where the directory should be
    trust = Trust(path)
    told = Removal(node_id=node(1), at=5)
    assert await trust.merge([told], NOW) == (told,)
    decided = await trust.remove(node(2), NOW, "erin")
    assert trust.removals() == (told, decided)
    assert trust.fault is not None
    assert len(caplog.records) == 1
    path.parent.unlink()
    assert await trust.merge([], NOW) == ()
    assert trust.fault is None
    assert (await Trust.opened(path)).removals() == (told, decided)


async def test_only_news_is_news(path: Path) -> None:
    trust = Trust(path)
    removal = Removal(node_id=node(1), at=5)
    assert await trust.merge([removal], NOW) == (removal,)
    assert (
        await trust.merge([removal, replace(removal, at=4, is_removed=False)], NOW)
        == ()
    )
    newer = replace(removal, at=6, is_removed=False)
    assert await trust.merge([newer, removal], NOW) == (newer,)


@pytest.mark.parametrize(
    "removal",
    [
        Removal(node_id="", at=1),
        Removal(node_id="G" * 32, at=1),
        Removal(node_id=node(1), at=-1),
        Removal(node_id=node(1), at=10**18),
        Removal(node_id=node(1), at=NOW + MAX_REMOVAL_LEAD_MILLIS + 1),
        Removal(node_id=node(1), at=True),
        Removal(node_id=node(1), at=1, by="x" * 65),
        Removal(node_id=node(1), at=1, by="x\ud800"),
        Removal(node_id=node(1), at=1, by="x\n"),
    ],
)
async def test_what_is_no_removal_is_passed_over(path: Path, removal: Removal) -> None:
    assert await Trust(path).merge([removal], NOW) == ()


async def test_no_more_than_can_be_remembered(path: Path) -> None:
    trust = Trust(path)
    await trust.merge(
        [Removal(node_id=node(n), at=n, is_removed=n > 1) for n in range(MAX_REMOVALS)],
        NOW,
        lambda _: True,
    )
    for number in (MAX_REMOVALS, MAX_REMOVALS + 1):  # two were let in again
        await trust.remove(node(number), NOW, "erin")
    assert len(trust.removals()) == MAX_REMOVALS
    assert trust.is_removed(node(MAX_REMOVALS + 1))
    with pytest.raises(TooManyRemovalsError, match="rotate"):
        await trust.remove(node(MAX_REMOVALS + 2), NOW, "erin")
    another = Removal(node_id=node(MAX_REMOVALS + 3), at=NOW)
    assert await trust.merge([another], NOW) == ()
    assert trust.is_removed(node(2))
    kept = await asyncio.to_thread(read_removals, path)
    assert tuple(kept) == trust.removals()


async def test_removals_of_strangers_make_room_for_those_of_others(path: Path) -> None:
    trust = Trust(path)
    await trust.remove(node(0), 0, "erin")
    made_up = [Removal(node_id=node(n), at=NOW) for n in range(1, MAX_REMOVALS + 9)]
    await trust.merge(made_up, NOW)
    trust = await Trust.opened(path)
    await trust.remove(node(5_000), NOW, "erin")
    known = Removal(node_id=node(6_000), at=NOW)
    assert await trust.merge([known], NOW, {known.node_id}.__contains__) == (known,)
    trust = await Trust.opened(path)
    assert all(trust.is_removed(node(n)) for n in (0, 5_000, 6_000))
    assert len(trust.removals()) == MAX_REMOVALS


async def test_a_removal_far_ahead_can_be_taken_back(path: Path) -> None:
    trust = Trust(path, [Removal(node_id=node(1), at=253_402_300_799_999)])
    readmission = await trust.readmit(node(1), NOW, "erin")
    assert readmission.at == NOW
    assert not (await Trust.opened(path)).is_removed(node(1))
    latest = Removal(node_id=node(2), at=NOW + MAX_REMOVAL_LEAD_MILLIS)
    assert await trust.merge([latest], NOW) == (latest,)
    readmission = await trust.readmit(node(2), NOW + 1, "erin")
    assert await Trust(path).merge([latest, readmission], NOW + 1)
    assert not trust.is_removed(node(2))


async def test_what_changes_at_once_is_all_kept(path: Path) -> None:
    trust = Trust(path)
    await asyncio.gather(*(trust.remove(node(n), NOW, "erin") for n in range(20)))
    assert len((await Trust.opened(path)).removals()) == 20


async def test_the_largest_file_can_be_read_again(path: Path) -> None:
    trust = Trust(path)
    by = "\N{FAMILY}" * 64
    await trust.merge(
        [
            Removal(node_id=node(n), at=253_402_300_799_999, by=by, is_removed=False)
            for n in range(MAX_REMOVALS)
        ],
        253_402_300_799_999,
    )
    assert len((await Trust.opened(path)).removals()) == MAX_REMOVALS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "7",
        '["x"]',
        '[{"node_id": "x", "at": 1}]',
        '[{"node_id": 7, "at": 1}]',
        '[{"at": 1}]',
        json.dumps([{"node_id": node(1), "at": "1"}]),
        json.dumps([{"node_id": node(1), "at": 1, "is_removed": 0}]),
        " " * 600_000,
    ],
)
def test_a_damaged_file_is_told_and_left(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(DamagedCohortError, match="Mend: remove the file"):
        read_removals(path)
    assert path.read_text() == text


# Refusals


def test_refusals_are_counted(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    trust = Trust(path)
    for _ in range(150):
        trust.refused(Refusal.CERTIFICATE, "192.168.1.7")
    trust.refused(Refusal.REMOVED, "192.168.1.7")
    trust.refused(Refusal.CODE, "")
    assert trust.refusals() == {
        (Refusal.CERTIFICATE, "192.168.1.7"): 150,
        (Refusal.REMOVED, "192.168.1.7"): 1,
        (Refusal.CODE, ""): 1,
    }
    assert [record.getMessage() for record in caplog.records] == [
        "refused 192.168.1.7: certificate (1 so far)",
        "refused 192.168.1.7: certificate (10 so far)",
        "refused 192.168.1.7: certificate (100 so far)",
        "refused 192.168.1.7: removed (1 so far)",
        "refused a peer: code (1 so far)",
    ]


def test_the_addresses_are_bounded(path: Path) -> None:
    trust = Trust(path)
    for number in range(MAX_REFUSED_PEERS + 100):
        trust.refused(Refusal.CERTIFICATE, f"fd00::{number:x}")
    refusals = trust.refusals()
    assert len(refusals) == MAX_REFUSED_PEERS + 1
    assert refusals[Refusal.CERTIFICATE, OTHER_PEERS] == 100
    trust.refused(Refusal.CODE, "fd00::0")
    assert trust.refusals()[Refusal.CODE, "fd00::0"] == 1


def test_somebody_is_told_of_the_first_refusal_of_each_address(path: Path) -> None:
    trust = Trust(path)
    told: list[tuple[Refusal, str]] = []
    trust.on_refusal(lambda reason, address, _: told.append((reason, address)))
    for _ in range(5):
        trust.refused(Refusal.CERTIFICATE, "10.0.0.7")
    trust.refused(Refusal.REMOVED, "10.0.0.7")
    trust.refused(Refusal.CERTIFICATE, "")
    assert told == [
        (Refusal.CERTIFICATE, "10.0.0.7"),
        (Refusal.REMOVED, "10.0.0.7"),
        (Refusal.CERTIFICATE, "a peer"),
    ]
