"""The node under test: a process with a data directory of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.harness import ROOT
from tests.egeria.harness.errors import HarnessError
from tests.egeria.harness.ports import HOST, free_port

LOAD_SECONDS = 600.0
STOP_SECONDS = 60.0
CONFIGURATION = """\
[node]
data_directory = "{data}"
listen = "{host}:0"

[[server]]
name = "{name}"

[cohort]
mode = "none"

[kafka_cohort]
name = "{cohort}"
brokers = ["{brokers}"]
transport = "http"
listen = "{host}:{port}"
address = "http://{host}:{port}"
admit = ["127.0.0.0/8"]
"""


@contextmanager
def node(
    directory: Path, name: str, cohort: str, brokers: str, types: Path
) -> Iterator[None]:
    """A node that is a member of a cohort over Kafka until the end of the block.

    Args:
        directory: Where everything of it is.
        name: Of its server.
        cohort: The cohort's name.
        brokers: Kafka's address.
        types: The release's type archive, which is loaded first: the suite compares
            each definition with its own, descriptions included.

    Raises:
        HarnessError: it doesn't start, or the types can't be loaded.
    """
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "edgenode.toml"
    configuration.write_text(
        CONFIGURATION.format(
            data=directory / "data",
            name=name,
            cohort=cohort,
            brokers=brokers,
            host=HOST,
            port=free_port(),
        ),
        encoding="utf-8",
    )
    log = directory / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603
            _command("run", "--config", str(configuration), "--json"),
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=file,
            start_new_session=True,
        )
    try:
        url = _url(process, log)
        _load(url, name, types)
        yield
    finally:
        _stop(process)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edgenode", *arguments]


def _environment() -> dict[str, str]:
    """With nothing configured but by the file."""
    kept = {name: value for name, value in os.environ.items() if "EDGENODE" not in name}
    return kept | {"PYTHONPATH": str(ROOT)}


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Where it answers, which it prints as soon as it does."""
    assert process.stdout is not None
    text = b""
    for line in process.stdout:
        text += line
        if line == b"}\n":
            url: str = json.loads(text)["url"]
            return url
    raise HarnessError(f"the node doesn't start:\n{log.read_text(errors='replace')}")


def _load(url: str, name: str, types: Path) -> None:
    done = subprocess.run(  # noqa: S603
        _command("archive", "load", "--url", url, "--server", name, str(types)),
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=LOAD_SECONDS,
        check=False,
    )
    if done.returncode:
        raise HarnessError(f"the types aren't loaded:\n{done.stdout}{done.stderr}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
