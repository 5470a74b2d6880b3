"""A genuine Egeria of the release that edgenode serves, run for what it says of types.

It runs on a loopback port of its own with its own directory, so it stays out of the way
of one that is running already. What it says is kept in pytest's cache: the first run
takes about a minute.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

SERVER = "types"
USER = "erin"
TOOLS = ("java", "javac", "mvn")
START_SECONDS = 400


@dataclass(frozen=True)
class GenuineTypes:
    """The release's type archive, and the types of a server that has loaded it."""

    archive: dict[str, Any]
    gallery: dict[str, Any]


def genuine_types(shared: Path, kept: Path) -> GenuineTypes:
    """What a genuine server says of its types; skips the test where none can run."""
    archive, gallery = kept / "types.omarchive", kept / "gallery.json"
    if not (archive.exists() and gallery.exists()):
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"no genuine server without {', '.join(missing)}")
        _ask(shared / "egeria" / "egeria.py", kept, archive, gallery)
    return GenuineTypes(
        json.loads(archive.read_bytes()), json.loads(gallery.read_bytes())
    )


def _ask(tool: Path, kept: Path, archive: Path, gallery: Path) -> None:
    port = _free_port()
    environment = os.environ | {
        "EGERIA_HOME": str(kept / "home"),
        "EGERIA_PORT": str(port),
        "EGERIA_HEAP": "512m",
    }

    def run(*verb: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603
            [sys.executable, tool, *verb],
            env=environment,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    try:
        started = run("platform", "start")
        if started.returncode:
            pytest.skip(f"no genuine server: {started.stdout + started.stderr}")
        written = archive.with_suffix(".part")
        told = run("types", str(written))
        if told.returncode:
            pytest.skip(f"no type archive: {told.stdout + told.stderr}")
        gallery.write_bytes(_gallery(f"http://127.0.0.1:{port}"))
        written.rename(archive)
    except subprocess.TimeoutExpired as error:
        pytest.skip(f"no genuine server within {START_SECONDS} seconds: {error}")
    finally:
        run("platform", "stop")


def _gallery(url: str) -> bytes:
    """The types of a new server with nothing but a repository in memory."""
    admin = f"{url}/open-metadata/admin-services/users/{USER}/servers/{SERVER}"
    _call("POST", f"{admin}/server-url-root?url={quote(url, safe='')}")
    _call("POST", f"{admin}/local-repository/mode/in-memory-repository")
    _call("POST", f"{admin}/instance")
    services = f"{url}/servers/{SERVER}/open-metadata/repository-services/users/{USER}"
    return _call("GET", f"{services}/types/all")


def _call(method: str, url: str) -> bytes:
    request = urllib.request.Request(url, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310
        answer: bytes = response.read()
    assert json.loads(answer)["relatedHTTPCode"] == 200, answer
    return answer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
