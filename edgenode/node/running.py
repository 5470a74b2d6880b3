"""Runs a node: its servers, its cohort, and what listens for users and other nodes."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edgenode.clock import Clock, SystemClock
from edgenode.codec.codec import Codec
from edgenode.config import NodeConfig
from edgenode.memory import keep_what_is_there
from edgenode.node.cohort import NodeCohort, open_cohort_of_node
from edgenode.node.federation import ServerFederation
from edgenode.node.highway import CohortNameTakenError, CohortOfServer, ServerHighway
from edgenode.node.metrics import federation_metrics
from edgenode.node.servers import (
    SERVER_TYPE,
    OpenServer,
    open_server,
    recorded_as_running,
)
from edgenode.node.service_manager import ServiceManager
from edgenode.observability.health import Check, Health
from edgenode.observability.logs import logging_to_stderr
from edgenode.observability.metrics import OperationMetrics
from edgenode.releases import SERVED
from edgenode.repository.health import store_health, store_metrics
from edgenode.repository.lock import locked
from edgenode.rest.adapter import node_adapter
from edgenode.rest.hosting import Holdings, Platform, Server
from edgenode.rest.server import listening
from edgenode.security.clock_floor import CLOCK_FILE, floored

if TYPE_CHECKING:
    from edgenode.node.bridge import Bridge
    from edgenode.node.kafka_cohort import NodeKafkaCohort

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningNode:
    """What runs.

    Attributes:
        port: Where users are answered.
        cohort: The node's part in its cohort; None where it is in none.
        kafka_cohort: The same for a cohort over Kafka.
        works: Returns once each store has done what it had to do.
    """

    port: int
    cohort: NodeCohort | None
    kafka_cohort: "NodeKafkaCohort | None"
    works: Callable[[], Awaitable[None]]


@asynccontextmanager
async def running_node(
    config: NodeConfig, clock: Clock | None = None
) -> AsyncIterator[RunningNode]:
    """Run the servers of a configuration, until the end of the block.

    Raises:
        DirectoryInUseError: Another process uses the data directory.
        OSError: An address can't be listened on, or the directory not be written.
        EdgeNodeError: The cohort's files can't be used.
        CohortNameTakenError: It has joined a cohort that is called as that of platforms.
    """
    system = clock or SystemClock()
    is_in_cohort = config.cohort.mode != "none"
    keeps_events = is_in_cohort or config.kafka_cohort is not None
    # Of several servers one is the bridge, or each would tell everything.
    bridging = None
    if is_in_cohort and config.kafka_cohort is not None:
        bridging = config.servers[0]
    async with AsyncExitStack() as stack:
        directory = config.data_directory
        await asyncio.to_thread(stack.enter_context, locked(directory))
        clock = await stack.enter_async_context(floored(system, directory / CLOCK_FILE))
        opened = [
            await stack.enter_async_context(
                open_server(
                    directory,
                    server,
                    clock,
                    keep_events=keeps_events,
                    passes_on=server is bridging,
                )
            )
            for server in config.servers
        ]
        federations = {
            each.config.name: ServerFederation(each, clock) for each in opened
        }
        cohort = None
        if is_in_cohort:
            cohort = await stack.enter_async_context(
                open_cohort_of_node(config, opened, federations, clock)
            )
        kafka_cohort = None
        if config.kafka_cohort is not None:
            # It takes memory that no other node has to spare.
            from edgenode.node.kafka_cohort import open_kafka_cohort

            name = config.kafka_cohort.name
            if cohort is not None and cohort.cohort.key.name == name:
                raise CohortNameTakenError(name)
            kafka_cohort = await stack.enter_async_context(
                open_kafka_cohort(config.kafka_cohort, opened, federations, clock)
            )
        bridge = None
        if bridging is not None and cohort is not None and kafka_cohort is not None:
            bridge = _bridge(opened[0], cohort, kafka_cohort, federations, clock)
            await bridge.begin()
        servers = {
            each.config.name: _server(
                each,
                cohort,
                kafka_cohort,
                federations[each.config.name],
            )
            for each in opened
        }
        platform = Platform(
            SERVED.platform_origin,
            Codec(SERVED),
            servers,
            OperationMetrics(),
            cohort=None if cohort is None else cohort.admin.summary,
            kafka_cohort=None if kafka_cohort is None else kafka_cohort.admin.summary,
            guest=lambda name: (
                None if bridge is None else bridge.for_nodes(platform, name)
            ),
        )
        services = (
            *(() if cohort is None else cohort.operations(platform.codec)),
            *(() if kafka_cohort is None else kafka_cohort.operations()),
        )
        adapter = node_adapter(platform, clock, services)
        port = await stack.enter_async_context(
            listening(adapter, config.host, config.port)
        )
        if cohort is not None:
            await stack.enter_async_context(cohort.taking_part(adapter))
        if kafka_cohort is not None:
            taking_part = kafka_cohort.taking_part(platform, bridge)
            await stack.enter_async_context(taking_part)
        for server in servers.values():
            stack.enter_context(recorded_as_running(server))
        yield RunningNode(port, cohort, kafka_cohort, partial(_works, opened))


async def _works(servers: Sequence[OpenServer]) -> None:
    for server in servers:
        await server.repository.drain()


def _bridge(
    server: OpenServer,
    cohort: NodeCohort,
    kafka_cohort: "NodeKafkaCohort",
    federations: Mapping[str, ServerFederation],
    clock: Clock,
) -> "Bridge":
    from edgenode.node.bridge import Bridge

    name = server.config.name
    bridge = Bridge(
        node_id=cohort.node.info.node_id,
        nodes=cohort.members[name],
        platforms=kafka_cohort.members[name],
        guests=cohort.guests,
        members=federations[name].members,
        for_nodes=cohort.connection,
        for_platforms=kafka_cohort.connection,
        clock=clock,
    )
    server.members.append(bridge)
    return bridge


def _server(
    opened: OpenServer,
    cohort: NodeCohort | None,
    kafka_cohort: "NodeKafkaCohort | None",
    federation: ServerFederation,
) -> Server:
    config, repository = opened.config, opened.repository
    name = config.name
    cohorts: list[CohortOfServer] = []
    if cohort is not None:
        cohorts.append(cohort.of_server(name))
    if kafka_cohort is not None:
        cohorts.append(kafka_cohort.of_server(name))
    return Server(
        name=name,
        server_type=SERVER_TYPE,
        organization_name=config.organization_name,
        started_at=opened.started_at,
        codec=opened.codec,
        collection=opened.collection,
        enterprise=federation.enterprise if cohorts else None,
        audit_log=opened.audit_log,
        health=lambda: _health(opened),
        metrics=lambda: (
            *store_metrics(name, repository),
            *(() if cohort is None else cohort.metrics(name)),
            *(() if kafka_cohort is None else kafka_cohort.metrics(name)),
            *(federation_metrics(name, federation.members) if cohorts else ()),
        ),
        holdings=Holdings(
            collection=opened.collection,
            store=opened.path,
            transfers=opened.transfers,
            count=lambda: sum(repository.counts().values()),
        ),
        highway=ServerHighway(cohorts) if cohorts else None,
        is_away=lambda: cohort is not None and cohort.is_away(name),
    )


def _health(opened: OpenServer) -> Health:
    health = store_health(opened.repository, opened.path)
    if not any(member.is_put_back for member in opened.members):
        return health
    put_back = Check(
        "restored",
        ok=False,
        detail="restored, not caught up yet: changes are refused until another member "
        "was asked for newer states",
        mend="start another member; if all are gone for good, remove their nodes with "
        "'edgenode cohort remove', or stop the node, run 'edgenode restore --alone "
        f"--server {opened.config.name}', which goes on with what is there, and start it again",
    )
    return Health((*health.checks, put_back))


async def run_node(config: NodeConfig, ready: Callable[[RunningNode], None]) -> None:
    """Run until the process is asked to stop by SIGTERM or SIGINT.

    Args:
        config: What to run.
        ready: Called once requests are answered.

    Raises:
        DirectoryInUseError: Another process uses the data directory.
        OSError: An address can't be listened on, or the directory not be written.
        EdgeNodeError: The cohort's files can't be used.
    """
    logging_to_stderr(config.log_format, config.log_level)
    if not config.is_local:
        logger.warning(
            "%s can be reached from other machines, and there is no authentication: "
            "whoever reaches it may read and change everything, in plain HTTP. "
            "Unless something in front of it sees to that, set listen to 127.0.0.1:%d",
            config.host,
            config.port,
        )
    if config.cohort.mode == "open":
        logger.warning(
            "cohort %s is OPEN: there is no key. Anybody on the network may join it, and "
            "read and change all metadata of this node. That is for a bench; elsewhere "
            'set cohort.mode = "keyed"',
            config.cohort.name,
        )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running_node(config) as node:
        keep_what_is_there()
        ready(node)
        manager = ServiceManager.named_by(os.environ, os.getpid())
        async with manager.told_of_work(node.works, SystemClock()):
            await stop.wait()
        logger.info("stopping")
