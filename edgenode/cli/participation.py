"""Says on standard error what an answer of the whole cohort lacks."""

from collections.abc import Mapping
from typing import Any

from edgenode.cli.client import NodeClient, segment
from edgenode.cli.outcome import CommandError
from edgenode.cli.output import warn

NAMED = 10
"""How many are named before the rest is counted."""

JsonObject = Mapping[str, Any]


def copies_in(answer: JsonObject) -> frozenset[str]:
    """The instances of an answer that are copies, because their home had no part."""
    return frozenset(
        each["guid"] for each in answer.get("edgenode", {}).get("copies", ())
    )


def tell_participation(client: NodeClient, answer: JsonObject) -> None:
    """Say which members had no part in an answer and why, and what are copies."""
    note = answer.get("edgenode", {})
    if alone := note.get("alone"):
        warn(f"from this server alone: {alone}")
    missing, copies = note.get("missingMembers", []), note.get("copies", [])
    if not missing and not copies:
        return
    names = _names(client)
    for member in missing[:NAMED]:
        name = _named(names, member["metadataCollectionId"])
        warn(f"without {name}: {member['reason']}")
    if len(missing) > NAMED:
        warn(f"without {len(missing) - NAMED} more members")
    homes: dict[str, int] = {}
    for copy in copies:
        home = copy["metadataCollectionId"]
        homes[home] = homes.get(home, 0) + 1
    for home, count in homes.items():
        what = "1 instance is a copy" if count == 1 else f"{count} instances are copies"
        warn(f"{what} of what was known of {_named(names, home)}")


def _named(names: Mapping[str, str], collection_id: str) -> str:
    name = names.get(collection_id)
    return f"{name} ({collection_id})" if name else collection_id


def name_of(member: Mapping[str, Any]) -> str:
    """What a member is called; nothing where its registration doesn't say."""
    return member.get("serverName") or member.get("metadataCollectionName") or ""


def _names(client: NodeClient) -> dict[str, str]:
    """What the members are called, by collection id; nothing where that isn't told."""
    highway = "/metadata-highway"
    names = {}
    try:
        described = client.repository("GET", f"{highway}/cohort-descriptions")
        for cohort in described.get("cohorts", ()):
            path = f"{highway}/cohorts/{segment(cohort['cohortName'])}/remote-members"
            for member in client.repository("GET", path).get("cohortMembers", ()):
                names[member["metadataCollectionId"]] = name_of(member)
    except CommandError:  # the answer itself matters more
        return {}
    return names
