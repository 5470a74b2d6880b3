"""Commands about the other members of the cohort, which a running node knows."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from edgenode.cli.client import NodeClient, node_client, segment
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Output
from edgenode.codec.beans import iso_time
from edgenode.codec.json import loads
from edgenode.errors import BadRequestError

_BASE = "/edgenode/cohort/admin"
_SHOWN_ID = 8
"""How many digits of a node's id are shown: enough to tell a hundred nodes apart."""
_IS_ASKED = "is asked"
_REMOVED_STILL_HAS = {
    "keyed": "Whoever has its card or disk has the cohort's key, too. If it was stolen, "
    "shut it out for good with 'edgenode cohort rotate --overlap 0' and join each other "
    "machine again.",
    "open": "The cohort is open: the machine may join it again as another node.",
}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

JsonObject = dict[str, Any]


def members(arguments: Namespace, output: Output) -> None:
    """List the members of the cohort, how each of them is, and what is missing."""
    client = node_client(arguments)
    query = urlencode({"server": client.server})
    answer = asked(client, "GET", f"{_BASE}/members?{query}")
    if output.as_json:
        output.json(answer)
        return
    output.table(
        ("name", "node", "state", "lag", "skew", "version", "last seen", "trouble"),
        (_row(member) for member in answer["members"]),
        title=f"cohort {answer['cohort']} ({answer['tag']}), as {answer['server']} "
        "sees it",
    )
    if answer["mode"] == "open":
        output.line(
            "it is open: anybody on the network may join it, and read and change"
        )
    if away := answer.get("away"):
        output.line(f"{away['reason']}: {away['mend']}")
    for removed in answer["removed"]:
        output.line(
            f"node {_called(removed)} was removed by {removed['by'] or 'somebody'} at "
            f"{iso_time(removed['at'])}"
        )


class RunningCohort(NamedTuple):
    """The cohort that a node that runs is in."""

    name: str
    tag: str


def running_cohort(client: NodeClient) -> RunningCohort | None:
    """The cohort of the node that answers; None where there is none with a key."""
    try:
        answer = asked(client, "GET", f"{_BASE}/members")
    except CommandError:
        return None
    if answer.get("mode") != "keyed":
        return None
    return RunningCohort(answer["cohort"], answer["tag"])


def remove(arguments: Namespace, output: Output) -> None:
    """Remove a node from the cohort: nobody lets it in any more."""
    client = node_client(arguments)
    answer = _decided(client, "/remove", arguments.node)
    if output.as_json:
        output.json(answer)
        return
    if answer["isKnown"]:
        gone = ", ".join(answer["members"]) or "none"
        output.line(f"node {_called(answer)} is removed; its members: {gone}")
    else:
        output.line(
            f"no node {_called(answer)} is known here; it will not be let in: see that "
            "this is the id that was meant"
        )
    output.line(f"{_others(answer['toldNodes'])}; copies of its metadata stay")
    output.line(_REMOVED_STILL_HAS[answer["mode"]])


def readmit(arguments: Namespace, output: Output) -> None:
    """Let a node that was removed into the cohort again."""
    client = node_client(arguments)
    answer = _decided(client, "/readmit", arguments.node)
    if output.as_json:
        output.json(answer)
        return
    output.line(f"node {_called(answer)} may be in the cohort again")
    output.line(_others(answer["toldNodes"]))


def connect(arguments: Namespace, output: Output) -> None:
    """Bring a server back that was disconnected or unregistered from a cohort."""
    client = node_client(arguments)
    highway = "/metadata-highway"
    told = client.repository("GET", f"{highway}/cohort-descriptions")
    names = [cohort["cohortName"] for cohort in told.get("cohorts", ())]
    if arguments.cohort and arguments.cohort not in names:
        raise CommandError(
            ExitCode.REFUSED,
            f"server {client.server} is in no cohort {arguments.cohort}",
            f"name one of {', '.join(names)}",
        )
    cohorts = [arguments.cohort] if arguments.cohort else names
    for name in cohorts:
        client.repository("GET", f"{highway}/cohorts/{segment(name)}/connect")
    if output.as_json:
        output.json({"server": client.server, "cohorts": cohorts})
        return
    for name in cohorts:
        output.line(f"server {client.server} takes part in cohort {name}")


def _decided(client: NodeClient, path: str, node: str) -> JsonObject:
    return asked(client, "POST", _BASE + path, {"node": node, "by": client.user})


def asked(
    client: NodeClient,
    method: str,
    path: str,
    body: object = None,
    *,
    none: str = "in no cohort of nodes",
    mend: str = "see cohort.mode in its configuration; 'edgenode check-config' shows it",
) -> JsonObject:
    """What the node's services for its own machine answer.

    Args:
        client: Asks the node.
        method: Of HTTP.
        path: The service's.
        body: What is sent with it.
        none: Where the node is if it has no such services.
        mend: What helps there.

    Raises:
        CommandError: They refuse, or there are none.
    """
    status, text = client.fetch(method, path, body)
    try:
        answer = loads(text)
    except BadRequestError:
        answer = None
    told: JsonObject = answer if isinstance(answer, dict) else {}
    if status == 200:
        return told
    if told.get("message"):
        raise CommandError(ExitCode.REFUSED, told["message"], told.get("mend", ""))
    raise CommandError(
        ExitCode.REFUSED, f"the node at {client.url} is {none} (HTTP {status})", mend
    )


def _row(member: JsonObject) -> tuple[str, ...]:
    skew = member.get("skew")
    seen = member.get("lastSeen")
    return (
        member["name"],
        _node(member),
        member["state"],
        str(member.get("lag", "")),
        "" if skew is None else f"{skew:+.1f} s",
        member["version"],
        # Who is alive needn't say anything: that its connection stands is enough.
        "" if seen is None or member["state"] == "alive" else _ago(seen),
        _trouble(member),
    )


def _node(told: JsonObject) -> str:
    short = told["nodeId"][:_SHOWN_ID]
    return f"{told['node']} ({short})" if told["node"] else short


def _called(told: JsonObject) -> str:
    """A node by its whole id, and by its name as long as that is known."""
    name = told.get("node")
    return f"{name} ({told['nodeId']})" if name else str(told["nodeId"])


def _trouble(member: JsonObject) -> str:
    queries = member.get("queries", {})
    found = []
    if refusal := member.get("refusal"):
        found.append(f"{refusal['reason']}; {refusal['mend']}")
    if copy := member.get("copy"):
        found.append(f"{copy['reason']}; {copy['mend']}")
    if clock := member.get("clock"):
        found.append(f"{clock['reason']}; {clock['mend']}")
    if member.get("trouble"):
        found.append(member["trouble"])
    if member.get("isComparing"):
        found.append("what is held of it is to be compared")
    if queries.get("state", _IS_ASKED) != _IS_ASKED:
        found.append(f"{queries['state']}: {queries['reason']}")
    return "; ".join(found)


def _ago(seconds: float) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _others(count: int) -> str:
    if not count:
        return "there is no other node but that one to be told"
    return f"{count} other node{'s are' if count > 1 else ' is'} being told"


def add_action(
    actions: Any, common: ArgumentParser, perform: Callable[[Namespace, Output], None]
) -> ArgumentParser:
    """Add a command below ``edgenode cohort``, named and explained as its function is."""
    parser: ArgumentParser = actions.add_parser(
        perform.__name__,
        parents=[common],
        help=perform.__doc__,
        description=perform.__doc__,
    )
    parser.set_defaults(perform=perform)
    return parser


def add_actions(actions: Any, common: ArgumentParser) -> None:
    """Add these commands below ``edgenode cohort``."""
    for perform in (members, remove, readmit, connect):
        parser = add_action(actions, common, perform)
        if perform is connect:
            parser.add_argument(
                "--cohort", metavar="NAME", help="which one; all of them by default"
            )
        if perform in (remove, readmit):
            parser.add_argument(
                "node",
                metavar="NODE",
                help="its id, the beginning of that, or a name"
                if perform is remove
                else "its id, the beginning of that, or its name as 'edgenode cohort "
                "members' shows it; a node that was started since knows the id alone",
            )
