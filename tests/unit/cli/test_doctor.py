"""Each check finds what is well and what isn't, and says what to do about it."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.cli import doctor
from edgenode.cli.doctor import (
    CLOCK_SLACK_MILLIS,
    SYNC_SECONDS,
    SYNCS,
    disk,
    examined,
    is_synchronised,
    port,
    python,
    rights,
    space,
    standing,
    store,
    time_of_day,
)
from edgenode.cli.findings import Finding, Verdict
from edgenode.clock import SystemClock
from edgenode.config import CohortConfig, HostPort, NodeConfig, load_config
from edgenode.repository.sqlite import SqliteRepository
from tests.unit.repository.samples import CODEC, content, copy_as_after_a_crash, saving

DAY = 86_400_000
NOW = 1_795_000_000_000  # 2026-11-18
ANYWHERE = HostPort("127.0.0.1", 0)
OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


class SteppedClock(SystemClock):
    """A clock whose time passes only while a disk is waited for."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def syncing_in(clock: SteppedClock, seconds: float) -> Callable[[int], None]:
    def sync(handle: int) -> None:
        clock.seconds += seconds

    return sync


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    return replace(
        load_config(None, {"EDGENODE_SERVER_NAME": "pi"}),
        data_directory=tmp_path,
        port=0,
        cohort=CohortConfig(listen=ANYWHERE, bus_listen=ANYWHERE),
    )


def test_what_is_well_needs_no_mend(config: NodeConfig) -> None:
    config.data_directory.chmod(0o700)
    findings = list(examined(config, SystemClock()))
    assert len({each.check for each in findings}) == len(findings)
    for finding in findings:
        assert finding.found
        assert bool(finding.mend) == (finding.verdict is not OK)


# rights


def test_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert rights(tmp_path).verdict is OK
    assert rights(tmp_path / "not" / "yet").verdict is OK
    assert list(tmp_path.iterdir()) == []
    tmp_path.chmod(0o750)
    finding = rights(tmp_path)
    assert (finding.verdict, finding.mend) == (WARN, f"chmod 700 {tmp_path}")


@pytest.mark.parametrize("directory", ["/proc", "/proc/edgenode", "/dev/null/data"])
def test_a_directory_that_cannot_be_written(directory: str) -> None:
    finding = rights(Path(directory))
    assert finding.verdict is FAIL
    assert f"can't write to {directory}" in finding.found
    assert "data_directory" in finding.mend


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    mine, gone = tmp_path / "mine", tmp_path / "another's"
    mine.touch()
    assert rights(tmp_path, [mine]).verdict is not FAIL
    finding = rights(tmp_path, [mine, gone])  # to nobody, for want of another user
    assert finding.verdict is FAIL
    assert str(gone) in finding.found
    assert "chown" in finding.mend


# space


def test_space(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    assert space(tmp_path, 0).verdict is OK
    assert space(tmp_path / "not" / "yet", 0).verdict is OK
    no_backup = space(tmp_path, 2 * free)
    assert (no_backup.verdict, bool(no_backup.mend)) == (WARN, True)
    assert "a backup takes" in no_backup.found
    too_little = space(tmp_path, 0, low=2 * free)
    assert (too_little.verdict, bool(too_little.mend)) == (FAIL, True)


# disk


@pytest.mark.parametrize(
    ("seconds", "verdict", "mend"),
    [
        (0.000_001, WARN, "may lose"),
        (0.000_1, OK, ""),
        (0.03, OK, ""),
        (0.06, WARN, "SD card"),
        (0.6, FAIL, "dmesg"),
    ],
)
def test_a_sync_takes(
    tmp_path: Path, seconds: float, verdict: Verdict, mend: str
) -> None:
    clock = SteppedClock()
    finding = disk(tmp_path, clock, syncing_in(clock, seconds))
    assert finding.verdict is verdict, finding
    assert mend in finding.mend
    assert f"{seconds * 1000:.2f} ms" in finding.found


def test_a_slow_disk_is_not_waited_for_long(tmp_path: Path) -> None:
    clock = SteppedClock()
    disk(tmp_path, clock, syncing_in(clock, 1.0))
    assert clock.seconds == SYNC_SECONDS
    clock = SteppedClock()
    disk(tmp_path, clock, syncing_in(clock, 0.001))
    assert clock.seconds == pytest.approx(SYNCS * 0.001)


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    def refuse(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    finding = disk(tmp_path, SystemClock(), refuse)
    assert finding.verdict is FAIL
    assert os.strerror(errno.EIO) in finding.found


def test_memory_is_no_disk() -> None:
    memory = Path("/dev/shm")  # noqa: S108 - it is in memory on every Linux
    if not memory.is_dir():
        pytest.skip("this machine has no /dev/shm")
    finding = disk(memory, SystemClock())
    assert finding.verdict is WARN
    assert "in memory" in finding.found


# clock


@pytest.mark.parametrize(
    ("now", "newest", "synchronised", "verdict"),
    [
        (NOW, NOW - DAY, True, OK),
        (NOW, NOW + CLOCK_SLACK_MILLIS, True, OK),
        (NOW, NOW + DAY, True, FAIL),
        (NOW, 0, False, WARN),
        (NOW, 0, None, OK),
        (0, 0, True, FAIL),
        (4_102_444_800_000, 0, True, FAIL),  # 2100
    ],
)
def test_the_clock(
    now: int, newest: int, synchronised: bool | None, verdict: Verdict
) -> None:
    finding = time_of_day(now, newest, synchronised)
    assert finding.verdict is verdict, finding
    assert bool(finding.mend) == (verdict is not OK)


def test_the_kernel_says_whether_the_clock_is_kept() -> None:
    assert is_synchronised() in {True, False, None}


# port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on without ever answering."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_free_port(config: NodeConfig) -> None:
    assert port(config).verdict is OK


def test_a_port_that_is_taken(
    config: NodeConfig, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.cli.client.TIMEOUT_SECONDS", 0.01)
    found = port(replace(config, port=taken))
    assert found == Finding(
        "port",
        FAIL,
        f"127.0.0.1:{taken} can't be used ({os.strerror(errno.EADDRINUSE)})",
        "stop what uses the port, or set listen in the configuration",
    )


# python


@pytest.mark.parametrize(
    ("version", "verdict"),
    [((3, 10), FAIL), ((3, 11), OK), ((3, 13), OK), ((3, 14), WARN)],
)
def test_python(version: tuple[int, int], verdict: Verdict) -> None:
    finding = python(version)
    assert finding.verdict is verdict
    assert ("3.11 to 3.13" in finding.mend) == (verdict is not OK)


def test_the_pythons_are_the_projects() -> None:
    import tomllib

    from tests.conftest import ROOT

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest, newest = doctor.PYTHONS
    assert project["project"]["requires-python"] == (
        f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"
    )


# The store


def test_a_store_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    finding = store(tmp_path / "metadata.db")
    assert finding.verdict is OK
    assert "not there yet" in finding.found


def test_a_store_is_looked_through_and_left_as_it_is(tmp_path: Path) -> None:
    path, crashed = tmp_path / "metadata.db", tmp_path / "crashed" / "metadata.db"

    async def fill() -> None:
        async with SqliteRepository.opened(
            path, CODEC, SystemClock(), name="pi"
        ) as opened:
            for number in range(50):
                await opened.change(saving(number))
            await asyncio.to_thread(copy_as_after_a_crash, path, crashed.parent)

    asyncio.run(fill())
    for each in (path, crashed):
        before = {part: content(part) for part in each.parent.glob("metadata.db*")}
        finding = store(each)
        assert finding.verdict is OK
        assert {part: content(part) for part in before} == before
    text = bytearray(content(path))
    text[4096 * 3 : 4096 * 6] = b"\xde\xad" * 6144
    path.write_bytes(text)
    finding = store(path)
    assert finding.verdict is FAIL
    assert "is damaged" in finding.found
    assert "start the node" in finding.mend


def test_a_directory_in_the_place_of_a_store_is_told(tmp_path: Path) -> None:
    finding = store(tmp_path)
    assert finding.verdict is FAIL
    assert str(tmp_path) in finding.found
    assert finding.mend


@pytest.mark.parametrize(("alive", "verdict"), [(1, Verdict.WARN), (0, Verdict.FAIL)])
def test_who_refuses_the_running_node_is_found(alive: int, verdict: Verdict) -> None:
    refusal = {"nodes": 2, "reason": "another key", "mend": "join again"}
    cohort = {"members": {"alive": alive}, "refusals": [refusal]}
    (found,) = standing({"cohort": cohort})
    assert (found.verdict, found.mend) == (verdict, "join again")
    assert found.found == "2 nodes refuse to speak with this one: another key"
    (well,) = standing({"cohort": cohort | {"refusals": []}})
    assert well.verdict is Verdict.OK
    copy = {"nodeId": "ab", "node": "pi", "reason": "two machines", "mend": "stop one"}
    (copied,) = standing({"cohort": cohort | {"refusals": [], "copies": [copy]}})
    assert (copied.verdict, copied.mend) == (Verdict.WARN, "stop one")
    assert copied.found == "node pi (ab): two machines"
    clock = {"nodeId": "cd", "node": "", "reason": "a day ahead", "mend": "set it"}
    (far_off,) = standing({"cohort": cohort | {"refusals": [], "clocks": [clock]}})
    assert (far_off.verdict, far_off.mend) == (Verdict.WARN, "set it")
    assert far_off.found == "node cd: a day ahead"
    away = {"server": "pi", "reason": "this server is away", "mend": "connect"}
    (alone,) = standing({"cohort": cohort | {"refusals": [], "away": [away]}})
    assert (alone.verdict, alone.mend) == (Verdict.WARN, "connect")
    assert alone.found == "server pi: this server is away"
    assert list(standing({})) == []
