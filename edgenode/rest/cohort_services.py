"""What other nodes of the cohort ask this one, beside the REST API of its servers.

The paths and what they are for stand in docs/cohort.md.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Protocol

from aiohttp import hdrs, web

from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps, loads
from edgenode.codec.packed import Deflater, pack
from edgenode.cohort.model import Exchange
from edgenode.errors import (
    BadRequestError,
    MemberElsewhereError,
    PeerRefusedError,
    PeerUnavailableError,
)
from edgenode.events.frames import Frame, HistoryFrame, StateFrame
from edgenode.events.streams import Position, Sum
from edgenode.federation import questions
from edgenode.limits import (
    FRAMES_PIECE_BYTES,
    LARGE_COHORT_BODIES,
    MAX_ASKED_THINGS,
)
from edgenode.rest.bodies import Bodies
from edgenode.rest.callers import CALLER, Audience
from edgenode.rest.refusals import RefusalError
from edgenode.rest.streams import Answer, StreamOperation, write
from edgenode.security.cohorts import ToldKey

_SEQUENCES = range(2**63)
_SEQUENCE_DIGITS = len(str(_SEQUENCES.stop))


class PeerServices(Protocol):
    """What this node answers when another asks.

    The asker's id is empty where the cohort is open. Every answer raises
    MemberElsewhereError for a member that isn't this node's, PeerRefusedError for what
    the asker may not have, PeerUnavailableError for what can't be answered now, and
    BadRequestError for what makes no sense.
    """

    async def key(self, node_id: str) -> ToldKey:
        """The current key of the cohort."""
        ...

    async def exchange(self, node_id: str, half: Exchange) -> Exchange:
        """Hear what the other knows, and tell what it lacks."""
        ...

    def events(
        self, node_id: str, collection_id: str, after: Position
    ) -> AsyncIterator[HistoryFrame]:
        """The events of a member behind a place; the last frame ends it."""
        ...

    async def type_digest(self, node_id: str, collection_id: str) -> Mapping[str, int]:
        """A digest of each type definition, by GUID."""
        ...

    async def type_defs(
        self, node_id: str, collection_id: str, guids: Sequence[str]
    ) -> list[bytes]:
        """Some type definitions, as JSON; those that aren't there are left out."""
        ...

    async def owners(self, node_id: str, collection_id: str) -> Collection[str]:
        """Everybody who answers for something that a member holds."""
        ...

    async def group_sums(
        self, node_id: str, collection_id: str, owner: str
    ) -> Mapping[str, Sum]:
        """Sums by group."""
        ...

    async def bucket_sums(
        self, node_id: str, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        """Sums by bucket."""
        ...

    async def bucket_items(
        self,
        node_id: str,
        collection_id: str,
        owner: str,
        group: str,
        buckets: Sequence[int],
    ) -> Mapping[str, int]:
        """Digests by GUID."""
        ...

    def states(
        self, node_id: str, collection_id: str, guids: Sequence[str]
    ) -> AsyncIterator[StateFrame]:
        """Instances as they are now, one frame each."""
        ...


def cohort_operations(
    services: PeerServices, codec: Codec
) -> Iterator[StreamOperation]:
    """The questions of other nodes, each at its path."""
    asked = _CohortServices(services, codec)
    base, member = questions.BASE, questions.MEMBER
    operation = partial(StreamOperation, audience=Audience.NODES)
    yield operation("POST", f"{base}/exchange", "exchange", asked.exchange)
    yield operation("GET", f"{base}/key", "getCohortKey", asked.key)
    yield operation("GET", f"{member}/events", "getEvents", asked.events)
    yield operation("GET", f"{member}/types", "getTypeDigests", asked.type_digest)
    yield operation("POST", f"{member}/types", "getTypeDefs", asked.type_defs)
    yield operation("GET", f"{member}/owners", "getOwners", asked.owners)
    yield operation("GET", f"{member}/groups", "getGroupSums", asked.group_sums)
    yield operation("GET", f"{member}/buckets", "getBucketSums", asked.bucket_sums)
    yield operation("POST", f"{member}/items", "getDigests", asked.bucket_items)
    yield operation("POST", f"{member}/states", "getStates", asked.states)


class _CohortServices:
    def __init__(self, services: PeerServices, codec: Codec) -> None:
        self._services = services
        self._codec = codec
        self._bodies = Bodies(LARGE_COHORT_BODIES)

    async def exchange(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        half = await self._bodies.read(request, partial(self._codec.decode, Exchange))
        async with _refusals():
            other = await self._services.exchange(_asker(request), half)
        return _json(dumps(self._codec.event_object(other)))

    async def key(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        async with _refusals():
            told = await self._services.key(_asker(request))
        return _json(questions.key_text(told))

    async def events(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        after = Position(_query(request, "incarnation"), _sequence(request))
        frames = self._services.events(_asker(request), path["collectionId"], after)
        return await _streamed(request, frames)

    async def type_digest(
        self, request: web.BaseRequest, path: dict[str, str]
    ) -> Answer:
        async with _refusals():
            digests = await self._services.type_digest(
                _asker(request), path["collectionId"]
            )
        return _json(questions.digests_text(digests))

    async def type_defs(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        guids = await self._bodies.read(request, _guids)
        async with _refusals():
            definitions = await self._services.type_defs(
                _asker(request), path["collectionId"], guids
            )
        return _json(questions.definitions_text(definitions))

    async def owners(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        async with _refusals():
            owners = await self._services.owners(_asker(request), path["collectionId"])
        return _json(questions.owners_text(owners))

    async def group_sums(
        self, request: web.BaseRequest, path: dict[str, str]
    ) -> Answer:
        owner = _query(request, "owner")
        async with _refusals():
            sums = await self._services.group_sums(
                _asker(request), path["collectionId"], owner
            )
        return _json(questions.sums_text(sums))

    async def bucket_sums(
        self, request: web.BaseRequest, path: dict[str, str]
    ) -> Answer:
        owner, group = _query(request, "owner"), _query(request, "group")
        async with _refusals():
            sums = await self._services.bucket_sums(
                _asker(request), path["collectionId"], owner, group
            )
        return _json(questions.sums_text(sums))

    async def bucket_items(
        self, request: web.BaseRequest, path: dict[str, str]
    ) -> Answer:
        owner, group = _query(request, "owner"), _query(request, "group")
        buckets = await self._bodies.read(request, _buckets)
        async with _refusals():
            digests = await self._services.bucket_items(
                _asker(request), path["collectionId"], owner, group, buckets
            )
        return _json(questions.digests_text(digests))

    async def states(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        guids = await self._bodies.read(request, _guids)
        frames = self._services.states(_asker(request), path["collectionId"], guids)
        return await _streamed(request, frames)


def _asker(request: web.BaseRequest) -> str:
    return request[CALLER].node_id


def _guids(text: bytes) -> tuple[str, ...]:
    return questions.read_guids(loads(text), MAX_ASKED_THINGS)


def _buckets(text: bytes) -> tuple[int, ...]:
    return questions.read_buckets(loads(text))


def _query(request: web.BaseRequest, name: str) -> str:
    value = request.rel_url.query.get(name)
    if value is None:
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"{name} is needed")
    return value


def _sequence(request: web.BaseRequest) -> int:
    text = _query(request, "after")
    # Python would parse thousands of digits.
    if text.isascii() and text.isdigit() and len(text) <= _SEQUENCE_DIGITS:
        sequence = int(text)
        if sequence in _SEQUENCES:
            return sequence
    raise RefusalError(HTTPStatus.BAD_REQUEST, "after must be a whole number")


@asynccontextmanager
async def _refusals() -> AsyncIterator[None]:
    """Tells the asker why there is no answer."""
    try:
        yield
    except MemberElsewhereError as error:
        raise RefusalError(HTTPStatus.NOT_FOUND, str(error)) from error
    except BadRequestError as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, str(error)) from error
    except PeerRefusedError as error:
        raise RefusalError(HTTPStatus.FORBIDDEN, error.reason) from error
    except PeerUnavailableError as error:
        raise RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, error.reason) from error


def _json(text: bytes) -> Answer:
    headers = {hdrs.CONTENT_TYPE: questions.JSON_TYPE}
    return web.Response(body=text, headers=headers), False


async def _streamed(request: web.BaseRequest, frames: AsyncIterator[Frame]) -> Answer:
    """Send frames as they come, at the pace of the asker."""
    try:
        # What can't be told at all shows with the first frame.
        async with _refusals():
            first = await anext(frames, None)
        headers = {hdrs.CONTENT_TYPE: questions.FRAMES_TYPE}
        deflater = Deflater() if _takes_deflate(request) else None
        if deflater is not None:
            headers[hdrs.CONTENT_ENCODING] = questions.DEFLATE
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        if first is not None:
            async for piece in _pieces(first, frames):
                sent = piece
                if deflater is not None:
                    sent = deflater.feed(piece) + deflater.flush()
                await write(request, response, sent)
        if deflater is not None:
            await write(request, response, deflater.close())
    finally:
        close: Callable[[], Awaitable[None]] | None = getattr(frames, "aclose", None)
        if close is not None:
            await close()
    return response, False


async def _pieces(first: Frame, rest: AsyncIterator[Frame]) -> AsyncIterator[bytes]:
    """Packed frames, in pieces that are worth sending."""
    piece = bytearray(pack(first))
    async for frame in rest:
        if len(piece) >= FRAMES_PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
        piece += pack(frame)
    yield bytes(piece)


def _takes_deflate(request: web.BaseRequest) -> bool:
    accepted = request.headers.get(hdrs.ACCEPT_ENCODING, "")
    return any(
        coding.partition(";")[0].strip().lower() == questions.DEFLATE
        for coding in accepted.split(",")
    )
