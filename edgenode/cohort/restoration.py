"""What a member does whose store was put back to an earlier state, such as a backup's.

What it acknowledged since then is gone from its store, but other members hold copies.
It takes those back that are newer than what it has, before anybody may take what it
tells for the last word. Until it has asked one of the others at least it doesn't answer
questions of members about its own instances, and its users can read but not change them.
"""

import asyncio
import logging
from asyncio import FIRST_COMPLETED
from collections import Counter
from collections.abc import Callable, Mapping

from edgenode.clock import Clock
from edgenode.cohort.comparison import differences, fetched
from edgenode.cohort.peer import CohortPeer
from edgenode.collection.local import LocalMetadataCollection
from edgenode.errors import PeerRefusedError, PeerUnavailableError
from edgenode.events.streams import Position
from edgenode.limits import (
    FIRST_RETRY_SECONDS,
    LONGEST_RETRY_SECONDS,
    RESTORING_PEERS,
    RESTORING_SECONDS,
)
from edgenode.repository.sqlite import SqliteRepository

logger = logging.getLogger(__name__)


class Restoration:
    """One member's; nothing to be done but after its store was put back.

    Attributes:
        taken_back: How many states it took back.
    """

    def __init__(
        self,
        collection_id: str,
        collection: LocalMetadataCollection,
        repository: SqliteRepository,
        clock: Clock,
        others: Callable[[], Mapping[str, str]],
        peer_of: Callable[[str], CohortPeer],
    ) -> None:
        """See whether there is anything to be done.

        Args:
            collection_id: The member's own.
            collection: Takes states back.
            repository: The store. How far the member got with itself tells in which
                life of the store it was complete.
            clock: Times retries.
            others: The nodes of the other members, by the members' ids.
            peer_of: A node, to be asked.
        """
        self.taken_back = 0
        self._tries: Counter[str] = Counter()
        self._has_answer = False
        self._id = collection_id
        self._collection = collection
        self._repository = repository
        self._clock = clock
        self._others = others
        self._peer_of = peer_of
        complete = repository.positions().get(collection_id)
        is_new = complete is None and repository.local_registration() is None
        self._is_noted = (
            complete is not None and complete.incarnation == repository.incarnation()
        )
        self._is_complete = is_new or self._is_noted

    @property
    def is_waiting(self) -> bool:
        """Whether there are others, and none of them was asked yet."""
        return not self._is_complete and bool(self._others())

    def check(self) -> None:
        """Make sure that the member may speak for its own instances.

        Raises:
            PeerUnavailableError: It may not yet.
        """
        if not self._is_complete:
            raise PeerUnavailableError(
                self._id,
                "its store was put back, and it is still taking back what it lacks",
            )

    async def run(self) -> None:
        """Take back what others have, where there is anything to take back."""
        wait = FIRST_RETRY_SECONDS
        while not await self._is_over():
            await self._clock.sleep(wait)
            wait = min(2 * wait, LONGEST_RETRY_SECONDS)

    async def _is_over(self) -> bool:
        """Go as far as may be now; False when there is something left to be done."""
        if not self._is_complete:
            if not await self._ask_all():
                return False
            self._is_complete = True
            logger.warning(
                "the store of %s was put back to an earlier state; %d newer states "
                "were taken back from other members",
                self._id,
                self.taken_back,
            )
        if not self._is_noted:
            place = Position(self._repository.incarnation(), 0)
            try:
                await self._repository.change(lambda tx: tx.move_to(self._id, place))
            except Exception:
                logger.exception("it isn't noted yet that %s is complete", self._id)
                return False
        return True

    async def _ask_all(self) -> bool:
        """Ask everybody for a while; whether anybody answered, or there is nobody to ask.

        Who was asked less often comes first, so that others have their turn after those
        that kept it waiting.
        """
        others = self._others()
        turns = asyncio.Semaphore(RESTORING_PEERS)
        answers = asyncio.gather(
            *(
                self._ask_in_turn(turns, member, others[member])
                for member in sorted(others, key=self._tries.__getitem__)
            )
        )
        limit = asyncio.ensure_future(self._clock.sleep(RESTORING_SECONDS))
        try:
            await asyncio.wait((answers, limit), return_when=FIRST_COMPLETED)
            if answers.done():
                answers.result()
        finally:
            answers.cancel()
            limit.cancel()
            await asyncio.gather(answers, limit, return_exceptions=True)
        return self._has_answer or not others

    async def _ask_in_turn(
        self, turns: asyncio.Semaphore, member: str, node_id: str
    ) -> None:
        async with turns:
            self._tries[member] += 1
            try:
                await self._ask(member, self._peer_of(node_id))
            except (PeerUnavailableError, PeerRefusedError) as error:
                logger.info("nothing is taken back from %s for now: %s", member, error)
            except Exception:
                # Nobody's answer, nor a disk that is full, ends what others are asked.
                logger.exception("nothing could be taken back from %s", member)
            else:
                self._has_answer = True

    async def _ask(self, member: str, peer: CohortPeer) -> None:
        guids = await differences(
            self._repository, peer, member, self._id, lambda group: True
        )
        async for states in fetched(peer, member, guids):
            held = [state for state in states if state.document]
            mended = await self._collection.take_back_states(held)
            self.taken_back += mended.saved
