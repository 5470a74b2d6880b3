"""Asks genuine members over HTTP, at addresses where the operator says that they may be.

The address in a registration is what anybody wrote who may write to the topic. So a name
is looked up here, what it stands for is checked, and that is what is connected to; nobody
can have it stand for something else in between. Redirections are never followed.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from edgenode.config import KafkaCohortConfig
from edgenode.connectors.connection import Connection
from edgenode.errors import PeerRefusedError, PeerUnavailableError
from edgenode.events.registration import MemberRegistration
from edgenode.federation.http import Answer, failure_of, payload, whole_answer
from edgenode.hosts import is_host, is_numeric
from edgenode.limits import (
    CONNECT_SECONDS,
    CONNECTIONS_TO_A_NODE,
    CONNECTIONS_TO_NODES,
    MAX_LOOKUPS,
    MAX_REASON_LENGTH,
    PEER_SECONDS,
    PLATFORM_KEEPALIVE_SECONDS,
)
from edgenode.security.platforms import Admission, Login, client_context

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The numeric addresses of a host; raises OSError where it has none."""

Admits = Callable[[str], bool]


@asynccontextmanager
async def resolving() -> AsyncIterator[Resolve]:
    """What the system says of hosts, until the end of the block.

    Anybody may register names that no name server answers for. So they are looked up in
    threads of their own, and nothing else has to wait for those.
    """
    threads = ThreadPoolExecutor(MAX_LOOKUPS, thread_name_prefix="names")

    def look_up(host: str) -> Sequence[str]:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return [str(address[0]) for *_, address in found]

    async def resolve(host: str) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, look_up, host)

    try:
        yield resolve
    finally:
        await asyncio.to_thread(threads.shutdown, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a genuine member answers.

    Attributes:
        root: Scheme, host and port.
        prefix: The path of its server: ``/servers/<name>``.
        login: What to log in with; None where its connection says nothing.
    """

    root: URL
    prefix: str
    login: Login | None


class PlatformHttp:
    """Connections to genuine members, and questions over them."""

    def __init__(
        self, session: aiohttp.ClientSession, transport: str, admits: Admits
    ) -> None:
        self._session = session
        self._transport = transport
        self._admits = admits

    def place(self, name: str, connection: Connection) -> Place:
        """Where a member answers, by the connection in its registration.

        Raises:
            PeerRefusedError: It isn't to be asked there.
        """
        endpoint = connection.endpoint
        address = None if endpoint is None else endpoint.address
        if not address:
            raise PeerRefusedError(name, "its registration tells no address")
        told = address[:MAX_REASON_LENGTH]
        try:
            url = URL(address)
            root, host = url.origin(), url.raw_host
        except ValueError as error:
            raise PeerRefusedError(name, f"{told!r} is no address") from error
        if (
            host is None
            # Nearly numeric ones are connected to as they stand, and not looked up.
            or not is_host(host)
            or url.user is not None
            or url.query_string
            or url.fragment
        ):
            raise PeerRefusedError(name, f"{told!r} is no address")
        if url.scheme != self._transport:
            reason = (
                f"{told} is no address of kafka_cohort.transport, {self._transport}"
            )
            raise PeerRefusedError(name, reason)
        if is_numeric(host) and not self._admits(host):
            raise _elsewhere(name, host, (host,))
        login = None
        if connection.user_id is not None and connection.clear_password is not None:
            login = Login(connection.user_id, connection.clear_password)
        return Place(root, url.raw_path.rstrip("/"), login)

    async def request(
        self,
        name: str,
        place: Place,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer:
        """Ask a member.

        Args:
            name: What it is called in messages.
            place: Where it is.
            method: The HTTP method.
            path: The path with its query, percent-encoded.
            body: The body, if there is one.
            headers: Headers beside those that HTTP itself needs.

        Raises:
            PeerUnavailableError: It isn't reached, breaks off, or says too much.
            PeerRefusedError: It isn't to be asked there, or TLS says that it isn't the
                right one.
        """
        sent = dict(headers)
        if place.login is not None:
            sent["Authorization"] = place.login.header
        try:
            async with self._session.request(
                method,
                URL(f"{place.root}{path}", encoded=True),
                data=payload(body),
                headers=sent,
                allow_redirects=False,
            ) as response:
                text = await whole_answer(name, response)
                return Answer(response.status, response.headers, text)
        except TimeoutError as error:
            raise PeerUnavailableError(name, "no answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise failure_of(name, error) from error


def fault_of(http: PlatformHttp, registration: MemberRegistration) -> str:
    """Why a member can't be asked by the connection that it has registered.

    Empty where it can, and where it offers no repository.
    """
    connection = registration.repository_connection
    if connection is None:
        return ""
    try:
        http.place(registration.server_name or "", connection)
    except PeerRefusedError as error:
        return error.reason
    return ""


def is_at(http: PlatformHttp, registration: MemberRegistration, root: str) -> bool:
    """Whether a member has registered with an address at a scheme, host and port."""
    connection = registration.repository_connection
    if connection is None:
        return False
    try:
        place = http.place(registration.server_name or "", connection)
    except PeerRefusedError:
        return False
    return place.root == URL(root).origin()


class PlatformCaller:
    """Sends requests to the REST API of one genuine member.

    Attributes:
        prefix: The path of its server there.
    """

    def __init__(self, http: PlatformHttp, name: str, connection: Connection) -> None:
        self._http = http
        self._name = name
        self._place: Place | PeerRefusedError
        try:
            self._place = http.place(name, connection)
            self.prefix = self._place.prefix
        except PeerRefusedError as error:
            # It counts as a member all the same, so that answers name it as missing.
            self._place, self.prefix = error, ""

    async def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The status, headers and body of the answer; see ``PlatformHttp``."""
        place = self._place
        if isinstance(place, PeerRefusedError):
            raise PeerRefusedError(place.node_id, place.reason)
        return await self._http.request(self._name, place, method, path, body, headers)


@asynccontextmanager
async def platform_http(
    config: KafkaCohortConfig, resolve: Resolve | None = None
) -> AsyncIterator[PlatformHttp]:
    """Keep connections to genuine members until the end of the block.

    Args:
        config: Where members may be, and how they are spoken to.
        resolve: Looks up names; None for what the system says.

    Raises:
        UnusableFileError: The file of the certificate authority can't be used.
    """
    admits = Admission(config.admit).admits
    context = None
    if config.transport == "https":
        context = await asyncio.to_thread(client_context, config.ca_file)
    async with resolving() as by_system:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_AdmittedAddresses(admits, resolve or by_system),
                use_dns_cache=False,
                ssl=context if context is not None else True,
                limit=CONNECTIONS_TO_NODES,
                limit_per_host=CONNECTIONS_TO_A_NODE,
                keepalive_timeout=PLATFORM_KEEPALIVE_SECONDS,
            ),
            timeout=aiohttp.ClientTimeout(
                total=PEER_SECONDS, sock_connect=CONNECT_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Unpacking an answer could make gigabytes of it.
            auto_decompress=False,
            skip_auto_headers=("Accept-Encoding", "User-Agent"),
        )
        try:
            yield PlatformHttp(session, config.transport, admits)
        finally:
            await session.close()


class _AdmittedAddresses(AbstractResolver):
    """Looks names up, and tells only addresses where platforms may be."""

    def __init__(self, admits: Admits, resolve: Resolve) -> None:
        self._admits = admits
        self._resolve = resolve

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        found = await self._resolve(host)
        admitted = [address for address in found if self._admits(address)]
        if not admitted:
            raise _elsewhere(host, host, found)
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": socket.IPPROTO_TCP,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in admitted
        ]

    async def close(self) -> None:
        """There is nothing to close."""


def _elsewhere(name: str, host: str, addresses: Sequence[str]) -> PeerRefusedError:
    where = host if host in addresses else f"{host} ({', '.join(addresses)})"
    reason = f"it is told to be at {where}, which kafka_cohort.admit doesn't have"
    return PeerRefusedError(name, reason[:MAX_REASON_LENGTH])
