"""Commands that change the metadata of a running node."""

from argparse import ArgumentParser, Namespace
from typing import Any

from edgenode.cli.asking import (
    JsonObject,
    adder,
    guid,
    kind_of,
    path_of,
    type_of_class,
)
from edgenode.cli.client import NodeClient, segment
from edgenode.cli.output import Output
from edgenode.cli.values import attributes_of, instance_properties


def add(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """Add an entity."""
    type_def = type_of_class(client, arguments.type, "EntityDef")
    body = {
        "class": "EntityCreateRequest",
        "entityTypeGUID": type_def["guid"],
        "initialProperties": instance_properties(
            attributes_of(client, arguments.type), arguments.properties
        ),
        "initialStatus": arguments.status,
    }
    _changed(client.repository("POST", "/instances/entity", body), "entity", output)


def link(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """Add a relationship between two entities."""
    type_def = type_of_class(client, arguments.type, "RelationshipDef")
    body = {
        "class": "RelationshipCreateRequest",
        "relationshipTypeGUID": type_def["guid"],
        "entityOneGUID": arguments.end1,
        "entityTwoGUID": arguments.end2,
        "initialProperties": instance_properties(
            attributes_of(client, arguments.type), arguments.properties
        ),
    }
    answer = client.repository("POST", "/instances/relationship", body)
    _changed(answer, "relationship", output)


def classify(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """Give an entity a classification."""
    type_of_class(client, arguments.classification, "ClassificationDef")
    body = {
        "class": "InstancePropertiesRequest",
        "instanceProperties": instance_properties(
            attributes_of(client, arguments.classification), arguments.properties
        ),
    }
    path = path_of("entity", arguments.guid)
    path += f"/classification/{segment(arguments.classification)}"
    _changed(client.repository("POST", path, body), "entity", output)


def delete(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """Delete an entity or relationship; with --purge for good."""
    kind = kind_of(arguments, client, arguments.guid)
    path = path_of(kind, arguments.guid)
    known = client.repository("GET", path + "/existence").get(kind)
    if known is None:
        client.repository("GET", path)  # answers why it isn't there
        return
    body = {
        "class": "TypeDefValidationForRequest",
        "typeDefGUID": known["type"]["typeDefGUID"],
        "typeDefName": known["type"]["typeDefName"],
    }
    answer = {kind: known}
    if known["status"] != "DELETED":
        answer = client.repository("POST", path + "/delete", body)
    if arguments.purge:
        answer = client.repository("POST", path + "/purge", body)
    if output.as_json:
        output.json(answer)
    else:
        done = "purged" if arguments.purge else "deleted; it can be restored"
        output.line(f"{arguments.guid} {done}")


def _changed(answer: JsonObject, kind: str, output: Output) -> None:
    if output.as_json:
        output.json(answer)
    else:
        output.line(answer[kind]["guid"])


def add_commands(commands: Any, common: ArgumentParser) -> None:
    """Add these commands to the parser."""
    command = adder(commands, common)
    parser = command("add", add)
    parser.add_argument("type")
    parser.add_argument("properties", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--status", type=str.upper)
    parser = command("link", link)
    parser.add_argument("type")
    parser.add_argument("end1", type=guid, metavar="GUID1")
    parser.add_argument("end2", type=guid, metavar="GUID2")
    parser.add_argument("properties", nargs="*", metavar="NAME=VALUE")
    parser = command("classify", classify)
    parser.add_argument("guid", type=guid)
    parser.add_argument("classification")
    parser.add_argument("properties", nargs="*", metavar="NAME=VALUE")
    parser = command("delete", delete)
    parser.add_argument("guid", type=guid)
    parser.add_argument("--purge", action="store_true", help="for good, with history")
