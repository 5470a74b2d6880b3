"""Measures this machine as a Raspberry Pi is measured, draws reports, compares them.

python -m bench.pi run takes some minutes, asks nothing, and ends with the path of its
report; ``draw`` adds plots to a report, on any machine that has matplotlib.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from bench.harness import ROOT, BenchError
from bench.node import data_directory
from bench.pi import leftovers
from bench.pi.compare import comparison
from bench.pi.conditions import Watcher
from bench.pi.document import document
from bench.pi.plots import drawn
from bench.pi.progress import Progress
from bench.pi.report import read, written
from bench.pi.rig import FULL, QUICK, Rig
from bench.pi.running import ran
from bench.pi.stages import STAGES

REPORTS = ROOT / "bench" / "results" / "pi"
FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a machine that goes down, a terminal that is closed."""


def run(options: argparse.Namespace) -> int:
    """Measure this machine, and write the report; 1 if a stage failed."""
    output: Path = options.output or REPORTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    output.mkdir(parents=True, exist_ok=True)
    kept = output / "report.json"
    if kept.exists():
        raise BenchError(f"{kept} is there already; name another directory as --output")
    parent: Path = options.directory or output
    with data_directory(parent, may_be_memory=options.quick) as directory:
        rig = Rig(directory, QUICK if options.quick else FULL)
        try:
            report = ran(rig, STAGES, Progress(sys.stderr, len(STAGES)), Watcher())
        finally:
            leftovers.end(directory)
    written(report, kept)
    markdown = output / "report.md"
    markdown.write_text(document(report), encoding="utf-8")
    print(markdown)
    return FAILED if report.failures else 0


def draw(options: argparse.Namespace) -> int:
    """Draw a report's plots beside it, and write its document anew, with them."""
    path: Path = options.report
    report = read(path)
    plots = drawn(report, path.parent)
    markdown = path.with_suffix(".md")
    markdown.write_text(document(report, plots), encoding="utf-8")
    for made in (*plots, markdown):
        print(made)
    return 0


def compare(options: argparse.Namespace) -> int:
    """Print two reports side by side."""
    print(comparison(read(options.one), read(options.other)), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pi",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    running = commands.add_parser("run", help="measure this machine")
    running.add_argument(
        "--directory",
        metavar="DIR",
        type=Path,
        help="where data is kept meanwhile, on the disk to be measured; without it in "
        "the report's directory",
    )
    running.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        help="where the report is written; without it under bench/results/pi",
    )
    running.add_argument(
        "--quick",
        action="store_true",
        help="so little that the figures mean nothing: it shows that all works",
    )
    running.set_defaults(command=run)
    drawing = commands.add_parser("draw", help="draw a report's plots beside it")
    drawing.add_argument("report", metavar="REPORT.json", type=Path)
    drawing.set_defaults(command=draw)
    comparing = commands.add_parser("compare", help="show two reports side by side")
    comparing.add_argument("one", metavar="A.json", type=Path)
    comparing.add_argument("other", metavar="B.json", type=Path)
    comparing.set_defaults(command=compare)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Do what is asked for; 2 where it can't be done, 130 where it was ended."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except (BenchError, OSError) as error:
        print(f"bench.pi: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("\nbench.pi: interrupted; nothing is left running", file=sys.stderr)
        return INTERRUPTED
    return code


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """End the run; whoever is impatient doesn't keep it from tidying up.

    Raises:
        KeyboardInterrupt: Always.
    """
    for each in INTERRUPTIONS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for each in INTERRUPTIONS:
        signal.signal(each, interrupt)
    sys.exit(main(sys.argv[1:]))
