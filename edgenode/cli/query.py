"""Commands that ask a running node."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

from edgenode.cli.asking import (
    JsonObject,
    adder,
    ask,
    count,
    federated,
    guid,
    kind_of,
    moment,
    more_after,
    paged,
    path_of,
)
from edgenode.cli.client import NodeClient, segment
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Output, name_of
from edgenode.cli.participation import copies_in, tell_participation
from edgenode.cli.values import attributes_of, instance_properties, type_named
from edgenode.codec.json import loads
from edgenode.errors import BadRequestError


def status(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """Show the node's servers and whether they can work."""
    _, text = client.fetch("GET", "/health/ready")
    ready = _decoded(client, text)
    platform = (
        f"/open-metadata/platform-services/users/{segment(client.user)}/server-platform"
    )
    names = list(ready["servers"])
    if arguments.server:
        if arguments.server not in names:
            raise CommandError(
                ExitCode.REFUSED,
                f"{client.url} has no server {arguments.server}",
                f"name one of {', '.join(names)}",
            )
        names = [arguments.server]
    servers = {
        name: client.call("GET", f"{platform}/servers/{segment(name)}/status")
        for name in names
    }
    if output.as_json:
        output.json({"ready": ready, "servers": servers})
    else:
        output.line(f"{client.url}: {ready.get('status')}")
        if cohort := ready.get("cohort"):
            _tell_cohort(cohort, output)
        if platforms := ready.get("kafkaCohort"):
            _tell_platforms(platforms, output)
        for name, answer in servers.items():
            output.line(
                f"\n{name} ({answer['serverType']}), up since {answer['serverStartTime']}"
            )
            checks = ready["servers"][name]
            output.table(
                ("check", "", "detail"),
                (
                    (
                        check["check"],
                        "ok" if check["ok"] else "NOT WELL",
                        check["detail"]
                        + (f" - mend: {check['mend']}" if check["mend"] else ""),
                    )
                    for check in checks
                ),
            )
    if ready.get("status") != "ready":
        raise CommandError(
            ExitCode.UNWELL, "the node isn't ready", "see what 'edgenode status' shows"
        )
    if is_refused_by_all(ready):
        raise CommandError(
            ExitCode.UNWELL,
            "no other node of its cohort speaks with this one",
            "see what 'edgenode status' shows",
        )


def is_refused_by_all(ready: Mapping[str, Any]) -> bool:
    """Whether others refuse a node, and none is there that doesn't."""
    cohort = ready.get("cohort")
    if not isinstance(cohort, dict):
        return False
    return bool(cohort.get("refusals")) and not cohort["members"]["alive"]


def refusal_line(refusal: JsonObject) -> str:
    """Why some nodes won't speak with this one."""
    nodes = refusal["nodes"]
    who = "1 node refuses" if nodes == 1 else f"{nodes} nodes refuse"
    return f"{who} to speak with this one: {refusal['reason']}"


def away_line(away: JsonObject) -> str:
    """Which server takes no part in the cohort."""
    return f"server {away['server']}: {away['reason']}"


def node_line(told: JsonObject) -> str:
    """What is wrong with a node."""
    name = f"{told['node']} ({told['nodeId']})" if told["node"] else told["nodeId"]
    return f"node {name}: {told['reason']}"


def _tell_cohort(cohort: JsonObject, output: Output) -> None:
    """Say how the node stands in its cohort, and what is wrong there."""
    output.line(_cohort_line(cohort))
    for each in cohort.get("away", ()):
        output.line(f"{away_line(each)}\n  mend: {each['mend']}")
    for each in cohort.get("refusals", ()):
        output.line(f"{refusal_line(each)}\n  mend: {each['mend']}")
    for each in (*cohort.get("copies", ()), *cohort.get("clocks", ())):
        output.line(f"{node_line(each)}\n  mend: {each['mend']}")


def _tell_platforms(cohort: JsonObject, output: Output) -> None:
    """Say how the node stands in its cohort of platforms, and what is wrong there."""
    output.line(platforms_line(cohort))
    for each in cohort["troubles"]:
        output.line(f"{away_line(each)}\n  mend: {each['mend']}")


def platforms_line(cohort: Mapping[str, Any]) -> str:
    """How the node stands in its cohort of platforms."""
    members = cohort["members"]
    return (
        f"cohort {cohort['name']} of platforms: {members} other "
        f"member{'' if members == 1 else 's'}; "
        f"at most {cohort['worstLag']} records behind, {cohort['backlog']} events to send"
    )


def _cohort_line(cohort: JsonObject) -> str:
    """How the node stands in its cohort; a lost member is no fault of the node."""
    states = cohort["members"]
    others = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    kind = " (open: anybody may join)" if cohort["mode"] == "open" else ""
    links = cohort["busLinks"]
    return (
        f"cohort {cohort['name']}{kind}: other members: {others or 'none'}; "
        f"at most {cohort['worstLag']} events behind; "
        f"{links} bus link{'' if links == 1 else 's'}"
    )


def _decoded(client: NodeClient, text: bytes) -> JsonObject:
    try:
        answer = loads(text)
    except BadRequestError:
        answer = None
    if not isinstance(answer, dict) or "servers" not in answer:
        raise CommandError(
            ExitCode.UNREACHABLE,
            f"{client.url} answers, but is no edgenode",
            "check --url",
        )
    return answer


def types(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """List the types, or show one."""
    if arguments.name and arguments.search:
        raise CommandError(
            ExitCode.USAGE,
            "--search is for a list of types",
            "leave it out, or the name",
        )
    if arguments.name:
        _one_type(arguments.name, client, output)
        return
    answer = client.repository("GET", "/types/all")
    wanted = (arguments.search or "").lower()
    if wanted:
        for key in ("typeDefs", "attributeTypeDefs"):
            answer[key] = [
                each for each in answer.get(key, ()) if wanted in each["name"].lower()
            ]
    if output.as_json:
        output.json(answer)
        return
    rows = sorted(
        (
            type_def["category"].removesuffix("_DEF").lower(),
            type_def["name"],
            type_def.get("superType", {}).get("name", ""),
            str(type_def["version"]),
            type_def["guid"],
        )
        for type_def in answer.get("typeDefs", ())
    )
    output.table(("category", "name", "supertype", "version", "guid"), rows)
    output.line(f"{len(rows)} types")


def _one_type(name: str, client: NodeClient, output: Output) -> None:
    if output.as_json:
        output.json(client.repository("GET", f"/types/typedef/name/{segment(name)}"))
        return
    type_def = type_named(client, name)
    super_type = type_def.get("superType", {}).get("name", "none")
    output.line(
        f"{type_def['name']} ({type_def['class']} version {type_def['version']}), "
        f"supertype {super_type}, guid {type_def['guid']}"
    )
    if type_def.get("description"):
        output.line(type_def["description"])
    for end in ("endDef1", "endDef2"):
        if end in type_def:
            entity = type_def[end]["entityType"]["name"]
            output.line(
                f"{end}: {entity} as {type_def[end]['attributeName']}, "
                f"{type_def[end]['attributeCardinality']}"
            )
    for link in type_def.get("validEntityDefs", ()):
        output.line(f"for {link['name']}")
    output.table(
        ("attribute", "type", "unique", "description"),
        (
            (
                attribute["attributeName"],
                attribute["attributeType"]["name"],
                "yes" if attribute["unique"] else "",
                attribute.get("attributeDescription", ""),
            )
            for attribute in attributes_of(client, name).values()
        ),
    )


def find(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """Search entities, or relationships: those of a relationship type, or all."""
    type_def = type_named(client, arguments.type) if arguments.type else {}
    if type_def.get("class") == "ClassificationDef":
        raise CommandError(
            ExitCode.USAGE,
            f"{arguments.type} is a classification",
            f"write edgenode find --classification {arguments.type}",
        )
    if arguments.relationships and type_def.get("class") == "EntityDef":
        raise CommandError(
            ExitCode.USAGE,
            f"{arguments.type} is an entity type",
            "leave --relationships out, or name a relationship type",
        )
    kind = "entities"
    if arguments.relationships or type_def.get("class") == "RelationshipDef":
        kind = "relationships"
    body: JsonObject = {
        "offset": arguments.offset,
        "pageSize": arguments.limit,
        "sequencingOrder": arguments.order.upper().replace("-", "_"),
    }
    if arguments.sort:
        body["sequencingProperty"] = arguments.sort
        if arguments.order == "any":
            body["sequencingOrder"] = "PROPERTY_ASCENDING"
    if type_def:
        body["typeGUID"] = type_def["guid"]
    if arguments.status:
        body["limitResultsByStatus"] = [
            name.upper() for name in arguments.status.split(",")
        ]
    historical = ""
    if arguments.as_of:
        body["asOfTime"] = moment(arguments.as_of)
        historical = "/history"
    answer = _search(arguments, client, kind, body, historical)
    if output.as_json:
        output.json(answer)
    else:
        found = answer.get(kind, [])
        output.instances(found, more_after(arguments, found), copies_in(answer))
    tell_participation(client, answer)


def _search(
    arguments: Namespace,
    client: NodeClient,
    kind: str,
    body: JsonObject,
    historical: str,
) -> Any:
    past = "Historical" if historical else ""
    entities = kind == "entities"
    if arguments.classification:
        if not entities:
            raise CommandError(
                ExitCode.USAGE,
                "relationships have no classifications",
                "look for entities, or leave --classification out",
            )
        type_named(client, arguments.classification)  # or it says that there is none
        body["class"] = f"PropertyMatch{past}FindRequest"
        path = (
            f"/instances/entities/by-classification/{segment(arguments.classification)}"
        )
        return ask(arguments, client, "POST", path + historical, body)
    if arguments.where:
        if not arguments.type:
            raise CommandError(
                ExitCode.USAGE,
                "--where needs the type whose properties are meant",
                "write edgenode find TYPE --where name=value",
            )
        attributes = attributes_of(client, arguments.type)
        properties = instance_properties(attributes, arguments.where) or {}
        body["class"] = ("EntityProperty" if entities else "PropertyMatch") + (
            f"{past}FindRequest"
        )
        body["matchCriteria"] = "ALL"
        body["matchProperties"] = _quoted(properties)
        path = f"/instances/{kind}/by-property{historical}"
        return ask(arguments, client, "POST", path, body)
    body["class"] = ("EntityProperty" if entities else "TypeLimited") + (
        f"{past}FindRequest"
    )
    if not arguments.text:
        body["class"] = ("Entity" if entities else "Instance") + f"{past}FindRequest"
        return ask(arguments, client, "POST", f"/instances/{kind}{historical}", body)
    flags = "is" if arguments.ignore_case else "s"  # texts may have several lines
    query = {"searchCriteria": f"(?{flags}).*{quoted_literal(arguments.text)}.*"}
    path = f"/instances/{kind}/by-property-value{historical}"
    return ask(arguments, client, "POST", path, body, query)


def quoted_literal(text: str) -> str:
    """A text as the search patterns of the API quote it."""
    return "\\Q" + text.replace("\\E", "\\E\\\\E\\Q") + "\\E"


def _quoted(properties: JsonObject) -> JsonObject:
    """Example properties whose strings are meant literally, not as patterns."""
    for value in properties["instanceProperties"].values():
        if value.get("primitiveDefCategory") == "OM_PRIMITIVE_TYPE_STRING":
            value["primitiveValue"] = quoted_literal(value["primitiveValue"])
    return properties


def get(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """Show one entity or relationship."""
    kind = kind_of(arguments, client, arguments.guid)
    path = path_of(kind, arguments.guid)
    if arguments.as_of:
        body = {"class": "HistoryRequest", "asOfTime": moment(arguments.as_of)}
        try:
            answer = ask(arguments, client, "POST", path + "/history", body)
        except CommandError as error:
            # Genuine servers take what didn't exist for what they know too little of.
            if "OMRS-REPOSITORY-400-051" not in error.message:
                raise
            raise CommandError(
                error.code,
                f"{arguments.guid} was not known here at that time, or by a proxy only",
                "'edgenode history' lists its versions",
            ) from error
    else:
        answer = ask(arguments, client, "GET", path)
    if output.as_json:
        output.json(answer)
        tell_participation(client, answer)
        return
    output.instance(answer[kind])
    if kind == "entity" and not arguments.as_of:
        body = {"class": "TypeLimitedFindRequest", "pageSize": arguments.limit}
        at = ask(arguments, client, "POST", path + "/relationships", body)
        found = at.get("relationships", [])
        output.line("\nrelationships")
        more = "there may be more: --limit 0" if len(found) == arguments.limit else ""
        output.instances(found, more, copies_in(at))
        answer["edgenode"] = _noted(answer, at)
    tell_participation(client, answer)


def _noted(*answers: JsonObject) -> JsonObject:
    """What several answers lack, taken together."""
    notes = [answer.get("edgenode", {}) for answer in answers]
    keys = {"missingMembers": "metadataCollectionId", "copies": "guid"}
    return {
        name: list(
            {each[key]: each for n in notes for each in n.get(name, ())}.values()
        )
        for name, key in keys.items()
    }


def history(arguments: Namespace, client: NodeClient, output: Output) -> None:
    """List the versions of an entity or relationship."""
    kind = kind_of(arguments, client, arguments.guid)
    body = {
        "class": "HistoryRangeRequest",
        "offset": arguments.offset,
        "pageSize": arguments.limit,
        "sequencingOrder": "FORWARDS" if arguments.oldest_first else "BACKWARDS",
    }
    if arguments.cohort:
        # Only the home has all versions; it is the node that asks it.
        base = (
            f"/edgenode/servers/{segment(client.server)}/users/{segment(client.user)}"
        )
        path = f"{base}/cohort{path_of(kind, arguments.guid)}/history/all"
        answer = client.call("POST", path, body)
    else:
        path = path_of(kind, arguments.guid) + "/history/all"
        answer = client.repository("POST", path, body)
    if output.as_json:
        output.json(answer)
        tell_participation(client, answer)
        return
    versions = answer.get("entities") or answer.get("relationships") or []
    output.table(
        ("version", "time", "user", "status", "name"),
        (
            (
                str(version["version"]),
                version.get("updateTime") or version.get("createTime", ""),
                version.get("updatedBy") or version.get("createdBy", ""),
                version.get("status", ""),
                name_of(version),
            )
            for version in versions
        ),
    )
    if more := more_after(arguments, versions):
        output.line(more)
    tell_participation(client, answer)


def add_commands(commands: Any, common: ArgumentParser) -> None:
    """Add these commands to the parser."""
    command = adder(commands, common)
    command("status", status)
    parser = command("types", types)
    parser.add_argument("name", nargs="?", help="one type, with all its attributes")
    parser.add_argument("--search", metavar="TEXT", help="types whose name has TEXT")
    parser = command("find", find)
    parser.add_argument("type", nargs="?", help="type name; its subtypes are included")
    by = parser.add_mutually_exclusive_group()
    by.add_argument("--text", help="text that some property contains")
    by.add_argument(
        "--where", action="append", metavar="NAME=VALUE", help="property equals value"
    )
    by.add_argument("--classification", metavar="NAME", help="entities that have it")
    parser.add_argument("--ignore-case", action="store_true", help="for --text")
    parser.add_argument("--status", metavar="STATUS,...", help="such as DELETED")
    parser.add_argument("--relationships", action="store_true")
    parser.add_argument("--as-of", metavar="TIME", help="what was found at that time")
    parser.add_argument("--sort", metavar="PROPERTY")
    parser.add_argument(
        "--order",
        default="any",
        choices=(
            "any",
            "guid",
            "creation-date-recent",
            "creation-date-oldest",
            "last-update-recent",
            "last-update-oldest",
            "property-ascending",
            "property-descending",
        ),
    )
    paged(parser)
    federated(parser)
    parser = command("get", get)
    parser.add_argument("guid", type=guid)
    parser.add_argument("--as-of", metavar="TIME", help="as it was at that time")
    parser.add_argument("--limit", type=count, default=20, help="relationships shown")
    federated(parser)
    parser = command("history", history)
    parser.add_argument("guid", type=guid)
    parser.add_argument("--oldest-first", action="store_true")
    paged(parser)
    federated(parser, "ask the home of it, which has all versions")
