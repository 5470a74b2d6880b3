"""Commands about the cohort of platforms that a running node is in."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from edgenode.cli.client import node_client
from edgenode.cli.members import JsonObject, add_action, asked
from edgenode.cli.output import Output
from edgenode.codec.beans import iso_time

_BASE = "/edgenode/kafka-cohort/admin"
_NO_COHORT = {
    "none": "in no cohort of platforms",
    "mend": "see the table [kafka_cohort] in its configuration",
}
_SPOKEN_FOR = "told of by this server"
_NAMED_TYPES = 5
_NOTHING_TO_ASK = "offers no repository"
_NOT_ASKED = "isn't asked"


def platforms(arguments: Namespace, output: Output) -> None:
    """List the members of the cohort of platforms, how each of them is, and its topics."""
    client = node_client(arguments)
    path = f"{_BASE}/platforms?{urlencode({'server': client.server})}"
    answer = asked(client, "GET", path, **_NO_COHORT)
    if output.as_json:
        output.json(answer)
        return
    output.table(
        ("name", "collection", "organization", "address", "registered", "state",
         "answered", "failed", "median", "trouble"),
        (
            *map(_member_row, answer["members"]),
            *map(_spoken_for_row, answer["spokenFor"]),
        ),
        title=f"cohort {answer['cohort']} of platforms, as {answer['server']} sees it",
    )  # fmt: skip
    for line in _lines(answer):
        output.line(line)


def forget(arguments: Namespace, output: Output) -> None:
    """Forget a member of the cohort of platforms that is gone for good."""
    client = node_client(arguments)
    body = {"member": arguments.member}
    answer = asked(client, "POST", f"{_BASE}/forget", body, **_NO_COHORT)
    if output.as_json:
        output.json(answer)
        return
    output.line(
        f"member {answer['name']} ({answer['metadataCollectionId']}) is forgotten here; "
        "copies of its metadata stay"
    )
    output.line("if it registers again, it is a member again")


def _member_row(member: JsonObject) -> tuple[str, ...]:
    queries = member.get("queries", {})
    state = queries.get("state", _NOT_ASKED if member["address"] else _NOTHING_TO_ASK)
    seconds = queries.get("medianSeconds") or 0.0
    return (
        *_who(member),
        _NOT_ASKED if member["fault"] else state,
        str(queries.get("answered", "")),
        str(queries.get("failed", "")),
        f"{seconds * 1000:.0f} ms" if seconds else "",
        member["fault"] or queries.get("reason", ""),
    )


def _spoken_for_row(member: JsonObject) -> tuple[str, ...]:
    return (*_who(member), _SPOKEN_FOR, "", "", "", "")


def _who(member: JsonObject) -> tuple[str, ...]:
    return (
        member["name"],
        str(member["metadataCollectionId"]),
        member["organizationName"] or "",
        member["address"] or "",
        _time(member["registeredSince"]),
    )


def _lines(answer: JsonObject) -> Iterable[str]:
    """What is to be said of the server itself, and of the topics."""
    if answer["registeredSince"]:
        yield f"{answer['server']} is registered since {_time(answer['registeredSince'])}"
    if trouble := answer["trouble"]:
        yield f"{trouble['reason']}\n  mend: {trouble['mend']}"
    topics = answer["topics"]
    if topics["connectedSince"]:
        yield (
            f"topics are read since {_time(topics['connectedSince'])}: "
            f"{topics['lag']} records to be read, {topics['backlog']} events to be sent"
        )
        if not answer["members"]:
            names = ", ".join(topics["names"])
            yield f"nobody else has registered; others have to use these topics: {names}"
    elif topics["backlog"]:
        yield f"{topics['backlog']} events wait to be sent"
    lost = {
        "dropped": "records were passed over",
        "expired": "records were gone before they were read",
        "refused": "events were refused by the brokers",
    }
    for name, what in lost.items():
        if topics[name]:
            yield f"{topics[name]} {what}; the audit log says which"
    yield from type_lines(answer["typeConflicts"])


def type_lines(conflicts: Sequence[JsonObject]) -> Iterable[str]:
    """Which types members have otherwise."""
    by_member: dict[str, list[str]] = {}
    for each in conflicts:
        member = each["name"] or each["metadataCollectionId"]
        by_member.setdefault(member, []).append(each["typeDefName"])
    for member, names in by_member.items():
        first, more = names[:_NAMED_TYPES], len(names) - _NAMED_TYPES
        rest = f" and {more} more; --json says why" if more > 0 else "; --json says why"
        yield f"{member} has types otherwise than this server: {', '.join(first)}{rest}"


def _time(millis: int | None) -> str:
    return "" if millis is None else iso_time(millis)


def add_actions(actions: Any, common: ArgumentParser) -> None:
    """Add these commands below ``edgenode cohort``."""
    add_action(actions, common, platforms)
    add_action(actions, common, forget).add_argument(
        "member",
        metavar="MEMBER",
        help="its metadata collection id, the beginning of that, or the name of its server",
    )
