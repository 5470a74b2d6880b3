"""A server that is in a cohort of nodes and in one of Egeria's platforms: the bridge.

The members of each cohort are members of the other one, too, by their own collection ids
and names. What they say is passed on by this server (``LocalCollectionParts.passes_on``),
and so are questions: whoever asks one of them in the other cohort asks this node.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from edgenode.cohort.member import CohortMember
from edgenode.connectors.connection import Connection
from edgenode.errors import EdgeNodeError
from edgenode.events.registration import MemberRegistration
from edgenode.federation.members import FederationMembers
from edgenode.federation.relayed import relayed
from edgenode.kafka_cohort.member import KafkaCohortMember
from edgenode.rest.hosting import Platform, Server

logger = logging.getLogger(__name__)

Connect = Callable[[str], Connection]
"""How members of the other cohort reach a server of this node, by what it is called."""


class Bridge:
    """Has the members of each cohort take part in the other one."""

    def __init__(
        self,
        node_id: str,
        nodes: CohortMember,
        platforms: KafkaCohortMember,
        members: FederationMembers,
        connect: Connect,
    ) -> None:
        """Put it together; nothing happens before ``begin``.

        Args:
            node_id: This node, whose own servers are in both cohorts already.
            nodes: The server in the cohort of nodes.
            platforms: The same in the cohort of platforms.
            members: Whom the server asks.
            connect: How platforms reach what this node answers for.
        """
        self._node_id = node_id
        self._nodes = nodes
        self._platforms = platforms
        self._members = members
        self._connect = connect
        self._changed = asyncio.Event()

    async def begin(self) -> None:
        """Say for whom this node speaks; to be called before the server takes part."""
        self._nodes.on_change(self._changed.set)
        await self._speak()

    async def run(self) -> None:
        """Follow who comes and goes, until cancelled."""
        while True:
            await self._changed.wait()
            try:
                await self._speak()
            except EdgeNodeError as error:
                # With a disk that is full. It is tried again with the next change.
                logger.warning("members of other nodes can't be registered: %s", error)

    async def _speak(self) -> None:
        self._changed.clear()
        await self._platforms.speak_for(self._of_other_nodes())

    def _of_other_nodes(self) -> Iterable[MemberRegistration]:
        """Members of other nodes, as platforms are to know them.

        They are found by their collection ids, for several may have one name.
        """
        for collection_id, record in self._nodes.met_records().items():
            if record.is_registered and record.node_id != self._node_id:
                connection = self._connect(collection_id)
                yield replace(record.registration, repository_connection=connection)

    def for_platforms(self, platform: Platform, name: str) -> Server | None:
        """The member of another node that platforms ask here; None where there is none.

        Args:
            platform: Has the server that is the bridge.
            name: What stands in the path: a collection id.
        """
        platforms = self._platforms
        if platforms.standing.is_away or name not in platforms.spoken_for:
            return None
        own = platform.servers[self._nodes.name]
        passing = relayed(name, self._members, own.collection)
        return replace(own, collection=passing)
