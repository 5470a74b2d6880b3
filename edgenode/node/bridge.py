"""A server that is in a cohort of nodes and in one of Egeria's platforms: the bridge.

The members of each cohort are members of the other one, too, by their own collection ids
and names. What they say is passed on by this server (``LocalCollectionParts.passes_on``),
and so are questions: whoever asks one of them in the other cohort asks this node.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

from edgenode.clock import Clock
from edgenode.cohort.guests import Guests
from edgenode.cohort.member import CohortMember
from edgenode.connectors.connection import Connection
from edgenode.errors import EdgeNodeError
from edgenode.events.registration import MemberRegistration, is_relayed
from edgenode.federation.members import FederationMembers
from edgenode.federation.relayed import relayed
from edgenode.kafka_cohort.member import KafkaCohortMember
from edgenode.limits import GUEST_SECONDS
from edgenode.rest.hosting import Platform, Server

logger = logging.getLogger(__name__)

Connect = Callable[[str], Connection]
"""How members of a cohort reach a server of this node, by what it is called there."""


class Bridge:
    """Has the members of each cohort take part in the other one.

    It is itself a ``Membership`` of the server, as far as that has to wake it.
    """

    is_put_back = False

    def __init__(
        self,
        *,
        node_id: str,
        nodes: CohortMember,
        platforms: KafkaCohortMember,
        guests: Guests,
        members: FederationMembers,
        for_nodes: Connect,
        for_platforms: Connect,
        clock: Clock,
    ) -> None:
        """Put it together; nothing happens before ``begin``.

        Args:
            node_id: This node, whose own servers are in both cohorts already.
            nodes: The server in the cohort of nodes.
            platforms: The same in the cohort of platforms.
            guests: The platforms in the cohort of nodes.
            members: Whom the server asks.
            for_nodes: How nodes reach what this node answers for.
            for_platforms: How platforms do.
            clock: The time.
        """
        self._node_id = node_id
        self._nodes = nodes
        self._platforms = platforms
        self._guests = guests
        self._members = members
        self._for_nodes = for_nodes
        self._for_platforms = for_platforms
        self._clock = clock
        self._changed = asyncio.Event()
        self._is_known = False

    def is_known(self, collection_id: str) -> bool:
        """Each cohort knows its own members."""
        return False

    def wake(self) -> None:
        """There are new events in the outbox."""
        self._guests.wake()

    async def begin(self) -> None:
        """Say for whom this node speaks; to be called before the server takes part."""
        self._guests.want(self._of_platforms(), known=True)
        self._platforms.on_change(self._platforms_changed)
        self._nodes.on_change(self._changed.set)
        if self._platforms.local.registration_time is not None:
            self._is_known = True
            await self._speak()

    async def run(self) -> None:
        """Follow who comes and goes, until cancelled."""
        if not self._is_known:
            # Who is among the platforms already is heard first.
            await self._clock.sleep(GUEST_SECONDS)
        while True:
            await self._changed.wait()
            try:
                await self._speak()
            except EdgeNodeError as error:
                # With a disk that is full. It is tried again with the next change.
                logger.warning("members of other nodes can't be registered: %s", error)

    # nodes among platforms

    async def _speak(self) -> None:
        self._changed.clear()
        await self._platforms.speak_for(self._of_nodes())

    def _of_nodes(self) -> Iterator[MemberRegistration]:
        """Members of other nodes, as platforms are to know them.

        They are found by their collection ids, for several may have one name.
        """
        for collection_id, record in self._nodes.met_records().items():
            registration = record.registration
            if (
                record.is_registered
                and record.node_id != self._node_id
                and not is_relayed(registration)
            ):
                connection = self._for_platforms(collection_id)
                yield replace(registration, repository_connection=connection)

    def for_platforms(self, platform: Platform, name: str) -> Server | None:
        """The member of another node that platforms ask here; None where there is none.

        Args:
            platform: Has the server that is the bridge.
            name: What stands in the path: a collection id.
        """
        platforms = self._platforms
        if platforms.standing.is_away or name not in platforms.spoken_for:
            return None
        return self._passing(platform, name)

    # platforms among nodes

    def _platforms_changed(self) -> None:
        self._guests.want(self._of_platforms(), known=False)

    def _of_platforms(self) -> dict[str, MemberRegistration]:
        """Platforms as nodes are to know them; what another bridge brought in is none."""
        return {
            key: replace(member, repository_connection=self._for_nodes(key))
            for key, member in self._platforms.remote.items()
            if member.repository_connection is not None and not is_relayed(member)
        }

    def for_nodes(self, platform: Platform, name: str) -> Server | None:
        """The platform that nodes ask here; None where there is none.

        Args:
            platform: Has the server that is the bridge.
            name: What stands in the path: a collection id.
        """
        return self._passing(platform, name) if name in self._guests else None

    def _passing(self, platform: Platform, collection_id: str) -> Server:
        """The bridge, as it answers for a member of the other cohort."""
        own = platform.servers[self._nodes.name]
        passing = relayed(collection_id, self._members, own.collection)
        return replace(own, collection=passing)
