"""The genuine Egeria platform to measure against: started and configured."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlsplit

from bench.harness import BenchError, answers, call
from tests.egeria.harness.errors import HarnessError
from tests.egeria.harness.platform import platform as own_platform
from tests.egeria.harness.ports import HOST
from tests.egeria.harness.tools import missing

HEAP = "2g"
USER = "bench"
ORIGIN = f"/open-metadata/platform-services/users/{USER}/server-platform/origin"
COMPARE = (
    "python -m bench rest_methods -- "
    "--genuine http://127.0.0.1:9443 bench --configure-genuine"
)


def how_to_compare() -> str:
    """What to do for a comparison, or what is missing for it."""
    reason = missing()
    return COMPARE if reason is None else f"{reason}; then: {COMPARE}"


@contextmanager
def platform(url: str) -> Iterator[None]:
    """A genuine platform at ``url`` while the block runs.

    One that answers already is used and left running. Otherwise one is started on the
    port of ``url``, with nothing in it, and stopped at the end.

    Raises:
        BenchError: there is none and none can be started here.
    """
    if answers(url, ORIGIN):
        yield
        return
    if (reason := missing()) is not None:
        raise BenchError(f"no platform answers at {url}: {reason}")
    parts = urlsplit(url)
    if parts.hostname != HOST:
        raise BenchError(f"no platform answers at {url}; one starts on {HOST} only")
    with TemporaryDirectory() as directory:
        try:
            with own_platform(Path(directory), parts.port or 80, HEAP):
                yield
        except HarnessError as error:
            raise BenchError(str(error)) from error


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
