"""Test a node with Egeria's own conformance suite, in the background.

Called again, it says where the run stands; when it has finished, docs/conformance.md is
written. --again begins anew.

With --tut and --cohort the suite waits for a member that somebody else starts.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

from bench.harness import ROOT
from tests.egeria.conformance.document import GENUINE, NODE
from tests.egeria.conformance.run import Run, Wanted
from tests.egeria.conformance.state import Phase, Place
from tests.egeria.harness.server import MAX_SEARCH_RESULTS
from tests.egeria.harness.tools import missing

RUNS = ROOT / ".conformance"
POLL_SECONDS = 0.1


def main(arguments: list[str]) -> int:
    """Do what the arguments say; the exit code."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if bool(parsed.tut) != bool(parsed.cohort):
        parser.error("--tut and --cohort go together")
    place = Place(RUNS / parsed.workbench)
    if parsed.status:
        return _status(place)
    if parsed.stop:
        return _stop(place)
    if parsed.foreground:
        Run(place, _wanted(parsed)).perform()
        return 0
    if place.is_running():
        return _status(place)
    if place.state() is not None and not parsed.again:
        code = _status(place)
        print("ARGS=--again begins anew")
        return code
    return _begin(place, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.egeria.conformance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workbench", choices=["repository", "performance"])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="where the run stands")
    what.add_argument("--stop", action="store_true", help="stop it in order")
    what.add_argument("--again", action="store_true", help="run once more")
    what.add_argument("--foreground", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--member",
        action="append",
        choices=[GENUINE, NODE],
        help="who is tested, one after another where it is given twice; by default the "
        "node, before it the genuine in-memory repository where speed is measured",
    )
    parser.add_argument(
        "--instances",
        type=int,
        default=50,
        metavar="N",
        help="of each type, for the performance workbench; 50 by default",
    )
    parser.add_argument(
        "--page-size",
        type=int,
        default=MAX_SEARCH_RESULTS,
        metavar="N",
        help="the most that a search is to find, for the repository workbench; "
        f"{MAX_SEARCH_RESULTS} by default",
    )
    parser.add_argument("--tut", default="", metavar="NAME", help="server under test")
    parser.add_argument(
        "--cohort", default="", metavar="NAME", help="the cohort it joins"
    )
    for name in ("kafka", "platform"):
        parser.add_argument(
            f"--{name}-port",
            type=int,
            default=0,
            metavar="PORT",
            help="a free one by default",
        )
    return parser


def _wanted(parsed: argparse.Namespace) -> Wanted:
    usual = [NODE] if parsed.workbench == "repository" else [GENUINE, NODE]
    return Wanted(
        workbench=parsed.workbench,
        members=tuple(parsed.member or usual),
        under_test=parsed.tut,
        cohort=parsed.cohort,
        kafka_port=parsed.kafka_port,
        platform_port=parsed.platform_port,
        instances=parsed.instances,
        page_size=parsed.page_size,
    )


def _begin(place: Place, arguments: list[str]) -> int:
    """Start a run that outlives this shell, and say so once it works."""
    if (reason := missing()) is not None:
        print(reason, file=sys.stderr)
        return 1
    own = [each for each in arguments if each != "--again"]
    with place.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "tests.egeria.conformance", *own, "--foreground"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while process.poll() is None:
        state = place.state()
        if (
            state is not None
            and state.pid == process.pid
            and state.phase is Phase.TESTING
        ):
            break
        time.sleep(POLL_SECONDS)
    if place.is_running():
        print("it goes on in the background; the same command says where it stands")
    return _status(place)


def _status(place: Place) -> int:
    """Say where the run stands; 1 where it didn't end well."""
    state = place.state()
    if state is None:
        print("nothing has been run yet")
        return 1
    print(state.text())
    return int(state.phase in {Phase.FAILED, Phase.STOPPED})


def _stop(place: Place) -> int:
    state = place.state()
    if state is None or not place.is_running():
        print("nothing is running")
        return 1
    os.kill(state.pid, signal.SIGTERM)
    while place.is_running():
        time.sleep(POLL_SECONDS)
    _status(place)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
