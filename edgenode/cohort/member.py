"""One server in the cohort: who else is in it, what it sends, and whom it follows."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from edgenode.clock import Clock, EpochMillis
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.cohort.audit import CohortAudit
from edgenode.cohort.envelope import Header, TopicKind
from edgenode.cohort.follower import Follower
from edgenode.cohort.history import history
from edgenode.cohort.inbox import InboxRoom
from edgenode.cohort.intake import Intake
from edgenode.cohort.membership import Membership, Report
from edgenode.cohort.model import Mark, MemberRecord, NodeInfo, Removal, Standing
from edgenode.cohort.peer import CohortPeer
from edgenode.cohort.presence import Change
from edgenode.cohort.publisher import Publisher
from edgenode.cohort.registry import (
    ReportClone,
    ReportComplaint,
    ReportConflict,
    ReportFull,
    Send,
)
from edgenode.cohort.restoration import Restoration
from edgenode.cohort.wording import Wording
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.received import Outcome, Received
from edgenode.events import outbound
from edgenode.events.exchange import ExchangeRules
from edgenode.events.frames import HistoryFrame
from edgenode.events.model import (
    TypeDefEvent,
)
from edgenode.events.registration import MemberRegistration
from edgenode.events.streams import Position, Step
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.instances.model import InstanceHeader
from edgenode.limits import COMPLAINT_SECONDS, MAX_ERROR_EVENT_BYTES, MAX_WAITING_ERRORS
from edgenode.observability.audit_log import AuditLog
from edgenode.repository.outbox import QueuedEvent
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.registry import TypeRegistry

logger = logging.getLogger(__name__)


class MemberLink(Protocol):
    """The node of a member, as far as the member has to do with it."""

    @property
    def inbox_room(self) -> InboxRoom:
        """What there is for events that wait."""
        ...

    def publish_event(
        self, kind: TopicKind, collection_id: str, step: Step | None, event: bytes
    ) -> None:
        """Put a type or instance event on the bus."""
        ...

    def publish_registration(
        self, collection_id: str, revision: int, event: bytes
    ) -> None:
        """Put on the bus that a member is registered, or not any more."""
        ...

    def publish_request(self, collection_id: str, event: bytes) -> None:
        """Put on the bus what a member asks, or complains of."""
        ...

    def conflict(self, node_id: str) -> None:
        """A node speaks for a member that isn't its own."""
        ...

    def copied(self, node_id: str) -> None:
        """Two machines speak as one node, which may be this one."""
        ...

    def member_came_back(self) -> None:
        """A member that took no part does so again."""
        ...

    def peer_of(self, node_id: str) -> CohortPeer:
        """A node, to be asked."""
        ...

    def is_lost(self, node_id: str) -> bool:
        """Whether a node is gone, as far as is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberParts:
    """What a server brings into the cohort.

    Attributes:
        node_id: The node it belongs to.
        registration: How it registers; without a time.
        collection: Its metadata.
        repository: Where that is stored.
        types: What it knows of types.
        codec: The form of events.
        rules: What it sends, looks at and keeps.
        audit_log: Told of joins, losses and refusals.
        clock: The time.
    """

    node_id: str
    registration: MemberRegistration
    collection: LocalMetadataCollection
    repository: SqliteRepository
    types: TypeRegistry
    codec: Codec
    rules: ExchangeRules
    audit_log: AuditLog
    clock: Clock


@dataclass(slots=True)
class _Followed:
    follower: Follower
    node_id: str
    task: "asyncio.Task[None]"
    asked_at: float = -COMPLAINT_SECONDS


class CohortMember:
    """One member of this node; see the module.

    Attributes:
        name: The server's.
        collection_id: Its metadata collection's.
        registration: How it registers, without a time.
        holdings: What it stores, for whoever compares.
    """

    def __init__(self, parts: MemberParts) -> None:
        registration = parts.registration
        self.name = str(registration.server_name)
        self.collection_id = str(registration.metadata_collection_id)
        self.registration = registration
        self.holdings = parts.repository
        self._parts = parts
        self._audit = CohortAudit(parts.audit_log, self.name)
        self._build = EventBuilder(originator_of(registration))
        self._link: MemberLink | None = None
        self._followed: dict[str, _Followed] = {}
        self._registered: frozenset[str] = frozenset()
        self._told_of_changes: list[Callable[[], None]] = []
        self._told_of_returns: list[Callable[[str], None]] = []
        self._tasks: asyncio.TaskGroup | None = None
        self._errors: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(
            MAX_WAITING_ERRORS
        )
        self._is_taking_error = False
        self._intake = Intake(
            parts.collection,
            parts.repository,
            parts.types,
            parts.codec,
            parts.rules,
            self._report_refused,
            self.was_member,
            self._compare_with,
            self._audit.moved,
        )
        self._wording = Wording(parts.codec, parts.rules, registration)
        self._publisher = Publisher(parts.repository, self._publish, parts.clock)
        self._restoration = Restoration(
            self.collection_id,
            parts.collection,
            parts.repository,
            parts.clock,
            self._others,
            lambda node_id: self._node.peer_of(node_id),
        )
        self._membership = Membership(
            parts.node_id,
            registration,
            parts.repository,
            parts.codec,
            parts.clock,
            send=self._send,
            changed=self._members_changed,
            stood=self._stood,
            report=self._report,
        )

    def on_change(self, told: Callable[[], None]) -> None:
        """Have somebody told when others came, left or changed, and now."""
        self._told_of_changes.append(told)
        told()

    def on_return(self, told: Callable[[str], None]) -> None:
        """Have somebody told of each member whose node is there again."""
        self._told_of_returns.append(told)

    def attach(self, link: MemberLink) -> None:
        """Make the node known; to be called once, before ``run``."""
        self._link = link

    async def run(self) -> None:
        """Take part until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._membership.run(), name=f"{self.name}: membership")
            tasks.create_task(self._take_errors(), name=f"{self.name}: error events")
            tasks.create_task(self._restoration.run(), name=f"{self.name}: restoration")
            tasks.create_task(self._publisher.run(), name=f"{self.name}: publisher")
            self._membership.connect()
            self._members_changed()

    def wake(self) -> None:
        """There are new events in the outbox."""
        self._publisher.wake()

    # who is in the cohort

    def records(self) -> Mapping[str, MemberRecord]:
        """All members that this one knows, itself included, by collection id.

        Those that only others have told of are among them.
        """
        return {**self._membership.told, **self.met_records()}

    def met_records(self) -> Mapping[str, MemberRecord]:
        """Those that their nodes have told of themselves, itself included."""
        local = self._membership.local
        own = {} if local is None else {self.collection_id: local}
        return {**self._membership.remote, **own}

    def is_first_hand(self, collection_id: str) -> bool:
        """Whether what is known of another member is what its node said last itself."""
        return self._membership.is_first_hand(collection_id)

    def record(self, collection_id: str) -> MemberRecord | None:
        """One that its node has told of itself."""
        if collection_id == self.collection_id:
            return self._membership.local
        return self._membership.remote.get(collection_id)

    def is_known(self, collection_id: str) -> bool:
        """Whether a metadata collection is this one's or a registered member's."""
        return collection_id == self.collection_id or collection_id in self._registered

    @property
    def is_put_back(self) -> bool:
        """Whether its store was put back, and nobody was asked yet for what it lacks."""
        return self._restoration.is_waiting

    def was_member(self, collection_id: str) -> bool:
        """Whether a metadata collection is, or ever was, this one's or a member's."""
        return self.is_known(collection_id) or self._parts.repository.was_member(
            collection_id
        )

    def marks(self) -> list[Mark]:
        """How far its own events go, and how far it got with those it follows.

        What others told isn't passed on: only an origin knows how far its events go.
        A member that takes no part says nothing, so that nobody asks it for more.
        """
        if self.standing.is_away:
            return []
        repository = self._parts.repository
        own = Mark(
            metadata_collection_id=self.collection_id,
            incarnation=repository.incarnation(),
            sequence=repository.last_sequence(),
        )
        reached = repository.positions()
        return [
            own,
            *(
                Mark(
                    metadata_collection_id=origin,
                    incarnation=reached[origin].incarnation,
                    sequence=reached[origin].sequence,
                )
                for origin in self._followed
                if origin in reached
            ),
        ]

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """How often what came of the events of others."""
        return self._intake.outcomes

    def followers(self) -> Mapping[str, Follower]:
        """Who is followed, by collection id."""
        return {origin: each.follower for origin, each in self._followed.items()}

    def complain_of(self, collection_id: str, reason: str) -> None:
        """Tell the cohort that another member can't be asked as it registered."""
        self._membership.unreachable(collection_id, reason)

    def announce(self) -> None:
        """Say on a bus that is new to this member that it is registered."""
        self._membership.announce()

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that needn't wait for others."""
        return (
            self._membership.is_busy
            or self._publisher.is_busy
            or self._is_taking_error
            or not self._errors.empty()
            or any(each.follower.is_busy for each in self._followed.values())
        )

    @property
    def standing(self) -> Standing:
        """Whether it takes part, and if not, how it went."""
        return self._membership.standing

    def disconnect(self) -> None:
        """Take no part for now: say, hear and answer nothing, and keep what is known."""
        self._membership.disconnect()

    def connect(self) -> None:
        """Take part again."""
        self._membership.connect()

    def unregister(self) -> None:
        """Leave the cohort."""
        self._membership.unregister()

    # what the node hears

    def hear_registry(
        self, collection_id: str, header: Header, event: bytes, *, first_hand: bool
    ) -> None:
        """A registry event arrived, from the node itself or by way of others.

        Raises:
            BadRequestError: It can't be read.
        """
        self._membership.heard(
            collection_id, header.node, header.revision, event, first_hand=first_hand
        )

    def hear_record(self, record: MemberRecord, *, first_hand: bool) -> None:
        """A node told of a member, of its own or of another's."""
        self._membership.learn(record, first_hand=first_hand)

    def hear_members_of(self, node_id: str, collection_ids: Collection[str]) -> None:
        """A node said which members it has."""
        self._membership.node_has(node_id, collection_ids)

    def hear_event(self, origin: str, step: Step, event: bytes) -> None:
        """A type or instance event arrived."""
        followed = self._followed.get(origin)
        if followed is not None:
            followed.follower.offer(step, event)

    def hear_error(self, origin: str, event: bytes) -> None:
        """An error event arrived, which has no place among the others."""
        is_heard = origin in self._followed and len(event) <= MAX_ERROR_EVENT_BYTES
        if is_heard and not self._errors.full():
            self._errors.put_nowait((origin, event))

    async def _take_errors(self) -> None:
        """Take in error events, one after the other, until cancelled."""
        while True:
            origin, event = await self._errors.get()
            self._is_taking_error = True
            try:
                await self._intake.apply(origin, None, event, last_try=True)
            except Exception:
                # Nothing that was said ends the member, nor a disk that is full.
                logger.exception("an error event of %s couldn't be taken in", origin)
            finally:
                self._is_taking_error = False

    def _others(self) -> Mapping[str, str]:
        """The nodes of the other registered members, by the members' ids."""
        return {
            origin: record.node_id
            for origin, record in self._membership.remote.items()
            if record.is_registered
        }

    def hear_mark(self, node_id: str, mark: Mark) -> None:
        """A node told how far the events of a member go, its own or another's."""
        followed = self._followed.get(mark.metadata_collection_id)
        if followed is not None and mark.incarnation:
            position = Position(mark.incarnation, mark.sequence)
            followed.follower.mark(position, is_own=followed.node_id == node_id)

    def reachable(self, node_id: str) -> None:
        """A node is there, or there again."""
        for followed in self._followed.values():
            if followed.node_id == node_id:
                followed.follower.reachable()

    def returned(self, node_id: str) -> None:
        """A node that was lost is there again."""
        for origin, followed in self._followed.items():
            if followed.node_id == node_id:
                for told in self._told_of_returns:
                    told(origin)

    def hear_removal(self, removal: Removal) -> None:
        """A node was removed from the cohort, or may be in it again."""
        if not self._is_from_before(removal.at):
            self._audit.removal(removal)
        if removal.is_removed:
            self._membership.node_removed(removal.node_id)

    def _is_from_before(self, at: EpochMillis) -> bool:
        """Whether something was before this member joined: it is told, but is no news."""
        local = self._membership.local
        since = None if local is None else local.registration.registration_time
        return since is None or at < since

    def hear_presence(self, change: Change) -> None:
        """A node is gone, or there again."""
        self._audit.presence(change)

    def hear_copy(self, node_id: str, name: str, runs: Sequence[NodeInfo]) -> None:
        """Two machines speak as one node; ``runs`` is how they describe themselves."""
        self._audit.node_copied(node_id, name, runs)

    def tick(self, now: float) -> None:
        """Time has passed (monotonic seconds)."""
        self._membership.tick()
        tried: set[str] = set()
        for followed in self._followed.values():
            node_id, follower = followed.node_id, followed.follower
            if follower.trouble and self._node.is_lost(node_id):
                if node_id in tried:
                    continue  # one asks for all that follow members of that node
                tried.add(node_id)
            follower.tick(now)

    def compare_some(self, random: Random, count: int) -> None:
        """Compare with some of those that are followed."""
        origins = sorted(self._followed)
        for origin in random.sample(origins, min(count, len(origins))):
            self._followed[origin].follower.compare()

    def _compare_with(self, origin: str) -> None:
        """Find out about a complaint that names another member."""
        followed, now = self._followed.get(origin), self._parts.clock.monotonic()
        if followed is not None and now >= followed.asked_at + COMPLAINT_SECONDS:
            followed.asked_at = now
            followed.follower.compare()

    def was_read(self, header: InstanceHeader) -> None:
        """An instance was read from the cohort: where types are learned, its is now."""
        rules, known = self._intake.rules, header.type
        guid = None if known is None else known.type_def_guid
        if guid is None or self._parts.types.type_def_by_guid(guid) is None:
            return
        save = rules.save.learned(guid)
        if save is not rules.save:
            self._intake.rules = replace(rules, save=save)
            for followed in self._followed.values():
                followed.follower.compare()

    # what other nodes ask

    def history(self, after: Position) -> AsyncIterator[HistoryFrame]:
        """The events behind a place.

        Raises:
            PeerUnavailableError: The store was put back to an earlier state, and isn't
                complete yet.
        """
        self._restoration.check()
        return history(self._parts.repository, after, self._wording.text)

    def holdings_of(self, owner: str) -> SqliteRepository:
        """What it stores, for whoever compares what an owner answers for.

        Raises:
            PeerUnavailableError: It is its own, and not complete; as above.
        """
        if owner == self.collection_id:
            self._restoration.check()
        return self._parts.repository

    def is_sent(self, group: str) -> bool:
        """Whether the cohort is told of a group of instances at all."""
        name = group.removeprefix("#")
        known = self._parts.types.type_def(name)
        rule = self._intake.rules.send
        return known is not None and rule.lets_pass(known.guid, name)

    def type_versions(self) -> Mapping[str, int]:
        """The version of each type definition, by GUID."""
        if not self._intake.rules.sends_types():
            return {}
        return {str(each.guid): each.version for each in self._parts.types.definitions}

    def type_texts(self, guids: Sequence[str]) -> list[bytes]:
        """Definitions, as the sections of the events that announce them."""
        wanted = set(guids)
        return [
            dumps(self._parts.codec.event_object(outbound.new_type(each)))
            for each in self._parts.types.definitions
            if each.guid in wanted
        ]

    # what it sends

    def _publish(self, step: Step, queued: QueuedEvent) -> bool:
        text = self._wording.text(queued)
        if text is None:
            return False
        if self.standing.is_away:
            return True  # whoever misses it sees that when this member is back
        is_type_event = isinstance(queued.event, TypeDefEvent)
        kind = TopicKind.TYPES if is_type_event else TopicKind.INSTANCES
        self._node.publish_event(kind, self.collection_id, step, text)
        return True

    def _send(self, effect: Send) -> None:
        text = self._parts.codec.encode_event(effect.event)
        if effect.revision is None:
            self._node.publish_request(self.collection_id, text)
        else:
            self._node.publish_registration(self.collection_id, effect.revision, text)

    @property
    def _node(self) -> MemberLink:
        if self._link is None:
            raise RuntimeError("the member belongs to no node yet")
        return self._link

    # whom it follows

    def _members_changed(self) -> None:
        """Follow those who are registered, and nobody else; nobody while away."""
        is_away = self.standing.is_away
        registered = {
            origin: record
            for origin, record in self._membership.remote.items()
            if record.is_registered and not is_away
        }
        for origin in self._followed.keys() - registered.keys():
            self._followed.pop(origin).task.cancel()
        if not is_away:
            self._part_from(self._registered - registered.keys())
        for origin, record in registered.items():
            followed = self._followed.get(origin)
            if followed is None:
                self._follow(origin, record)
            else:
                followed.node_id = record.node_id
        if not is_away:
            self._registered = frozenset(registered)
        for told in self._told_of_changes:
            told()

    def _part_from(self, gone: Collection[str]) -> None:
        """Others have left."""
        for origin in gone:
            if origin not in self._membership.remote:
                self._intake.forget(origin)
            self._audit.left(origin)

    def _stood(self, before: Standing) -> None:
        """This member came, went or left; ``before`` is how it stood."""
        is_back = before.is_away and self.standing is Standing.CONNECTED
        if is_back:
            self._audit.connected()
        elif self.standing is Standing.DISCONNECTED:
            self._audit.disconnected()
        elif self.standing is Standing.UNREGISTERED:
            self._audit.unregistered()
            for origin in self._registered:
                self._intake.forget(origin)
            self._registered = frozenset()
        self._members_changed()
        if is_back:
            self._publisher.repeat_newest()
            for followed in self._followed.values():
                followed.follower.ask()
            self._node.member_came_back()

    def _follow(self, origin: str, record: MemberRecord) -> None:
        if self._tasks is None:
            return
        parts = self._parts
        follower = Follower(
            origin,
            self._intake,
            parts.repository,
            lambda: self._node.peer_of(self._followed[origin].node_id),
            parts.clock,
            lambda count: self._audit.mended(origin, count),
            lambda count: self._audit.copied(origin, count),
            self._node.inbox_room,
        )
        task = self._tasks.create_task(
            follower.run(), name=f"{self.name}: following {origin}"
        )
        task.add_done_callback(lambda _: follower.close())
        self._followed[origin] = _Followed(follower, record.node_id, task)
        if origin not in self._registered:
            self._audit.joined(record)

    # what is told to people, and to the cohort

    def _report_refused(self, origin: str, received: Received) -> None:
        self._audit.refused(origin, received.why)
        report = received.report
        if report is not None:
            now = self._parts.clock.now()
            event = self._build.event(report.section, now, report.error)
            is_type_event = isinstance(report.section, TypeDefEvent)
            kind = TopicKind.TYPES if is_type_event else TopicKind.INSTANCES
            text = self._parts.codec.encode_event(event)
            self._node.publish_event(kind, self.collection_id, None, text)

    def _report(self, report: Report) -> None:
        match report:
            case ReportConflict(known, refused):
                self._node.conflict(refused.node_id)
                self._audit.conflict(known, refused)
            case ReportClone(record) if record.node_id == self._parts.node_id:
                self._node.copied(record.node_id)
            case ReportClone(record):
                self._node.conflict(record.node_id)
                self._audit.claimed(record.node_id)
            case ReportComplaint(sender, error):
                self._audit.complaint(sender, error)
            case ReportFull(record):
                self._audit.full(record)
