"""How the machine fares during the run: temperature, throttling, how busy it is.

The firmware of a Raspberry Pi tells of throttling in bits, as the documentation of
``vcgencmd get_throttled`` has them: the lower four are what is so now, and the same
sixteen bits higher what has been so. The kernel's file, where there is one, forgets the
latter when it is read; the program doesn't.
"""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.pi.disk import text_of

INTERVAL_SECONDS = 1.0
SINCE = 16
"""By how many bits what has been so is above what is so."""

THROTTLING = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}

FILES = (
    "sys/devices/platform/soc*/*firmware/get_throttled",
    "sys/devices/platform/*firmware/get_throttled",
)
"""Where a kernel has what the firmware says; later kernels haven't got it."""

PATIENCE_SECONDS = 5.0

LEAST_TICKS = 20
"""The share of fewer ticks of the kernel, of which there are a hundred a second, would
say nothing."""

Flags = Callable[[], int | None]


@dataclass(frozen=True, slots=True)
class Sample:
    """How the machine was at one moment; None is what it doesn't tell.

    Attributes:
        second: Since the beginning of the run.
        stage: What was measured then.
        temperature: In degrees Celsius.
        busy: The processors' share that was used since the sample before, of 1.
        flags: What the firmware says of throttling.
    """

    second: float
    stage: str
    temperature: float | None
    busy: float | None
    flags: int | None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What samples come to.

    Attributes:
        lowest: The lowest temperature; None where none was told.
        highest: The highest one.
        busy: The mean share of the processors that was used.
        throttling: What happened; None where the machine doesn't tell.
    """

    lowest: float | None
    highest: float | None
    busy: float | None
    throttling: tuple[str, ...] | None


def conditions(samples: Sequence[Sample]) -> Conditions:
    """What these samples come to."""
    temperatures = [s.temperature for s in samples if s.temperature is not None]
    shares = [s.busy for s in samples if s.busy is not None]
    return Conditions(
        lowest=min(temperatures, default=None),
        highest=max(temperatures, default=None),
        busy=sum(shares) / len(shares) if shares else None,
        throttling=throttling([s.flags for s in samples if s.flags is not None]),
    )


def throttling(flags: Sequence[int]) -> tuple[str, ...] | None:
    """What happened while these were told, one after the other.

    What has been so counts if the flags before didn't have it: the first ones may tell
    of what was long before.
    """
    if not flags:
        return None
    seen = 0
    for before, now in zip((flags[0], *flags), flags, strict=False):
        seen |= now | (now & ~before) >> SINCE
    return tuple(text for bit, text in THROTTLING.items() if seen >> bit & 1)


def temperature(root: Path) -> float | None:
    """The processor's temperature; that of another place where it isn't told."""
    zones = sorted(root.glob("sys/class/thermal/thermal_zone*"))
    # Python sorts False first: a zone of the processor, then the others.
    for zone in sorted(zones, key=lambda zone: not _is_of_processor(zone)):
        told = text_of(zone / "temp", "")
        if told.lstrip("-").isdigit():
            return int(told) / 1000
    return None


def _is_of_processor(zone: Path) -> bool:
    kind = text_of(zone / "type", "")
    return "cpu" in kind or kind == "x86_pkg_temp"


def flags_of(root: Path) -> Flags:
    """What tells of throttling here: a file of the kernel, a program, or nothing."""
    for pattern in FILES:
        for file in root.glob(pattern):
            return lambda: _hexadecimal(text_of(file, ""))
    program = shutil.which("vcgencmd")
    if program is None:
        return lambda: None
    return lambda: _asked(program)


def _asked(program: str) -> int | None:
    try:
        done = subprocess.run(
            [program, "get_throttled"],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return _hexadecimal(done.stdout.partition("=")[2])


def _hexadecimal(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None


def processor_times(root: Path) -> tuple[int, int]:
    """What all processors have worked and have been there for, in the kernel's ticks."""
    first = text_of(root / "proc/stat", "").partition("\n")[0]
    user, nice, system, idle, *rest = [int(each) for each in first.split()[1:9]]
    waiting, *interrupts = rest
    worked = user + nice + system + sum(interrupts)
    return worked, worked + idle + waiting


@dataclass(slots=True)
class Watcher:
    """Looks at the machine once a second, from the start of the block to its end.

    Attributes:
        root: Of the tree that has ``proc`` and ``sys``.
        interval: Seconds between two looks.
        stage: What is being measured.
        samples: What was seen.
    """

    root: Path = Path("/")
    interval: float = INTERVAL_SECONDS
    stage: str = ""
    samples: list[Sample] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _started: float = 0.0
    _times: tuple[int, int] = (0, 0)
    _flags: Flags = lambda: None
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "Watcher":
        self._started = time.monotonic()
        self._times = processor_times(self.root)
        self._flags = flags_of(self.root)
        self.look()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Look at the machine now."""
        with self._looking:
            self.samples.append(
                Sample(
                    second=round(time.monotonic() - self._started, 1),
                    stage=self.stage,
                    temperature=temperature(self.root),
                    busy=self._busy(),
                    flags=self._flags(),
                )
            )

    def _busy(self) -> float | None:
        times = processor_times(self.root)
        worked, there = (
            now - then for now, then in zip(times, self._times, strict=True)
        )
        if there < LEAST_TICKS:
            return None
        self._times = times
        return round(worked / there, 3)

    def _watch(self) -> None:
        while not self._ended.wait(self.interval):
            self.look()
