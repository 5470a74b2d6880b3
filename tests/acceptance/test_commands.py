"""Every command against a real node, in a process of its own."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from edgenode import __version__
from edgenode.cli.main import main
from edgenode.cli.outcome import ExitCode
from tests.acceptance.commands import (
    SERVER,
    Ended,
    RunningNode,
    environment,
    run,
    running,
    started,
    until,
)
from tests.unit.repository.samples import copy_as_after_a_crash

Edgenode = Callable[..., Ended]

NOWHERE = "http://127.0.0.1:1"
ARCHIVE_GUID = "6d1c3e6e-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with running(tmp_path_factory.mktemp("node") / "data") as one:
        yield one


@pytest.fixture
def edgenode(
    node: RunningNode,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Edgenode:
    """Runs a command against the node, in this process."""
    return in_process(node.environment, monkeypatch, capsys)


def in_process(
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Edgenode:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def edgenode(*arguments: object) -> Ended:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit_:  # argparse's way out
            code = int(str(exit_.code))
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return edgenode


def new(edgenode: Edgenode, *arguments: object) -> str:
    """Add something and give its GUID."""
    ended = edgenode(*arguments)
    assert ended.code == 0, ended.err
    return ended.out.strip()


def told(ended: Ended, code: ExitCode, what: str, mend: str) -> None:
    """A command ended with this code, and said what is wrong and what to do."""
    assert ended.code == code, (ended.out, ended.err)
    complaint, mending = ended.err.strip().splitlines()
    assert complaint.startswith("edgenode: ")
    assert what in complaint
    assert mending.startswith("  mend: ")
    assert mend in mending


def archive_of(path: Path, entities: int) -> Path:
    """An archive with a new type, and so many entities of it, each linked to the next."""
    template = {"class": "EntityDef", "category": "ENTITY_DEF", "version": 1}
    type_def = template | {
        "guid": "6d1c3e6e-0000-4000-8000-000000000002",
        "name": "GardenBed",
        "superType": {
            "guid": "a32316b8-dc8c-48c5-b12b-71c1b2a080bf",
            "name": "Referenceable",
        },
        "initialStatus": "ACTIVE",
        "validInstanceStatusList": ["ACTIVE", "DELETED"],
        "propertiesDefinition": [],
    }

    def of_type(guid: str, name: str, category: str) -> dict[str, object]:
        return {
            "class": "InstanceType",
            "typeDefGUID": guid,
            "typeDefName": name,
            "typeDefVersion": 1,
            "typeDefCategory": category,
        }

    def name(number: int) -> dict[str, Any]:
        value = {
            "class": "PrimitivePropertyValue",
            "primitiveDefCategory": "OM_PRIMITIVE_TYPE_STRING",
            "primitiveValue": f"bed {number}",
        }
        return {
            "class": "InstanceProperties",
            "instanceProperties": {"qualifiedName": value},
        }

    def entity(number: int) -> dict[str, Any]:
        guid, type_name = str(type_def["guid"]), str(type_def["name"])
        return {
            "class": "EntityDetail",
            "guid": f"bed-{number}",
            "type": of_type(guid, type_name, "ENTITY_DEF"),
            "status": "ACTIVE",
            "version": 1,
            "properties": name(number),
        }

    content = {
        "class": "OpenMetadataArchive",
        "archiveProperties": {
            "class": "OpenMetadataArchiveProperties",
            "archiveGUID": ARCHIVE_GUID,
            "archiveName": "garden",
            "archiveVersion": "7",
            "archiveType": "CONTENT_PACK",
            "originatorName": "gardener",
            "creationDate": 1_600_000_000_000,
        },
        "archiveTypeStore": {"newTypeDefs": [type_def]},
        "archiveInstanceStore": {"entities": [entity(n) for n in range(entities)]},
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


# Starting


def test_the_second_start_names_the_first(node: RunningNode) -> None:
    ended = run(["run"], environment(node.data, "127.0.0.1:0"))
    assert ended.code == ExitCode.ALREADY_RUNNING
    assert f"in use by process {node.process.pid}" in ended.err


def test_a_port_that_is_taken_is_told(node: RunningNode, tmp_path: Path) -> None:
    listen = node.environment["EDGENODE_LISTEN"]
    ended = run(["run"], environment(tmp_path, listen))
    assert ended.code == ExitCode.REFUSED
    assert f"can't listen on {listen}" in ended.err
    assert "mend: stop what uses the port" in ended.err
    assert "has started" not in ended.err


def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
    ended = run(["run"], environment(tmp_path, "192.0.2.1:9443"))
    assert ended.code == ExitCode.REFUSED
    assert "can't listen on 192.0.2.1:9443" in ended.err
    assert "mend: set listen to an address of this machine" in ended.err


def test_a_data_directory_that_cannot_be_is_told(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    ended = run(["run"], environment(taken / "data", "127.0.0.1:0"))
    told(ended, ExitCode.REFUSED, str(taken), "data_directory")


def test_people_are_told_what_to_try(tmp_path: Path) -> None:
    with started(["run"], environment(tmp_path / "data", "127.0.0.1:0")) as process:
        try:
            lines = until(process, b"Stop it with Ctrl-C.\n").decode().splitlines()
        finally:
            process.terminate()
            process.communicate(timeout=30)
    assert lines[0].startswith(f"edgenode serves {SERVER} at http://127.0.0.1:")
    assert any(f"edgenode find Glossary --url {lines[0].split()[-1]}" in line
               for line in lines)  # fmt: skip
    assert process.returncode == ExitCode.OK


def test_check_config_shows_what_holds(edgenode: Edgenode, node: RunningNode) -> None:
    ended = edgenode("check-config")
    assert ended.code == 0
    assert ["data_directory", str(node.data)] in ended.words
    settings = edgenode("check-config", "--json").json
    assert settings["ok"]
    assert settings["settings"]["data_directory"] == str(node.data)


def test_check_config_names_line_and_mend(edgenode: Edgenode, tmp_path: Path) -> None:
    path = tmp_path / "edgenode.toml"
    path.write_text('[node]\nlog_level = "loud"\n', encoding="utf-8")
    ended = edgenode("check-config", "--config", path)
    assert ended.code == ExitCode.CONFIGURATION
    assert f"{path}:2: 'loud' " in ended.err
    assert "Mend: use debug" in ended.err
    ended = edgenode("check-config", "--config", path, "--json")
    assert ended.code == ExitCode.CONFIGURATION
    (mistake,) = ended.json["mistakes"]
    assert mistake["where"] == f"{path}:2"


def test_a_wrong_configuration_stops_every_command(
    edgenode: Edgenode, tmp_path: Path
) -> None:
    for command in (["status"], ["backup"], ["doctor"], ["archive", "load", "x"]):
        ended = edgenode(*command, "--config", tmp_path / "nothing.toml")
        assert ended.code == ExitCode.CONFIGURATION
        assert "nothing.toml: can't be read" in ended.err
        assert "Mend: " in ended.err


# Asking and changing


def test_status(edgenode: Edgenode, node: RunningNode) -> None:
    ended = edgenode("status")
    assert ended.code == 0
    assert ended.words[0] == [f"{node.url}:", "ready"]
    assert ["file", "ok", str(node.store)] in ended.words
    told_ = edgenode("status", "--json").json
    assert told_["ready"]["status"] == "ready"
    assert told_["servers"][SERVER]["class"] == "ServerStatusResponse"


def test_types(edgenode: Edgenode) -> None:
    ended = edgenode("types", "--search", "termanchor")
    (row,) = [line for line in ended.words if "TermAnchor" in line]
    assert row[:2] == ["relationship", "TermAnchor"]
    assert ended.words[-1] == ["1", "types"]
    assert edgenode("types", "--json").json["class"] == "TypeDefGalleryResponse"


def test_one_type(edgenode: Edgenode) -> None:
    ended = edgenode("types", "GlossaryTerm")
    assert ended.out.startswith("GlossaryTerm (EntityDef version ")
    assert ["qualifiedName", "string", "yes"] in ended.words  # inherited
    assert "endDef1: Glossary as anchor" in edgenode("types", "TermAnchor").out
    assert "for Referenceable\n" in edgenode("types", "Confidentiality").out
    answer = edgenode("types", "GlossaryTerm", "--json").json
    assert answer["class"] == "TypeDefResponse"
    assert answer["typeDef"]["name"] == "GlossaryTerm"


def test_a_term_lives(edgenode: Edgenode) -> None:
    glossary = new(edgenode, "add", "Glossary", "qualifiedName=life")
    term = new(
        edgenode,
        "add",
        "GlossaryTerm",
        "qualifiedName=life/term",
        "displayName=Life of a Term",
        "additionalProperties.mood=happy",
    )
    link = new(edgenode, "link", "TermAnchor", glossary, term)
    assert new(edgenode, "classify", term, "Confidentiality", "level=3") == term

    shown = edgenode("get", term)
    assert ["displayName", "Life", "of", "a", "Term"] in shown.words
    assert ["additionalProperties", "{mood:", "happy}"] in shown.words
    assert ["classification", "Confidentiality"] in shown.words
    assert ["level", "3"] in shown.words
    assert any(words[:2] == [link, "TermAnchor"] for words in shown.words)
    ends = edgenode("get", link)
    assert ["end", "1", "Glossary", "life", f"({glossary})"] in ends.words
    answer = edgenode("get", term, "--json").json
    assert answer["class"] == "EntityDetailResponse"
    assert answer["entity"]["guid"] == term

    deleted = edgenode("delete", term)
    assert deleted.out == f"{term} deleted; it can be restored\n"
    told(edgenode("get", term), ExitCode.REFUSED, f"{term} is deleted", "GUID")
    gone = edgenode("find", "GlossaryTerm", "--status", "deleted", "--sort",
                    "displayName")  # fmt: skip
    assert any(words[:1] == [term] for words in gone.words)
    versions = edgenode("history", term)
    assert [words[0] for words in versions.words[1:]] == ["2", "1"]
    oldest = edgenode("history", term, "--oldest-first", "--limit", 1)
    assert oldest.words[1][-4:] == ["Life", "of", "a", "Term"]
    assert oldest.words[2][-2:] == ["--offset", "1"]
    answer = edgenode("history", term, "--json").json
    assert [each["status"] for each in answer["entities"]] == ["DELETED", "ACTIVE"]

    purged = edgenode("delete", term, "--purge", "--json")
    assert purged.json["class"] == "VoidResponse"
    told(edgenode("delete", term), ExitCode.REFUSED, f"no entity {term}", "GUID")
    assert edgenode("find", "GlossaryTerm", "--status", "DELETED").words == [
        ["nothing", "found"]
    ]


def test_what_is_added_is_answered_as_the_api_does(edgenode: Edgenode) -> None:
    added = edgenode("add", "Glossary", "qualifiedName=json", "--json").json
    assert added["class"] == "EntityDetailResponse"
    guid = added["entity"]["guid"]
    term = new(edgenode, "add", "GlossaryTerm", "qualifiedName=json/term")
    linked = edgenode("link", "TermAnchor", guid, term, "--json").json
    assert linked["class"] == "RelationshipResponse"
    classified = edgenode("classify", term, "Confidence", "--json").json
    assert classified["class"] == "EntityDetailResponse"
    deleted = edgenode("delete", linked["relationship"]["guid"], "--json").json
    assert deleted["relationship"]["status"] == "DELETED"


@pytest.fixture(scope="module")
def hill(node: RunningNode) -> dict[str, str]:
    """Things to find: their GUIDs by name."""
    found = {}
    for name in ("Hill", "Hill [a-z]", "hillside", "Valley"):
        ended = run(
            [
                "add",
                "GlossaryTerm",
                f"qualifiedName=land/{name}",
                f"displayName={name}",
                *(["description=first line\nsecond line"] if name == "Valley" else []),
            ],
            node.environment,
        )
        found[name] = ended.out.strip()
    ended = run(["classify", found["Valley"], "SpineObject"], node.environment)
    assert ended.code == 0, ended.err
    return found


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--text", "Hill"], {"Hill", "Hill [a-z]"}),
        (["--text", "hill", "--ignore-case"], {"Hill", "Hill [a-z]", "hillside"}),
        (["--text", "[a-z]"], {"Hill [a-z]"}),
        (["--text", "second line"], {"Valley"}),
        (["--text", "SECOND LINE", "--ignore-case"], {"Valley"}),
        (["--where", "displayName=Hill"], {"Hill"}),
        (["--where", "displayName=Hill [a-z]"], {"Hill [a-z]"}),
        (["--where", "displayName=Hill", "--where", "qualifiedName=x"], set()),
        (["--classification", "SpineObject"], {"Valley"}),
        (["--text", "Hill", "--as-of", "2020-01-01"], set()),
    ],
)
def test_finding(
    edgenode: Edgenode, hill: dict[str, str], arguments: list[str], names: set[str]
) -> None:
    ended = edgenode("find", "GlossaryTerm", *arguments)
    assert ended.code == 0, ended.err
    shown = {words[0] for words in ended.words}
    assert {name for name, guid in hill.items() if guid in shown} == names
    answer = edgenode("find", "GlossaryTerm", *arguments, "--json").json
    assert answer["class"] == "EntityListResponse"
    assert {entity["guid"] for entity in answer.get("entities", ())} == {
        hill[name] for name in names
    }


def test_pages_and_order(edgenode: Edgenode, hill: dict[str, str]) -> None:
    asked = ("find", "GlossaryTerm", "--text", "land/", "--sort", "displayName")
    first = edgenode(*asked, "--limit", 2)
    assert [words[0] for words in first.words[1:3]] == [
        hill["Hill"],
        hill["Hill [a-z]"],
    ]
    assert first.words[3][-2:] == ["--offset", "2"]
    rest = edgenode(*asked, "--offset", 2)
    assert [words[0] for words in rest.words[1:]] == [hill["Valley"], hill["hillside"]]


def test_relationships_are_found_by_their_type(edgenode: Edgenode) -> None:
    glossary = new(edgenode, "add", "Glossary", "qualifiedName=rel")
    term = new(edgenode, "add", "GlossaryTerm", "qualifiedName=rel/term")
    link = new(edgenode, "link", "TermAnchor", glossary, term)
    row = [link, "TermAnchor", "rel", "-", "rel/term"]
    assert row in [words[:5] for words in edgenode("find", "TermAnchor").words]
    assert link in edgenode("find", "--relationships").out
    answer = edgenode("find", "TermAnchor", "--json").json
    assert answer["class"] == "RelationshipListResponse"


@pytest.mark.parametrize(
    ("arguments", "code", "what", "mend"),
    [
        (["types", "Nope"], 1, "no type Nope", "Check the name"),
        (["add", "Nope"], 1, "no type Nope", "Check the name"),
        (["get", "a b/c?d"], 1, "no entity a b/c?d", "Check the name"),
        (["get", "x", "--as-of", "soon"], 2, "'soon' is no time", "2026-11-21"),
        (["add", "Glossary", "nope=1"], 2, "'nope=1' sets no", "qualifiedName"),
        (["add", "Glossary", "displayName"], 2, "sets no property", "name=value"),
        (["find", "--where", "a=b"], 2, "--where needs the type", "find TYPE"),
        (["find", "Confidentiality"], 2, "a classification", "--classification"),
        (["find", "TermAnchor", "--classification", "X"], 2, "no class", "entities"),
        (["status", "--url", NOWHERE], 4, f"at {NOWHERE}", "edgenode run"),
        (["status", "--url", "pi:80"], 2, "'pi:80' is no address", "http://"),
        (["status", "--url", "http://pi:x"], 2, "is no address", "http://"),
        (["find", "--server", "other"], 1, "other", "name"),
        (["archive", "load", "/nowhere"], 1, "can't be read", "that is there"),
        (["archive", "load", __file__], 1, "no open metadata archive", "archive"),
        (["archive", "export", "/proc/x"], 1, "can't be written", "another file"),
        (["backup", "/proc/x"], 1, "can't be written", "another file"),
        (["backup", "--server", "other"], 1, "no server other", f"one of {SERVER}"),
        (["restore", "--server", "other"], 3, "no server other", f"one of {SERVER}"),
        (["archive", "load", __file__, "--url", NOWHERE], 4, NOWHERE, "edgenode run"),
        (["archive", "load", "/dev/null"], 1, "is no file", "save it"),
        (["backup", "."], 1, "is no file", "name a file"),
        (["backup", "x", "--keep", "1"], 2, "--keep", "leave FILE out"),
        (["status", "--url", "http://a..b:1"], 4, "http://a..b:1", "--url"),
        (["status", "--url", "http://local host:9"], 2, "is no address", "http://"),
        (["status", "--url", "http://localhost:9/x"], 2, "is no address", "http://"),
        (["status", "--server", "other"], 1, "no server other", f"one of {SERVER}"),
        (["add", "Glossary", "qualifiedName=\udcff"], 2, "isn't UTF-8", "UTF-8"),
        (["add", "TermAnchor"], 2, "a relationship type", "edgenode link"),
        (["add", "Retention"], 2, "a classification", "edgenode classify"),
        (["link", "Glossary", "a", "b"], 2, "an entity type", "edgenode add"),
        (["classify", "a", "Glossary"], 2, "an entity type", "edgenode add"),
        (["find", "Glossary", "--relationships"], 2, "an entity type", "leave"),
        (["find", "--classification", "Nosuch"], 1, "Nosuch", "name"),
        (["types", "Glossary", "--search", "x"], 2, "a list of types", "leave it"),
        (["classify", "a", "Retention", "confidence=1e9"], 2, "is no int", "whole"),
        (["add", "DataClass", "defaultThreshold=nan"], 2, "'nan' is no", "1e3"),
    ],
)
def test_what_cannot_be_is_told_with_its_mend(
    edgenode: Edgenode, arguments: list[str], code: int, what: str, mend: str
) -> None:
    told(edgenode(*arguments), ExitCode(code), what, mend)


def test_usage(edgenode: Edgenode) -> None:
    assert edgenode().code == ExitCode.USAGE
    assert edgenode("find", "--text", "a", "--where", "b=c").code == ExitCode.USAGE
    assert edgenode("get", "").code == ExitCode.USAGE
    assert edgenode("find", "--limit", "-1").code == ExitCode.USAGE
    assert edgenode("find", "--offset", 2**31).code == ExitCode.USAGE
    assert edgenode("--version").out == f"{__version__}\n"
    for command in (["run"], ["find"], ["archive", "load"], ["backup"], ["doctor"]):
        ended = edgenode(*command, "--help")
        assert ended.code == 0
        assert "--json" in ended.out
        assert "None" not in ended.out


def test_what_other_servers_say_does_not_reach_the_terminal(
    edgenode: Edgenode,
) -> None:
    guid = new(edgenode, "add", "Glossary", "qualifiedName=\x1b[31mred", "displayName=")
    shown = edgenode("get", guid)
    assert "[31mred" in shown.out
    assert "\x1b" not in shown.out
    assert "\x1b" not in edgenode("get", "\x1b[31m").err


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_an_answer_that_cannot_be_written_is_told(
    node: RunningNode, as_json: list[str]
) -> None:
    with Path("/dev/full").open("wb") as full:
        process = started(["types", *as_json], node.environment, out=full.fileno())
        _, err = process.communicate()
    assert process.returncode == ExitCode.REFUSED
    assert err == b"edgenode: the answer can't be written (No space left on device)\n"


def test_a_terminal_that_is_not_unicode_gets_what_it_can_show(
    node: RunningNode,
) -> None:
    environ = node.environment | {"PYTHONIOENCODING": "ascii"}
    add = ["add", "Glossary", "qualifiedName=g\u00fcnstig", "displayName=g\u00fcnstig"]
    guid = run(add, environ).out.strip()
    assert "g?nstig" in run(["get", guid], environ).out
    answer = run(["get", guid, "--json"], environ).json
    values = answer["entity"]["properties"]["instanceProperties"]
    assert values["displayName"]["primitiveValue"] == "g\u00fcnstig"


def test_whoever_reads_only_the_first_line_hears_no_complaint(
    node: RunningNode,
) -> None:
    with started(["types", "--json"], node.environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == ExitCode.OK


# Archives


def test_an_archive_goes_in_and_comes_out(
    edgenode: Edgenode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive_of(tmp_path / "garden.omarchive", 500)
    first = edgenode("archive", "load", path)
    assert (first.code, first.err) == (0, "")
    assert first.words[0] == ["garden", "7"]
    assert ["types", "1", "0", "0", "0"] in first.words
    assert ["entities", "500", "0", "0"] in first.words
    again = edgenode("archive", "load", path)
    assert ["types", "0", "0", "1", "0"] in again.words
    assert ["entities", "0", "500", "0"] in again.words
    (report,) = edgenode("archive", "load", path, "--json").json["archives"]
    assert report["file"] == str(path)
    assert report["archiveGUID"] == ARCHIVE_GUID
    assert report["types"] == {"added": 0, "changed": 0, "unchanged": 1, "refused": 0}
    assert report["entities"] == {"saved": 0, "unchanged": 500, "refused": 0}

    target = tmp_path / "out.omarchive"
    written = edgenode("archive", "export", target, "--name", "mine")
    assert written.code == 0, written.err
    content = json.loads(target.read_text(encoding="utf-8"))
    entities = content["archiveInstanceStore"]["entities"]
    assert ["newTypeDefs", "1"] in written.words
    assert ["entities", str(len(entities))] in written.words
    assert {f"bed-{n}" for n in range(500)} <= {each["guid"] for each in entities}
    assert content["archiveProperties"]["archiveName"] == "mine"
    assert [each.name for each in tmp_path.iterdir() if "part" in each.name] == []

    answer = edgenode("archive", "export", target, "--kind", "export", "--json").json
    assert answer["file"] == str(target)
    assert answer["bytes"] == target.stat().st_size
    current = json.loads(target.read_text(encoding="utf-8"))
    assert current["archiveProperties"]["archiveType"] == "METADATA_EXPORT"
    assert answer["elements"]["entities"] == len(
        current["archiveInstanceStore"]["entities"]
    )


def test_an_export_loads_into_another_node_and_exports_the_same(
    edgenode: Edgenode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    edgenode("archive", "load", archive_of(tmp_path / "garden", 3))
    assert edgenode("archive", "export", tmp_path / "one").code == 0
    with running(tmp_path / "other") as other:
        elsewhere = in_process(other.environment, monkeypatch, capsys)
        assert elsewhere("archive", "load", tmp_path / "one").code == 0
        assert elsewhere("archive", "export", tmp_path / "two").code == 0
    one, two = (
        json.loads((tmp_path / name).read_text(encoding="utf-8"))
        for name in ("one", "two")
    )
    assert one.pop("archiveProperties") != two.pop("archiveProperties")
    assert one == two


def test_a_damaged_archive_leaves_the_others_reported(
    edgenode: Edgenode, tmp_path: Path
) -> None:
    whole = archive_of(tmp_path / "whole", 2)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(whole.read_bytes()[:-10])
    ended = edgenode("archive", "load", whole, damaged)
    told(ended, ExitCode.REFUSED, f"{damaged}: ", "check the archive")
    assert ended.words[0] == ["garden", "7"]
    answer = edgenode("archive", "load", whole, damaged, "--json").json
    assert [report["file"] for report in answer["archives"]] == [str(whole)]
    assert str(damaged) in answer["error"]["message"]


def test_refused_elements_are_listed(edgenode: Edgenode, tmp_path: Path) -> None:
    path = archive_of(tmp_path / "garden", 14)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["archiveProperties"]["dependsOnArchives"] = ["the-other-garden"]
    for entity in content["archiveInstanceStore"]["entities"][:12]:
        entity["type"]["typeDefName"] = "Weed"
    path.write_text(json.dumps(content), encoding="utf-8")
    ended = edgenode("archive", "load", path)
    told(ended, ExitCode.REFUSED, "12 elements were not loaded", "depend")
    assert any(words[:1] + words[-1:] == ["entities", "12"] for words in ended.words)
    assert sum(words[:1] == [f"entities[{n}]"] for n in range(12)
               for words in ended.words) == 10  # fmt: skip
    assert "and 2 more; --json lists them" in ended.out
    assert "depends on the archive the-other-garden" in ended.out
    (report,) = edgenode("archive", "load", path, "--json").json["archives"]
    assert len(report["refusals"]) == report["refused"] == 12


def test_what_is_refused_while_it_is_sent_is_told_why(
    edgenode: Edgenode, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    ended = edgenode("archive", "load", large, "--server", "other")
    told(ended, ExitCode.REFUSED, "no server other", f"one of {SERVER}")


def test_an_interrupted_load_is_repeated(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "garden", 6_000)
    with running(tmp_path / "data") as node:
        # The node falls silent in the middle; the command is interrupted while it waits.
        with started(["archive", "load", str(path)], node.environment) as process:
            wait_for_entities(node, process)
            os.kill(node.process.pid, signal.SIGSTOP)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate()
            os.kill(node.process.pid, signal.SIGCONT)
        assert process.returncode == ExitCode.INTERRUPTED
        assert b"may be loaded in part" in err
        assert b"mend: run the same command again" in err
        (report,) = repeated(path, node)["archives"]
        counts = report["entities"]
        assert counts["saved"] > 0
        assert counts["unchanged"] > 0
        assert counts["saved"] + counts["unchanged"] == 6_000
        assert list((node.store.parent / "transfers").iterdir()) == []


def wait_for_entities(node: RunningNode, loading: subprocess.Popen[bytes]) -> None:
    """Until some entities of the archive are stored."""
    while node.process.poll() is None and loading.poll() is None:
        metrics = got(node, "/metrics")
        if b'edgenode_instances{server="pi",type="GardenBed"}' in metrics:
            return
    pytest.fail(f"the node or the load has ended: {loading.communicate()}")


def got(node: RunningNode, path: str) -> bytes:
    parts = urlsplit(node.url)
    with closing(HTTPConnection(str(parts.hostname), parts.port)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read()


def repeated(path: Path, node: RunningNode) -> Any:
    """Load again; while the node still ends the load before, it says so."""
    while True:
        ended = run(["archive", "load", str(path), "--json"], node.environment)
        if ended.code == 0:
            return ended.json
        assert "another archive is being loaded" in ended.err, ended.err


def test_progress_is_shown_on_a_terminal(node: RunningNode, tmp_path: Path) -> None:
    path = archive_of(tmp_path / "garden.omarchive", 300)
    ours, theirs = pty.openpty()
    try:
        environ = node.environment | {"TERM": "xterm"}
        with started(["archive", "load", str(path)], environ, theirs) as process:
            os.close(theirs)
            shown = b""
            while piece := read_terminal(ours):
                shown += piece
            process.communicate()
    finally:
        os.close(ours)
    assert process.returncode == 0
    assert b"garden.omarchive: sent" in shown
    assert b"0.1 MB of 0.1 MB" in shown
    assert b"301 of 301" in shown


def read_terminal(handle: int) -> bytes:
    try:
        return os.read(handle, 65_536)
    except OSError:  # Linux's way of saying that nobody writes any more
        return b""


# Backups


def test_the_nodes_own_file_is_not_written_over(
    edgenode: Edgenode, node: RunningNode
) -> None:
    guid = new(edgenode, "add", "Glossary", "qualifiedName=kept")
    for command in (["backup"], ["archive", "export"]):
        told(edgenode(*command, node.store), ExitCode.REFUSED, "node's own", "another")
    assert holds(node.store, guid)


def test_a_disk_that_takes_no_writes_can_be_backed_up(tmp_path: Path) -> None:
    data, taken = tmp_path / "data", tmp_path / "taken.db"
    with running(data) as node:
        command = ["add", "Glossary", "qualifiedName=kept"]
        guid = run(command, node.environment).out.strip()
        crashed = copy_as_after_a_crash(node.store, tmp_path / "crashed")
    for part in ("", "-wal"):
        crashed.with_name(crashed.name + part).replace(
            node.store.with_name(node.store.name + part)
        )
    script = f"""
        mount --bind {data} {data} && mount -o remount,ro,bind {data} || exit 77
        {sys.executable} -m edgenode backup {taken} || exit 1
        {sys.executable} -m edgenode backup && exit 2
        {sys.executable} -m edgenode restore {taken}
    """
    environ = environment(data, "127.0.0.1:1")
    mounted = subprocess.run(  # noqa: S603 - our own commands
        ["/usr/bin/unshare", "--mount", "--map-root-user", "sh", "-c", script],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode == 77 or "unshare" in mounted.stderr:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr}")
    assert mounted.returncode == ExitCode.REFUSED, mounted.stderr
    assert mounted.stderr.count("mend:") == 2
    assert "Traceback" not in mounted.stderr
    assert holds(taken, guid)


def test_a_running_node_is_backed_up(
    edgenode: Edgenode, node: RunningNode, tmp_path: Path
) -> None:
    guid = new(edgenode, "add", "Glossary", "qualifiedName=backed-up")
    kept = edgenode("backup")
    assert kept.code == 0, kept.err
    path = Path(kept.out.partition(":")[0])
    assert path.parent == node.store.parent / "backups"
    assert holds(path, guid)
    target = tmp_path / "taken.db"
    taken = edgenode("backup", target, "--json").json
    assert (taken["file"], taken["bytes"]) == (str(target), target.stat().st_size)
    assert target.stat().st_mode & 0o777 == 0o600
    assert holds(target, guid)
    assert [each.name for each in tmp_path.iterdir()] == ["taken.db"]
    assert list((node.store.parent / "transfers").iterdir()) == []


def test_backups_of_a_running_node_follow_one_another(
    edgenode: Edgenode, node: RunningNode
) -> None:
    assert edgenode("backup").code == 0
    again = edgenode("backup", "--all", "--keep", "1", "--if-changed", "--json").json
    assert [each["isNew"] for each in again] == [False]
    new(edgenode, "add", "Glossary", "qualifiedName=backed-up-again")
    shown = edgenode("backup", "--keep", "1", "--if-changed")
    assert shown.out.endswith("bytes, checked\n")
    path = Path(shown.out.partition(":")[0])
    assert list((node.store.parent / "backups").iterdir()) == [path]
    assert "nothing changed since" in edgenode("backup", "--if-changed").out


def test_every_server_gets_its_backup_though_another_has_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "edgenode.toml"
    names = ("hall", "attic", "cellar")
    config.write_text(
        f'[node]\nlisten = "127.0.0.1:1"\ndata_directory = "{tmp_path}"\n'
        + "".join(f'[[server]]\nname = "{each}"\n' for each in names)
    )
    environ = {"EDGENODE_CONFIG": str(config), "EDGENODE_COHORT_MODE": "none"}
    for each in names[1:]:
        with running(tmp_path, {"EDGENODE_SERVER_NAME": each}):
            pass
    edgenode = in_process(environ, monkeypatch, capsys)
    ended = edgenode("backup", "--all", "--json")
    told(ended, ExitCode.UNREACHABLE, "hall", "edgenode run")
    assert [Path(each["file"]).parent for each in ended.json] == [
        tmp_path / "servers" / each / "backups" for each in names[1:]
    ]


def holds(path: Path, guid: str) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT count(*) FROM instance WHERE guid = ?"
        return bool(connection.execute(query, (guid,)).fetchone()[0])


def test_nothing_is_restored_while_the_node_runs(
    edgenode: Edgenode, node: RunningNode, tmp_path: Path
) -> None:
    assert edgenode("backup", tmp_path / "taken.db").code == 0
    holder = f"in use by process {node.process.pid}"
    told(edgenode("restore"), ExitCode.ALREADY_RUNNING, holder, "stop the node")
    told(
        edgenode("restore", tmp_path / "taken.db"),
        ExitCode.ALREADY_RUNNING,
        holder,
        "stop the node",
    )


def test_a_node_that_does_not_answer_there_is_not_read_behind_its_back(
    node: RunningNode,
) -> None:
    elsewhere = node.environment | {"EDGENODE_LISTEN": "127.0.0.1:1"}
    ended = run(["backup"], elsewhere)
    told(ended, ExitCode.ALREADY_RUNNING, f"process {node.process.pid}", "--url")


def test_a_backup_comes_back(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, taken = tmp_path / "data", tmp_path / "taken.db"
    stopped = in_process(environment(data, "127.0.0.1:1"), monkeypatch, capsys)
    told(stopped("backup"), ExitCode.UNREACHABLE, "metadata.db", "edgenode run")
    told(stopped("restore"), ExitCode.REFUSED, "no usable backup", "name the file")
    with running(data) as node:
        online = in_process(node.environment, monkeypatch, capsys)
        before = new(online, "add", "Glossary", "qualifiedName=before")
        assert online("backup", taken).code == 0
        after = new(online, "add", "Glossary", "qualifiedName=after")
        store = node.store

    # Without a node: by default among the backups, from where it is restored.
    stopped = in_process(environment(data, "127.0.0.1:1"), monkeypatch, capsys)
    offline = stopped("backup", "--json").json
    assert Path(offline["file"]).parent == store.parent / "backups"
    assert holds(Path(offline["file"]), after)
    ended = stopped("restore", taken)
    assert ended.code == 0, ended.err
    assert ended.words[0][-1] == str(taken)
    aside = Path(ended.words[1][-1])
    assert holds(aside, after)
    assert not holds(store, after)
    with running(data) as node:
        online = in_process(node.environment, monkeypatch, capsys)
        assert online("get", before).code == 0
        assert online("get", after).code == ExitCode.REFUSED
    stopped = in_process(environment(data, "127.0.0.1:1"), monkeypatch, capsys)
    restored = stopped("restore", "--json").json
    assert restored["from"] == offline["file"]
    assert holds(store, after)


def test_an_unsound_backup_changes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    edgenode = in_process(environment(tmp_path, "127.0.0.1:1"), monkeypatch, capsys)
    bad = tmp_path / "bad.db"
    bad.write_bytes(b"nothing of the kind" * 1_000)
    mend = "nothing was changed"
    told(edgenode("restore", bad), ExitCode.REFUSED, "no usable backup", mend)
    told(edgenode("restore", tmp_path / "x"), ExitCode.REFUSED, "no such file", mend)
    assert not (tmp_path / "servers" / SERVER / "metadata.db").exists()


# Doctor


def checks(ended: Ended) -> dict[str, str]:
    return {each["check"]: each["verdict"] for each in ended.json["checks"]}


def test_doctor_knows_its_own_node(edgenode: Edgenode, node: RunningNode) -> None:
    ended = edgenode("doctor", "--json")
    assert ended.code == 0, ended.out
    assert ended.json["ok"]
    assert checks(ended).keys() == {
        "rights", "space", "disk", "store", "clock", "port", "clock floor", "python",
    }  # fmt: skip
    (port,) = [each for each in ended.json["checks"] if each["check"] == "port"]
    assert port["found"] == f"this node answers at {node.url.removeprefix('http://')}"
    shown = edgenode("doctor")
    assert shown.words[0] == ["check", "found", "mend"]
    assert any(words[:2] == ["port", "ok"] for words in shown.words)


def test_doctor_tells_what_fails(
    node: RunningNode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environ = node.environment | {
        "EDGENODE_SERVER_NAME": "other",
        "EDGENODE_DATA_DIRECTORY": "/proc/edgenode",
    }
    edgenode = in_process(environ, monkeypatch, capsys)
    ended = edgenode("doctor", "--json")
    assert ended.code == ExitCode.UNWELL
    assert not ended.json["ok"]
    assert "of 8 checks fail" in ended.err
    found = checks(ended)
    assert (found["rights"], found["disk"], found["port"]) == ("fail", "fail", "fail")
    assert f"is another node's, with {SERVER}" in ended.out
