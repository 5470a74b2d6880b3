"""Other nodes, as the cohort asks them: questions over HTTPS."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote, urlencode

from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps, loads
from edgenode.codec.packed import FrameReader, Inflater, PackedError
from edgenode.cohort.model import Exchange
from edgenode.errors import (
    BadRequestError,
    NodeRemovedError,
    PeerRefusedError,
    PeerUnavailableError,
)
from edgenode.events.frames import (
    EndFrame,
    EventFrame,
    Frame,
    HistoryFrame,
    ResetFrame,
    StateFrame,
)
from edgenode.events.streams import Position, Sum
from edgenode.federation import questions
from edgenode.federation.http import Address, PeerHttp, StreamedAnswer, Target
from edgenode.limits import LARGE_BODY_BYTES, MAX_ASKED_THINGS, MAX_REASON_LENGTH
from edgenode.security.cohorts import ToldKey

T = TypeVar("T")

_JSON = {"Content-Type": questions.JSON_TYPE}
_PACKED = {"Accept-Encoding": questions.DEFLATE}


class HttpDialer:
    """Makes peers that are asked over HTTPS."""

    def __init__(self, http: PeerHttp, codec: Codec) -> None:
        self._http = http
        self._codec = codec

    def peer(self, node_id: str | None, addresses: Sequence[Address]) -> "HttpPeer":
        """A node to be asked; None as its id takes whoever of the cohort is there."""
        return HttpPeer(self._http, self._codec, Target(node_id, tuple(addresses)))


class NodeCaller:
    """Sends requests to the REST API of one node, wherever it is known to be."""

    def __init__(self, http: PeerHttp, node_id: str) -> None:
        self._http = http
        self._node_id = node_id

    async def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The status, headers and body of the answer; see ``PeerHttp``."""
        return await self._http.request(self._node_id, method, path, body, headers)


class HttpPeer:
    """One other node; see ``cohort.peer.CohortPeer`` for what can be asked."""

    def __init__(self, http: PeerHttp, codec: Codec, target: Target) -> None:
        self._http = http
        self._codec = codec
        self._target = target

    @property
    def reached_at(self) -> str | None:
        """The host at which it was found to be itself last; None before."""
        return self._http.reached_at(self._target)

    async def key(self) -> ToldKey:
        """The current key of the cohort."""
        return await self._question("GET", "/key", questions.read_key)

    async def exchange(self, half: Exchange) -> Exchange:
        """Tell what is known, and hear what the other knows and the asker lacks."""

        def read(text: bytes) -> Exchange:
            return self._codec.from_object(Exchange, loads(text))

        text = dumps(self._codec.event_object(half))
        other = await self._question("POST", "/exchange", read, text)
        if self._target.node_id not in (None, other.sender.node_id):
            reason = f"it calls itself {other.sender.node_id[:MAX_REASON_LENGTH]}"
            raise PeerRefusedError(self._target.name, reason)
        return other

    async def events(
        self, collection_id: str, after: Position
    ) -> AsyncGenerator[HistoryFrame, None]:
        """The events of a member behind a place.

        Where it breaks off with PeerUnavailableError, it is asked again behind the last
        frame that came.
        """
        query = {"incarnation": after.incarnation, "after": str(after.sequence)}
        path = _member(collection_id, "events", query)
        sequence, is_first, is_ended = after.sequence, True, False
        async with aclosing(self._frames("GET", path)) as frames:
            async for frame in frames:
                if is_ended or not _continues(frame, sequence, is_first=is_first):
                    raise self._misunderstood("frames in disorder")
                is_first, is_ended = False, not isinstance(frame, EventFrame)
                if isinstance(frame, EventFrame):
                    sequence = frame.sequence
                if not isinstance(frame, StateFrame):
                    yield frame
        if not is_ended:
            raise self._misunderstood("no last frame")

    async def type_digest(self, collection_id: str) -> Mapping[str, int]:
        """A digest of each type definition that the member has, by GUID."""
        path = _member(collection_id, "types")
        return await self._question("GET", path, questions.read_digests)

    async def type_defs(self, collection_id: str, guids: Sequence[str]) -> list[bytes]:
        """Some of the member's type definitions, as JSON."""
        path = _member(collection_id, "types")
        definitions: list[bytes] = []
        for some in _portions(guids):
            text = questions.guids_text(some)
            definitions += await self._question(
                "POST", path, questions.read_definitions, text
            )
        return definitions

    async def owners(self, collection_id: str) -> list[str]:
        """Everybody who answers for something that the member holds."""
        path = _member(collection_id, "owners")
        return await self._question("GET", path, questions.read_owners)

    async def group_sums(self, collection_id: str, owner: str) -> Mapping[str, Sum]:
        """The sums of what a member holds that an owner answers for, by group."""
        path = _member(collection_id, "groups", {"owner": owner})
        return await self._question("GET", path, questions.read_sums)

    async def bucket_sums(
        self, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        """The same within a group, by bucket."""
        path = _member(collection_id, "buckets", {"owner": owner, "group": group})
        return await self._question("GET", path, questions.read_bucket_sums)

    async def bucket_items(
        self, collection_id: str, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """The digest of each thing in some buckets, by the GUID of its instance."""
        path = _member(collection_id, "items", {"owner": owner, "group": group})
        text = questions.buckets_text(buckets)
        return await self._question("POST", path, questions.read_digests, text)

    async def states(
        self, collection_id: str, guids: Sequence[str]
    ) -> AsyncGenerator[StateFrame, None]:
        """Instances as the member has them now, one frame each."""
        path = _member(collection_id, "states")
        for some in _portions(list(dict.fromkeys(guids))):
            asked = set(some)
            text = questions.guids_text(some)
            async with aclosing(self._frames("POST", path, text)) as frames:
                async for frame in frames:
                    if not isinstance(frame, StateFrame) or frame.guid not in asked:
                        raise self._misunderstood("a state that wasn't asked for")
                    asked.discard(frame.guid)
                    yield frame
            if asked:
                raise self._misunderstood("states are missing")

    async def _question(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        body: bytes | None = None,
    ) -> T:
        target = await self._identified()
        headers = None if body is None else _JSON
        status, _, text = await self._http.ask(
            target, method, questions.BASE + path, body, headers
        )
        self._check(status, text)
        try:
            if len(text) < LARGE_BODY_BYTES:
                return read(text)
            return await asyncio.to_thread(read, text)
        except BadRequestError as error:
            raise self._misunderstood(str(error)) from error

    async def _frames(
        self, method: str, path: str, body: bytes | None = None
    ) -> AsyncGenerator[Frame, None]:
        """The frames of an answer as they arrive."""
        target = await self._identified()
        headers = _PACKED if body is None else _PACKED | _JSON
        async with self._http.stream(
            target, method, questions.BASE + path, body, headers
        ) as answer:
            if answer.status != HTTPStatus.OK:
                self._check(answer.status, await anext(answer.pieces, b""))
            reader = FrameReader()
            try:
                async for piece in _unpacked(answer):
                    for frame in reader.feed(piece):
                        yield frame
                reader.close()
            except PackedError as error:
                raise self._misunderstood(str(error)) from error

    async def _identified(self) -> Target:
        """The node, with its id where that can be known."""
        if self._target.node_id is None:
            node_id = await self._http.identify(self._target.addresses)
            self._target = Target(node_id, self._target.addresses)
        return self._target

    def _check(self, status: int, text: bytes) -> None:
        if status == HTTPStatus.OK:
            return
        message = _message(text)
        if status == HTTPStatus.FORBIDDEN and message == NodeRemovedError.REASON:
            raise NodeRemovedError(self._target.name)
        reason = f"status {status}: {message}" if message else f"status {status}"
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PeerRefusedError(self._target.name, reason)
        raise PeerUnavailableError(self._target.name, reason)

    def _misunderstood(self, reason: str) -> PeerUnavailableError:
        told = f"the answer isn't understood: {reason[:MAX_REASON_LENGTH]}"
        return PeerUnavailableError(self._target.name, told)


def _member(
    collection_id: str, what: str, query: Mapping[str, str] | None = None
) -> str:
    path = f"/members/{quote(collection_id, safe='')}/{what}"
    return f"{path}?{urlencode(query)}" if query else path


def _continues(frame: Frame, sequence: int, *, is_first: bool) -> bool:
    """Whether a frame may follow the event of a number."""
    match frame:
        case EventFrame():
            return frame.sequence > max(frame.after, sequence)
        case EndFrame():
            return frame.sequence >= sequence
        case ResetFrame():
            return is_first
        case StateFrame():
            return False


async def _unpacked(answer: StreamedAnswer) -> AsyncIterator[bytes]:
    if answer.headers.get("Content-Encoding", "").lower() != questions.DEFLATE:
        async for piece in answer.pieces:
            yield piece
        return
    inflater = Inflater()
    async for packed in answer.pieces:
        for piece in inflater.feed(packed):
            yield piece
    inflater.close()


def _portions(guids: Sequence[str]) -> list[Sequence[str]]:
    return [
        guids[start : start + MAX_ASKED_THINGS]
        for start in range(0, len(guids), MAX_ASKED_THINGS)
    ]


def _message(text: bytes) -> str:
    """The reason in a refusal, if there is one."""
    try:
        content = loads(text)
    except BadRequestError:
        return ""
    message = content.get("message") if isinstance(content, dict) else None
    return message[:MAX_REASON_LENGTH] if isinstance(message, str) else ""
