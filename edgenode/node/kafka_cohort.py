"""A node's part in a cohort of Egeria's platforms, put together from the configuration."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from uuid import uuid4

from edgenode.bus.base import Address
from edgenode.bus.opening import kafka_cohort_topics, require_kafka
from edgenode.bus.topics import (
    CohortTopics,
    KafkaBroker,
    Position,
    TopicsListener,
    topic_names,
)
from edgenode.clock import Clock
from edgenode.collection.base import answered
from edgenode.config import KafkaCohortConfig
from edgenode.connectors.connection import Connection
from edgenode.connectors.repository import remote_connection
from edgenode.errors import MemberUnavailableError, OMRSError
from edgenode.events.registration import MemberRegistration
from edgenode.federation.members import AskedCollection
from edgenode.federation.platform import platform_collection
from edgenode.federation.platform_http import (
    PlatformHttp,
    fault_of,
    is_at,
    platform_http,
)
from edgenode.instances.model import InstanceHeader
from edgenode.kafka_cohort.member import KafkaCohortMember, KafkaMemberParts
from edgenode.limits import MAX_TYPES_SECONDS
from edgenode.node.bridge import Bridge
from edgenode.node.federation import ServerFederation
from edgenode.node.kafka_admin import KafkaAdmin
from edgenode.node.kafka_highway import PlatformsCohort, away
from edgenode.node.metrics import kafka_metrics, refusal_metrics
from edgenode.node.rules import exchange_rules
from edgenode.node.servers import SERVER_TYPE, OpenServer
from edgenode.observability.audit_log import OMRSAuditingComponent
from edgenode.observability.audit_messages import PEER_REFUSED
from edgenode.observability.metrics import Metric
from edgenode.rest.adapter import member_adapter
from edgenode.rest.hosting import Platform, Server
from edgenode.rest.kafka_admin import kafka_admin_operations
from edgenode.rest.platforms import (
    PlatformDoor,
    listening_for_platforms,
    platform_door,
)
from edgenode.rest.streams import StreamOperation
from edgenode.security.listening import bound
from edgenode.security.platforms import client_context, read_login
from edgenode.security.trust import Refusal, Refusals
from edgenode.typedefs.model import TypeDef


@asynccontextmanager
async def open_kafka_cohort(
    config: KafkaCohortConfig,
    servers: Sequence[OpenServer],
    federations: Mapping[str, ServerFederation],
    clock: Clock,
) -> AsyncIterator["NodeKafkaCohort"]:
    """Get ready to take part in the cohort, until the end of the block.

    Args:
        config: The cohort's.
        servers: The node's servers, all of which become members.
        federations: Whom each of them asks, by name.
        clock: The time.

    Raises:
        KafkaMissingError: The client of Kafka isn't installed.
        UnusableFileError: A file of the configuration can't be used.
        OSError: The address for platforms can't be listened on.
    """
    await asyncio.to_thread(require_kafka)
    broker = await asyncio.to_thread(_broker, config)
    refusals = Refusals()
    door = await asyncio.to_thread(platform_door, config, refusals.refused)
    listener = bound(config.listen.host, config.listen.port)
    try:
        async with platform_http(config) as http:
            cohort = NodeKafkaCohort(
                config, broker, door, listener, http, refusals, clock
            )
            await cohort.put_together(servers, federations)
            yield cohort
    finally:
        listener.close()


class NodeKafkaCohort:
    """The cohort as this node takes part in it.

    Attributes:
        config: How it is configured.
        members: The node's servers in it, by name.
        refusals: Who wasn't let in.
        admin: What people ask of it.
    """

    admin: KafkaAdmin

    def __init__(
        self,
        config: KafkaCohortConfig,
        broker: KafkaBroker,
        door: PlatformDoor,
        listener: socket.socket,
        http: PlatformHttp,
        refusals: Refusals,
        clock: Clock,
    ) -> None:
        self.config = config
        self.members: dict[str, KafkaCohortMember] = {}
        self.refusals = refusals
        self._broker = broker
        self._door = door
        self._listener = listener
        self._http = http
        self._port = int(listener.getsockname()[1])
        self._clock = clock

    async def put_together(
        self,
        servers: Sequence[OpenServer],
        federations: Mapping[str, ServerFederation],
    ) -> None:
        """Make the members, and have them asked; to be called once."""
        logs = [server.audit_log for server in servers]

        def refused(reason: Refusal, address: str, detail: str) -> None:
            why = f"{reason.value}, {detail}" if detail else reason.value
            for log in logs:
                component = OMRSAuditingComponent.COHORT_MANAGER
                log.record(component, PEER_REFUSED, address, why)

        self.refusals.on_refusal(refused)
        for server in servers:
            name = server.config.name
            member = KafkaCohortMember(await self._parts(server))
            self.members[name] = member
            server.members.append(member)
            federation = federations[name]
            federation.add(_Source(member, self._http, server))
            member.on_return(federation.members.returned)
        self.admin = KafkaAdmin(
            self.config,
            self.members,
            {name: each.members for name, each in federations.items()},
        )

    async def _parts(self, server: OpenServer) -> KafkaMemberParts:
        config, name = self.config, server.config.name
        store = server.repository.kafka_cohort
        return KafkaMemberParts(
            cohort_name=config.name,
            standing=await store.enter(config.name, str(uuid4())),
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
            rules=exchange_rules(config, server),
            audit_log=server.audit_log,
            clock=self._clock,
            open_topics=self._open_topics,
            ask_types=partial(self._ask_types, server),
            fault_of=self._fault_of,
        )

    def _fault_of(self, registration: MemberRegistration) -> str:
        """Why a member can't be asked as it has registered; empty where it can."""
        own = {each.collection_id for each in self.members.values()}
        root = self.config.told_address(self._port)
        is_own = registration.metadata_collection_id in own
        if not is_own and is_at(self._http, registration, root):
            return (
                f"{root} is the address of server {next(iter(self.members))}, too: each "
                "node needs a kafka_cohort.address of its own"
            )
        return fault_of(self._http, registration)

    def of_server(self, server: str) -> PlatformsCohort:
        """The cohort as one of the servers is in it, for its metadata highway."""
        return PlatformsCohort(self.config, self.members[server])

    def connection(self, name: str) -> Connection:
        """How platforms reach what this node answers for under a name."""
        root, login = self.config.told_address(self._port), self._door.login
        return remote_connection(
            f"{root}/servers/{name}",
            None if login is None else login.user,
            None if login is None else login.password,
        )

    def operations(self) -> Iterable[StreamOperation]:
        """What people on this machine may ask."""
        return kafka_admin_operations(self.admin)

    def metrics(self, server: str) -> tuple[Metric, ...]:
        """The figures of a server in the cohort."""
        figures = kafka_metrics(self.members[server])
        if server != next(iter(self.members)):
            return figures
        # The node's own are told once, with those of its first server.
        return (*figures, refusal_metrics(self.refusals))

    def _open_topics(
        self, server_id: str, positions: Sequence[Position], listener: TopicsListener
    ) -> AbstractAsyncContextManager[CohortTopics]:
        config = self.config
        names = topic_names(
            config.topic_root, config.name, dedicated=config.topics == "dedicated"
        )
        return kafka_cohort_topics(
            self._broker, names, server_id, positions, listener, self._clock
        )

    async def _ask_types(
        self, server: OpenServer, collection_id: str, names: Sequence[str]
    ) -> Sequence[TypeDef]:
        """The definitions of types, from a member that uses them; not of those unknown.

        At its address there may be another one by now, whose types are none of its.
        """
        asking = self.members[server.config.name]
        registration = asking.remote.get(collection_id)
        if registration is None:
            return ()
        collection = platform_collection(
            registration, self._http, server.codec, server.types
        )
        if collection is None:
            return ()
        found = []
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_TYPES_SECONDS):
                if await _id_of(collection, asking.name) != collection_id:
                    return ()
                for name in names:
                    with suppress(OMRSError, MemberUnavailableError):
                        told = await collection.get_type_def_by_name(asking.name, name)
                        found.append(told)
        return found

    @asynccontextmanager
    async def taking_part(
        self, platform: Platform, bridge: Bridge | None
    ) -> AsyncIterator[None]:
        """Be asked, and be in the cohort, until the end of the block.

        Args:
            platform: Has the servers.
            bridge: Brings in the members of another cohort, if there is one.
        """

        def find(name: str) -> Server | None:
            member = self.members.get(name)
            if member is not None:
                return None if member.standing.is_away else platform.servers.get(name)
            return None if bridge is None else bridge.for_platforms(platform, name)

        adapter = member_adapter(
            find, platform.codec, platform.operation_metrics, self._clock
        )
        async with (
            listening_for_platforms(adapter, self._listener, self._door, self._clock),
            asyncio.TaskGroup() as tasks,
        ):
            running = [
                tasks.create_task(member.run(), name=f"{name}: Kafka cohort")
                for name, member in self.members.items()
            ]
            if bridge is not None:
                running.append(tasks.create_task(bridge.run(), name="bridge"))
            try:
                yield
            finally:
                for task in running:
                    task.cancel()


class _Source:
    """The members of the cohort, as one server asks them: ``MemberSource``."""

    def __init__(
        self, member: KafkaCohortMember, http: PlatformHttp, server: OpenServer
    ) -> None:
        self._member = member
        self._http = http
        self._server = server

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
        return self._member.remote.values()

    def connect(self, registration: MemberRegistration) -> AskedCollection | None:
        """What is asked for one of them; None for one that isn't to be."""
        server = self._server
        return platform_collection(registration, self._http, server.codec, server.types)

    def unanswered(self, collection_id: str) -> None:
        """Whether it is there is told by nothing else."""

    def was_read(self, header: InstanceHeader) -> None:
        """An instance was read from the cohort."""
        self._member.was_read(header)


async def _id_of(collection: AskedCollection, user_id: str) -> str:
    """What a member says is its metadata collection; empty where it says nothing."""
    with suppress(OMRSError, MemberUnavailableError):
        return await answered(collection.get_metadata_collection_id(user_id))
    return ""


def _broker(config: KafkaCohortConfig) -> KafkaBroker:
    """How the brokers are spoken to.

    Raises:
        UnusableFileError: A file of the configuration can't be used.
    """
    context = login = None
    if config.security_protocol.endswith("SSL"):
        context = client_context(config.broker_ca_file)
    if config.broker_user is not None and config.broker_password_file is not None:
        login = read_login(config.broker_user, config.broker_password_file)
    return KafkaBroker(
        addresses=tuple(Address(each.host, each.port) for each in config.brokers),
        tls=lambda: context,
        username=None if login is None else login.user,
        password=None if login is None else login.password,
    )
