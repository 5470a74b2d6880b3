"""Who gets a connection with a node, and who doesn't, over real sockets."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edgenode.security import listening
from edgenode.security.certificates import InvalidCertificateError
from edgenode.security.cohorts import Cohort
from edgenode.security.identity import IdentityFiles, NodeIdentity, make_identity
from edgenode.security.listening import Arrival, Doorkeeper, bound, network_of
from edgenode.security.tls import Credentials, RemovedPeerError, peer_node_id
from edgenode.security.trust import Refusal, Trust
from tests.unit.security.samples import (
    COHORT,
    DAY,
    FOREIGN_KEY,
    KEY,
    NEXT_KEY,
    NOW,
    issued,
)

HOST = "127.0.0.1"
OTHER_HOST = "127.0.0.2"
REFUSED = (ssl.SSLError, ConnectionError)
Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def of(identity: NodeIdentity, removed: set[str] | None = None) -> Credentials:
    return await Credentials.opened(identity.files, (removed or set()).__contains__)


async def identity_of(name: str, cohort: Cohort = COHORT) -> NodeIdentity:
    return await asyncio.to_thread(issued, name, cohort)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say who the peer is, and what it said first."""
    try:
        said = await reader.readline()
        node_id = peer_node_id(writer.get_extra_info("ssl_object"))
        writer.write(f"{node_id} {said.decode()}".encode())
        await writer.drain()
    except REFUSED:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def served(
    credentials: Credentials, trust: Trust | None = None
) -> AsyncIterator[int]:
    """A listener, by a doorkeeper."""
    tasks: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_echo(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def welcome(arrival: Arrival) -> None:
        reader = asyncio.StreamReader()
        await arrival.begin(asyncio.StreamReaderProtocol(reader, serve))

    keeper = Doorkeeper(
        credentials.server_context, trust.refused if trust else lambda *_: None, welcome
    )
    listener = bound(HOST, 0)
    accepting = asyncio.create_task(keeper.accept(listener))
    try:
        yield listener.getsockname()[1]
    finally:
        accepting.cancel()
        listener.close()
        await keeper.close()
        await asyncio.gather(accepting, *tasks, return_exceptions=True)


async def said(port: int, context: ssl.SSLContext, text: str = "hello") -> list[str]:
    """Who the server is, whom it takes us for, and the text back."""
    reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
    try:
        writer.write(f"{text}\n".encode())
        answer = (await reader.readline()).decode()
        if not answer:
            raise ConnectionResetError("closed without an answer")
        return [peer_node_id(writer.get_extra_info("ssl_object")), *answer.split()]
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path / "removals.json")


def counted(trust: Trust, reason: Refusal) -> bool:
    return trust.refusals() == {(reason, HOST): 1}


async def test_two_nodes_know_each_other(trust: Trust) -> None:
    one, two = await identity_of("one"), await identity_of("two")
    async with served(await of(one), trust) as port:
        client = await of(two)
        for text in ("hello", "again"):
            answer = await said(port, client.client_context(), text)
            assert answer == [one.node_id, two.node_id, text]
    assert not trust.refusals()


async def _plain() -> ssl.SSLContext:
    """A client that takes any server and shows nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _without_certificate(tmp_path: Path) -> ssl.SSLContext:
    return await _plain()


async def _foreign(tmp_path: Path) -> ssl.SSLContext:
    context = await _plain()
    files = (await identity_of("one", Cohort(key=FOREIGN_KEY))).files
    context.load_cert_chain(files.certificate, files.key)
    return context


async def _expired(tmp_path: Path) -> ssl.SSLContext:
    context = await _plain()
    long_ago = await asyncio.to_thread(make_identity, tmp_path / "old", COHORT, 0)
    context.load_cert_chain(long_ago.files.certificate, long_ago.files.key)
    return context


async def _self_made(tmp_path: Path) -> ssl.SSLContext:
    """One that calls itself the authority, without having its key."""
    return await asyncio.to_thread(_with_certificate_of_itself, tmp_path)


def _with_certificate_of_itself(tmp_path: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = issued("one").files.authorities.read_bytes()
    issuer = x509.load_pem_x509_certificate(authority)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "me")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "own.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(pem)
    return context


async def _old_tls(tmp_path: Path) -> ssl.SSLContext:
    context = (await of(await identity_of("two"))).client_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


@pytest.mark.parametrize(
    "client", [_without_certificate, _foreign, _expired, _self_made, _old_tls]
)
async def test_strangers_are_refused(
    trust: Trust,
    tmp_path: Path,
    client: Callable[[Path], Awaitable[ssl.SSLContext]],
) -> None:
    async with served(await of(await identity_of("one")), trust) as port:
        with pytest.raises(REFUSED):
            await said(port, await client(tmp_path))
        await _until(lambda: counted(trust, Refusal.CERTIFICATE))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)


@pytest.mark.parametrize("key", [FOREIGN_KEY, NEXT_KEY])
async def test_a_node_shows_itself_to_no_stranger(key: object) -> None:
    assert isinstance(key, type(KEY))
    stranger = await identity_of("one", Cohort(key=key))
    async with served(await of(stranger)) as port:
        client = await of(await identity_of("two"))
        with pytest.raises(ssl.SSLCertVerificationError):
            await said(port, client.client_context())


# Removal


async def test_nobody_connects_to_a_removed_node() -> None:
    one, two = await identity_of("one"), await identity_of("two")
    async with served(await of(one)) as port:
        client = await of(two, {one.node_id})
        with pytest.raises(RemovedPeerError, match=one.node_id):
            await said(port, client.client_context())


async def test_there_is_no_session_to_come_back_with() -> None:
    one, two = await identity_of("one"), await identity_of("two")
    async with served(await of(one)) as port:
        context = (await of(two)).client_context()
        reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
        writer.write(b"hello\n")
        await reader.readline()  # tickets would have come with the answer
        ssl_object = writer.get_extra_info("ssl_object")
        assert not ssl_object.session.has_ticket
        assert not ssl_object.session_reused
        writer.transport.abort()
        await asyncio.sleep(0)


# Rotation


async def test_a_rotation_takes_hold_of_open_listeners(
    trust: Trust, tmp_path: Path
) -> None:
    """First all trust both keys, in the end the new one alone."""
    rotated = COHORT.rotated(NEXT_KEY, NOW, 7)
    server = await asyncio.to_thread(make_identity, tmp_path / "server", COHORT, NOW)
    behind = (await of(await identity_of("two"))).client_context()
    ahead = (await of(await identity_of("two", rotated))).client_context()
    later = await asyncio.to_thread(
        make_identity, tmp_path / "later", rotated, NOW + 7 * DAY
    )
    after = (await of(later)).client_context()
    credentials = await of(server)
    async with served(credentials, trust) as port:
        for client in (behind, ahead):  # to learn the new key from
            assert await said(port, client)
        with pytest.raises(REFUSED):
            await said(port, after)

        await asyncio.to_thread(make_identity, tmp_path / "server", rotated, NOW)
        with pytest.raises(REFUSED):  # not yet
            await said(port, after)
        await credentials.refresh()
        for client in (behind, ahead, after):
            assert await said(port, client)

        await asyncio.to_thread(
            make_identity, tmp_path / "server", rotated, NOW + 7 * DAY
        )
        await credentials.refresh()
        assert await said(port, ahead)
        assert await said(port, after)
        with pytest.raises(ssl.SSLCertVerificationError):
            await said(port, behind)
        old = await _plain()
        files = (await identity_of("two")).files
        old.load_cert_chain(files.certificate, files.key)
        with pytest.raises(REFUSED):
            await said(port, old)


def test_before_a_handshake_nobody_is_there() -> None:
    context = Credentials(issued("one").files, set().__contains__).client_context()
    with pytest.raises(InvalidCertificateError):
        peer_node_id(context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()))


async def test_files_that_cannot_be_used_change_nothing(tmp_path: Path) -> None:
    server = await asyncio.to_thread(make_identity, tmp_path / "server", COHORT, NOW)
    credentials = await of(server)
    client = (await of(await identity_of("two"))).client_context()
    async with served(credentials) as port:
        await asyncio.to_thread(server.files.certificate.write_bytes, b"nothing")
        with pytest.raises(OSError, match=r"PEM|SSL"):
            await credentials.refresh()
        assert await said(port, client)
    with pytest.raises(OSError, match="No such file"):
        await Credentials.opened(IdentityFiles(tmp_path / "none"), set().__contains__)


# Sockets that a library drives itself


@pytest.mark.parametrize("is_removed", [False, True])
def test_plain_sockets_are_checked_too(is_removed: bool) -> None:
    one, two = issued("one"), issued("two")
    removed = {one.node_id} if is_removed else set()
    server = Credentials(one.files, set().__contains__).server_context()
    client = Credentials(two.files, removed.__contains__).client_context()
    here, there = socket.socketpair()
    found: list[str] = []

    def serve() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as secured:
                secured.recv(1)
                found.append(peer_node_id(secured))
        except InvalidCertificateError:  # it broke off
            pass
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    with closing(here):
        if is_removed:
            with pytest.raises(RemovedPeerError):
                client.wrap_socket(here)
        else:
            with client.wrap_socket(here) as secured:
                secured.send(b"x")
                assert peer_node_id(secured) == one.node_id
    thread.join()
    assert found == ([] if is_removed else [two.node_id])


# The doorkeeper


async def test_what_comes_with_the_handshake_is_not_lost(tmp_path: Path) -> None:
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        context = (await of(await identity_of("two"))).client_context()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = context.wrap_bio(incoming, outgoing)
        reader, writer = await asyncio.open_connection(HOST, port)
        with pytest.raises(ssl.SSLWantReadError):
            secured.do_handshake()
        writer.write(outgoing.read())
        while True:
            incoming.write(await reader.read(65_536))
            try:
                secured.do_handshake()
                break
            except ssl.SSLWantReadError:
                continue
        secured.write(b"early\n")  # in one piece with the end of the handshake
        writer.write(outgoing.read())
        incoming.write(await reader.read(65_536))
        assert secured.read().endswith(b" early\n")
        writer.transport.abort()
        await asyncio.sleep(0)


async def test_what_isnt_tls_is_refused_with_its_address(tmp_path: Path) -> None:
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        with suppress(ConnectionError):
            await reader.read()
        assert trust.refusals() == {(Refusal.CERTIFICATE, HOST): 1}
        writer.close()


async def test_who_says_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_SECONDS", 0.01)
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        _, writer = await asyncio.open_connection(HOST, port)
        await _until(lambda: counted(trust, Refusal.CERTIFICATE))
        writer.close()


async def test_who_goes_away_is_no_stranger(tmp_path: Path) -> None:
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        assert not trust.refusals()


async def test_who_breaks_off_a_handshake_is_counted(tmp_path: Path) -> None:
    """A node with another cohort's key does, before it shows anything of its own."""
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        stranger = await of(await identity_of("two", Cohort(key=FOREIGN_KEY)))
        with pytest.raises(ssl.SSLCertVerificationError):
            await said(port, stranger.client_context())
        await _until(lambda: trust.refusals() == {(Refusal.KEY, HOST): 1})


async def test_handshakes_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MAX_HANDSHAKES", 1)
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        connections = [await asyncio.open_connection(HOST, port) for _ in range(3)]
        await _until(lambda: trust.refusals() == {(Refusal.BUSY, HOST): 2})
        for _, writer in connections:
            writer.transport.abort()
        client = (await of(await identity_of("two"))).client_context()

        async def let_in() -> bool:
            try:
                return bool(await said(port, client))
            except REFUSED:
                return False

        async with asyncio.timeout(10):
            while not await let_in():
                pass


async def test_who_says_nothing_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MAX_HANDSHAKES", 2)
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        silent = [
            await asyncio.open_connection(HOST, port, local_addr=(OTHER_HOST, 0))
            for _ in range(2)
        ]
        client = (await of(await identity_of("two"))).client_context()
        assert (await said(port, client))[-1] == "hello"
        assert trust.refusals() == {(Refusal.BUSY, OTHER_HOST): 1}
        assert await silent[0][0].read() == b""
        for _, writer in silent:
            writer.close()


async def test_silence_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "SILENT_SECONDS", 0.05)
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        reader, writer = await asyncio.open_connection(HOST, port)
        assert await reader.read() == b""
        writer.close()
    assert counted(trust, Refusal.CERTIFICATE)


async def test_there_is_room_for_those_who_were_let_in_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MAX_HANDSHAKES", 1)
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        client = (await of(await identity_of("two"))).client_context()
        assert (await said(port, client))[-1] == "hello"
        _, writer = await asyncio.open_connection(
            HOST, port, local_addr=(OTHER_HOST, 0)
        )
        writer.write(b"\x16\x03\x01")  # the beginning of a hello, and never more
        for _ in range(20):  # turns, for it to be read
            await asyncio.sleep(0)
        third = await asyncio.open_connection(HOST, port, local_addr=("127.0.0.3", 0))
        assert await third[0].read() == b""
        assert (await said(port, client))[-1] == "hello"
        assert trust.refusals() == {(Refusal.BUSY, "127.0.0.3"): 1}
        for each in (writer, third[1]):
            each.transport.abort()


async def test_a_network_has_so_many_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MAX_HANDSHAKES_OF_A_NETWORK", 1)
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        held = [
            await asyncio.open_connection(HOST, port, local_addr=(host, 0))
            for host in (OTHER_HOST, HOST, HOST)
        ]
        assert await held[1][0].read() == b""
        assert counted(trust, Refusal.BUSY)
        for _, writer in held:
            writer.close()


def test_hosts_have_networks_of_their_own() -> None:
    of_one_host = {network_of("2001:db8::1"), network_of("2001:db8::2:3")}
    others = {network_of("2001:db8:0:1::1"), network_of("10.0.0.1"), network_of("")}
    assert len(of_one_host) == 1
    assert len(of_one_host | others | {network_of("10.0.0.2")}) == 5


async def test_closing_ends_the_handshakes(tmp_path: Path) -> None:
    trust = Trust(tmp_path / "removals.json")
    async with served(await of(await identity_of("one")), trust) as port:
        reader, writer = await asyncio.open_connection(HOST, port)
        await _until(
            lambda: (
                f"connection of {HOST}" in {t.get_name() for t in asyncio.all_tasks()}
            )
        )
    assert await reader.read() == b""
    writer.close()


async def test_who_comes_when_nobody_is_accepted_any_more_is_not_forgotten() -> None:
    failures: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failures.append(context))

    async def welcome(arrival: Arrival) -> None:
        raise AssertionError("nobody is to be welcomed")

    keeper = Doorkeeper(lambda: None, lambda *_: None, welcome)
    with closing(bound(HOST, 0)) as listener:
        accepting = asyncio.create_task(keeper.accept(listener))
        await asyncio.sleep(0)
        with closing(socket.socket()) as client:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            await asyncio.sleep(0)
            accepting.cancel()  # while the event loop is told of the client
            await asyncio.gather(accepting, return_exceptions=True)
            await keeper.close()
    assert not failures


async def test_tls_that_has_just_begun_ends_with_its_task() -> None:
    server, client = (
        await of(await identity_of("one")),
        await of(await identity_of("two")),
    )
    context = client.client_context()
    here, there = socket.socketpair()
    here.setblocking(False)
    arrival = Arrival(here, HOST, server.server_context())

    class Cancelling(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            beginning.cancel()

    beginning = asyncio.create_task(arrival.begin(Cancelling()))
    # The other side says nothing any more, not even that it agrees to the end.
    with closing(await asyncio.to_thread(context.wrap_socket, there)):
        await asyncio.gather(beginning, return_exceptions=True)
        for _ in range(10):
            await asyncio.sleep(0)
        assert here.fileno() == -1
