"""Ask the questions in order, each in its own process, and keep their answers.

python -m bench [question ...] [--write PATH] [-- options for the questions]

For example: python -m bench scale footprint -- --directory /mnt/card
Side by side with a genuine Egeria: python -m bench rest_methods --
--genuine http://127.0.0.1:9443 bench --configure-genuine
A document of what was kept last: python -m bench --write bench/RESULTS.md
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from bench.harness import ROOT
from bench.report import document, remarks_of, tables_of

QUESTIONS = (
    "rest_methods",
    "scale",
    "footprint",
    "bytes_written",
    "schema",
    "cohort",
    "kafka_member",
)
RESULTS = ROOT / "bench" / "results"
MISSES = ROOT / "bench" / "MISSES.md"
"""What is required and isn't met: the reasons, and what was tried; written by hand."""


def ask(question: str, options: list[str]) -> int:
    """Ask one question, print its tables, keep its JSON; the question's exit code."""
    command = [sys.executable, "-m", f"bench.{question}", *options]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if not done.stdout:
        return done.returncode or 1
    made = json.loads(done.stdout)
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / f"{question}.json"
    kept.write_bytes(done.stdout)
    for table in tables_of(made):
        print(table.text(), end="\n\n")
    for text in remarks_of(made):
        print(f"- {text}")
    print(f"{question}: {kept.relative_to(ROOT)}")
    return done.returncode


def write(path: Path) -> None:
    """Write the misses and the answers that are kept, of whichever questions."""
    kept = [RESULTS / f"{question}.json" for question in QUESTIONS]
    parts = [document(json.loads(file.read_text())) for file in kept if file.exists()]
    misses = MISSES.read_text(encoding="utf-8")
    document_parts = ["# Measurements\n", misses, *parts]
    path.write_text("\n".join(document_parts), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Ask the questions named, all when none is; 1 when one of them failed."""
    own, options = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        own, options = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("question", nargs="*", help=", ".join(QUESTIONS))
    parser.add_argument(
        "--write",
        metavar="PATH",
        type=Path,
        help="write a document of the kept answers; asks only the questions named",
    )
    parsed = parser.parse_args(own)
    questions = parsed.question or (() if parsed.write else QUESTIONS)
    if unknown := set(questions).difference(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}")
    codes = [ask(question, options) for question in questions]
    if parsed.write:
        write(parsed.write)
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
