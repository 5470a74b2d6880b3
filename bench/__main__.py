"""Run the questions in order, each in its own process, and keep their answers.

python -m bench [question ...] [-- options for the questions]

For example: python -m bench rest_methods -- --configure-genuine
--genuine http://127.0.0.1:9443 bench --edgenode http://127.0.0.1:9444 bench
"""

import argparse
import json
import subprocess
import sys

from bench.harness import ROOT, Table

QUESTIONS = ("rest_methods",)
RESULTS = ROOT / "bench" / "results"


def ask(question: str, options: list[str]) -> int:
    """Run one question, print its tables, keep its JSON; the question's exit code."""
    command = [sys.executable, "-m", f"bench.{question}", *options]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if not done.stdout:
        return done.returncode or 1
    report = json.loads(done.stdout)
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / f"{question}.json"
    kept.write_bytes(done.stdout)
    for table in report["tables"]:
        rows = tuple(tuple(row) for row in table["rows"])
        print(Table(table["title"], tuple(table["columns"]), rows).text(), end="\n\n")
    for note in report["notes"]:
        print(f"- {note}")
    print(f"{question}: {kept.relative_to(ROOT)}")
    return done.returncode


def main(arguments: list[str]) -> int:
    """Ask the questions named, all when none is; 1 when one of them failed."""
    own, options = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        own, options = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("question", nargs="*", help=", ".join(QUESTIONS))
    questions = parser.parse_args(own).question or QUESTIONS
    if unknown := set(questions).difference(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}")
    return max(ask(question, options) for question in questions) and 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
