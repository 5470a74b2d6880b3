"""Performs what the registry of a member decides, one thing after the other, in order.

News is handed in from anywhere in the event loop and waits for its turn; what is to be
remembered is on the disk before the next news is looked at.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.cohort.model import MemberRecord, Standing
from edgenode.cohort.registry import (
    CohortRegistry,
    CollectionIdChangedError,
    Effect,
    NoteRemote,
    RemoveRemote,
    ReportClone,
    ReportComplaint,
    ReportConflict,
    ReportFull,
    SaveLocal,
    SaveRemote,
    Send,
)
from edgenode.cohort.told import LAST_REVISION, is_sound_member, only
from edgenode.errors import BadRequestError, StoreFullError
from edgenode.events.registration import MemberRegistration
from edgenode.limits import MAX_MEMBERS, MAX_TOLD_RECORD_BYTES
from edgenode.repository.base import MemberRow
from edgenode.repository.sqlite import SqliteRepository

logger = logging.getLogger(__name__)

News = Callable[[CohortRegistry], list[Effect]]
Report = ReportClone | ReportComplaint | ReportConflict | ReportFull


class Membership:
    """One member's place in the cohort, and what it knows of the others'."""

    def __init__(
        self,
        node_id: str,
        configured: MemberRegistration,
        repository: SqliteRepository,
        codec: Codec,
        clock: Clock,
        *,
        send: Callable[[Send], None],
        changed: Callable[[], None],
        stood: Callable[[Standing], None],
        report: Callable[[Report], None],
    ) -> None:
        """Begin with what is stored.

        Args:
            node_id: The node of the member.
            configured: The member, as it would register now.
            repository: Remembers registrations.
            codec: The form in which they are remembered.
            clock: The time.
            send: Puts an event on the bus.
            changed: Told when others came, left or changed.
            stood: Told when this member came, went or left, and how it stood before.
            report: Told of what the registry found wrong.
        """
        self._repository = repository
        self._codec = codec
        self._clock = clock
        self._send = send
        self._changed = changed
        self._stood = stood
        self._report = report
        self._waiting: deque[News] = deque()
        self._arrived = asyncio.Event()
        self._is_performing = False
        stored = repository.local_registration()
        self._registry = CohortRegistry(
            node_id,
            configured,
            None if stored is None else codec.decode(MemberRecord, stored),
            only(
                [
                    codec.decode(MemberRecord, row.document)
                    for row in repository.members()
                ],
                lambda record: is_sound_member(record, codec),
            ),
        )

    @property
    def local(self) -> MemberRecord | None:
        """How this member is registered, or that it has left."""
        return self._registry.local

    @property
    def remote(self) -> Mapping[str, MemberRecord]:
        """The other members, those that have left included."""
        return self._registry.remote

    @property
    def told(self) -> Mapping[str, MemberRecord]:
        """Members that only others have told of."""
        return self._registry.told

    def is_first_hand(self, collection_id: str) -> bool:
        """Whether what is known of another member is what its node said last itself."""
        return self._registry.is_first_hand(collection_id)

    @property
    def standing(self) -> Standing:
        """Whether it takes part, and if not, how it went."""
        return self._registry.standing

    @property
    def is_busy(self) -> bool:
        """Whether there is news to be taken in."""
        return self._is_performing or bool(self._waiting)

    def connect(self) -> None:
        """Join the cohort, or come back to it."""
        self._decide(lambda registry: registry.connect(self._clock.now()))

    def announce(self) -> None:
        """Say once more that this member is registered, if it is."""
        self._hand_in(lambda registry: registry.announce(self._clock.now()))

    def disconnect(self) -> None:
        """Take no part for now."""
        self._decide(lambda registry: registry.disconnect())

    def unregister(self) -> None:
        """Leave the cohort."""
        self._decide(lambda registry: registry.unregister(self._clock.now()))

    def heard(
        self,
        collection_id: str,
        node_id: str,
        revision: int | None,
        text: bytes,
        *,
        first_hand: bool,
    ) -> None:
        """A registry event arrived, from the node itself or by way of others.

        Raises:
            BadRequestError: It can't be read.
        """
        if len(text) > MAX_TOLD_RECORD_BYTES:
            raise BadRequestError("says too much", "event")
        if revision is not None and revision > LAST_REVISION:
            raise BadRequestError("is too high", "revision")
        event = self._codec.decode_event(text)

        def news(registry: CohortRegistry) -> list[Effect]:
            try:
                return registry.receive(
                    collection_id,
                    node_id,
                    revision,
                    event,
                    self._clock.now(),
                    first_hand=first_hand,
                )
            except BadRequestError:
                return []  # it says too little

        self._hand_in(news)

    def learn(self, record: MemberRecord, *, first_hand: bool) -> None:
        """A member was told of, by its node itself or by another one."""
        self._hand_in(
            lambda registry: registry.learn(
                record, self._clock.now(), first_hand=first_hand
            )
        )

    def node_has(self, node_id: str, collection_ids: Collection[str]) -> None:
        """A node said which members it has."""
        self._hand_in(lambda registry: registry.node_has(node_id, collection_ids))

    def unreachable(self, collection_id: str, reason: str) -> None:
        """A member's connection can't be made use of."""
        self._hand_in(
            lambda registry: registry.unreachable(
                collection_id, reason, self._clock.now()
            )
        )

    def tick(self) -> None:
        """Time has passed."""
        if self._registry.forget_told(self._clock.now()):
            self._changed()

    def node_removed(self, node_id: str) -> None:
        """A node was removed from the cohort."""
        self._hand_in(lambda registry: registry.node_removed(node_id))

    def _hand_in(self, news: News) -> None:
        if len(self._waiting) < MAX_MEMBERS:  # whatever is dropped is told again
            self._decide(news)

    def _decide(self, news: News) -> None:
        """What people of this node want done has its turn, however many others wait."""
        self._waiting.append(news)
        self._arrived.set()

    async def run(self) -> None:
        """Take in news until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            self._is_performing = True
            while self._waiting:
                news, before = self._waiting.popleft(), self.standing
                try:
                    await self._perform(news(self._registry))
                except CollectionIdChangedError:
                    raise  # the server mustn't go on like this
                except StoreFullError as error:
                    logger.warning("news of a member couldn't be taken in: %s", error)
                    self._changed()
                except Exception:
                    # Nothing that was said ends the member.
                    logger.exception("news of a member couldn't be taken in")
                    self._changed()
                if self.standing is not before:
                    self._stood(before)
            self._is_performing = False

    async def _perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send():
                    self._send(effect)
                case SaveLocal(record):
                    text = b"" if record is None else self._codec.encode(record)
                    await self._repository.save_local_registration(text)
                case SaveRemote(record):
                    await self._repository.save_member(self._row(record))
                    self._changed()
                case RemoveRemote(collection_id):
                    await self._repository.remove_member(collection_id)
                    self._changed()
                case NoteRemote():
                    self._changed()
                case _:
                    self._report(effect)

    def _row(self, record: MemberRecord) -> MemberRow:
        return MemberRow(
            str(record.registration.metadata_collection_id),
            record.node_id,
            record.revision,
            record.is_registered,
            self._codec.encode(record),
        )
