"""What is said of an answer that lacks members."""

import pytest

from edgenode.cli.client import NodeClient
from edgenode.cli.members import _ago, _row, _trouble
from edgenode.cli.participation import NAMED, copies_in, name_of, tell_participation

NOBODY = NodeClient("http://127.0.0.1:1", "pi", "me")
"""A node that doesn't answer, so that no names of members are known."""


def test_a_whole_answer_is_nothing_to_speak_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell_participation(NOBODY, {"entities": []})
    assert capsys.readouterr() == ("", "")


def test_some_are_named_and_the_rest_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    missing = [
        {"metadataCollectionId": f"id{n}", "reason": "is\x1b[31m off"}
        for n in range(NAMED + 3)
    ]
    copies = [
        {"guid": f"g{n}", "metadataCollectionId": "id0" if n else "id1"}
        for n in range(3)
    ]
    answer = {"edgenode": {"missingMembers": missing, "copies": copies}}
    tell_participation(NOBODY, answer)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0] == "edgenode: without id0: is\N{REPLACEMENT CHARACTER}[31m off"
    assert lines[NAMED:] == [
        "edgenode: without 3 more members",
        "edgenode: 1 instance is a copy of what was known of id1",
        "edgenode: 2 instances are copies of what was known of id0",
    ]
    assert copies_in(answer) == {"g0", "g1", "g2"}


def test_that_nobody_else_was_asked_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell_participation(NOBODY, {"edgenode": {"alone": "it is away"}})
    assert capsys.readouterr().err == "edgenode: from this server alone: it is away\n"


def test_a_member_may_have_no_name() -> None:
    assert name_of({"serverName": "pi", "metadataCollectionName": "store"}) == "pi"
    assert name_of({"metadataCollectionName": "store"}) == "store"
    assert name_of({"metadataCollectionId": "id0"}) == ""


def test_how_long_ago() -> None:
    told = [_ago(seconds) for seconds in (0.4, 119, 120, 7_199, 7_200, 172_800)]
    assert told == [
        "0 s ago",
        "119 s ago",
        "2 min ago",
        "120 min ago",
        "2 h ago",
        "2 d ago",
    ]


@pytest.mark.parametrize(
    ("state", "seen"), [("alive", ""), ("silent", "81 s ago"), ("lost", "81 s ago")]
)
def test_who_is_alive_need_not_have_been_seen_just_now(state: str, seen: str) -> None:
    member = {"name": "pi", "node": "pi", "nodeId": "a" * 32, "version": "1"}
    assert seen == _row(member | {"state": state, "lastSeen": 81.0})[6]


def test_trouble_is_told_whole() -> None:
    assert _trouble({}) == ""
    assert _trouble({"trouble": "", "queries": {"state": "is asked"}}) == ""
    queries = {"state": "isn't asked for now", "reason": "no answer"}
    told = _trouble({"trouble": "lost", "isComparing": True, "queries": queries})
    assert told == (
        "lost; what is held of it is to be compared; isn't asked for now: no answer"
    )
    copy = {"reason": "two machines", "mend": "stop one"}
    assert _trouble({"copy": copy, "trouble": "late"}) == "two machines; stop one; late"
