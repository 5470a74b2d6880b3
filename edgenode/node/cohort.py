"""A node's part in its cohort, put together from the configuration."""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import SystemRandom
from urllib.parse import quote
from uuid import uuid4

from edgenode import __version__
from edgenode.bus.base import Address, EventBus, Message
from edgenode.bus.base import Trust as BusTrust
from edgenode.bus.mesh import MeshBus
from edgenode.bus.shared import SharedBroker, SharedBus
from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.cohort.envelope import Header, TopicKind, Topics, wrap
from edgenode.cohort.guests import Guests
from edgenode.cohort.member import CohortMember, MemberParts
from edgenode.cohort.model import NodeInfo
from edgenode.cohort.node import CohortNode
from edgenode.cohort.service import PeerService
from edgenode.cohort.speech import Session
from edgenode.config import CohortConfig, HostPort, NodeConfig
from edgenode.config import SharedBroker as SharedBrokerConfig
from edgenode.connectors.connection import Connection
from edgenode.connectors.repository import remote_connection, server_at
from edgenode.discovery.links import missing_interfaces, usable_links
from edgenode.discovery.mdns import MdnsDiscovery
from edgenode.discovery.records import Announcement
from edgenode.discovery.sightings import Sighting
from edgenode.discovery.static import resolved
from edgenode.events.registration import MemberRegistration
from edgenode.federation.http import PeerHttp, peer_http
from edgenode.federation.peers import HttpDialer, NodeCaller
from edgenode.federation.remote import RemoteMetadataCollection
from edgenode.instances.model import InstanceHeader
from edgenode.limits import (
    ACCEPT_PAUSE_SECONDS,
    EXCHANGE_SECONDS,
    FIRST_RETRY_SECONDS,
)
from edgenode.node.admin import NodeAdmin
from edgenode.node.federation import ServerFederation
from edgenode.node.highway import NodesCohort, away
from edgenode.node.known_nodes import remembering
from edgenode.node.metrics import member_metrics, node_metrics
from edgenode.node.rules import exchange_rules
from edgenode.node.servers import SERVER_TYPE, OpenServer
from edgenode.observability.audit_log import OMRSAuditingComponent
from edgenode.observability.audit_messages import PEER_REFUSED
from edgenode.observability.metrics import Metric
from edgenode.releases import SERVED
from edgenode.rest.adapter import Adapter
from edgenode.rest.cohort_admin import admin_operations
from edgenode.rest.cohort_services import cohort_operations
from edgenode.rest.members import Door, MemberServer, listening_for_members
from edgenode.rest.streams import StreamOperation
from edgenode.security.cohorts import Cohort
from edgenode.security.directory import (
    NODES_FILE,
    CohortDirectory,
    open_cohort,
    settled_cohort,
)
from edgenode.security.keyholder import KeyHolder, until
from edgenode.security.listening import bound
from edgenode.security.trust import REMOVALS_FILE, Refusal, Trust

logger = logging.getLogger(__name__)


@asynccontextmanager
async def open_cohort_of_node(
    config: NodeConfig,
    servers: Sequence[OpenServer],
    federations: Mapping[str, ServerFederation],
    clock: Clock,
) -> AsyncIterator["NodeCohort"]:
    """Get ready to take part in the cohort, and to ask others, until the end of the block.

    Args:
        config: The node's.
        servers: The node's servers, all of which become members.
        federations: Whom each of them asks, by name.
        clock: The time.

    Raises:
        EdgeNodeError: The cohort's files can't be used.
        OSError: An address can't be listened on, or a file not be written.
    """
    directory = CohortDirectory(config.data_directory)
    settings = config.cohort
    for name in missing_interfaces(settings.interfaces):
        logger.warning("cohort.interfaces: there is no interface %s now", name)
    if settings.mode == "open":
        cohort, is_new = open_cohort(settings.name), False
    else:
        cohort, is_new = await asyncio.to_thread(
            settled_cohort, directory, settings.name, settings.join_file
        )
    kept = await asyncio.to_thread(directory.kept_of, cohort)
    trust = await Trust.opened(kept / REMOVALS_FILE)
    for server in servers:
        # Of strangers nothing is taken over.
        await server.repository.enter_cohort(cohort.id, adopts=not cohort.is_open)
    keys = await KeyHolder.opened(directory, cohort, trust.is_removed, clock)
    async with AsyncExitStack() as stack:
        listener = bound(settings.listen.host, settings.listen.port)
        stack.callback(listener.close)
        made = NodeCohort(settings, keys, trust, listener, kept / NODES_FILE, clock)
        stack.callback(made.close)
        made.is_new = is_new
        http = await stack.enter_async_context(
            peer_http(keys.client_context, keys.identify, made.find)
        )
        made.put_together(servers, http, federations)
        yield made


class NodeCohort:
    """The cohort as this node takes part in it.

    Attributes:
        settings: How it is configured.
        is_new: Whether this node has just made it.
        members: The node's servers in it, by name.
        guests: Members of another cohort for whom the first of them speaks.
        keys: The cohort's key, and what secures connections.
        trust: Who isn't let in.
        node: This node in it.
        admin: What people ask of it.
    """

    node: CohortNode
    admin: NodeAdmin

    def __init__(
        self,
        settings: CohortConfig,
        keys: KeyHolder,
        trust: Trust,
        listener: socket.socket,
        nodes_path: Path,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.is_new = False
        self.trust = trust
        self.keys = keys
        self._node_id = keys.identity.node_id
        self._listener = listener
        self._listening: MeshBus | None = None
        self._nodes_path = nodes_path
        self._port = int(listener.getsockname()[1])
        self._clock = clock
        self.members: dict[str, CohortMember] = {}
        self._service: PeerService | None = None
        self._http: PeerHttp | None = None
        self._server: MemberServer | None = None
        keys.on_distrust(lambda: self._cut(None))

    @property
    def cohort(self) -> Cohort:
        """Which one it is, with the key as it is now."""
        return self.keys.cohort

    def put_together(
        self,
        servers: Sequence[OpenServer],
        http: PeerHttp,
        federations: Mapping[str, ServerFederation],
    ) -> None:
        """Make the members, and have them asked by each other; to be called once."""
        self._http = http
        for server in servers:
            parts = self._member_parts(server)
            member = CohortMember(parts)
            if not self.members:
                self.guests = Guests(parts, member, SystemRandom())
            self.members[server.config.name] = member
            server.members.append(member)
        self.node = CohortNode(
            info=NodeInfo(
                node_id=self._node_id,
                run_id=uuid4().hex,
                revision=self._clock.now(),
                name=socket.gethostname(),
                version=__version__,
                addresses=tuple(self._addresses()),
                rest_port=self._port,
            ),
            members=list(self.members.values()),
            dialer=HttpDialer(http, Codec(SERVED)),
            trust=self.trust,
            codec=Codec(SERVED),
            clock=self._clock,
            random=SystemRandom(),
            keys=None if self.cohort.is_open else self.keys,
            cut=self._cut,
            guests=self.guests,
        )
        by_collection = {each.collection_id: each for each in self.members.values()}
        self._service = PeerService(self.node, by_collection, self.keys.told)
        self.admin = NodeAdmin(
            self.keys,
            self.node,
            self.trust,
            self.members,
            {name: each.members for name, each in federations.items()},
            self._clock,
        )
        logs = [server.audit_log for server in servers]

        def refused(reason: Refusal, address: str, detail: str) -> None:
            if reason is Refusal.CONFLICT:
                return  # a record of its own says whose, and what mends it
            why = f"{reason.value}, {detail}" if detail else reason.value
            for log in logs:
                component = OMRSAuditingComponent.COHORT_MANAGER
                log.record(component, PEER_REFUSED, address, why)

        self.trust.on_refusal(refused)
        for server in servers:
            name = server.config.name
            member, federation = self.members[name], federations[name]
            federation.add(_Source(self.node, member, http, server.codec))
            member.on_return(federation.members.returned)

    def _member_parts(self, server: OpenServer) -> MemberParts:
        name = server.config.name
        return MemberParts(
            node_id=self._node_id,
            registration=MemberRegistration(
                metadata_collection_id=server.collection_id,
                metadata_collection_name=server.config.metadata_collection_name or name,
                server_name=name,
                server_type=SERVER_TYPE,
                organization_name=server.config.organization_name,
                repository_connection=self.connection(name),
            ),
            collection=server.collection,
            repository=server.repository,
            types=server.types,
            codec=server.codec,
            rules=exchange_rules(self.settings, server),
            audit_log=server.audit_log,
            clock=self._clock,
        )

    def connection(self, name: str) -> Connection:
        """How nodes reach what this one answers for under a name."""
        scheme = "http" if self.cohort.is_open else "https"
        root = f"{scheme}://{HostPort(socket.gethostname(), self._port)}"
        return remote_connection(f"{root}/servers/{name}")

    # what the rest of the node asks of it

    def find(self, node_id: str) -> list[tuple[str, int]]:
        """Where a node is reached."""
        if node_id == self._node_id:
            host = self.settings.listen.host
            return [(_LOOPBACK.get(host, host), self._port)]
        peer = self.node.peers.get(node_id)
        if peer is None:
            return []
        return [(host, peer.info.rest_port) for host in peer.addresses]

    def operations(self, codec: Codec) -> Iterable[StreamOperation]:
        """What other nodes may ask, and what people on this machine may."""
        if self._service is None:
            return ()
        return (
            *cohort_operations(self._service, codec),
            *admin_operations(self.admin),
        )

    def of_server(self, server: str) -> NodesCohort:
        """The cohort as one of the servers is in it, for its metadata highway."""
        return NodesCohort(self.cohort.key.name, self.members[server])

    def is_away(self, server: str) -> bool:
        """Whether somebody had a server go."""
        return self.members[server].standing.is_away

    def metrics(self, server: str) -> tuple[Metric, ...]:
        """The figures of a server in its cohort."""
        figures = member_metrics(server, self.members[server])
        if server != next(iter(self.members)):
            return figures
        # The node's own are told once, with those of its first server.
        return (*figures, *node_metrics(self.node, self.trust))

    def _cut(self, node_id: str | None) -> None:
        """Close the connections for questions with a node, or with all."""
        if self._http is not None:
            self._http.disconnect(node_id)
        if self._server is not None:
            self._server.disconnect(node_id)

    # taking part

    @asynccontextmanager
    async def taking_part(self, adapter: Adapter) -> AsyncIterator[None]:
        """Let other nodes in, look for them and speak with them, until the end.

        Raises:
            OSError: The broker's address can't be listened on.
        """
        bus = self._bus()
        port = self._listen(bus, self.settings.bus_listen.port)
        self.node.info = replace(self.node.info, bus_port=port)
        door = Door(
            context=self.keys.server_context,
            identify=self.keys.identify,
            refused=self.trust.refused,
        )
        async with (
            listening_for_members(adapter, self._listener, door) as self._server,
            remembering(
                self._nodes_path,
                self.node,
                Codec(SERVED),
                self._clock,
            ),
            asyncio.TaskGroup() as tasks,
        ):
            running = [
                tasks.create_task(work, name=name)
                for name, work in (
                    ("cohort", self.node.run()),
                    ("cohort bus", self._speak(bus, port)),
                    ("cohort addresses", self._watch_addresses()),
                    ("cohort static peers", self._look_for_static_peers()),
                    ("cohort discovery", self._discover(port)),
                    ("cohort certificates", self.keys.keep_up()),
                )
            ]
            try:
                yield
            finally:
                self.node.leave()
                for task in running:
                    task.cancel()

    async def _speak(self, bus: EventBus, port: int) -> None:
        """Use a bus until the keys change, and then another one."""
        changed = self.keys.changed
        while True:
            await until(changed, self.node.use(self._session(bus)))
            changed = self.keys.changed
            bus = self._bus()
            while True:
                try:
                    self._listen(bus, port)
                    break
                except OSError as error:
                    logger.warning("the broker's port can't be had: %s", error)
                    await self._clock.sleep(ACCEPT_PAUSE_SECONDS)

    def _bus(self) -> EventBus:
        """A bus for the key as it is now."""
        node_id, prefix = self._node_id, self._topics.prefix
        topic = self._topics.name(TopicKind.LOST, node_id)
        header = Header(node=node_id, run=self.node.info.run_id)
        text = dumps({"lost": node_id})
        will = Message(topic, wrap(self._bus_key, topic, header, text))
        shared = self.settings.bus
        if shared is not None:
            broker = _shared_broker(shared)
            came_back = self.node.bus_came_back
            return SharedBus(node_id, prefix, will, broker, came_back=came_back)
        return MeshBus(
            node_id,
            prefix,
            will,
            BusTrust(
                server=self.keys.server_context,
                client=self.keys.client_context,
                identify=self.keys.identify,
                refused=self.trust.refused,
            ),
        )

    def _listen(self, bus: EventBus, port: int) -> int:
        """Have a bus listen; the port of the broker on it that is ours, or 0."""
        if not isinstance(bus, MeshBus):
            return 0
        self._listening = bus
        return bus.listen([self.settings.bus_listen.host], port)

    def close(self) -> None:
        """Give the broker's address back, also where the bus never came to run."""
        if self._listening is not None:
            self._listening.close()

    def _session(self, bus: EventBus) -> Session:
        return Session(bus, self._topics, self._bus_key)

    @property
    def _topics(self) -> Topics:
        key = self.cohort.key
        return Topics(f"edgenode/{key.name}/{key.tag}/")

    @property
    def _bus_key(self) -> bytes | None:
        return None if self.cohort.is_open else self.cohort.key.bus_key

    def _addresses(self) -> list[str]:
        """Where this node is reached, for those who were told of it."""
        host = self.settings.listen.host
        if host not in _LOOPBACK:
            return [host]
        links = usable_links(self.settings.interfaces)
        return [
            str(address.ip)
            for link in links
            for address in link.addresses
            # Link-local ones mean nothing elsewhere.
            if not address.ip.is_link_local
        ]

    async def _watch_addresses(self) -> None:
        while True:
            await self._clock.sleep(EXCHANGE_SECONDS)
            self.node.moved(self._addresses())

    async def _look_for_static_peers(self) -> None:
        configured = [Address(peer.host, peer.port) for peer in self.settings.peers]
        pause = FIRST_RETRY_SECONDS  # they may be starting, too
        while configured:
            async for address in resolved(configured):
                self.node.conversations.found([(address.host, address.port)])
            await self._clock.sleep(pause)
            pause = min(2 * pause, EXCHANGE_SECONDS)

    async def _discover(self, bus_port: int) -> None:
        while self.settings.discovery:
            announcement = Announcement(
                node_id=self._node_id,
                tag=self.cohort.key.tag,
                name=self.node.info.name,
                rest_port=self._port,
                bus_port=bus_port,
            )
            discovery = MdnsDiscovery(
                announcement,
                # Those that are behind with the key are to be found, too.
                tags=self.keys.trusted_tags,
                interfaces=self.settings.interfaces,
                clock=self._clock,
            )
            await until(self.keys.changed, discovery.run(_Seen(self.node)))


class _Source:
    """The members of the cohort, as one server asks them: ``MemberSource``."""

    def __init__(
        self, node: CohortNode, member: CohortMember, http: PeerHttp, codec: Codec
    ) -> None:
        self._node = node
        self._member = member
        self._http = http
        self._codec = codec

    @property
    def alone(self) -> str:
        """Why none of them is asked; empty where they are."""
        gone = away(self._member)
        return "" if gone is None else f"{gone.reason}; {gone.mend}"

    def on_change(self, told: Callable[[], None]) -> None:
        """Have somebody told when others came, left or changed, and now."""
        self._member.on_change(told)

    def registrations(self) -> Iterable[MemberRegistration]:
        """Who is in it beside the server."""
        return [
            record.registration
            for collection_id, record in self._member.records().items()
            if record.is_registered and collection_id != self._member.collection_id
        ]

    def connect(
        self, registration: MemberRegistration
    ) -> RemoteMetadataCollection | None:
        """What is asked for one of them; None for one that isn't to be."""
        collection_id = str(registration.metadata_collection_id)
        record = self._member.records().get(collection_id)
        if record is None:
            return None
        if not registration.server_name:
            # It is asked all the same, so that answers name it as missing.
            reason = "the registration names no server"
            self._member.complain_of(collection_id, reason)
        return RemoteMetadataCollection(
            collection_id,
            NodeCaller(self._http, record.node_id),
            f"/servers/{_name_of(registration)}",
            self._codec,
        )

    def unanswered(self, collection_id: str) -> None:
        """One of them left a question unanswered."""
        record = self._member.record(collection_id)
        if record is not None:
            self._node.unanswered(record.node_id)

    def was_read(self, header: InstanceHeader) -> None:
        """An instance was read from the cohort."""
        self._member.was_read(header)


def _name_of(registration: MemberRegistration) -> str:
    """What a member's node calls its server in paths."""
    told = server_at(registration.repository_connection)
    return told or quote(registration.server_name or "", safe="")


class _Seen:
    """Tells the node whom discovery sees."""

    def __init__(self, node: CohortNode) -> None:
        self._node = node

    def seen(self, sighting: Sighting) -> None:
        """A node was seen."""
        port = sighting.announcement.rest_port
        self._node.conversations.seen(
            sighting.node_id, [(host, port) for host in sighting.addresses]
        )

    def gone(self, node_id: str) -> None:
        """Whether it lives is told by connections."""


_LOOPBACK = {"::": "127.0.0.1", "0.0.0.0": "127.0.0.1"}  # noqa: S104
"""Where a node reaches itself when it listens everywhere."""


def _shared_broker(config: SharedBrokerConfig) -> SharedBroker:
    context = None
    if config.is_encrypted:
        context = ssl.create_default_context(cafile=config.ca_file)
    password = None
    if config.password_file is not None:
        lines = config.password_file.read_text(encoding="utf-8").splitlines()
        password = lines[0] if lines else ""
    return SharedBroker(
        address=Address(config.address.host, config.address.port),
        tls=lambda: context,
        username=config.user,
        password=password,
    )
