"""What commands that ask a node have in common: whom they ask, and what is typed."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sized
from typing import Any

from edgenode.cli.client import NodeClient, node_client, segment
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Output
from edgenode.cli.participation import tell_participation
from edgenode.cli.values import date_millis, type_named

Command = Callable[[Namespace, NodeClient, Output], None]
JsonObject = dict[str, Any]
AddCommand = Callable[[str, Command], ArgumentParser]


def adder(commands: Any, common: ArgumentParser) -> AddCommand:
    """Adds commands that speak with a node."""

    def command(name: str, perform: Command) -> ArgumentParser:
        parser: ArgumentParser = commands.add_parser(
            name, parents=[common], help=perform.__doc__, description=perform.__doc__
        )
        parser.set_defaults(
            perform=lambda arguments, output: perform(
                arguments, node_client(arguments), output
            )
        )
        return parser

    return command


def guid(text: str) -> str:
    """A GUID as it is typed."""
    if not text:
        raise ArgumentTypeError("a GUID is never empty")
    return text


def count(text: str) -> int:
    """A number of things that the API takes."""
    value = int(text)
    if not 0 <= value < 2**31:
        raise ArgumentTypeError("a number from 0 to 2147483647 is needed")
    return value


count.__name__ = "number"  # as argparse calls it in its errors
_COMMANDS = {
    "EntityDef": ("an entity type", "edgenode add {0}"),
    "RelationshipDef": ("a relationship type", "edgenode link {0} GUID1 GUID2"),
    "ClassificationDef": ("a classification", "edgenode classify GUID {0}"),
}


def type_of_class(client: NodeClient, name: str, wanted: str) -> JsonObject:
    """A type that is of the class a command is about."""
    type_def = type_named(client, name)
    if type_def["class"] != wanted:
        what, command = _COMMANDS[type_def["class"]]
        raise CommandError(
            ExitCode.USAGE, f"{name} is {what}", f"write {command.format(name)}"
        )
    return type_def


def ask(
    arguments: Namespace,
    client: NodeClient,
    method: str,
    path: str,
    body: object = None,
    query: Mapping[str, str] | None = None,
) -> Any:
    """Ask the server, or with ``--cohort`` all members of its cohort."""
    if not getattr(arguments, "cohort", False):
        return client.repository(method, path, body, query)
    try:
        return client.repository(method, f"/enterprise{path}", body, query)
    except CommandError as error:
        # It may be known to just those who had no part.
        tell_participation(client, error.answer)
        raise


def kind_of(arguments: Namespace, client: NodeClient, guid: str) -> str:
    """Whether a GUID is an entity or a relationship; ``entity`` where neither is known."""
    known = ask(arguments, client, "GET", path_of("entity", guid) + "/existence")
    if known.get("entity"):
        return "entity"
    path = path_of("relationship", guid) + "/existence"
    found = ask(arguments, client, "GET", path)
    return "relationship" if found.get("relationship") else "entity"


def path_of(kind: str, guid: str) -> str:
    """Where an entity or relationship is."""
    return f"/instances/{kind}/{segment(guid)}"


def moment(text: str) -> int:
    """Epoch milliseconds of a time as it is typed."""
    try:
        return date_millis(text)
    except ValueError as error:
        raise CommandError(
            ExitCode.USAGE,
            f"{text!r} is no time",
            "write it like 2026-11-21 or 2026-11-21T14:30",
        ) from error


def more_after(arguments: Namespace, found: Sized) -> str:
    """How to see the next page, where there may be one."""
    if not arguments.limit or len(found) < arguments.limit:
        return ""
    return f"there may be more: --offset {arguments.offset + arguments.limit}"


def federated(
    parser: ArgumentParser, about: str = "ask all members of the cohort"
) -> None:
    """Let the command be asked of the whole cohort."""
    parser.add_argument("--cohort", action="store_true", help=about)


def paged(parser: ArgumentParser) -> None:
    """Let the command show a part of what it finds."""
    parser.add_argument("--limit", type=count, default=50, help="0 for all")
    parser.add_argument("--offset", type=count, default=0)
