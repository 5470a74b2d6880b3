"""The project's metadata says what is true of the package and of the lock files."""

import ast
import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement

import edgenode
from tests.conftest import ROOT

PROJECT: dict[str, Any] = tomllib.loads(
    (ROOT / "pyproject.toml").read_text(encoding="utf-8")
)
LOCKS = ("run.txt", "kafka.txt", "test.txt", "plots.txt")


def names(requirements: list[str]) -> set[str]:
    """The bare names of requirements, as a lock file spells them."""
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {re.sub(r"[-_.]+", "-", m.group()).lower() for m in found if m}


def locked(lock: str) -> dict[str, str]:
    """Each pinned name of a lock file with the text that follows it."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    parts = re.split(r"(?m)^([a-z0-9-]+)==", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def third_party_imports() -> set[str]:
    """Top-level names that edgenode imports, from wherever."""
    found = set()
    for path in (ROOT / "edgenode").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.partition(".")[0])
    return found


def test_version_is_the_packages_own() -> None:
    assert PROJECT["project"]["version"] == edgenode.__version__


def test_changelog_tells_of_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"(?m)^## {re.escape(edgenode.__version__)}\b", changelog)


def test_package_data_names_files_that_may_exist() -> None:
    """Each pattern lies in a package, or setuptools would leave its files out."""
    (patterns,) = PROJECT["tool"]["setuptools"]["package-data"].values()
    assert "py.typed" in patterns
    assert (ROOT / "edgenode" / "py.typed").is_file()
    for pattern in patterns:
        package = (ROOT / "edgenode" / pattern).relative_to(ROOT).parts[1]
        assert (ROOT / "edgenode" / package).exists(), pattern


IMPORTED_AS = {"paho-mqtt": "paho"}
"""Packages that are imported by another name than they are installed by."""


def test_every_dependency_is_used() -> None:
    optional = PROJECT["project"]["optional-dependencies"]["kafka"]
    needed = names(PROJECT["project"]["dependencies"] + optional)
    assert {IMPORTED_AS.get(name, name) for name in needed} <= third_party_imports()


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_what_is_declared(lock: str) -> None:
    declared = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    optional = PROJECT["project"]["optional-dependencies"]
    if lock in ("kafka.txt", "test.txt"):
        declared += optional["kafka"]
    if lock == "plots.txt":
        declared += optional["plots"]
    if lock == "test.txt":
        declared += PROJECT["dependency-groups"]["test"]
    pins = locked(lock)
    assert names(declared) <= pins.keys()
    for each in map(Requirement, declared):
        assert each.specifier.contains(pins[each.name].split()[0]), each


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    pins = locked(lock)
    assert pins
    assert [name for name, rest in pins.items() if "--hash=sha256:" not in rest] == []
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in re.sub(r"--hash=\S+", "", text)


def test_the_locks_agree() -> None:
    def version(text: str) -> str:
        return text.split()[0]

    run, kafka, test, plots = (locked(lock) for lock in LOCKS)
    for smaller, larger in ((run, kafka), (kafka, test), (run, plots)):
        assert {n: version(t) for n, t in smaller.items()} == {
            n: version(larger[n]) for n in smaller
        }


def test_run_does_without_what_is_optional() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    optional = names([each for extra in extras.values() for each in extra])
    assert {"aiokafka", "matplotlib"} <= optional
    assert not optional & locked("run.txt").keys()
