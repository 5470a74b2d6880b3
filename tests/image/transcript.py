"""What the trials have shown, as it is kept in docs/image-test.md."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HEAD = """\
# The image, tried on emulated machines

`make image-test` boots what `make image` has built in QEMU (arm64, cortex-a72, two virtual cores,
emulated on x86-64), with the image's own kernel, on a network made of namespaces, and has it do
what it is for. What it printed the last time:

"""

TAIL = """
Times are an emulator's and say nothing of a Pi's; memory and bytes written are what they would be
there. An emulator reads neither the Pi's firmware nor config.txt, and has no Wi-Fi: none of that
was tried, nor any real Raspberry Pi. To cut the power here is to kill the emulator and, at the same
moment, the program that is the card, which loses what it had been sent and not been told to keep
(nbdkit's cache). A real card may do worse: forget what it was told to keep, or damage what
lies beside.
"""


@dataclass(slots=True)
class Transcript:
    """Lines, told as they come.

    Attributes:
        lines: All until now.
        failed: What didn't come out as it should.
    """

    lines: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def tell(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line.rstrip())
        print(self.lines[-1], flush=True)

    def check(self, what: str, is_so: object) -> None:
        """Tell whether something is as it should be."""
        self.tell(f"  {'ok  ' if is_so else 'FAIL'} {what}")
        if not is_so:
            self.failed.append(what)

    @contextmanager
    def trial(self, name: str) -> Iterator[None]:
        """One of the trials; an error in it is told, and the next one is begun."""
        self.tell(f"{name}")
        began = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - it is told
            self.check(f"{type(error).__name__}: {error}", is_so=False)
        self.tell(f"  ({time.monotonic() - began:.0f} s)")

    def write(self, path: Path) -> None:
        """Keep it."""
        text = "\n".join(self.lines)
        path.write_text(f"{HEAD}```text\n{text}\n```\n{TAIL}", encoding="utf-8")
