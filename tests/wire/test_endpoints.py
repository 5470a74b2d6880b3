"""Every endpoint of the tables of facts is mounted, and bound as they say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edgenode.observability.metrics import OperationMetrics
from edgenode.rest.hosting import Platform
from edgenode.rest.mounts import Mounted, mounted_operations
from tests.model.house import CODEC

BASE = re.compile(r"^Base: `(.+)`$")
NOT_MOUNTED = {
    "/servers/{serverName}/open-metadata/repository-services/users/{userId}"
    "/enterprise/remote-topic-connection": "it never works on a genuine server",
}
"""Endpoints that are left out, and why."""

# Where the genuine server needs a query parameter or a body that its own client doesn't
# send, both ways are taken.
LENIENT_QUERY = {"deleteTypeDef": ["name?"], "deleteAttributeTypeDef": ["name?"]}
LENIENT_BODY = {
    "deleteTypeDef": "TypeDefDeleteRequest",
    "deleteAttributeTypeDef": "TypeDefDeleteRequest",
}


class Endpoint(NamedTuple):
    """One row of a table of endpoints."""

    method: str
    path: str
    operation: str
    query: list[str]
    body: str
    response: str


def rows(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """The rows of each table, with the base that stands above it and their heads."""
    base, heads = "", list[str]()
    for line in text.splitlines():
        if found := BASE.match(line):
            base, heads = found[1], []
        elif line.startswith("#"):
            base = ""
        elif line.startswith("|") and base:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not heads:
                heads = cells
            elif not cells[0].startswith("--"):
                yield base, heads, cells


def endpoints(text: str) -> Iterator[Endpoint]:
    """The endpoints of the tables, enterprise ones included."""
    for base, heads, cells in rows(text):
        row = dict(zip(heads, cells, strict=True))
        query = [] if row["Query"] == "-" else row["Query"].split(", ")
        names = [
            name.partition(":")[0] + ("?" if name.endswith("?") else "")
            for name in query
        ]
        path = row["Path after base"].strip("`")
        operation = row["Java operation"]
        bodies = row["Body"].partition(" ")[0]
        for infix in ("", "/enterprise") if row.get("Ent") == "yes" else ("",):
            yield Endpoint(
                row["Method"],
                base + infix + path,
                operation,
                LENIENT_QUERY.get(operation, names),
                LENIENT_BODY.get(operation, bodies),
                row["Response"],
            )


def mounted() -> list[Mounted]:
    """Everything that a platform offers."""
    platform = Platform("", CODEC, {}, OperationMetrics())
    return list(mounted_operations(platform))


def as_endpoint(mount: Mounted) -> Endpoint:
    operation = mount.operation
    return Endpoint(
        operation.method,
        mount.template,
        operation.name,
        [each.name + ("" if each.required else "?") for each in operation.query],
        "-" if operation.body is None else operation.body.__name__,
        operation.response,
    )


def test_every_endpoint_is_mounted_as_the_facts_say(shared: Path) -> None:
    text = (shared / "facts" / "omrs" / "rest-endpoints.md").read_text(encoding="utf-8")
    wanted = [each for each in endpoints(text) if each.path not in NOT_MOUNTED]
    assert len(wanted) > 150
    ours = [as_endpoint(mount) for mount in mounted()]
    repository = [each for each in ours if "/repository-services" in each.path]
    assert sorted(repository) == sorted(wanted)


def test_the_platform_tells_about_itself() -> None:
    base = "/open-metadata/platform-services/users/{userId}/server-platform"
    paths = {mount.template.removeprefix(base) for mount in mounted()}
    assert paths >= {
        "/origin",
        "/servers",
        "/servers/active",
        "/servers/{serverName}/status",
        "/registered-services",
    }
