"""Questions between nodes over real connections, and what bad answers can't do."""

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenode.codec.packed import pack
from edgenode.cohort.model import (
    Exchange,
    Known,
    Mark,
    MemberRecord,
    NodeInfo,
    Removal,
)
from edgenode.cohort.peer import Dialer
from edgenode.connectors.connection import Connection, Endpoint
from edgenode.errors import (
    NodeRemovedError,
    OtherKeyError,
    PeerRefusedError,
    PeerUnavailableError,
)
from edgenode.events.frames import (
    EndFrame,
    EventFrame,
    HistoryFrame,
    ResetFrame,
    StateFrame,
)
from edgenode.events.registration import MemberRegistration
from edgenode.events.streams import Position, Sum
from edgenode.federation import http as federation_http
from edgenode.federation.http import PeerHttp, Target
from edgenode.federation.peers import HttpDialer, HttpPeer
from edgenode.limits import MAX_ASKED_THINGS, MAX_PEER_ANSWER_BYTES
from edgenode.rest.cohort_services import cohort_operations
from tests.model.house import CODEC
from tests.wire.answering import KEY, MEMBER, Shelf
from tests.wire.nodes import Authority, Gate, Identity, asker, member_listener

HOST = "127.0.0.1"
JSON_BODY = {"Content-Type": "application/json"}
CLOSE = {"Connection": "close"}
randbytes = Random(1).randbytes  # noqa: S311 - incompressible, not secret
START = Position("life", 0)
EVENTS = [EventFrame(n - 1, n, b'{"n":%d}' % n * 50) for n in range(1, 201)]


def described(node_id: str) -> Exchange:
    """One half of an exchange with something of everything."""
    info = NodeInfo(
        node_id=node_id,
        run_id="run",
        revision=1_795_226_772_501,
        addresses=("192.0.2.1", "fe80::1%eth0"),
        rest_port=9443,
    )
    registration = MemberRegistration(
        metadata_collection_id=MEMBER,
        registration_time=1_795_226_772_501,
        repository_connection=Connection(endpoint=Endpoint(address="https://pi")),
    )
    return Exchange(
        sender=info,
        time=1_795_226_772_777,
        known_nodes=(Known(id=node_id, revision=2**62),),
        marks=(Mark(metadata_collection_id=MEMBER, incarnation="i", sequence=2**40),),
        nodes=(info,),
        members=(
            MemberRecord(
                node_id=node_id, revision=2**50, registration=registration,
                is_registered=False,
            ),
        ),
        removals=(Removal(node_id="gone", at=1_795_226_772_999, by="pi"),),
    )  # fmt: skip


@dataclass
class Pair:
    """A node that answers, and another that asks it."""

    authority: Authority
    answering: Identity
    asking: Identity
    http: PeerHttp
    port: int
    shelf: Shelf
    gate: Gate = field(default_factory=Gate)

    def target(self) -> Target:
        return Target(self.answering.node_id, ((HOST, self.port),))

    def dialer(self) -> Dialer:
        return HttpDialer(self.http, CODEC)

    def peer(self, node_id: str | None = "") -> HttpPeer:
        """The node that answers; or whoever is there for the other."""
        known = self.answering.node_id if node_id == "" else node_id
        return HttpDialer(self.http, CODEC).peer(known, [(HOST, self.port)])


@pytest.fixture
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    path = tmp_path_factory.mktemp("keys")
    authority = Authority("cohort")
    answering, asking = authority.node(path), authority.node(path)
    shelf, gate = Shelf(), Gate()
    services = list(cohort_operations(shelf, CODEC))
    async with (
        member_listener(answering.server(), gate, services=services) as port,
        asker(asking.client()) as http,
    ):
        yield Pair(authority, answering, asking, http, port, shelf, gate)


async def add_all(got: list[HistoryFrame], frames: AsyncIterator[HistoryFrame]) -> None:
    """Keep what came, also when it breaks off."""
    async for frame in frames:
        got.append(frame)  # noqa: PERF401 - a comprehension would keep nothing


# Short questions


async def test_an_exchange_arrives_as_it_was_said(pair: Pair) -> None:
    pair.shelf.half = described(pair.answering.node_id)
    half = described(pair.asking.node_id)
    peer = pair.dialer().peer(pair.answering.node_id, [(HOST, pair.port)])
    assert await peer.exchange(half) == pair.shelf.half
    assert pair.shelf.asked == [(pair.asking.node_id, half)]


async def test_who_calls_itself_another_is_refused(pair: Pair) -> None:
    pair.shelf.half = described("somebody else")
    for node_id in (pair.answering.node_id, None):
        with pytest.raises(PeerRefusedError, match="calls itself somebody else"):
            await pair.peer(node_id).exchange(described(pair.asking.node_id))


async def test_the_small_questions_arrive_with_their_answers(pair: Pair) -> None:
    shelf, peer, asker_id = pair.shelf, pair.peer(), pair.asking.node_id
    shelf.sums = {"Asset": Sum(3, 2**62 - 1), "#Zöne & co": Sum(1, 0)}
    shelf.buckets = {0: Sum(1, 2), 255: Sum(3, 4)}
    shelf.digests = {"a guid": 2**40 - 1, "ü": 0}
    shelf.types = {"t": b'{"class":"EntityDef","guid":"t"}'}
    owner, group = "owner/ä&?", "#Zöne & co"
    assert await peer.key() == KEY
    assert await peer.group_sums(MEMBER, owner) == shelf.sums
    assert await peer.bucket_sums(MEMBER, owner, group) == shelf.buckets
    assert await peer.bucket_items(MEMBER, owner, group, [0, 7]) == shelf.digests
    assert await peer.type_digest(MEMBER) == shelf.digests
    assert await peer.type_defs(MEMBER, ["t", "u"]) == [shelf.types["t"]]
    assert shelf.asked == [
        (asker_id,),
        (asker_id, owner),
        (asker_id, owner, group),
        (asker_id, owner, group, (0, 7)),
        (asker_id,),
        (asker_id, 2),
    ]


async def test_more_than_a_question_may_name_is_asked_in_turn(pair: Pair) -> None:
    guids = [f"g{n}" for n in range(2 * MAX_ASKED_THINGS + 1)]
    pair.shelf.types = {guid: b'"%b"' % guid.encode() for guid in guids}
    found = await pair.peer().type_defs(MEMBER, guids)
    assert found == list(pair.shelf.types.values())
    assert [count for _, count in pair.shelf.asked] == [1000, 1000, 1]


@pytest.mark.parametrize("what", ["member", "group", "key", "events", "states"])
async def test_a_refusal_says_why(pair: Pair, what: str) -> None:
    peer = pair.peer()

    async def ask() -> None:
        match what:
            case "member":
                await peer.type_digest("unknown")
            case "group":
                await peer.bucket_sums(MEMBER, "", "nonsense")
            case "key":
                await peer.key()
            case "events":
                [frame async for frame in peer.events("unknown", START)]
            case _:
                [frame async for frame in peer.states("unknown", ["a"])]

    told = {
        "group": "status 400: .*no such group",
        "key": "status 403: it has left",
    }.get(what, "status 404: this node has no member unknown")
    with pytest.raises(PeerRefusedError, match=told):
        await ask()


# Streams


async def test_events_arrive_in_order(pair: Pair) -> None:
    pair.shelf.frames = [*EVENTS, EndFrame(300)]
    assert [frame async for frame in pair.peer().events(MEMBER, START)] == (
        pair.shelf.frames
    )
    assert pair.shelf.asked == [(pair.asking.node_id, START)]


async def test_streams_are_compressed_for_who_takes_it(pair: Pair) -> None:
    pair.shelf.frames = [*EVENTS, EndFrame(300)]
    node_id = pair.answering.node_id
    path = f"/edgenode/cohort/members/{quote(MEMBER, safe='')}/events"
    path += "?incarnation=life&after=0"
    whole, small = [
        await pair.http.ask(pair.target(), "GET", path, headers=headers)
        for headers in ({}, {"Accept-Encoding": "gzip, deflate;q=0.5"})
    ]
    assert node_id
    assert whole.body == b"".join(map(pack, pair.shelf.frames))
    assert "Content-Encoding" not in whole.headers
    assert small.headers["Content-Encoding"] == "deflate"
    assert zlib.decompress(small.body) == whole.body
    assert len(small.body) < len(whole.body) / 4


async def test_a_history_that_begins_later_is_told(pair: Pair) -> None:
    pair.shelf.frames = [ResetFrame("another life", 77)]
    got = [frame async for frame in pair.peer().events(MEMBER, Position("x", 5))]
    assert got == pair.shelf.frames


async def test_states_arrive_one_by_one(pair: Pair) -> None:
    guids = [f"g{n}" for n in range(MAX_ASKED_THINGS + 5)]
    pair.shelf.documents = dict.fromkeys(guids[1:], b"{}")
    got = [state async for state in pair.peer().states(MEMBER, guids)]
    assert [state.guid for state in got] == guids
    assert got[0] == StateFrame("g0")
    assert [count for _, count in pair.shelf.asked] == [1000, 5]


async def test_a_stream_that_breaks_off_goes_on_behind_the_last_frame(
    pair: Pair,
) -> None:
    pair.shelf.frames = [
        *(EventFrame(n - 1, n, randbytes(2_000)) for n in range(1, 301)),
        EndFrame(300),
    ]
    got: list[HistoryFrame] = []
    async with relay(pair.port, [100_000, 250_000, 1_000_000]) as port:
        node = [(HOST, port)]
        peer = HttpDialer(pair.http, CODEC).peer(pair.answering.node_id, node)
        breaks = 0
        while not got or not isinstance(got[-1], EndFrame):
            after = Position("life", got[-1].sequence if got else 0)
            try:
                await add_all(got, peer.events(MEMBER, after))
            except PeerUnavailableError:
                breaks += 1
    assert got == pair.shelf.frames
    assert breaks == 2
    starts = [position.sequence for _, position in pair.shelf.asked]  # type: ignore[attr-defined]
    assert starts == sorted(starts)
    assert starts[1] > 0


async def test_who_reads_slowly_holds_up_who_tells(pair: Pair) -> None:
    frames = 400
    text = randbytes(64 * 1024)
    pair.shelf.frames = [EventFrame(n, n + 1, text) for n in range(frames)]
    pair.shelf.frames.append(EndFrame(frames))
    pair.shelf.sums = {"Asset": Sum(1, 1)}
    peer = pair.peer()
    events = peer.events(MEMBER, START)
    assert await anext(events) == pair.shelf.frames[0]
    for _ in range(50):  # time enough to send them all
        await peer.key()
    assert pair.shelf.told < frames / 2
    rest = [frame async for frame in events]
    assert len(rest) == frames
    assert pair.shelf.closed == 1


async def test_what_is_asked_of_a_removed_node_ends_at_once(pair: Pair) -> None:
    text = randbytes(64 * 1024)
    pair.shelf.frames = [EventFrame(n, n + 1, text) for n in range(1_000)]
    target = Target(pair.answering.node_id, ((HOST, pair.port),))
    await pair.http.ask(target, "GET", "/health/live")  # its connection is kept
    async with aclosing(pair.peer().events(MEMBER, START)) as events:
        await anext(events)
        pair.http.disconnect("another node")
        await anext(events)
        pair.http.disconnect(pair.answering.node_id)
        with pytest.raises(PeerUnavailableError):
            await add_all([], events)
    await pair.shelf.closed_once.wait()
    assert pair.shelf.told < len(pair.shelf.frames)


async def test_who_stops_listening_stops_who_tells(pair: Pair) -> None:
    text = randbytes(64 * 1024)
    pair.shelf.frames = [EventFrame(n, n + 1, text) for n in range(1_000)]
    async with aclosing(pair.peer().events(MEMBER, START)) as events:
        await anext(events)
    await pair.shelf.closed_once.wait()
    assert pair.shelf.told < len(pair.shelf.frames)


# Whom one talks to


async def test_another_node_at_the_address_is_refused(pair: Pair) -> None:
    with pytest.raises(PeerRefusedError, match=f"is node {pair.answering.node_id}"):
        await pair.peer("0" * 32).key()


async def test_a_node_of_another_cohort_is_refused(pair: Pair, tmp_path: Path) -> None:
    stranger = Authority("cohort").node(tmp_path)
    async with member_listener(stranger.server(), Gate()) as port:
        peer = HttpDialer(pair.http, CODEC).peer(None, [(HOST, port)])
        with pytest.raises(OtherKeyError, match="certificate"):
            await peer.key()


async def test_a_node_that_is_not_let_in_is_asked_nothing(pair: Pair) -> None:
    async with asker(pair.asking.client(), identify=lambda _: None) as http:
        peer = HttpDialer(http, CODEC).peer(None, [(HOST, pair.port)])
        with pytest.raises(PeerRefusedError, match="not let in"):
            await peer.key()
    assert pair.shelf.asked == []


async def test_the_right_one_of_several_addresses_is_found(
    pair: Pair, tmp_path: Path
) -> None:
    other = pair.authority.node(tmp_path)
    pair.shelf.sums = {"Asset": Sum(1, 1)}
    gate = Gate()
    async with (
        member_listener(other.server(), gate) as wrong,
        silence() as silent,
        asker(pair.asking.client()) as http,
    ):
        ways = [(HOST, 1), (HOST, wrong), (HOST, silent.port), (HOST, pair.port)]
        peer = HttpDialer(http, CODEC).peer(pair.answering.node_id, ways)
        assert await peer.key() == KEY
        assert silent.connections == 1
    assert len(pair.shelf.asked) == 1


async def test_the_address_that_answered_is_told(pair: Pair) -> None:
    async with silence() as silent:
        ways = [(HOST, silent.port), ("localhost", pair.port)]
        known = pair.dialer().peer(pair.answering.node_id, ways)
        assert known.reached_at is None
        await known.owners(MEMBER)
        assert known.reached_at == "localhost"
        # A connection that is there already says nothing of other addresses.
        unknown = pair.dialer().peer(None, [(HOST, pair.port)])
        await unknown.owners(MEMBER)
        assert unknown.reached_at == HOST
        another = pair.dialer().peer(pair.asking.node_id, [(HOST, pair.port)])
        with pytest.raises(PeerRefusedError):
            await another.owners(MEMBER)
        assert another.reached_at is None


async def test_in_an_open_cohort_an_address_that_answered_is_told(
    open_port: int,
) -> None:
    async with asker(None) as http:
        for node_id in (None, "0" * 32):
            peer = HttpDialer(http, CODEC).peer(node_id, [(HOST, open_port)])
            await peer.owners(MEMBER)
            assert peer.reached_at == HOST


async def test_the_address_that_was_good_comes_first(pair: Pair) -> None:
    async with silence() as silent:
        ways = [(HOST, silent.port), (HOST, pair.port)]
        for _ in range(2):
            target = Target(pair.answering.node_id, tuple(ways))
            await pair.http.ask(target, "GET", "/health/live", headers=CLOSE)
        assert silent.connections == 1


async def test_nobody_there_is_unavailable(pair: Pair) -> None:
    peer = HttpDialer(pair.http, CODEC).peer(None, [(HOST, 1), ("::1", 1)])
    with pytest.raises(PeerUnavailableError, match="Connection refused"):
        await peer.key()
    nowhere = HttpDialer(pair.http, CODEC).peer("0" * 32, [])
    with pytest.raises(PeerUnavailableError, match="no address"):
        await nowhere.key()


async def test_connecting_takes_only_so_long(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation_http, "CONNECT_SECONDS", 0.05)
    async with silence() as silent:
        peer = HttpDialer(pair.http, CODEC).peer("0" * 32, [(HOST, silent.port)])
        with pytest.raises(PeerUnavailableError, match="not reached in time"):
            await peer.key()


async def test_a_path_that_would_be_two_requests_is_none(pair: Pair) -> None:
    for path in ("/a b", "/a\r\nHost: x", "/ä", "http://else/where"):
        with pytest.raises(PeerRefusedError, match="no path"):
            await pair.http.ask(pair.target(), "GET", path)


async def test_an_encoded_path_stays_as_it_is(pair: Pair) -> None:
    path = "/edgenode/cohort/members/%2E%2E/types"
    answer = await pair.http.ask(pair.target(), "GET", path)
    assert answer.status == 404
    assert json.loads(answer.body)["path"] == path
    assert json.loads(answer.body)["message"] == "this node has no member .."


# Answers that are none; in an open cohort, because anybody can give them


HEAD = b"HTTP/1.1 200 OK\r\n"


def whole(text: bytes, head: bytes = HEAD) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(text) + text


FAR_OFF = (
    b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"
)
REFUSAL = b"HTTP/1.1 418 No\r\n"
FORBIDDEN = b"HTTP/1.1 403 No\r\n"
FAILURE = b"HTTP/1.1 500 No\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
DEFLATED = HEAD + b"Content-Encoding: deflate\r\n"


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (b"", PeerUnavailableError, "isconnected"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", PeerUnavailableError, "."),
        (whole(b"")[:-2], PeerUnavailableError, "."),
        (whole(b"{")[:-1], PeerUnavailableError, "."),
        (whole(b"nonsense"), PeerUnavailableError, "isn't understood"),
        (whole(b'{"sums":{"a":[1,-1]}}'), PeerUnavailableError, "isn't understood"),
        (whole(b'{"sums":{"a":[1,true]}}'), PeerUnavailableError, "isn't understood"),
        (whole(b'{"sums":{"a":{}}}'), PeerUnavailableError, "isn't understood"),
        (whole(b'{"sums":[]}'), PeerUnavailableError, "isn't understood"),
        (whole(b"[" * 50_000 + b"]" * 50_000), PeerUnavailableError, "."),
        (whole(b"x" * 2_001), PeerUnavailableError, "too large"),
        (CHUNKED + b"7d0\r\n" + b"x" * 2_000 + b"\r\n1\r\nx", PeerUnavailableError,
         "too large"),
        (FAR_OFF, PeerUnavailableError, "status 302"),
        (whole(b"{}", FAILURE), PeerUnavailableError, "status 500$"),
        (whole(b"[]", REFUSAL), PeerRefusedError, "status 418$"),
        (whole(b'{"message":7}', REFUSAL), PeerRefusedError, "status 418$"),
        (whole(b"nonsense", REFUSAL), PeerRefusedError, "status 418$"),
        (
            whole(b'{"message":"this node was removed from the cohort"}', FORBIDDEN),
            NodeRemovedError,
            "removed",
        ),
        (whole(b'{"message":"a teapot"}', REFUSAL), PeerRefusedError, "a teapot"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_none(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, error: type[Exception], reason: str
) -> None:
    limit = 2_000 if reason == "too large" else MAX_PEER_ANSWER_BYTES
    monkeypatch.setattr(federation_http, "MAX_PEER_ANSWER_BYTES", limit)
    async with scripted(answer) as peer:
        with pytest.raises(error, match=reason):
            await peer.group_sums(MEMBER, "owner")


@pytest.mark.parametrize(
    "told",
    [
        b"{}",
        b'{"token":7,"number":1,"overlapEnds":0}',
        b'{"token":"t","number":-1,"overlapEnds":0}',
        b'{"token":"t","number":1}',
        b'{"token":"t","number":1,"overlapEnds":true}',
    ],
)
async def test_a_key_that_is_none(told: bytes) -> None:
    async with scripted(whole(told)) as peer:
        with pytest.raises(PeerUnavailableError, match="isn't understood"):
            await peer.key()


FIRST = pack(EventFrame(0, 1, b"{}"))
END = pack(EndFrame(9))


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (whole(FIRST), 1),
        (whole(FIRST + END[:-1]), 1),
        (whole(FIRST + FIRST + END), 1),
        (whole(FIRST + END + END), 2),
        (whole(FIRST + pack(ResetFrame("x", 1))), 1),
        (whole(FIRST + pack(StateFrame("x"))), 1),
        (whole(pack(EndFrame(3)) + FIRST), 1),
        (whole(b"\xc1" + FIRST), 0),
        (whole(b"\xdd\xff\xff\xff\xff"), 0),
        (whole(b"\x91" * 100_000), 0),
        (whole(b"nonsense", DEFLATED), 0),
        (whole(zlib.compress(FIRST + END)[:-4], DEFLATED), 2),
        (whole(zlib.compress(FIRST + END) + b"x", DEFLATED), 2),
        (whole(zlib.compress(bytes(30_000_000)), DEFLATED), 0),
        (whole(b"x" * 5_000, FAILURE), 0),
    ],
)
async def test_a_stream_that_is_none(answer: bytes, count: int) -> None:
    got: list[HistoryFrame] = []
    async with scripted(answer) as peer:
        with pytest.raises(PeerUnavailableError):
            await add_all(got, peer.events(MEMBER, START))
    assert len(got) == count


@pytest.mark.parametrize("guids", [["a"], ["c", "b"], ["a", "a", "b"]])
async def test_states_that_were_not_asked_for(guids: list[str]) -> None:
    states = b"".join(pack(StateFrame(guid)) for guid in guids)
    async with scripted(whole(states)) as peer:
        with pytest.raises(PeerUnavailableError, match="isn't understood"):
            [state async for state in peer.states(MEMBER, ["a", "b"])]


async def test_an_answer_takes_only_so_long() -> None:
    async with silence() as silent, asker(None) as http:
        target = Target("0" * 32, ((HOST, silent.port),))
        with pytest.raises(PeerUnavailableError, match="no answer in time"):
            await http.ask(target, "GET", "/", timeout=0.05)


# Questions that are none


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["guids", "buckets", "sender", "nodeId", "runId", "revision", "time",
                 "nodes", "members", "registration", "removals", "at", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)  # fmt: skip
TEXTS = BODIES.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=50)


@pytest.fixture
async def open_port() -> AsyncIterator[int]:
    shelf = Shelf()
    shelf.half = described("me")
    services = list(cohort_operations(shelf, CODEC))
    async with member_listener(None, Gate(), services=services) as port:
        yield port


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=TEXTS,
    path=st.sampled_from(["/exchange", "/types", "/items?owner=&group=", "/states"]),
)
async def test_any_body_is_answered(
    open_port: int, caplog: pytest.LogCaptureFixture, body: bytes, path: str
) -> None:
    if path != "/exchange":
        path = f"/members/{quote(MEMBER, safe='')}{path}"
    async with asker(None) as http:
        target = Target(None, ((HOST, open_port),))
        answer = await http.ask(
            target, "POST", "/edgenode/cohort" + path, body, JSON_BODY
        )
    assert answer.status in {200, 400}
    assert caplog.records == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/states", b"", 400),
        ("/states", json.dumps({"guids": ["g"] * 1001}).encode(), 400),
        ("/states", b'{"guids":' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400),
        ("/states", b" " * (4 * 1024 * 1024 + 1), 413),
        ("/items?owner=&group=", b'{"buckets":[256]}', 400),
        ("/items?owner=&group=", b'{"buckets":[true]}', 400),
        ("/items?owner=", b'{"buckets":[1]}', 400),
        ("/types", b'{"guids":[7]}', 400),
    ],
)
async def test_a_question_that_is_none(
    open_port: int, path: str, body: bytes, status: int
) -> None:
    async with asker(None) as http:
        target = Target(None, ((HOST, open_port),))
        path = f"/edgenode/cohort/members/{quote(MEMBER, safe='')}{path}"
        answer = await http.ask(target, "POST", path, body, JSON_BODY)
    assert answer.status == status
    assert json.loads(answer.body)["status"] == status


@pytest.mark.parametrize(
    "query",
    ["", "?after=1", "?incarnation=x", *(
        f"?incarnation=x&after={after}"
        for after in ("", "-1", "1.5", "x", "\u0663", "9" * 19, "9" * 5_000)
    )],
)  # fmt: skip
async def test_a_place_that_is_none(open_port: int, query: str) -> None:
    async with asker(None) as http:
        target = Target(None, ((HOST, open_port),))
        path = f"/edgenode/cohort/members/{quote(MEMBER, safe='')}/events"
        answer = await http.ask(target, "GET", path + quote(query, safe="?=&"))
    assert answer.status == 400


async def test_no_stream_is_begun_for_what_fails_at_once(open_port: int) -> None:
    async with asker(None) as http:
        peer = HttpDialer(http, CODEC).peer(None, [(HOST, open_port)])
        with pytest.raises(PeerRefusedError, match="status 404"):
            await anext(peer.events("unknown", START))


# The other ends


@dataclass
class Silence:
    """Takes connections and says nothing."""

    port: int = 0
    connections: int = 0


@asynccontextmanager
async def silence() -> AsyncIterator[Silence]:
    silent, gone = Silence(), asyncio.Event()

    async def say_nothing(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        silent.connections += 1
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, HOST, 0)
    silent.port = server.sockets[0].getsockname()[1]
    try:
        yield silent
    finally:
        gone.set()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def scripted(answer: bytes) -> AsyncIterator[HttpPeer]:
    """A node that gives one answer to whatever it is asked, and hangs up."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if length is not None:
            await reader.readexactly(int(length[1]))
        with suppress(ConnectionError):
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with asker(None) as http:
            yield HttpDialer(http, CODEC).peer("0" * 32, [(HOST, port)])
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def relay(port: int, allowances: list[int]) -> AsyncIterator[int]:
    """Passes on bytes to and from a port; answers break off after so many of them."""
    left = list(allowances)

    async def passed(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int
    ) -> None:
        while most > 0 and (piece := await reader.read(most)):
            writer.write(piece)
            await writer.drain()
            most -= len(piece)

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(HOST, port)
        asking = asyncio.create_task(passed(reader, to_writer, 2**40))
        try:
            with suppress(ConnectionError):
                await passed(to_reader, writer, left.pop(0))
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            writer.transport.abort()
            to_writer.transport.abort()

    def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(join(reader, writer)))

    tasks: list[asyncio.Task[None]] = []
    server = await asyncio.start_server(joined, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@pytest.mark.parametrize(
    ("node_id", "host", "port"),
    [
        ("a" * 32, HOST, 70_000),
        ("a" * 32, HOST, -1),
        ("a" * 32, "a" * 300, 9444),
        ("a" * 32, "a..b", 9444),
        ("a" * 32, "a\0b", 9444),
        ("a:b", HOST, 1),
        ("a/b", HOST, 1),
        ("[x", HOST, 1),
        ("a\nb", HOST, 1),
        ("", HOST, 1),
    ],
)
async def test_what_is_no_address_is_not_reached(
    pair: Pair, node_id: str, host: str, port: int
) -> None:
    peer = pair.dialer().peer(node_id, [(host, port)])
    with pytest.raises(PeerUnavailableError):
        await peer.exchange(described(pair.asking.node_id))
