"""The cohort's key and this node's certificates while the node runs.

A process may run for years: meanwhile the key is rotated, here or elsewhere, an overlap
ends, certificates are renewed. What is open by then keeps working; what must begin anew
is told.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from edgenode.clock import Clock
from edgenode.errors import EdgeNodeError
from edgenode.limits import UPKEEP_SECONDS
from edgenode.security.certificates import InvalidCertificateError
from edgenode.security.cohorts import Cohort, ToldKey, latest_overlap
from edgenode.security.directory import CohortDirectory
from edgenode.security.identity import NodeIdentity, ensure_identity
from edgenode.security.keys import CohortKey
from edgenode.security.tls import Credentials, IsRemoved, peer_node_id

logger = logging.getLogger(__name__)


class KeyHolder:
    """Holds the key, follows its changes and secures connections with it.

    Attributes:
        cohort: The cohort as it is now.
        identity: This node's.
        changed: Is set when other keys are trusted than before; from then on another
            event stands here.
    """

    def __init__(
        self,
        directory: CohortDirectory,
        cohort: Cohort,
        identity: NodeIdentity,
        credentials: Credentials | None,
        is_removed: IsRemoved,
        clock: Clock,
    ) -> None:
        """Take what is there already; see ``opened``."""
        self.cohort = cohort
        self.identity = identity
        self.changed = asyncio.Event()
        self._directory = directory
        self._credentials = credentials
        self._is_removed = is_removed
        self._clock = clock
        self._trusted = cohort.trusted(clock.now())
        self._distrusted: Callable[[], None] = lambda: None
        self._changing = asyncio.Lock()

    @classmethod
    async def opened(
        cls,
        directory: CohortDirectory,
        cohort: Cohort,
        is_removed: IsRemoved,
        clock: Clock,
    ) -> "KeyHolder":
        """See to it that the node has an identity and good certificates.

        Args:
            directory: Where they are kept.
            cohort: Which one it is in.
            is_removed: Whether a node isn't let in, by its id.
            clock: The time, with a floor.

        Raises:
            IssuingError: They can't be made.
            OSError: They can't be used.
        """
        identity = await ensure_identity(directory.path, cohort, clock.now())
        credentials = None
        if not cohort.is_open:
            credentials = await Credentials.opened(identity.files, is_removed)
        return cls(directory, cohort, identity, credentials, is_removed, clock)

    def on_distrust(self, told: Callable[[], None]) -> None:
        """Have somebody told when a key isn't trusted any more.

        Connections that came about by it are to be closed.
        """
        self._distrusted = told

    # connections

    def server_context(self) -> ssl.SSLContext | None:
        """For the next connection that comes in; None where the cohort is open."""
        return None if self._credentials is None else self._credentials.server_context()

    def client_context(self) -> ssl.SSLContext | None:
        """For the next connection that goes out."""
        return None if self._credentials is None else self._credentials.client_context()

    def identify(self, ssl_object: ssl.SSLObject | ssl.SSLSocket) -> str | None:
        """The node at the other end; None for one that was removed."""
        try:
            node_id = peer_node_id(ssl_object)
        except InvalidCertificateError:
            return None
        return None if self._is_removed(node_id) else node_id

    # changes

    @property
    def trusted_tags(self) -> frozenset[str]:
        """The tags of this cohort's nodes, of those that are behind with the key, too."""
        return frozenset(key.tag for key in self._trusted)

    def told(self) -> ToldKey | None:
        """What others that ask for the key are told; None where there is none."""
        return None if self.cohort.is_open else self.cohort.told()

    def is_behind(self, number: int, tag: str) -> bool:
        """Whether somebody with this key has a newer one."""
        own = self.cohort
        is_newer = (own.number, own.key.tag) < (number, tag)
        return not own.is_open and is_newer and own.may_rise_to(number)

    async def take(self, told: ToldKey, number: int, tag: str) -> None:
        """Use the key that another node told, if it is a newer one.

        That it can't be kept is logged; it will be told again.

        Args:
            told: The key.
            number: Its number, as the node told it in an exchange.
            tag: Its tag, likewise. Where the key was rotated meanwhile, the next
                exchange tells of it.
        """
        async with self._changing:
            try:
                key = CohortKey.from_token(told.token)
                if (told.number, key.tag) != (number, tag):
                    logger.info("the key that was told isn't the one of the exchange")
                    return
                ends = min(told.overlap_ends, latest_overlap(self._clock.now()))
                cohort = self.cohort.taught(key, told.number, ends)
                if self.cohort.is_open or cohort == self.cohort:
                    return
                kept = await asyncio.to_thread(self._directory.load)
                if kept is None or kept.id != cohort.id:
                    return  # a command left the cohort, which takes a restart
                await asyncio.to_thread(self._directory.save, cohort)
                await self._use(cohort)
            except (OSError, EdgeNodeError) as error:
                logger.warning("the cohort's new key can't be used: %s", error)

    async def reload(self) -> bool:
        """Use the key as it is kept by now, after a command rotated it.

        Returns:
            Whether it is in use; another cohort takes a restart.

        Raises:
            DamagedCohortError: It can't be read.
            IssuingError: There are no certificates for it.
            OSError: They can't be used.
        """
        async with self._changing:
            cohort = await asyncio.to_thread(self._directory.load)
            if cohort == self.cohort:
                return True
            own = self.cohort
            if (
                cohort is None
                or own.is_open
                or cohort.id != own.id
                or cohort.key.name != own.key.name
                or cohort.number <= own.number
            ):
                return False
            await self._use(cohort)
            return True

    async def keep_up(self) -> None:
        """Renew certificates and end overlaps in time, until cancelled."""
        while True:
            # A rotation in between brings the end of its overlap with it.
            changed = self.changed
            await until(changed, self._clock.sleep(self._pause()))
            if changed.is_set():
                continue
            async with self._changing:
                try:
                    await self._use(self.cohort)
                except (OSError, EdgeNodeError) as error:
                    logger.warning(
                        "the node's certificates can't be renewed: %s", error
                    )

    def _pause(self) -> float:
        """A day, or until the overlap ends."""
        left = (self.cohort.overlap_ends - self._clock.now()) / 1000
        return min(left, UPKEEP_SECONDS) if left > 0 else UPKEEP_SECONDS

    async def _use(self, cohort: Cohort) -> None:
        now = self._clock.now()
        self.identity = await ensure_identity(self._directory.path, cohort, now)
        if self._credentials is not None:
            await self._credentials.refresh()
        if cohort.key != self.cohort.key:
            logger.info(
                "the cohort's key is number %d by now (%s)",
                cohort.number,
                cohort.key.tag,
            )
        self.cohort = cohort
        before, self._trusted = self._trusted, cohort.trusted(now)
        if self._trusted != before:
            changed, self.changed = self.changed, asyncio.Event()
            changed.set()
        if not set(before) <= set(self._trusted):
            self._distrusted()


async def until(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do something until something happens, or it ends by itself."""
    doing = asyncio.create_task(work, name="cohort work")
    waiting = asyncio.create_task(event.wait(), name="cohort change")
    try:
        await asyncio.wait((doing, waiting), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    finally:
        doing.cancel()
        waiting.cancel()
        await asyncio.gather(doing, waiting, return_exceptions=True)
