"""What a genuine server of the release that edgenode serves says of types.

It is kept in pytest's cache: the first run takes about a minute.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.egeria.harness.errors import HarnessError
from tests.egeria.harness.platform import Platform, platform
from tests.egeria.harness.server import Server
from tests.egeria.harness.tools import missing

SERVER = "types"


@dataclass(frozen=True)
class GenuineTypes:
    """The release's type archive, and the types of a server that has loaded it."""

    archive: dict[str, Any]
    gallery: dict[str, Any]


def genuine_types(kept: Path) -> GenuineTypes:
    """What a genuine server says of its types; skips the test where none can run."""
    file = kept / "types.json"
    if not file.exists():
        if (reason := missing()) is not None:
            pytest.skip(reason)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(_ask()))
        part.rename(file)
    return GenuineTypes(**json.loads(file.read_bytes()))


def _ask() -> dict[str, Any]:
    with TemporaryDirectory() as directory:
        try:
            with platform(Path(directory)) as running:
                return {
                    "archive": running.types_archive(),
                    "gallery": _gallery(running),
                }
        except HarnessError as error:
            pytest.skip(f"no genuine server: {error}")


def _gallery(running: Platform) -> Any:
    """The types of a new server with nothing but a repository in memory."""
    server = Server(running, SERVER)
    server.admin("POST", f"server-url-root?url={running.url}")
    server.admin("POST", "local-repository/mode/in-memory-repository")
    server.start()
    return server.omrs("GET", "types/all")
