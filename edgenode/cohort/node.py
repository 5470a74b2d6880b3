"""One node of the cohort: what it says and hears on the bus, and who is in the cohort.

It is decided here which nodes live, to whose brokers to subscribe, and who is let in. What
concerns a member's metadata is handed to the members.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from edgenode.bus.base import Address, BusStatistics, Message
from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps, loads
from edgenode.cohort.conversations import Conversations
from edgenode.cohort.envelope import Envelope, Header, TopicKind
from edgenode.cohort.guest import Guest
from edgenode.cohort.guests import Guests
from edgenode.cohort.inbox import InboxRoom
from edgenode.cohort.member import CohortMember
from edgenode.cohort.model import MemberRecord, NodeInfo
from edgenode.cohort.overlay import neighbours
from edgenode.cohort.own_members import OwnMembers
from edgenode.cohort.peer import CohortPeer, Dialer
from edgenode.cohort.peers import Peer, PeerState, PeerTable
from edgenode.cohort.presence import Presence
from edgenode.cohort.runs import Copied, Copies
from edgenode.cohort.speech import Session, Speech
from edgenode.cohort.told import LAST_OUTDONE, is_sound_node
from edgenode.errors import BadRequestError, PeerUnavailableError
from edgenode.events.streams import Step
from edgenode.limits import (
    COMPARE_SECONDS,
    COMPARED_ORIGINS,
    EXCHANGE_SECONDS,
    FULL_MESH_NODES,
    MAX_ADDRESSES,
    MAX_OVERTAKINGS,
    MAX_TOLD_RECORD_BYTES,
    TICK_SECONDS,
)
from edgenode.security.keyholder import KeyHolder
from edgenode.security.trust import Refusal, Removal, Trust

logger = logging.getLogger(__name__)

_SHORT = frozenset(
    {TopicKind.NODE, TopicKind.LOST, TopicKind.REGISTRATION, TopicKind.REQUESTS}
)
"""What says no more than a description has room for, so that it is parsed at once."""


class CohortNode:
    """This node in its cohort; see the module.

    Attributes:
        peers: The other nodes.
        conversations: What this node and the others tell each other.
        inbox_room: What there is for events that wait to be applied.
        itself: This node, as its members ask each other; set by what answers them.
    """

    itself: CohortPeer

    def __init__(
        self,
        *,
        info: NodeInfo,
        members: Sequence[CohortMember],
        dialer: Dialer,
        trust: Trust,
        codec: Codec,
        clock: Clock,
        random: Random,
        keys: KeyHolder | None = None,
        cut: Callable[[str], None] = lambda _: None,
        guests: Guests | None = None,
    ) -> None:
        """Put the parts together; nothing happens before ``run``.

        Args:
            info: How this node describes itself.
            members: Its servers.
            dialer: Makes the other end of questions.
            trust: Who isn't let in.
            codec: The form of events and of what nodes tell each other.
            clock: The time.
            random: Chooses whom to speak with.
            keys: Follows the cohort's key; None where there is none to follow.
            cut: Told of a node that was removed, to close connections with it.
            guests: Members of another cohort for whom one of the servers speaks.
        """
        self.info = replace(info, addresses=info.addresses[:MAX_ADDRESSES])
        self.peers = PeerTable(info.node_id)
        self.inbox_room = InboxRoom()
        self._guests = guests
        self._members = OwnMembers(members, {} if guests is None else guests)
        self._speech = Speech(info.node_id, trust, self, clock)
        self._dialer = dialer
        self._trust = trust
        self._codec = codec
        self._clock = clock
        self._random = random
        self._copies = Copies(info.node_id)
        self.removed_names: dict[str, str] = {}
        self._removed_at: dict[str, list[tuple[str, int]]] = {}
        self._outdone = 0
        self._presence = Presence()
        self._cut = cut
        self._exchange_at = self._compare_at = 0.0
        self.conversations = Conversations(
            self,
            peers=self.peers,
            members=self._members,
            dialer=dialer,
            trust=trust,
            codec=codec,
            clock=clock,
            random=random,
            keys=keys,
        )
        for member in members:
            member.attach(self)
        if guests is not None:
            guests.attach(self)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that needn't wait for others."""
        return self.conversations.is_busy or self._members.is_busy

    # running

    async def run(self) -> None:
        """Take part in the cohort until cancelled, with or without a bus."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.conversations.run(), name="cohort contacts")
            for member in self._members:
                tasks.create_task(member.run(), name=f"cohort {member.name}")
                member.hear_members_of(self.info.node_id, self._members.ids)
            if self._guests is not None:
                tasks.create_task(self._guests.run(), name="guests")
            tasks.create_task(self._tick(), name="cohort ticker")

    async def use(self, session: Session) -> None:
        """Speak over a bus, until cancelled; another one may follow."""
        self._speech.session = session
        try:
            self._describe()
            for member in self._members:
                member.announce()
            for guest in self._members.guests.values():
                guest.announce()
            self.link()
            await session.bus.run(self)
        finally:
            self._speech.session = None
            for node_id in list(self._speech.linked):
                self.unlinked(node_id)

    def leave(self) -> None:
        """Say goodbye, because this node stops; from now on it answers nobody's exchange.

        Else whoever's link breaks off asks while the last questions are still answered,
        and takes it to live.
        """
        self.conversations.end()
        own = self.info.node_id
        body = dumps({"lost": own, "leaves": True})
        self._speech.say(TopicKind.LOST, own, self._header(), body)

    async def _tick(self) -> None:
        started = self._clock.monotonic()
        self._exchange_at = started + EXCHANGE_SECONDS * self._random.uniform(0.1, 1)
        self._compare_at = started + COMPARE_SECONDS * self._random.uniform(0.5, 1)
        while True:
            await self._clock.sleep(TICK_SECONDS)
            try:
                self._take_turn(self._clock.monotonic())
            except Exception:
                logger.exception("a turn of the cohort's ticker broke down")

    def _take_turn(self, now: float) -> None:
        self.peers.tick(now)
        self.conversations.ask_doubtful()
        met = [peer for peer in self.peers.all() if peer.is_met]
        changes = self._presence.changes(met, now)
        for member in self._members:
            member.tick(now)
            for change in changes:
                member.hear_presence(change)
        if self._guests is not None:
            self._guests.tick()
        if now >= self._exchange_at:
            self._exchange_at = now + EXCHANGE_SECONDS * self._random.uniform(0.8, 1.2)
            self.link()
            self.conversations.speak_with_somebody()
        if now >= self._compare_at:
            self._compare_at = now + COMPARE_SECONDS * self._random.uniform(0.8, 1.2)
            for member in self._members:
                member.compare_some(self._random, COMPARED_ORIGINS)

    def link(self) -> None:
        """Subscribe to the brokers that are this node's to hear."""
        bus = self._speech.bus
        if bus is None:
            return
        alive = self.peers.alive(self._clock.monotonic())
        wanted = neighbours(self.info.node_id, alive)
        bus.link(
            {
                node_id: tuple(
                    Address(host, peer.info.bus_port) for host in peer.addresses
                )
                for node_id in sorted(wanted)
                if (peer := self.peers.get(node_id)) is not None and peer.info.bus_port
            }
        )

    # describing itself

    def moved(self, addresses: Sequence[str]) -> None:
        """The addresses of this node changed."""
        first = tuple(addresses)[:MAX_ADDRESSES]
        if first != self.info.addresses:
            self.info = replace(
                self.info,
                addresses=first,
                revision=max(self._clock.now(), self.info.revision + 1),
            )
            self._describe()

    def _describe(self) -> None:
        body = dumps({"info": self._codec.event_object(self.info)})
        header = self._header(revision=self.info.revision)
        self._speech.say(TopicKind.NODE, self.info.node_id, header, body)

    def _header(
        self, *, revision: int | None = None, step: Step | None = None
    ) -> Header:
        return Header(
            node=self.info.node_id, run=self.info.run_id, revision=revision, step=step
        )

    def bus_statistics(self) -> BusStatistics | None:
        """What the bus did; None while there is none."""
        return self._speech.statistics()

    # what members send

    def publish_event(
        self, kind: TopicKind, collection_id: str, step: Step | None, event: bytes
    ) -> None:
        """Put a type or instance event of a member on the bus."""
        self._send_for(collection_id, kind, self._header(step=step), event)

    def publish_registration(
        self, collection_id: str, revision: int, event: bytes
    ) -> None:
        """Put on the bus that a member is registered, or not any more."""
        header = self._header(revision=revision)
        self._send_for(collection_id, TopicKind.REGISTRATION, header, event)

    def publish_request(self, collection_id: str, event: bytes) -> None:
        """Put on the bus what a member asks, or complains of."""
        self._send_for(collection_id, TopicKind.REQUESTS, self._header(), event)

    def _send_for(
        self, collection_id: str, kind: TopicKind, header: Header, event: bytes
    ) -> None:
        self._speech.say(kind, collection_id, header, event)
        if collection_id not in self._members.guests:
            # The other servers of this node hear it without the bus.
            self._members.deliver(kind, collection_id, header, event, first_hand=True)

    # what is heard on the bus

    def received(self, message: Message, link: str | None) -> None:
        """A message arrived."""
        self._speech.received(message, link)

    def count_nodes(self) -> int:
        """How many nodes there are in the cohort, as far as is known."""
        return len(self.peers) + 1

    def heed(
        self, kind: TopicKind, about: str, envelope: Envelope, *, first_hand: bool
    ) -> bool:
        """Do what a message says; False when it may not say so, or is of no use."""
        if kind in _SHORT and len(envelope.body) > MAX_TOLD_RECORD_BYTES:
            raise BadRequestError("says too much", kind)
        if kind is TopicKind.NODE:
            return self._hear_node(about, envelope, first_hand=first_hand)
        if kind is TopicKind.LOST:
            return self._hear_lost(about, envelope)
        sender = envelope.header.node
        self.heard(sender)
        is_of_registry = kind in (TopicKind.REGISTRATION, TopicKind.REQUESTS)
        # Who may register what is for the members' registries to judge.
        if not is_of_registry and not self._speaks_for(sender, about):
            return False
        if kind is TopicKind.REGISTRATION and not first_hand:
            # Whoever has the key can say so; the node itself tells when it is asked.
            known = self._members.record(about)
            if known is None or known.revision < (envelope.header.revision or 0):
                self.conversations.doubt(sender)
            if self.peers.speaks_for_itself(sender):
                return True
        self._members.deliver(
            kind, about, envelope.header, envelope.body, first_hand=first_hand
        )
        return True

    def _speaks_for(self, node_id: str, collection_id: str) -> bool:
        record = self._members.record(collection_id)
        if record is None:
            return False  # whoever isn't registered yet registers first
        if record.node_id != node_id:
            self._speech.refuse(Refusal.SPEAKER, node_id)
            return False
        return True

    def _hear_node(self, about: str, envelope: Envelope, *, first_hand: bool) -> bool:
        told = loads(envelope.body)
        info = self._codec.from_object(NodeInfo, told.get("info"), "info")
        if not info.node_id == about == envelope.header.node:
            self._speech.refuse(Refusal.SPEAKER, envelope.header.node)
            return False
        if not is_sound_node(info):
            raise BadRequestError("can't be a node", "info")
        known = self.peers.get(about)
        if first_hand:
            is_news = self.peers.said(info)
        else:
            is_newer = known is not None and info.revision > known.info.revision
            is_news = self.peers.told(info, self._clock.monotonic()) or is_newer
        if not is_news:
            return False
        self.heard(about, known)
        self.link()
        if not first_hand:
            self.conversations.doubt(about)
        return True

    def heard(
        self, node_id: str, known: Peer | None = None, *, skew: float | None = None
    ) -> None:
        """A node was heard of, by itself; ``known`` is what was known of it before."""
        known = known or self.peers.get(node_id)
        now = self._clock.monotonic()
        self.peers.heard(node_id, now, skew=skew)
        if known is not None and known.lost is not None:
            if node_id in self._speech.linked:
                # A question got lost, and the connection outlasted that.
                self.peers.linked(node_id, now)
            self._returned(node_id)

    def _returned(self, node_id: str) -> None:
        for member in self._members:
            member.returned(node_id)

    def _hear_lost(self, about: str, envelope: Envelope) -> bool:
        if about in self._speech.linked:
            # A goodbye is passed on; when the link ends, this node sees by itself.
            is_its_own = envelope.header.node == about
            return is_its_own and loads(envelope.body).get("leaves") is True
        peer = self.peers.get(about)
        if peer is None or peer.lost is not None:
            return False
        self.peers.lost(about, self._clock.monotonic())
        self.conversations.doubt(about)  # it may be there all the same
        return True

    def heed_itself(self, kind: TopicKind, about: str, envelope: Envelope) -> None:
        """A copied card has this node's key: then there is a second one that lives."""
        header = envelope.header
        if header.run == self.info.run_id:
            return
        if kind is TopicKind.NODE:
            self.outdo(header.revision or 0)
        elif kind is TopicKind.REGISTRATION:
            # The members tell what they said in an earlier run from what a twin says.
            self._members.deliver(kind, about, header, envelope.body, first_hand=False)

    def outdo(self, revision: int) -> None:
        """Somebody knows this node by a description; see that its own is the newest.

        It may be of an earlier run whose clock was ahead. A twin, which does the same,
        doesn't come to an end.
        """
        if revision <= self.info.revision:
            return
        if self._outdone >= MAX_OVERTAKINGS or revision >= LAST_OUTDONE:
            self.copied(self.info.node_id)
            return
        self._outdone += 1
        self.info = replace(self.info, revision=max(self._clock.now(), revision + 1))
        self._describe()

    def conflict(self, node_id: str) -> None:
        """A node speaks for a member that isn't its own."""
        self._speech.refuse(Refusal.CONFLICT, node_id)

    def copied(self, node_id: str, runs: Sequence[NodeInfo] = ()) -> None:
        """Two machines speak as one node, which may be this one."""
        self._speech.refuse(Refusal.CONFLICT, node_id)
        if self._copies.notice(node_id, self._clock.monotonic(), runs):
            self._tell_copy(node_id, runs)

    def told_of_copy(self, teller: str, runs: Sequence[NodeInfo]) -> None:
        """Another node says that two machines speak as this one, or that none do."""
        if self._trust.is_removed(teller):
            return
        if self._copies.told(teller, self._clock.monotonic(), runs):
            self._tell_copy(self.info.node_id, runs)

    def _tell_copy(self, node_id: str, runs: Sequence[NodeInfo]) -> None:
        name = self._name_of(node_id)
        for member in self._members:
            member.hear_copy(node_id, name, runs)

    def runs_of_copy(self, node_id: str) -> tuple[NodeInfo, ...]:
        """How both describe themselves that speak as a node; nothing where one does."""
        return self._copies.noticed(node_id, self._clock.monotonic())

    def copies(self) -> Mapping[str, Copied]:
        """The nodes that two machines speak as, this one among them."""
        return self._copies.lately(self._clock.monotonic())

    def _name_of(self, node_id: str) -> str:
        if node_id == self.info.node_id:
            return self.info.name
        peer = self.peers.get(node_id)
        return "" if peer is None else peer.info.name

    def linked(self, node_id: str) -> None:
        """The broker of a neighbour is subscribed to."""
        self._speech.linked.add(node_id)
        self.peers.linked(node_id, self._clock.monotonic())
        self._returned(node_id)
        peer = self.peers.get(node_id)
        if peer is not None:
            self.conversations.speak_with(peer)
        for member in self._members:
            member.reachable(node_id)

    def unanswered(self, node_id: str) -> None:
        """A node left a question unanswered: see whether it is there at all."""
        self.peers.unanswered(node_id)
        peer = self.peers.get(node_id)
        if peer is not None and peer.lost is None:
            self.conversations.speak_with(peer)

    def bus_came_back(self) -> None:
        """A broker that all share was away: nobody sees by a gap what came last.

        In a small cohort everybody is asked, in a large one enough for word to spread.
        """
        self.conversations.speak_with_some(FULL_MESH_NODES)

    def member_came_back(self) -> None:
        """A member of this node takes part again: it may have forgotten the others."""
        self.conversations.speak_with_some(FULL_MESH_NODES)

    def unlinked(self, node_id: str) -> None:
        """A connection with a neighbour broke off."""
        self._speech.linked.discard(node_id)
        peer = self.peers.get(node_id)
        if peer is not None and peer.lost is None:
            self.peers.lost(node_id, self._clock.monotonic())
            self.conversations.speak_with(peer)

    def heed_removal(self, removal: Removal) -> None:
        """A node was removed from the cohort, or may be in it again."""
        for member in self._members:
            member.hear_removal(removal)
        node_id = removal.node_id
        if removal.is_removed:
            peer = self.peers.get(node_id)
            if peer is not None:
                self._removed_at[node_id] = peer.rest_addresses
                self.removed_names[node_id] = peer.info.name
            self.peers.removed(node_id)
            self._copies.forget(node_id)
            self._speech.linked.discard(node_id)
            self._cut(node_id)
            if self._speech.bus is not None:
                self._speech.bus.disconnect(node_id)
            self.link()
        else:
            self.removed_names.pop(node_id, None)
            # It may have given up; without an address it comes back by itself, later.
            where = self._removed_at.pop(node_id, ())
            self.conversations.speak_at(node_id, where)

    def is_removed(self, node_id: str) -> bool:
        """Whether a node isn't let in."""
        return self._trust.is_removed(node_id)

    async def remove(self, node_id: str, by: str) -> Removal:
        """Let a node in no more, and tell the others at once.

        Raises:
            TooManyRemovalsError: No more can be remembered.
        """
        removal = await self._trust.remove(node_id, self._clock.now(), by)
        self._decided(removal)
        return removal

    async def readmit(self, node_id: str, by: str) -> Removal:
        """Let a node in again, and tell the others at once.

        Raises:
            TooManyRemovalsError: No more can be remembered.
        """
        removal = await self._trust.readmit(node_id, self._clock.now(), by)
        self._decided(removal)
        return removal

    def _decided(self, removal: Removal) -> None:
        self.heed_removal(removal)
        self.conversations.speak_with_all()

    # what is known

    def records(self) -> Mapping[str, MemberRecord]:
        """All members that are known, by collection id, own ones included."""
        return self._members.records()

    def guest(self, collection_id: str) -> Guest | None:
        """A member of another cohort for whom this node speaks."""
        return self._members.guests.get(collection_id)

    def is_lost(self, node_id: str) -> bool:
        """Whether a node is gone, as far as is known."""
        peer = self.peers.get(node_id)
        return peer is not None and peer.state is PeerState.LOST

    def peer_of(self, node_id: str) -> CohortPeer:
        """The node, to be asked.

        Raises:
            PeerUnavailableError: Nothing is known of where it is.
        """
        if node_id == self.info.node_id:
            return self.itself
        peer = self.peers.get(node_id)
        if peer is None:
            raise PeerUnavailableError(node_id, "its address isn't known")
        return self._dialer.peer(node_id, peer.rest_addresses)
