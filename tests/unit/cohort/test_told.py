"""What can't be a node, a member or a mark is passed over."""

from dataclasses import replace
from random import Random

import pytest

from edgenode.codec.codec import Codec
from edgenode.cohort.model import Exchange, Mark, MemberRecord, NodeInfo
from edgenode.cohort.told import LAST_REVISION, in_turns, portion, retold, sound
from edgenode.errors import BadRequestError
from edgenode.events.registration import MemberRegistration
from edgenode.limits import (
    MAX_ADDRESSES,
    MAX_RETOLD_NODES,
    MAX_TOLD_BYTES,
    MAX_TOLD_RECORD_BYTES,
    MAX_TOLD_RECORDS,
)
from edgenode.releases import SERVED

CODEC = Codec(SERVED)
NODE = NodeInfo(
    node_id="a" * 32,
    run_id="r",
    revision=1,
    name="a",
    addresses=("192.0.2.1", "fe80::1%eth0", "a.example"),
    rest_port=9444,
)
MEMBER = MemberRecord(
    node_id="a" * 32,
    revision=1,
    registration=MemberRegistration(metadata_collection_id="c", server_name="s"),
)
MARK = Mark(metadata_collection_id="c", incarnation="i", sequence=7)


NO_NODES = [
    replace(NODE, **fields)
    for fields in (
        {"node_id": ""}, {"node_id": "a:b"}, {"node_id": "a/b"}, {"node_id": "[x"},
        {"node_id": "a\nb"}, {"node_id": "a" * 300}, {"rest_port": 70_000},
        {"rest_port": -1}, {"bus_port": 70_000}, {"revision": -1},
        {"revision": LAST_REVISION + 1}, {"name": "x" * 3_500_000},
        {"run_id": "x" * 300}, {"version": "x" * 300}, {"addresses": ("a..b",)},
        {"addresses": ("a",) * (MAX_ADDRESSES + 1)},
    )
]  # fmt: skip


@pytest.mark.parametrize("info", NO_NODES)
def test_what_is_no_node(info: NodeInfo) -> None:
    half = Exchange(sender=NODE, time=0, nodes=(NODE, info, NODE))
    assert sound(half, CODEC).nodes == (NODE, NODE)
    with pytest.raises(BadRequestError):
        sound(Exchange(sender=info, time=0), CODEC)


@pytest.mark.parametrize(
    "record",
    [
        replace(MEMBER, node_id="a/b"),
        replace(MEMBER, revision=LAST_REVISION + 1),
        replace(MEMBER, registration=MemberRegistration()),
        replace(MEMBER, registration=MemberRegistration(metadata_collection_id="c/")),
        replace(
            MEMBER,
            registration=replace(MEMBER.registration, server_name="x" * 10_000),
        ),
    ],
)
def test_what_is_no_member(record: MemberRecord) -> None:
    half = Exchange(sender=NODE, time=0, members=(record, MEMBER))
    assert sound(half, CODEC).members == (MEMBER,)


@pytest.mark.parametrize(
    "mark",
    [
        replace(MARK, metadata_collection_id="c" * 70_000),
        replace(MARK, incarnation="i" * 300),
        replace(MARK, sequence=-1),
        replace(MARK, sequence=LAST_REVISION + 1),
    ],
)
def test_what_is_no_mark(mark: Mark) -> None:
    half = Exchange(sender=NODE, time=0, marks=(mark, MARK))
    assert sound(half, CODEC).marks == (MARK,)


def test_no_more_is_told_than_there_is_room_for() -> None:
    size = len(CODEC.encode(NODE))
    assert portion((NODE,) * 9, CODEC, 5 * size) == (NODE,) * 5
    assert portion((NODE,) * 9, CODEC) == (NODE,) * 9


def test_who_tells_comes_first_and_the_others_have_turns() -> None:
    name = "x" * (MAX_TOLD_RECORD_BYTES - 1_000)
    fat = [
        replace(
            MEMBER,
            node_id="n",
            registration=MemberRegistration(
                metadata_collection_id=f"m{number}", server_name=name
            ),
        )
        for number in range(2 * MAX_TOLD_BYTES // MAX_TOLD_RECORD_BYTES)
    ]
    own = replace(MEMBER, node_id="own")
    random = Random(7)  # noqa: S311
    told: set[str] = set()
    for _ in range(30):
        turn = in_turns((*fat, own), "own", CODEC, random)
        assert turn[0] == own
        assert sum(len(CODEC.encode(each)) for each in turn) <= MAX_TOLD_BYTES
        told |= {str(each.registration.metadata_collection_id) for each in turn[1:]}
    assert len(told) == len(fat)


def test_where_there_is_room_all_is_told() -> None:
    random = Random(7)  # noqa: S311
    few = (NODE, replace(NODE, node_id="own"))
    assert in_turns(few, "own", CODEC, random) == few
    many = (NODE,) * (MAX_TOLD_RECORDS + 5)
    assert len(in_turns(many, "own", CODEC, random)) == MAX_TOLD_RECORDS


def test_of_nodes_that_were_told_some_are_told_again() -> None:
    random = Random(7)  # noqa: S311
    nodes = tuple(replace(NODE, node_id=f"{number:032x}") for number in range(100))
    new, known = nodes[:50], {each.node_id for each in nodes[50:]}
    told: set[NodeInfo] = set()
    for _ in range(30):
        turn = retold(nodes, known, random)
        assert turn[:50] == new
        assert len(turn) == 50 + MAX_RETOLD_NODES
        told.update(turn)
    assert told == set(nodes)
    assert retold(new, known, random) == new
