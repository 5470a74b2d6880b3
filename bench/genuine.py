"""The genuine Egeria 4.2 platform to measure against: started and configured."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from bench.harness import ROOT, BenchError, answers, call

SCRIPT = ROOT.parent / "shared" / "egeria" / "egeria.py"
PROGRAMS = ("java", "mvn")
USER = "bench"
ORIGIN = f"/open-metadata/platform-services/users/{USER}/server-platform/origin"
COMPARE = (
    "python -m bench rest_methods -- "
    "--genuine http://127.0.0.1:9443 bench --configure-genuine"
)


def how_to_compare() -> str:
    """What to do for a comparison, or what is missing for it."""
    if not SCRIPT.exists():
        return "that needs shared/egeria beside this project, which isn't there"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"that needs {' and '.join(missing)}; then: {COMPARE}"
    return COMPARE


@contextmanager
def platform(url: str) -> Iterator[None]:
    """A genuine platform at ``url`` while the block runs.

    One that answers already is used and left running. Otherwise one is started on the
    port of ``url``, from its own directory (EGERIA_HOME, or ~/.cache/edgenode-bench),
    and stopped at the end.

    Raises:
        BenchError: there is none and none can be started here.
    """
    if answers(url, ORIGIN):
        yield
        return
    _egeria(url, "start")
    try:
        yield
    finally:
        _egeria(url, "stop")


def _egeria(url: str, action: str) -> None:
    if not SCRIPT.exists():
        raise BenchError(f"no platform answers at {url}, and {SCRIPT} is not there")
    for program in PROGRAMS:
        if shutil.which(program) is None:
            message = f"no platform answers at {url}, and starting one needs {program}"
            raise BenchError(message)
    parts = urlsplit(url)
    if parts.hostname != "127.0.0.1":
        raise BenchError(f"no platform answers at {url}; one starts on 127.0.0.1 only")
    home = os.environ.get("EGERIA_HOME") or Path.home() / ".cache" / "edgenode-bench"
    environment = os.environ | {
        "EGERIA_PORT": str(parts.port or 80),
        "EGERIA_HOME": str(home),
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "platform", action],
        env=environment,
        stdout=sys.stderr,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"{SCRIPT} platform {action} failed: its output is above")


def configure(url: str, server: str) -> None:
    """Give the platform a fresh, empty server with an in-memory repository.

    It needs neither an event bus nor a cohort. A server of this name that runs there
    is ended first, and loses its data with that.

    Raises:
        BenchError: the platform refused.
    """
    admin = f"/open-metadata/admin-services/users/{USER}/servers/{server}"
    call(url, "DELETE", f"{admin}/instance")  # refused when it does not run: as well
    for step in (
        f"/server-url-root?url={quote(url, safe='')}",
        "/local-repository/mode/in-memory-repository",
        "/instance",
    ):
        answer = call(url, "POST", admin + step)
        if answer.get("relatedHTTPCode") != 200:
            raise BenchError(f"{step}: {answer.get('exceptionErrorMessage', answer)}")
