"""Asks other nodes over HTTPS.

A node is known by its id, not by a name or an address: each connection is checked, when
it is made, to lead to the node that it is for, by the certificate at the other end. So
an address that has gone over to another machine does no harm, and all addresses of a
node can be tried.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from edgenode.errors import (
    EdgeNodeError,
    OtherKeyError,
    PeerRefusedError,
    PeerUnavailableError,
)
from edgenode.hosts import is_numeric
from edgenode.limits import (
    ADDRESS_STAGGER_SECONDS,
    CONNECT_SECONDS,
    CONNECTIONS_TO_A_NODE,
    CONNECTIONS_TO_NODES,
    HANDSHAKE_SECONDS,
    KEEPALIVE_SECONDS,
    LARGE_BODY_BYTES,
    MAX_ADDRESSES_TRIED,
    MAX_KEPT_ADDRESSES,
    MAX_PEER_ANSWER_BYTES,
    MAX_REASON_LENGTH,
    PEER_SECONDS,
    TLS_GOODBYE_SECONDS,
)
from edgenode.security.certificates import is_node_id

T = TypeVar("T")

_OPENING_ERRORS = (EdgeNodeError, OSError, ValueError, OverflowError, LookupError)
"""What asyncio raises for a host or port that can be none, beside what isn't there."""

Address = tuple[str, int]
"""A host, which is a name or numeric and may have a scope (``fe80::1%eth0``), and a port."""


@dataclass(frozen=True, slots=True)
class Target:
    """A node to be asked.

    Attributes:
        node_id: Whose certificate it must have; None takes whichever node of the cohort
            is there.
        addresses: Where it may be reached, best first.
    """

    node_id: str | None
    addresses: tuple[Address, ...]

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.node_id or ", ".join(
            f"{host} port {port}" for host, port in self.addresses
        )

    @property
    def label(self) -> str:
        """Stands for it in URLs; connections are kept by it."""
        if self.node_id is not None and is_node_id(self.node_id):
            return self.node_id
        return sha256(repr(self).encode()).hexdigest()


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class StreamedAnswer(NamedTuple):
    """An answer that is still arriving; ``pieces`` waits for whoever takes them."""

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


class PeerHttp:
    """Connections to other nodes, and questions over them.

    Every question raises PeerUnavailableError where the node isn't reached, breaks off
    or says too much, and PeerRefusedError where TLS says that it isn't the right one, or
    that this one isn't. What the status of an answer means is for the asker to judge;
    redirections are never followed.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        connections: "_Connections",
        find: Callable[[str], Sequence[Address]],
    ) -> None:
        self._session = session
        self._connections = connections
        self._find = find

    def disconnect(self, node_id: str | None = None) -> None:
        """Break off what is asked of a node, or of all, and keep no connection."""
        self._connections.cut(node_id)

    def reached_at(self, target: Target) -> str | None:
        """The host by which a node was reached last, if it ever was.

        Its certificate was checked there, unless the cohort is open.
        """
        return self._connections.reached_at(target)

    async def request(
        self,
        node_id: str,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = PEER_SECONDS,  # noqa: ASYNC109 - it is of the whole question
    ) -> Answer:
        """Ask a node, wherever it is known to be.

        Args:
            node_id: The node.
            method: The HTTP method.
            path: The path with its query, percent-encoded.
            body: The body, if there is one.
            headers: Headers beside those that HTTP itself needs.
            timeout: Seconds for the whole of it.
        """
        target = Target(node_id, tuple(self._find(node_id)))
        return await self.ask(target, method, path, body, headers, timeout)

    async def ask(
        self,
        target: Target,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = PEER_SECONDS,  # noqa: ASYNC109 - it is of the whole question
    ) -> Answer:
        """Ask a node at given addresses."""
        limits = aiohttp.ClientTimeout(total=timeout)
        async with self._asked(target, method, path, body, headers, limits) as response:
            text = await whole_answer(target.name, response)
            return Answer(response.status, response.headers, text)

    @asynccontextmanager
    async def stream(
        self,
        target: Target,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[StreamedAnswer]:
        """Ask a node for an answer that may take as long as it goes on at all.

        Leaving the block before its end breaks the connection off.
        """
        limits = aiohttp.ClientTimeout(
            total=None, connect=PEER_SECONDS, sock_read=PEER_SECONDS
        )
        async with self._asked(target, method, path, body, headers, limits) as response:
            pieces = response.content.iter_any()
            yield StreamedAnswer(response.status, response.headers, pieces)

    async def identify(self, addresses: Sequence[Address]) -> str | None:
        """Which node of the cohort is there; None where the cohort is open."""
        target = Target(None, tuple(addresses))
        protocol = await self._connections.opened(target)
        transport = protocol.transport
        if not isinstance(transport, asyncio.Transport):
            raise PeerUnavailableError(target.name, "hung up")
        try:
            return self._connections.node_at(transport)
        finally:
            transport.abort()

    @asynccontextmanager
    async def _asked(
        self,
        target: Target,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        limits: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        url = self._connections.url(target, path)
        try:
            async with self._session.request(
                method,
                url,
                data=payload(body),
                headers=headers,
                allow_redirects=False,
                timeout=limits,
            ) as response:
                yield response
        except TimeoutError as error:
            raise PeerUnavailableError(target.name, "no answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise failure_of(target.name, error) from error


@asynccontextmanager
async def peer_http(
    context: Callable[[], ssl.SSLContext | None],
    identify: Callable[[ssl.SSLObject], str | None],
    find: Callable[[str], Sequence[Address]],
) -> AsyncIterator[PeerHttp]:
    """Keep connections to other nodes until the end of the block.

    Args:
        context: TLS as it is to be agreed on with the next connection; None where the
            cohort is open, and nobody is told apart.
        identify: The id of the node at the other end of a connection, by its
            certificate; None for one that nothing is to be asked of.
        find: Where a node may be reached, best first; nothing for one that isn't known.
    """
    connections = _Connections(context, identify)
    session = aiohttp.ClientSession(
        connector=connections,
        cookie_jar=aiohttp.DummyCookieJar(),
        # Unpacking an answer could make gigabytes of it.
        auto_decompress=False,
        skip_auto_headers=("Accept-Encoding", "User-Agent"),
    )
    try:
        yield PeerHttp(session, connections, find)
    finally:
        await connections.close(abort_ssl=True)
        await session.close()


class _Connections(aiohttp.BaseConnector):
    """Connections by node."""

    allowed_protocol_schema_set = frozenset({"http", "https"})

    def __init__(
        self,
        context: Callable[[], ssl.SSLContext | None],
        identify: Callable[[ssl.SSLObject], str | None],
    ) -> None:
        super().__init__(
            limit=CONNECTIONS_TO_NODES,
            limit_per_host=CONNECTIONS_TO_A_NODE,
            keepalive_timeout=KEEPALIVE_SECONDS,
        )
        self._context = context
        self._identify = identify
        self._targets: dict[str, Target] = {}
        self._good: dict[str, Address] = {}
        self._nodes: WeakKeyDictionary[ResponseHandler, str] = WeakKeyDictionary()

    def cut(self, node_id: str | None) -> None:
        """Break off connections to a node, or all that lead to known ones."""
        for protocol, node in list(self._nodes.items()):
            if node_id in (None, node) and protocol.transport is not None:
                protocol.transport.abort()

    def reached_at(self, target: Target) -> str | None:
        """The host by which a node was reached last."""
        good = self._good.get(target.label)
        return None if good is None else good[0]

    def url(self, target: Target, path: str) -> URL:
        """The URL that stands for a path at a node."""
        if not path.startswith("/") or not all("!" <= sign <= "~" for sign in path):
            raise PeerRefusedError(
                target.name, f"{path[:MAX_REASON_LENGTH]!r} is no path"
            )
        _put(self._targets, target.label, target)
        scheme = "http" if self._context() is None else "https"
        return URL(f"{scheme}://{target.label}{path}", encoded=True)

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: Sequence[object],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp calls it so
    ) -> ResponseHandler:
        return await self.opened(self._targets[str(req.url.raw_host)])

    async def opened(self, target: Target) -> ResponseHandler:
        """A new connection to a node, by whichever of its addresses is the quickest."""
        if not target.addresses:
            raise PeerUnavailableError(target.name, "no address is known")
        addresses = list(target.addresses[:MAX_ADDRESSES_TRIED])
        good = self._good.get(target.label)
        if good in target.addresses:
            addresses = [good, *(each for each in addresses if each != good)]
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await self._quickest(target, addresses)
        except TimeoutError as error:
            raise PeerUnavailableError(target.name, "not reached in time") from error

    def node_at(self, transport: asyncio.Transport) -> str | None:
        """The node at the other end; None where the cohort is open.

        Raises:
            PeerRefusedError: It is none that is to be asked.
        """
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is None:
            return None
        node_id = self._identify(ssl_object)
        if node_id is None:
            host, port, *_ = transport.get_extra_info("peername")
            raise PeerRefusedError(f"at {host} port {port}", "it is not let in")
        return node_id

    async def _quickest(
        self, target: Target, addresses: list[Address]
    ) -> ResponseHandler:
        """Try one address after the other, without waiting long for any of them."""
        failures: list[Exception] = []
        trying: dict[asyncio.Task[ResponseHandler], Address] = {}
        try:
            while addresses or trying:
                if addresses:
                    address = addresses.pop(0)
                    opening = self._open(target, address)
                    trying[asyncio.create_task(opening, name=target.label)] = address
                done, _ = await asyncio.wait(
                    trying,
                    timeout=ADDRESS_STAGGER_SECONDS if addresses else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in done:
                    failure = task.exception()
                    if failure is None:
                        protocol = task.result()
                        # Whoever was looked for at an address is known by its id now.
                        label = self._nodes.get(protocol, target.label)
                        _put(self._good, label, trying.pop(task))
                        return protocol
                    if not isinstance(failure, _OPENING_ERRORS):
                        raise failure
                    failures.append(failure)
                    del trying[task]
        finally:
            await _dropped(trying)
        raise _joined(target, failures)

    async def _open(self, target: Target, address: Address) -> ResponseHandler:
        host, port = address
        context = self._context()
        is_secure = context is not None
        transport, protocol = await self._loop.create_connection(
            self._factory,
            host,
            port,
            ssl=context,
            # A node has no name that TLS could ask for.
            server_hostname="" if is_secure else None,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if is_secure else None,
            ssl_shutdown_timeout=TLS_GOODBYE_SECONDS if is_secure else None,
            # Racing for a single address could lose its connection, open, when it is
            # given up in the moment in which it is made.
            happy_eyeballs_delay=None if is_numeric(host) else ADDRESS_STAGGER_SECONDS,
        )
        try:
            node_id = self._check(target, transport)
        except PeerRefusedError:
            transport.abort()
            raise
        if node_id is not None:
            self._nodes[protocol] = node_id
        return protocol

    def _check(self, target: Target, transport: asyncio.Transport) -> str | None:
        node_id = self.node_at(transport)
        if node_id is not None and target.node_id not in (None, node_id):
            host, port, *_ = transport.get_extra_info("peername")
            reason = f"{host} port {port} is node {node_id}"
            raise PeerRefusedError(target.name, reason)
        return node_id


async def _dropped(trying: Iterable[asyncio.Task[ResponseHandler]]) -> None:
    """Give up the connections that were not needed."""
    tasks = list(trying)
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, ResponseHandler):
            result.abort()


def _joined(target: Target, failures: list[Exception]) -> EdgeNodeError:
    """What came of all addresses; another try helps unless each was refused."""
    told = [failure_of(target.name, failure) for failure in failures]
    reasons = "; ".join(dict.fromkeys(failure.reason for failure in told))
    if all(isinstance(failure, PeerRefusedError) for failure in told):
        # At other addresses there may be this node itself.
        if any(isinstance(failure, OtherKeyError) for failure in told):
            return OtherKeyError(target.name, reasons)
        return PeerRefusedError(target.name, reasons)
    return PeerUnavailableError(target.name, reasons)


_OF_THE_TIME = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID and ..._HAS_EXPIRED
_OF_THE_KEY = ("unknown ca", "decrypt error", "bad certificate")


def failure_of(name: str, error: Exception) -> PeerRefusedError | PeerUnavailableError:
    """Why somebody can't be asked, by what the libraries raise."""
    if isinstance(error, PeerRefusedError | PeerUnavailableError):
        return error
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientError):  # it says less than its cause
            cause = cause.__cause__ or cause.__context__
            continue
        if isinstance(cause, ssl.SSLCertVerificationError):
            told = getattr(cause, "verify_message", None) or cause.strerror
            reason = f"its certificate: {told}"
            if cause.verify_code in _OF_THE_TIME:
                return PeerRefusedError(name, reason)
            return OtherKeyError(name, reason)
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            reason = str(cause.reason).lower().replace("_", " ")
            if any(each in reason for each in _OF_THE_KEY):
                return OtherKeyError(name, reason)
            return PeerRefusedError(name, reason)
        cause = cause.__cause__ or cause.__context__
    reason = str(error)[:MAX_REASON_LENGTH] or type(error).__name__
    # asyncio's own text names what it called.
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        reason = os.strerror(error.errno) if error.errno else reason
    return PeerUnavailableError(name, reason)


async def whole_answer(name: str, response: aiohttp.ClientResponse) -> bytes:
    """The body of an answer.

    Raises:
        PeerUnavailableError: It is too large.
    """
    pieces: list[bytes] = []
    size = response.content_length or 0
    if size <= MAX_PEER_ANSWER_BYTES:
        size = 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > MAX_PEER_ANSWER_BYTES:
                break
            pieces.append(piece)
    if size > MAX_PEER_ANSWER_BYTES:
        response.close()
        raise PeerUnavailableError(name, "the answer is too large")
    return b"".join(pieces)


def payload(body: bytes | None) -> bytes | BytesIO | None:
    """A body as aiohttp sends it; a large one bit by bit."""
    return BytesIO(body) if body and len(body) > LARGE_BODY_BYTES else body


def _put(kept: dict[str, T], label: str, value: T) -> None:
    """Remember something of a node, and forget the one that is longest unused."""
    kept.pop(label, None)
    kept[label] = value
    if len(kept) > MAX_KEPT_ADDRESSES:
        del kept[next(iter(kept))]
