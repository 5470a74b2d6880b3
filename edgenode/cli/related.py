"""The command that walks the graph from one entity."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any

from edgenode.cli.asking import (
    JsonObject,
    adder,
    ask,
    count,
    federated,
    guid,
    moment,
    more_after,
    paged,
    type_of_class,
)
from edgenode.cli.client import NodeClient, segment
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Output
from edgenode.cli.participation import copies_in, tell_participation


def related(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """List the entities that can be reached from one, or those up to some levels away."""
    is_near = arguments.levels is not None or arguments.link
    answer = (_near if is_near else _reachable)(arguments, client)
    if output.as_json:
        output.json(answer)
    else:
        copies = copies_in(answer)
        entities = answer.get("entities", [])
        more = more_after(arguments, entities)
        if is_near:
            entities, more = answer.get("entityElementList", []), ""
        others = [each for each in entities if each["guid"] != arguments.guid]
        output.instances(others, more, copies)
        if links := answer.get("relationshipElementList"):
            output.line("\nrelationships")
            output.instances(links, "", copies)
    tell_participation(client, answer)


def _reachable(arguments: Namespace, client: NodeClient) -> Any:
    """The entities that are related in any way, over any number of others."""
    body = _wanted(arguments, client, "RelatedEntities")
    body |= {"offset": arguments.offset, "pageSize": arguments.limit}
    return ask(arguments, client, "POST", _path(arguments, "by-relationship"), body)


def _near(arguments: Namespace, client: NodeClient) -> Any:
    """The neighbourhood: entities, and the relationships between them."""
    if arguments.offset:
        raise CommandError(
            ExitCode.USAGE,
            "a neighbourhood has no pages",
            "leave --offset out, or --levels and --link",
        )
    body = _wanted(arguments, client, "EntityNeighborhood")
    if arguments.link:
        guids = _guids_of(client, arguments.link, "RelationshipDef")
        body["relationshipTypeGUIDs"] = guids
    level = 1 if arguments.levels is None else arguments.levels
    path = _path(arguments, "by-neighborhood")
    return ask(arguments, client, "POST", path, body, {"level": str(level)})


def _wanted(arguments: Namespace, client: NodeClient, name: str) -> JsonObject:
    """The body of a request, with what both kinds of it have."""
    past = "Historical" if arguments.as_of else ""
    body: JsonObject = {"class": f"{name}{past}FindRequest"}
    if arguments.as_of:
        body["asOfTime"] = moment(arguments.as_of)
    if arguments.type:
        body["entityTypeGUIDs"] = _guids_of(client, arguments.type, "EntityDef")
    if arguments.status:
        names = arguments.status.upper().split(",")
        body["limitResultsByStatus"] = names
    return body


def _path(arguments: Namespace, what: str) -> str:
    history = "/history" if arguments.as_of else ""
    return f"/instances/entities/from-entity/{segment(arguments.guid)}/{what}{history}"


def _guids_of(client: NodeClient, names: Sequence[str], wanted: str) -> list[str]:
    return [type_of_class(client, name, wanted)["guid"] for name in names]


def add_commands(commands: Any, common: ArgumentParser) -> None:
    """Add these commands to the parser."""
    command = adder(commands, common)
    parser = command("related", related)
    parser.add_argument("guid", type=guid)
    parser.add_argument(
        "--type", action="append", metavar="NAME", help="entities of this type alone"
    )
    parser.add_argument(
        "--link",
        action="append",
        metavar="NAME",
        help="over relationships of this type",
    )
    parser.add_argument(
        "--levels", type=count, help="how many relationships away at most"
    )
    parser.add_argument("--status", metavar="STATUS,...", help="such as DELETED")
    parser.add_argument("--as-of", metavar="TIME", help="what was related at that time")
    paged(parser)
    federated(parser)
