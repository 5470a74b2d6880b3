"""The command that looks at what a node stands on: disk, clock, port, space, rights."""

import errno
import os
import platform
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edgenode.cli.client import NodeClient
from edgenode.cli.cohort_checks import cohort_findings
from edgenode.cli.findings import Finding, Verdict
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Output
from edgenode.cli.query import (
    away_line,
    is_refused_by_all,
    node_line,
    platforms_line,
    refusal_line,
)
from edgenode.clock import Clock, EpochMillis, SystemClock
from edgenode.codec.json import loads
from edgenode.config import NodeConfig, load_config
from edgenode.errors import BadRequestError, OMRSError
from edgenode.limits import LOW_DISK_BYTES

PYTHONS = ((3, 11), (3, 13))
"""The oldest and the newest Python that the project is tested with."""

SYNCS = 50
SYNC_SECONDS = 3.0
"""A slow disk is measured fewer times: nobody waits a minute to hear that it is slow."""

SLOW_SYNC_SECONDS = 0.05
"""An SD card is expected to take 5 to 30 ms, other disks 0.1 to 2. From here on fewer
than twenty changes a second are possible that do not share a commit."""

FAILING_SYNC_SECONDS = 0.5
"""No disk that is well takes so long."""

QUICKEST_SYNC_SECONDS = 0.00002
"""The quickest disks measured take five times as long. Something says that data is on the
medium before it is."""

MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs"})

EARLIEST_YEAR = 2026
"""This program is not older: a clock that says less was never set."""

LATEST_YEAR = 2100

CLOCK_SLACK_MILLIS = 60_000
"""By how much files may be ahead of the clock: it is corrected now and then."""

_PAGE = b"\0" * 4096
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def doctor(arguments: Namespace, output: Output) -> None:
    """Look at disk, clock, ports, space, rights, cohort and Python, and say what mends them."""
    config = load_config(arguments.config)
    findings = tuple(examined(config, SystemClock()))
    failed = sum(each.verdict is Verdict.FAIL for each in findings)
    if output.as_json:
        checks = [
            {
                "check": each.check,
                "verdict": each.verdict.value,
                "found": each.found,
                "mend": each.mend,
            }
            for each in findings
        ]
        output.json({"ok": not failed, "checks": checks})
    else:
        output.table(
            ("check", "", "found", "mend"),
            (
                (each.check, each.verdict.value, each.found, each.mend)
                for each in findings
            ),
        )
    if failed:
        raise CommandError(
            ExitCode.UNWELL,
            f"{failed} of {len(findings)} checks fail",
            "do what the table says, then run 'edgenode doctor' again",
        )


def examined(config: NodeConfig, clock: Clock) -> Iterator[Finding]:
    """Everything, one after the other."""
    directory = config.data_directory
    stored = tuple(_stored(config))
    yield rights(directory, stored)
    yield space(directory, sum(path.stat().st_size for path in stored))
    yield disk(directory, clock)
    yield stores(config)
    yield time_of_day(clock.now(), _newest(stored), is_synchronised())
    yield port(config)
    yield from cohort_findings(config, clock.now())
    yield from standing(_ready_at(config))
    yield python(sys.version_info[:2])


def _stored(config: NodeConfig) -> Iterator[Path]:
    from edgenode.node import store_path
    from edgenode.repository.backup import SIDE_FILES

    for server in config.servers:
        path = store_path(config.data_directory, server.name)
        for suffix in SIDE_FILES:
            part = path.with_name(path.name + suffix)
            if _is_there(part):
                yield part


def _newest(stored: Iterable[Path]) -> EpochMillis:
    return max((int(path.stat().st_mtime * 1000) for path in stored), default=0)


def _existing(path: Path) -> Path:
    """The path, or the nearest above it that is there."""
    while not _is_there(path):
        path = path.parent
    return path


def _is_there(path: Path) -> bool:
    # Not Path.exists: that fails where this user may not look.
    return os.path.exists(path)  # noqa: PTH110


def rights(directory: Path, stored: Iterable[Path] = ()) -> Finding:
    """Whether the data directory can be used by this user, and by nobody else."""
    from tempfile import TemporaryDirectory

    check = "rights"
    user = os.geteuid()
    try:
        # Where it isn't there yet, this shows that it can be made.
        with TemporaryDirectory(dir=_existing(directory)):
            pass
    except OSError as error:
        return Finding(
            check,
            Verdict.FAIL,
            f"user {user} can't write to {directory} ({error.strerror})",
            "run it as the node's user, let that one write there, or set data_directory",
        )
    if not _is_there(directory):
        return Finding(check, Verdict.OK, f"{directory} can be made")
    for path in stored:
        if not os.access(path, os.R_OK | os.W_OK):
            return Finding(
                check,
                Verdict.FAIL,
                f"user {user} can't write {path}",
                f"give the node's user its files: sudo chown -R USER {directory}",
            )
    if directory.stat().st_mode & 0o077:
        return Finding(
            check,
            Verdict.WARN,
            f"other users may look into {directory}",
            f"chmod 700 {directory}",
        )
    return Finding(check, Verdict.OK, f"{directory} is for user {user} alone")


def space(directory: Path, stored: int, low: int = LOW_DISK_BYTES) -> Finding:
    """Whether the disk has room for what is to come, and for a backup of ``stored`` bytes."""
    check = "space"
    disk = os.statvfs(_existing(directory))
    free = disk.f_bavail * disk.f_frsize
    total = disk.f_blocks * disk.f_frsize
    found = f"{free // 1_000_000} of {total // 1_000_000} MB free"
    mend = "remove what isn't needed, or set data_directory to a larger disk"
    if free < low:
        return Finding(check, Verdict.FAIL, found, mend)
    if disk.f_files and not disk.f_favail:
        return Finding(check, Verdict.FAIL, f"{found}, but no more files fit", mend)
    if free < low + stored:
        wanted = f"{found}; a backup takes {stored // 1_000_000} MB"
        return Finding(check, Verdict.WARN, wanted, mend)
    return Finding(check, Verdict.OK, found)


def disk(
    directory: Path, clock: Clock, sync: Callable[[int], None] = os.fdatasync
) -> Finding:
    """How long the disk takes to have a page for sure, which each commit waits for."""
    check = "disk"
    directory = _existing(directory)
    try:
        times = _sync_times(directory, clock, sync)
    except OSError as error:
        return Finding(
            check,
            Verdict.FAIL,
            f"{directory} can't be written ({error.strerror})",
            "look at the rights, then at the disk with dmesg",
        )
    device, file_system = _mounted(directory)
    middle, slowest = times[len(times) // 2], times[-1]
    found = (
        f"a sync takes {middle * 1000:.2f} ms, the slowest of {len(times)} "
        f"{slowest * 1000:.1f} ms ({file_system} on {device})"
    )
    if file_system in MEMORY_FILE_SYSTEMS:
        return Finding(
            check,
            Verdict.WARN,
            f"{file_system}: {directory} is in memory",
            "set data_directory to a disk, or all is lost with the power",
        )
    if middle > FAILING_SYNC_SECONDS:
        mend = "replace the disk, or find what else keeps it busy; see dmesg"
        return Finding(check, Verdict.FAIL, found, mend)
    if middle > SLOW_SYNC_SECONDS:
        mend = "use a better SD card or an SSD; see what else keeps the disk busy"
        return Finding(check, Verdict.WARN, found, mend)
    if middle < QUICKEST_SYNC_SECONDS:
        mend = "no disk is so quick: it may lose what it has confirmed with the power"
        return Finding(check, Verdict.WARN, found, mend)
    return Finding(check, Verdict.OK, found)


def stores(config: NodeConfig) -> Finding:
    """Whether the servers' files were found damaged."""
    from edgenode.node import store_path

    findings = [
        store(store_path(config.data_directory, server.name))
        for server in config.servers
    ]
    unwell = [each for each in findings if each.verdict is not Verdict.OK]
    if not unwell:
        return findings[0]
    failing = any(each.verdict is Verdict.FAIL for each in unwell)
    return Finding(
        unwell[0].check,
        Verdict.FAIL if failing else Verdict.WARN,
        "; ".join(each.found for each in unwell),
        "; ".join(each.mend for each in unwell),
    )


def store(path: Path) -> Finding:
    """Whether a server's file is damaged, or was, and what brings it back."""
    from edgenode.repository.backup import newest_usable
    from edgenode.repository.recovery import damage_in, is_suspect, set_aside

    check = "store"
    damaged = set_aside(path)
    found = "it was met before" if is_suspect(path) else None
    try:
        if path.exists():
            found = damage_in(path) or found
    except OMRSError as error:
        mend = "let the node's user read it; what is no file must not be there"
        return Finding(check, Verdict.FAIL, f"{path}: {error}", mend)
    if not damaged and found is None:
        told = f"no damage in {path}" if path.exists() else f"{path} is not there yet"
        return Finding(check, Verdict.OK, told)
    backup = newest_usable(path)
    if found is not None:
        mend = "start the node: it checks the whole file first"
        if backup is None:
            mend = f"copy {path} elsewhere, then {mend}"
        return Finding(check, Verdict.FAIL, f"{path} is damaged: {found}", mend)
    newest = damaged[-1]
    mend = (
        f"edgenode restore {backup}"
        if backup
        else "there is no backup; load the archives"
    )
    return Finding(
        check,
        Verdict.WARN,
        f"what was damaged is kept as {newest}",
        f"{mend}; when all is well, move it away",
    )


def _sync_times(
    directory: Path, clock: Clock, sync: Callable[[int], None]
) -> list[float]:
    """How long syncs took in seconds, the quickest first; one at least."""
    from tempfile import TemporaryFile

    times: list[float] = []
    with TemporaryFile(dir=directory, buffering=0) as file:
        file.write(_PAGE * SYNCS)
        os.fsync(file.fileno())
        while len(times) < SYNCS and sum(times) < SYNC_SECONDS:
            started = clock.monotonic()
            os.pwrite(file.fileno(), _PAGE, len(times) * len(_PAGE))
            sync(file.fileno())
            times.append(clock.monotonic() - started)
    return sorted(times)


def _mounted(directory: Path) -> tuple[str, str]:
    """The device and the type of the file system that a directory is on."""
    whole = directory.resolve()
    found, depth = ("unknown device", "unknown"), -1
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].replace("\\040", " "))
        if whole.is_relative_to(point) and len(point.parts) >= depth:
            file_system, device = after.split()[:2]
            found, depth = (device, file_system), len(point.parts)
    return found


def time_of_day(
    now: EpochMillis, newest: EpochMillis, synchronised: bool | None
) -> Finding:
    """Whether the clock can be right.

    Args:
        now: What it says.
        newest: When something was stored last.
        synchronised: Whether a time service keeps it, None where that isn't visible.
    """
    check = "clock"
    moment = datetime.fromtimestamp(now / 1000, UTC)
    found = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    mend = "connect to the network and wait for the time, or set it: sudo date -s TIME"
    if not EARLIEST_YEAR <= moment.year < LATEST_YEAR:
        return Finding(check, Verdict.FAIL, f"{found} can't be", mend)
    if newest > now + CLOCK_SLACK_MILLIS:
        stored = datetime.fromtimestamp(newest / 1000, UTC)
        found = f"{found}, but data was stored at {stored:%Y-%m-%d %H:%M:%S}"
        return Finding(check, Verdict.FAIL, found, mend)
    if synchronised is None:
        return Finding(check, Verdict.OK, f"{found}; who keeps it isn't visible")
    if not synchronised:
        return Finding(
            check,
            Verdict.WARN,
            f"{found}, kept by no time service",
            "sudo timedatectl set-ntp true, or install chrony",
        )
    return Finding(check, Verdict.OK, f"{found}, kept by a time service")


def is_synchronised() -> bool | None:
    """Whether the kernel knows of a time service that keeps the clock; None if it won't say."""
    import ctypes

    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    # A timex structure, which has 208 bytes: all zeros only ask.
    state: int = adjtimex(ctypes.create_string_buffer(512))
    return None if state < 0 else state != _TIME_ERROR


_PORT_MENDS = {
    errno.EADDRINUSE: "stop what uses the port, or set listen in the configuration",
    errno.EADDRNOTAVAIL: "set listen to an address of this machine",
    errno.EACCES: "set listen to a port from 1024 on",
}


def port(config: NodeConfig) -> Finding:
    """Whether the port is free, or answered by the servers of this configuration."""
    import socket

    check, where = "port", f"{config.host}:{config.port}"
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((config.host, config.port))
        except OSError as error:
            failure = error
        else:
            return Finding(check, Verdict.OK, f"{where} is free")
    mend = _PORT_MENDS.get(failure.errno or 0, "set listen in the configuration")
    found = f"{where} can't be used ({failure.strerror})"
    if failure.errno == errno.EADDRINUSE:
        servers = _servers_at(config)
        if servers == {server.name for server in config.servers}:
            return Finding(check, Verdict.OK, f"this node answers at {where}")
        if servers is not None:
            found = f"{where} is another node's, with {', '.join(sorted(servers))}"
    return Finding(check, Verdict.FAIL, found, mend)


def _servers_at(config: NodeConfig) -> set[str] | None:
    """The servers of the node that answers there; None where it is no node."""
    servers = _ready_at(config).get("servers")
    return set(servers) if isinstance(servers, dict) else None


def _ready_at(config: NodeConfig) -> Mapping[str, Any]:
    """What the node that answers there says of itself; nothing where it is no node."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    client = NodeClient(f"http://{host}:{config.port}", "", "")
    try:
        _, text = client.fetch("GET", "/health/ready")
        ready = loads(text)
    except (CommandError, BadRequestError):
        return {}
    return ready if isinstance(ready, dict) else {}


def standing(ready: Mapping[str, Any]) -> Iterator[Finding]:
    """How the node that runs stands in its cohorts; nothing where none runs."""
    platforms, cohort = ready.get("kafkaCohort"), ready.get("cohort")
    if isinstance(platforms, dict):
        yield from _platforms(platforms)
    if not isinstance(cohort, dict):
        return
    check, alive = "other members", cohort["members"]["alive"]
    refusals, away = cohort.get("refusals", ()), cohort.get("away", ())
    others = (*cohort.get("copies", ()), *cohort.get("clocks", ()))
    if not refusals and not away and not others:
        yield Finding(check, Verdict.OK, f"{alive} alive; none refuses this node")
    for each in refusals:
        verdict = Verdict.FAIL if is_refused_by_all(ready) else Verdict.WARN
        yield Finding(check, verdict, refusal_line(each), each["mend"])
    for each in away:
        yield Finding(check, Verdict.WARN, away_line(each), each["mend"])
    for each in others:
        yield Finding(check, Verdict.WARN, node_line(each), each["mend"])


def _platforms(cohort: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the node is connected to its cohort of platforms."""
    check, troubles = "platforms", cohort["troubles"]
    if not troubles:
        yield Finding(check, Verdict.OK, platforms_line(cohort))
    for each in troubles:
        yield Finding(check, Verdict.WARN, away_line(each), each["mend"])


def python(version: tuple[int, ...]) -> Finding:
    """Whether the project is tested with this Python."""
    oldest, newest = PYTHONS
    found = f"{platform.python_version()} on {platform.machine()}"
    supported = f"from {_dotted(oldest)} to {_dotted(newest)}"
    if version < oldest:
        return Finding(
            "python",
            Verdict.FAIL,
            found,
            f"install a Python {supported}, then edgenode",
        )
    if version > newest:
        return Finding(
            "python", Verdict.WARN, f"{found} is untested", f"use one {supported}"
        )
    return Finding("python", Verdict.OK, found)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def add_commands(commands: Any, common: ArgumentParser) -> None:
    """Add this command to the parser."""
    parser: ArgumentParser = commands.add_parser(
        "doctor", parents=[common], help=doctor.__doc__, description=doctor.__doc__
    )
    parser.set_defaults(perform=doctor)
