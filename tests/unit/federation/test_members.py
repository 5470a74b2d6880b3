"""Members that are off, slow, wrong or broken: left out, named, and not asked for ever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.codec.json import dumps
from edgenode.codec.packed import PackedDocument, pack_documents
from edgenode.collection.base import ClassificationSource
from edgenode.collection.participation import Participation, current
from edgenode.errors import (
    EntityNotKnownError,
    MemberUnavailableError,
    NoHomeForInstanceError,
)
from edgenode.federation import members as members_module
from edgenode.federation.breaker import BreakerState
from edgenode.federation.enterprise import EnterpriseMetadataCollection
from edgenode.federation.members import (
    AskedCollection,
    FederationMember,
    FederationMembers,
)
from edgenode.instances.conditions import Paging
from edgenode.instances.model import EntityDetail
from edgenode.limits import (
    CALLS_OF_A_MEMBER,
    LARGE_BODY_BYTES,
    TOLERATED_MEMBER_FAILURES,
)
from tests.contract.cohorts import (
    HOMES,
    Member,
    enterprise_of,
    member,
    registration_of,
    remote_of,
)
from tests.model.house import CODEC, USER, SetClock, remote_entity, type_guid
from tests.wire.http import Client

ALDER, BIRCH, _ = HOMES
TERM = type_guid("GlossaryTerm")
THEIRS = remote_entity("theirs", home=BIRCH)
OURS = remote_entity("ours", home=ALDER)

THEIRS_TEXT = CODEC.encode(THEIRS)
PACKED = "application/msgpack"

Handler = Callable[[str], Awaitable[bytes | None]]
"""Makes the bytes to answer to a request line; None leaves the asker waiting."""


@dataclass
class Port:
    """A port of this machine, and what happened at it."""

    client: Client
    asked: list[str] = field(default_factory=list)
    at_a_time: int = 0
    most_at_a_time: int = 0
    full: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[Port]:
    """A server that answers whatever the test says."""
    writers: list[asyncio.StreamWriter] = []
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.partition(b"\r\n")[0].decode()
        port.asked.append(line)
        port.at_a_time += 1
        port.most_at_a_time = max(port.most_at_a_time, port.at_a_time)
        if port.at_a_time == CALLS_OF_A_MEMBER:
            port.full.set()
        answer = await handler(line)
        if answer is None:
            await done.wait()
        else:
            writer.write(answer)
        port.at_a_time -= 1
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = Port(Client(server.sockets[0].getsockname()[1]))
    try:
        yield port
    finally:
        done.set()
        server.close()
        for writer in writers:
            writer.close()


def reply(
    body: bytes, content_type: str = "application/json", status: int = 200
) -> bytes:
    head = f"HTTP/1.1 {status} .\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def success(**fields: object) -> bytes:
    return reply(dumps({"class": "Response", "relatedHTTPCode": 200, **fields}))


def as_birch(answer: bytes | None) -> Handler:
    """Answers who it is as birch would, and anything else like this."""

    async def handle(line: str) -> bytes | None:
        if "/metadata-collection-id" in line:
            return success(metadataCollectionId=BIRCH.id)
        return answer

    return handle


async def silent(line: str) -> bytes | None:
    return None


async def another(line: str) -> bytes | None:
    return success(metadataCollectionId="somebody-else")


def packing(
    text: bytes,
    *,
    guid: str = "theirs",
    version: int = THEIRS.version,
    owner: str = BIRCH.id,
) -> Handler:
    """Answers with one instance, packed."""
    document = PackedDocument(guid, version, owner, text)
    return as_birch(reply(pack_documents([document]), PACKED))


CUT = reply(b'{"class":"Res')[:-5]
BROKEN_BEAN = CODEC.to_object(THEIRS) | {"createTime": "no date"}

HANGING_SECONDS = 0.2
PATIENT_SECONDS = 60.0

FAULTS: Mapping[str, tuple[Handler, str]] = {
    "hangs": (silent, "doesn't answer within"),
    "hangs once it is known": (as_birch(None), "doesn't answer within"),
    "is another one": (another, "is another one: somebody-else"),
    "says nothing": (as_birch(b""), "breaks off"),
    "breaks off": (as_birch(CUT), "breaks off"),
    "has no JSON": (as_birch(reply(b"<html>")), "something else"),
    "has another JSON": (as_birch(reply(b"[1]")), "something else"),
    "has a bare status": (as_birch(reply(b"", status=503)), "status 503"),
    "has no instances": (as_birch(success(entities=[5])), "something else"),
    "has broken packing": (as_birch(reply(b"\xc1", PACKED)), "something else"),
    "packs something else": (packing(b"{}"), "something else"),
    "packs no JSON": (packing(b'{"class":"EntityDetail", no}'), "something else"),
    "packs another class": (
        packing(THEIRS_TEXT.replace(b"EntityDetail", b"EntityProxy", 1)),
        "something else",
    ),
    "packs what closes the list": (
        packing(THEIRS_TEXT + b'],"relatedHTTPCode":404,"x":[{}'),
        "something else",
    ),
    "packs a thing under another's name": (
        packing(THEIRS_TEXT, guid="ours"),
        "another instance",
    ),
    "packs another version": (packing(THEIRS_TEXT, version=9), "another instance"),
    "packs another's thing": (packing(THEIRS_TEXT, owner=ALDER.id), "another instance"),
    "packs a large thing that is none": (
        packing(b'{"class":"EntityDetail"' + b" " * LARGE_BODY_BYTES + b"no}"),
        "something else",
    ),
    "fails": (
        as_birch(
            reply(
                dumps(
                    {
                        "relatedHTTPCode": 500,
                        "exceptionClassName": "java.lang.Error",
                        "exceptionErrorMessage": "out of order",
                    }
                )
            )
        ),
        "out of order",
    ),
    "doesn't run": (
        as_birch(
            reply(
                dumps(
                    {
                        "relatedHTTPCode": 404,
                        "exceptionClassName": "org.odpi.openmetadata."
                        "repositoryservices.ffdc.exception.InvalidParameterException",
                        "exceptionErrorMessageId": "OMAG-MULTI-TENANT-404-001",
                        "exceptionErrorMessageParameters": ["birch", "erin"],
                    }
                )
            )
        ),
        "doesn't run now",
    ),
}


@pytest.fixture
async def alder(tmp_path: Path) -> AsyncIterator[Member]:
    """A member with an entity of its own and a copy of one of birch's."""
    async with member(ALDER, tmp_path / "alder.db", SystemClock()) as opened:
        await opened.has(OURS, THEIRS)
        yield opened


def joined(
    alder: Member, birch: AskedCollection
) -> tuple[EnterpriseMetadataCollection, FederationMembers]:
    return enterprise_of(alder, {BIRCH: birch}, SystemClock())


async def found(asked: EnterpriseMetadataCollection) -> list[EntityDetail]:
    page = await asked.find_entities(
        USER, TERM, None, None, None, None, None, Paging(page_size=10)
    )
    return [each.value for each in page]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_member_that_does_not_answer_is_left_out_and_named(
    fault: str, alder: Member
) -> None:
    handler, reason = FAULTS[fault]
    async with answering(handler) as port:
        enterprise, _ = joined(alder, remote_of(BIRCH, port.client))
        seconds = HANGING_SECONDS if "within" in reason else PATIENT_SECONDS
        current.set(note := Participation(seconds=seconds))
        assert await found(enterprise) == [OURS, THEIRS]
    assert note.answered == {ALDER.id}
    assert list(note.missing) == [BIRCH.id]
    assert reason in note.missing[BIRCH.id]
    assert note.copies == {"theirs": BIRCH.id}
    assert not note.is_complete


async def test_what_a_member_packs_is_taken(alder: Member) -> None:
    theirs = replace(THEIRS, version=THEIRS.version + 1)
    handler = packing(CODEC.encode(theirs), version=theirs.version)
    async with answering(handler) as port:
        enterprise, _ = joined(alder, remote_of(BIRCH, port.client))
        current.set(note := Participation())
        assert await found(enterprise) == [OURS, theirs]
    assert note.is_complete


async def test_a_member_that_nobody_listens_for_is_left_out(alder: Member) -> None:
    async with answering(silent) as port:
        closed = port.client
    enterprise, members = joined(alder, remote_of(BIRCH, closed))
    current.set(note := Participation())
    seen = await enterprise.get_entity_detail(USER, "theirs")
    assert seen.value == THEIRS
    assert note.copies == {"theirs": BIRCH.id}
    (statistics,) = members.statistics()
    assert (statistics.failed, statistics.answered) == (1, 0)
    assert statistics.reason
    with pytest.raises(EntityNotKnownError):
        await enterprise.get_entity_detail(USER, "nobody")


async def test_what_turns_out_to_be_unreadable_is_left_out(alder: Member) -> None:
    answer = success(entity=BROKEN_BEAN | {"version": 9})
    async with answering(as_birch(answer)) as port:
        enterprise, _ = joined(alder, remote_of(BIRCH, port.client))
        current.set(note := Participation())
        await alder.collection.classify_entity(
            USER, "theirs", "Confidentiality", ClassificationSource(), None
        )
        seen = await enterprise.get_entity_detail(USER, "theirs")
    assert seen.value.version == THEIRS.version
    assert "something else" in note.missing[BIRCH.id]


async def test_what_can_not_be_looked_into_is_left_out_where_nothing_is_merged(
    alder: Member,
) -> None:
    answer = success(entity=BROKEN_BEAN | {"version": 9})
    async with answering(as_birch(answer)) as port:
        enterprise, _ = joined(alder, remote_of(BIRCH, port.client))
        current.set(note := Participation())
        seen = await enterprise.get_entity_detail(USER, "theirs")
    assert seen.value.version == THEIRS.version
    assert "something else" in note.missing[BIRCH.id]


async def test_changes_need_the_home(alder: Member) -> None:
    async with answering(as_birch(CUT)) as port:
        enterprise, _ = joined(alder, remote_of(BIRCH, port.client))
        current.set(note := Participation())
        with pytest.raises(NoHomeForInstanceError) as raised:
            await enterprise.delete_entity(USER, TERM, "GlossaryTerm", "theirs")
    assert raised.value.parameters == ("deleteEntity", "theirs", BIRCH.id)
    assert note.missing == {BIRCH.id: "breaks off"}


async def test_classifying_does_not_need_the_home(alder: Member) -> None:
    async with answering(as_birch(CUT)) as port:
        enterprise, _ = joined(alder, remote_of(BIRCH, port.client))
        given = await enterprise.classify_entity(
            USER, "theirs", "Confidentiality", ClassificationSource(), None
        )
        (classification,) = given.value.classifications or ()
        assert classification.metadata_collection_id == ALDER.id
        await enterprise.declassify_entity(USER, "theirs", "Confidentiality")


# One member


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def asked_at(port: Port, clock: SetClock) -> FederationMember:
    return FederationMember(
        registration_of(BIRCH), remote_of(BIRCH, port.client), clock
    )


async def ask(asked: FederationMember, seconds: float = 5.0) -> str:
    """Why a question isn't answered; empty if it is."""
    try:
        await asked.ask(
            USER,
            lambda collection: collection.find_entities(
                USER, None, None, None, None, None, None, Paging()
            ),
            seconds,
        )
    except MemberUnavailableError as error:
        return error.reason
    return ""


async def test_who_fails_again_and_again_is_not_asked_for_a_while(
    clock: SetClock,
) -> None:
    answer = CUT

    async def handle(line: str) -> bytes | None:
        return await as_birch(answer)(line)

    async with answering(handle) as port:
        asked = asked_at(port, clock)
        for _ in range(TOLERATED_MEMBER_FAILURES):
            assert await ask(asked) == "breaks off"
        count = len(port.asked)
        assert await ask(asked) == "isn't asked for now: breaks off"
        assert len(port.asked) == count
        assert asked.statistics().state is BreakerState.OPEN
        clock.time += 1_000
        answer = success()
        assert await ask(asked) == ""
        statistics = asked.statistics()
    assert statistics.state is BreakerState.CLOSED
    assert (statistics.answered, statistics.failed) == (1, TOLERATED_MEMBER_FAILURES)
    assert (statistics.reason, statistics.in_flight) == ("", 0)


async def test_who_returns_is_asked_at_once_and_shows_no_old_trouble(
    clock: SetClock,
) -> None:
    answer = CUT

    async def handle(line: str) -> bytes | None:
        return await as_birch(answer)(line)

    async with answering(handle) as port:
        asked = asked_at(port, clock)
        for _ in range(TOLERATED_MEMBER_FAILURES):
            await ask(asked)
        assert asked.statistics().state is BreakerState.OPEN
        asked.returned()
        statistics = asked.statistics()
        assert (statistics.state, statistics.reason) == (BreakerState.CLOSED, "")
        answer = success()
        assert await ask(asked) == ""


async def test_who_is_slow_is_to_blame_only_if_there_was_time(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(as_birch(None)) as port:
        asked = asked_at(port, clock)
        assert "within 0.05 s" in await ask(asked, 0.05)
        assert asked.statistics().failed == 0
        monkeypatch.setattr(members_module, "FAIR_SECONDS", 0.05)
        await ask(asked, 0.05)
        assert asked.statistics().failed == 1


async def test_its_id_is_asked_for_once_and_again_after_a_failure(
    clock: SetClock,
) -> None:
    answers = [success(), success(), CUT, success()]

    async def handle(line: str) -> bytes | None:
        return await as_birch(None)(line) or answers.pop(0)

    async with answering(handle) as port:
        asked = asked_at(port, clock)
        for _ in range(4):
            await ask(asked)
        which = ["/metadata-collection-id" in line for line in port.asked]
    assert which == [True, False, False, False, True, False]


async def test_it_is_asked_no_more_than_so_much_at_a_time(clock: SetClock) -> None:
    async with answering(as_birch(None)) as port:
        asked = asked_at(port, clock)
        questions = [
            asyncio.create_task(ask(asked)) for _ in range(2 * CALLS_OF_A_MEMBER)
        ]
        await port.full.wait()
        assert asked.statistics().in_flight == 2 * CALLS_OF_A_MEMBER
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)
        assert port.most_at_a_time == CALLS_OF_A_MEMBER
    assert asked.statistics().in_flight == 0
    assert asked.statistics().failed == 0, "who asked has lost interest"


# All members


async def test_who_stays_is_kept_and_who_changed_is_made_anew(clock: SetClock) -> None:
    made: list[str] = []

    def connect(registration: object) -> AskedCollection | None:
        made.append(str(registration))
        return remote_of(BIRCH, Client(1))

    members = FederationMembers(connect, clock)
    alder, birch = registration_of(ALDER), registration_of(BIRCH)
    members.update([alder, birch])
    first = members.all()
    members.update([birch, alder])
    assert set(members.all()) == set(first)
    assert len(made) == 2
    members.update([replace(birch, server_name="moved")])
    (moved,) = members.all()
    assert moved not in first
    assert members.member(BIRCH.id) is moved
    assert members.member(ALDER.id) is None
    assert members.member(None) is None


async def test_who_has_no_connection_is_not_asked(clock: SetClock) -> None:
    members = FederationMembers(lambda registration: None, clock)
    members.update([registration_of(BIRCH)])
    assert members.all() == ()
    assert members.statistics() == ()
