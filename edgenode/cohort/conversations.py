"""Speaks with other nodes, one at a time, so that all come to know what any of them knows.

Both sides tell what they know of nodes, members, removals and the key. With whom to speak
comes from everywhere: who is seen on the network, who is told of, whose connection came up
or broke off, and one at random every while.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Protocol

from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.cohort.contacts import Addresses, Contacts
from edgenode.cohort.knowledge import Knowledge
from edgenode.cohort.model import Exchange, NodeInfo
from edgenode.cohort.own_members import OwnMembers
from edgenode.cohort.peer import Dialer
from edgenode.cohort.peers import Peer, PeerTable
from edgenode.cohort.runs import Runs
from edgenode.cohort.told import in_turns, is_sound_node, only, retold, sound
from edgenode.errors import BadRequestError, PeerRefusedError, PeerUnavailableError
from edgenode.limits import MAX_SKEW_TRIP_SECONDS, MET_AT_START
from edgenode.security.keyholder import KeyHolder
from edgenode.security.trust import Removal, Trust

logger = logging.getLogger(__name__)


class Speaker(Protocol):
    """The node that speaks with others, as far as that concerns it."""

    @property
    def info(self) -> NodeInfo:
        """How it describes itself."""
        ...

    def heard(
        self, node_id: str, known: Peer | None = None, *, skew: float | None = None
    ) -> None:
        """A node was heard of, by itself; ``known`` is what was known of it before."""
        ...

    def heed_removal(self, removal: Removal) -> None:
        """A node was removed from the cohort, or may be in it again."""
        ...

    def outdo(self, revision: int) -> None:
        """Somebody knows this node by a description of that revision."""
        ...

    def copied(self, node_id: str, runs: Sequence[NodeInfo] = ()) -> None:
        """Two machines speak as one node, which may be this one."""
        ...

    def told_of_copy(self, teller: str, runs: Sequence[NodeInfo]) -> None:
        """Another node says that two machines speak as this one, or that none do."""
        ...

    def runs_of_copy(self, node_id: str) -> tuple[NodeInfo, ...]:
        """How both describe themselves that speak as a node; nothing where one does."""
        ...

    def link(self) -> None:
        """Subscribe to the brokers that are this node's to hear by now."""
        ...


class Conversations:
    """This node's with all others; see the module."""

    def __init__(
        self,
        speaker: Speaker,
        *,
        peers: PeerTable,
        members: OwnMembers,
        dialer: Dialer,
        trust: Trust,
        codec: Codec,
        clock: Clock,
        random: Random,
        keys: KeyHolder | None,
    ) -> None:
        """Nobody is spoken with before ``run``.

        Args:
            speaker: This node.
            peers: The others; what is told of them is put in.
            members: Told what is said of members.
            dialer: Makes the other end of questions.
            trust: Who isn't let in.
            codec: The form of what nodes tell each other.
            clock: The time.
            random: Chooses whom to speak with.
            keys: Follows the cohort's key; None where there is none to follow.
        """
        self._speaker = speaker
        self._peers = peers
        self._members = members
        self._dialer = dialer
        self._trust = trust
        self._codec = codec
        self._clock = clock
        self._random = random
        self._keys = keys
        self._contacts = Contacts(self._meet, random)
        self._knowledge = Knowledge(peers, trust, members, self._key)
        self._runs = Runs()
        self._doubtful: set[str] = set()
        self._is_ended = False

    @property
    def is_busy(self) -> bool:
        """Whether somebody is spoken with, or about to be."""
        return self._contacts.is_busy

    async def run(self) -> None:
        """Hold conversations until cancelled."""
        await self._contacts.run()

    def end(self) -> None:
        """Answer nobody any more, because this node stops."""
        self._is_ended = True

    # whom to speak with

    def seen(self, node_id: str, addresses: Addresses) -> None:
        """A node was seen on the network."""
        if self._trust.is_removed(node_id):
            return
        if self._peers.seen(node_id, [host for host, _ in addresses]):
            self._speaker.link()
        peer = self._peers.get(node_id)
        if peer is None or peer.lost is not None or not peer.is_met:
            # Whoever announces it elsewhere doesn't keep it from being found again.
            proven = [] if peer is None else peer.rest_at(peer.proven_at)
            self._contacts.want(node_id, (*proven, *addresses), is_met=False)

    def remember(self, nodes: Sequence[NodeInfo]) -> None:
        """There were nodes at an earlier time, which may still be where they were."""
        for info in only(nodes, is_sound_node):
            if not self._trust.is_removed(info.node_id):
                self._peers.remembered(info)
        self.speak_with_some(MET_AT_START)

    def found(self, addresses: Addresses) -> None:
        """There may be a node at some addresses, which the configuration names."""
        known = {
            each for peer in self._peers.all() for each in peer.rest_at(peer.proven_at)
        }
        if known.isdisjoint(addresses):
            self._contacts.want(None, addresses, is_met=False)

    def refusals(self) -> Mapping[str, PeerRefusedError]:
        """Who won't speak with this node, by id or address, and why."""
        return {
            name: error
            for name, error in self._contacts.refusals.items()
            if not self._trust.is_removed(name)
        }

    def speak_with(self, peer: Peer) -> None:
        """Speak with a node soon; once, however often that is wanted meanwhile."""
        self._contacts.want(peer.info.node_id, peer.rest_addresses, is_met=peer.is_met)

    def speak_at(self, node_id: str, addresses: Addresses) -> None:
        """Speak soon with a node that is a stranger by now, where it was once."""
        self._contacts.want(node_id, addresses, is_met=True)

    def speak_with_somebody(self) -> None:
        """Speak soon with one node at random, and with those that were never met."""
        met = []
        for peer in self._peers.all():
            if peer.is_met:
                met.append(peer)
            elif peer.lost is None:
                self.speak_with(peer)  # there was no room for it when it was told of
        if met:
            self.speak_with(self._random.choice(met))

    def speak_with_some(self, count: int) -> None:
        """Speak soon with so many nodes at random."""
        peers = self._peers.all()
        for peer in self._random.sample(peers, min(len(peers), count)):
            self.speak_with(peer)

    def speak_with_all(self) -> None:
        """Speak with everybody soon: there is something that all should know."""
        for peer in self._peers.all():
            self.speak_with(peer)

    def doubt(self, node_id: str) -> None:
        """Others said something new of a node: ask it, soon."""
        if node_id in self._peers:
            self._doubtful.add(node_id)

    def ask_doubtful(self) -> None:
        """Ask those of whom others said something new, each once, however much it was."""
        for node_id in self._doubtful:
            peer = self._peers.get(node_id)
            if peer is not None:
                self.speak_with(peer)
        self._doubtful.clear()

    # speaking

    async def _meet(self, node_id: str | None, addresses: Addresses) -> None:
        """Exchange what is known with a node, in one question or two."""
        peer = self._dialer.peer(node_id, addresses)
        started = self._clock.monotonic()
        before = self._clock.now()
        try:
            theirs = await peer.exchange(self._half(node_id))
        except PeerUnavailableError:
            if node_id is not None:
                self._peers.lost(node_id, self._clock.monotonic())
            raise
        theirs = sound(theirs, self._codec)
        after = self._clock.now()
        skew = None
        if self._clock.monotonic() - started <= MAX_SKEW_TRIP_SECONDS:
            skew = (theirs.time - (before + after) / 2) / 1000
        known = self._peers.get(theirs.sender.node_id)
        await self._merge(theirs)
        if self._is_behind(theirs) and self._keys is not None:
            told = await peer.key()
            await self._keys.take(told, theirs.key_number, theirs.key_tag)
        met = theirs.sender.node_id
        self._contacts.spoken(met, addresses)
        if peer.reached_at is not None:
            self._peers.proven(met, peer.reached_at)
        self._speaker.heard(met, known, skew=skew)
        logger.debug("spoke with %s in %s", met, self._clock.monotonic() - started)
        half = self._half(met, theirs)
        if half.nodes or half.members or self._knowledge.lacks(theirs):
            await self._merge(sound(await peer.exchange(half), self._codec))
        self._speaker.link()
        for member in self._members:
            member.reachable(met)

    def _half(self, node_id: str | None, other: Exchange | None = None) -> Exchange:
        """What this node says to another, in answer to its half if there is one."""
        half = self._knowledge.half(
            self._speaker.info, self._clock.now(), node_id, other
        )
        own_id = self._speaker.info.node_id
        known = () if other is None else other.told_nodes
        nodes = retold(half.nodes, frozenset(known), self._random)
        return replace(
            half,
            copies=() if node_id is None else self._speaker.runs_of_copy(node_id),
            nodes=in_turns(nodes, own_id, self._codec, self._random),
            members=in_turns(half.members, own_id, self._codec, self._random),
        )

    def _key(self) -> tuple[int, str]:
        """The number and tag of the cohort's key."""
        if self._keys is None:
            return 0, ""
        return self._keys.cohort.number, self._keys.cohort.key.tag

    def _is_behind(self, theirs: Exchange) -> bool:
        """Whether the other has a newer key than this node."""
        return self._keys is not None and self._keys.is_behind(
            theirs.key_number, theirs.key_tag
        )

    async def _merge(self, theirs: Exchange) -> None:
        for removal in await self._trust.merge(
            theirs.removals, self._clock.now(), self._has_heard_of
        ):
            self._speaker.heed_removal(removal)
        self._look_for_copies(theirs)
        for known in theirs.known_nodes:
            if known.id == self._speaker.info.node_id:
                self._speaker.outdo(known.revision)
        self._heed_news(theirs.sender.node_id, theirs)

    def _heed_news(self, sender: str, theirs: Exchange) -> None:
        news = self._knowledge.merge(theirs, self._clock.monotonic())
        for member in self._members:
            for record in news.own:
                member.hear_record(record, first_hand=True)
            member.hear_members_of(sender, news.own_ids)
            for record in news.told:
                member.hear_record(record, first_hand=False)
            for mark in news.marks:
                member.hear_mark(sender, mark)
        for records, first_hand in ((news.own, True), (news.told, False)):
            for record in records:
                self._members.hear_of_guest(record, first_hand=first_hand)
        for node_id in news.nodes:
            peer = self._peers.get(node_id)
            if peer is not None and not peer.is_met:
                self.speak_with(peer)
            else:
                self.doubt(node_id)

    def _look_for_copies(self, theirs: Exchange) -> None:
        """See whether whoever speaks has the key of another one that lives, or we have."""
        sender, own = theirs.sender, self._speaker.info
        if sender.node_id == own.node_id:
            if sender.run_id != own.run_id:
                self._speaker.copied(own.node_id, (own, sender))
            return
        if self._runs.has_come_back(sender):
            self._speaker.copied(sender.node_id, self._runs.last(sender.node_id))
        runs = [each for each in theirs.copies if each.node_id == own.node_id]
        self._speaker.told_of_copy(sender.node_id, runs)

    def _has_heard_of(self, node_id: str) -> bool:
        peer = self._peers.get(node_id)
        return peer is not None and peer.is_met

    # what others ask; the other half of CohortPeer

    async def exchange(self, node_id: str, half: Exchange) -> Exchange:
        """Answer an exchange.

        Args:
            node_id: Who asks; empty in an open cohort, where nobody can tell.
            half: What it says.

        Raises:
            BadRequestError: The asker describes itself by another node's id, or as no
                node can be.
            PeerUnavailableError: This node stops.
        """
        if self._is_ended:
            raise PeerUnavailableError(self._speaker.info.node_id, "it stops")
        half = sound(half, self._codec)
        if node_id and half.sender.node_id != node_id:
            raise BadRequestError("not the asker's own id", "sender.nodeId")
        known = self._peers.get(half.sender.node_id)
        await self._merge(half)
        self._contacts.spoken(half.sender.node_id)
        self._speaker.heard(half.sender.node_id, known)
        peer = self._peers.get(half.sender.node_id)
        if peer is not None and self._is_behind(half):
            self.speak_with(peer)  # to ask it for the key
        self._speaker.link()
        return self._half(half.sender.node_id, half)
