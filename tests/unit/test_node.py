"""What the composition root says before it opens anything."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

RUN = """
import asyncio
from edgenode.config import load_config
from edgenode.node import run_node
try:
    asyncio.run(run_node(load_config(), print))
except FileExistsError:
    pass
"""


@pytest.mark.parametrize(
    ("listen", "warned"), [("0.0.0.0:9443", True), ("127.0.0.1:9443", False)]
)
def test_an_address_for_others_is_announced(
    listen: str, warned: bool, tmp_path: Path
) -> None:
    no_directory = tmp_path / "file"  # so that it never listens
    no_directory.touch()
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", RUN],
        cwd=ROOT,
        env={
            "EDGENODE_LISTEN": listen,
            "EDGENODE_COHORT_MODE": "none",
            "EDGENODE_DATA_DIRECTORY": str(no_directory),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("there is no authentication" in ended.stderr) is warned
    assert warned or not ended.stderr
