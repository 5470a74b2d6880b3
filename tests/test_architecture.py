"""The rules of the house that a machine can check, read from the source with ast.

Imports point down the layers and never up, a library has one owner, and only
edgenode.releases knows release numbers. Modules that are not there yet break no rule.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Members of edgenode, highest layer first; those of one layer may import each other.
LAYERS = (
    ("__main__", "cli"),
    ("node", "first_boot"),
    ("rest", "federation"),
    ("cohort", "kafka_cohort"),
    ("collection", "archives"),
    ("repository",),
    ("bus", "discovery"),
    ("security",),
    ("codec", "observability", "config"),
    ("releases",),
    # The model: with the standard library alone, but for the owners below.
    (
        "typedefs",
        "instances",
        "events",
        "hosts",
        "errors",
        "limits",
        "clock",
        "memory",
        "connectors",
    ),
)
RANK = {name: -rank for rank, names in enumerate(LAYERS) for name in names}

# Libraries, and the packages or modules that may import them.
OWNERS = {
    "aiokafka": ("edgenode.bus.kafka",),
    "aiohttp": (
        "edgenode.rest",
        "edgenode.federation.http",
        "edgenode.federation.platform_http",
    ),
    "aiosqlite": ("edgenode.repository",),
    "amqtt": ("edgenode.bus.broker",),
    "cramjam": ("edgenode.bus.kafka.records",),
    "cryptography": ("edgenode.first_boot.ssh", "edgenode.security.issuing"),
    "msgpack": ("edgenode.codec.packed",),
    "orjson": ("edgenode.codec.json",),
    "paho": ("edgenode.bus.mqtt",),
    "regex": ("edgenode.instances.patterns",),
    "rich": ("edgenode.cli",),
    "sqlite3": ("edgenode.repository",),
    "yarl": ("edgenode.federation.http", "edgenode.federation.platform_http"),
    "zeroconf": ("edgenode.discovery.mdns",),
}

RELEASE_NUMBER = re.compile(r"(?<![\d.])(?:4\.2|6\.1)(?!\d)")

SOURCES = sorted((ROOT / "edgenode").rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name of a source file below the project's root."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def imports(module: str, tree: ast.AST, *, is_package: bool) -> Iterator[str]:
    """Absolute names of what a module imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                kept = len(parents) - node.level + is_package
                base = ".".join([*parents[:kept], *([base] if base else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def layer_faults(module: str, imported: str) -> Iterator[str]:
    """What is wrong with one import from within the house."""
    member, other = (f"{name}.".split(".")[1] for name in (module, imported))
    if member not in RANK and module != "edgenode":
        yield f"{module}: {member} has no layer: place it in LAYERS"
    elif other in RANK and (module == "edgenode" or RANK[other] > RANK[member]):
        yield f"{module} imports {imported}, which is above it"
    if is_in(imported, "edgenode.releases") and not is_in(module, "edgenode.releases"):
        yield from (
            f"{module} imports one release: {imported}"
            for part in imported.split(".")
            if part.startswith("egeria_")
        )


def library_faults(module: str, imported: str) -> Iterator[str]:
    """What is wrong with one import from outside the house."""
    library = imported.partition(".")[0]
    if library in OWNERS:
        if not any(is_in(module, owner) for owner in OWNERS[library]):
            yield f"{module} imports {library}, which only {OWNERS[library]} may"
    elif library not in sys.stdlib_module_names:
        yield f"{module} imports {library}, which has no owner: name it in OWNERS"


def import_faults(module: str, source: str, *, is_package: bool = False) -> list[str]:
    found: list[str] = []
    for imported in imports(module, ast.parse(source), is_package=is_package):
        rule = layer_faults if is_in(imported, "edgenode") else library_faults
        found.extend(rule(module, imported))
    return found


def release_numbers(module: str, source: str) -> list[str]:
    """Strings that name a release outside releases/; docstrings may."""
    tree = ast.parse(source)
    docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    return [
        f"{module}:{node.lineno} names a release: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        and RELEASE_NUMBER.search(node.value)
        and not is_in(module, "edgenode.releases")
    ]


def test_imports_point_down_and_libraries_have_owners() -> None:
    assert SOURCES
    faults = [
        fault
        for path in SOURCES
        for fault in import_faults(
            module_name(path),
            path.read_text(encoding="utf-8"),
            is_package=path.name == "__init__.py",
        )
    ]
    assert faults == []


def test_only_releases_name_a_release() -> None:
    assert SOURCES
    faults = [
        fault
        for path in SOURCES
        for fault in release_numbers(
            module_name(path), path.read_text(encoding="utf-8")
        )
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("edgenode.codec.beans", "import edgenode.rest.server", "above"),
        ("edgenode.codec.beans", "from edgenode import rest", "above"),
        ("edgenode.codec.beans", "from ..rest import server", "above"),
        ("edgenode.codec.beans", "def f():\n    import edgenode.node", "above"),
        ("edgenode", "from edgenode.node import running_node", "above"),
        ("edgenode.node", "import edgenode.cli.main", "above"),
        ("edgenode.instances.model", "from edgenode.codec import json", "above"),
        ("edgenode.sundries", "import edgenode.clock", "no layer"),
        ("edgenode.rest.server", "import sqlite3", "only"),
        ("edgenode.codec.beans", "import orjson", "only"),
        ("edgenode.codec.json_lines", "import orjson", "only"),
        ("edgenode.instances.matching", "import regex", "only"),
        ("edgenode.collection.base", "from aiohttp import web", "only"),
        ("edgenode.node", "import rich.console", "only"),
        ("edgenode.node", "import requests", "no owner"),
        (
            "edgenode.node",
            "from edgenode.releases.egeria_9_9 import EGERIA",
            "one release",
        ),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str, fault: str) -> None:
    (found,) = import_faults(module, source)
    assert fault in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("edgenode.rest.server", "from aiohttp import web\nimport edgenode.errors"),
        ("edgenode.codec.json", "import orjson"),
        ("edgenode.rest.adapter", "from . import operations"),
        ("edgenode.cli.main", "from edgenode.node import running_node\nimport rich"),
        ("edgenode.codec.codec", "from edgenode.releases.release import Release"),
        ("edgenode.rest.server", "from edgenode import __version__"),
        ("edgenode.archives.loader", "from edgenode.collection import base"),
    ],
)
def test_a_right_import_is_let_pass(module: str, source: str) -> None:
    assert import_faults(module, source) == []


def test_a_package_imports_its_own_modules() -> None:
    source = "from .main import main\nfrom ..node import running_node"
    assert import_faults("edgenode.cli", source, is_package=True) == []
    (found,) = import_faults("edgenode.codec", "from ..cli import x", is_package=True)
    assert "edgenode.cli.x" in found


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('DEFAULT = "4.2"', 1),
        ('NAME = f"open-metadata-types-{x}-6.1.json"', 1),
        ('"""As in 4.2."""\n\nTEN = "14.2"  # not 4.2\nADDRESS = "1.4.2"', 0),
        ('class A:\n    """Since 6.1."""\n    x: int\n    """Also 4.2."""', 0),
        ('def f() -> None:\n    """4.2."""\n    raise KeyError("6.1")', 1),
    ],
)
def test_release_numbers_are_found(source: str, count: int) -> None:
    assert len(release_numbers("edgenode.codec.beans", source)) == count
    assert release_numbers("edgenode.releases.egeria_4_2", source) == []
