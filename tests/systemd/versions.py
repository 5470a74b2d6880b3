"""Bundles of this version, and of versions to come that do as they are told."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

READY = "    async with running_node(config) as node:\n"
BROKEN = (READY, READY + '        raise SystemExit("broken on purpose")\n')
"""Has a version fail at each start."""

_MIGRATION = "CREATE TABLE novelty (id INTEGER PRIMARY KEY) STRICT;\n"


def make_bundle(directory: Path, *options: str) -> None:
    """Make a bundle of this version."""
    _run(str(ROOT / "deploy/raspberrypi/bundle"), str(directory), *options)


def make_newer(
    bundle: Path, place: Path, version: str, *edits: tuple[str, str]
) -> Path:
    """Make a bundle of a version that changes the store's schema.

    Args:
        bundle: One of this version, whose packages it has.
        place: An empty directory.
        version: What it calls itself.
        edits: What is replaced in the module that runs a node.
    """
    source, made = place / "source", place / "bundle"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "edgenode", source / "edgenode", ignore=ignored)
    _edit(source / "pyproject.toml", 'version = "0.1.0"', f'version = "{version}"')
    schema = source / "edgenode/repository/schema"
    number = len(list(schema.iterdir())) + 1
    (schema / f"{number:03}_novelty.sql").write_text(_MIGRATION)
    for what, instead in edits:
        _edit(source / "edgenode/node/running.py", what, instead)
    shutil.copytree(bundle, made)
    for wheel in (made / "wheels").glob("edgenode-*.whl"):
        wheel.unlink()
    _run(
        "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
        f"--wheel-dir={made / 'wheels'}", str(source),
    )  # fmt: skip
    return made


def _edit(path: Path, what: str, instead: str) -> None:
    text = path.read_text()
    assert text.count(what) == 1
    path.write_text(text.replace(what, instead))


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
