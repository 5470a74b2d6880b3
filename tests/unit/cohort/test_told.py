"""What can't be a node, a member or a mark is passed over."""

from dataclasses import replace

import pytest

from edgenode.codec.codec import Codec
from edgenode.cohort.model import Exchange, Mark, MemberRecord, NodeInfo
from edgenode.cohort.told import LAST_REVISION, portion, sound
from edgenode.errors import BadRequestError
from edgenode.events.registration import MemberRegistration
from edgenode.limits import MAX_ADDRESSES
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
