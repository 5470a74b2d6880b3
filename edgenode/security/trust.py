"""Whom this node lets in: removed nodes, and how often somebody was refused."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from edgenode.clock import EpochMillis
from edgenode.codec.json import dumps_pretty, loads
from edgenode.errors import BadRequestError, EdgeNodeError
from edgenode.limits import (
    MAX_COHORT_FILE_BYTES,
    MAX_REFUSED_PEERS,
    MAX_REMOVAL_LEAD_MILLIS,
    MAX_REMOVALS,
)
from edgenode.security.certificates import is_node_id
from edgenode.security.directory import DamagedCohortError
from edgenode.security.private_files import (
    make_private_directory,
    read_bounded,
    write_private,
)

logger = logging.getLogger(__name__)

REMOVALS_FILE = "removals.json"

OTHER_PEERS = "other"
"""The address under which refusals count when there are too many addresses."""

_MAX_BY = 64
_LATEST = 253_402_300_799_999  # the end of year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A node that is no longer let in; ``at`` tells removals and readmissions apart."""

    node_id: str
    at: EpochMillis
    by: str = ""
    is_removed: bool = True


class Refusal(StrEnum):
    """Why a peer, or what it said, was refused."""

    CERTIFICATE = "certificate"
    """It has none of this cohort, or no longer, or speaks no TLS 1.3."""
    KEY = "key"
    """It broke off the handshake, as one does that has another key, or none."""
    REMOVED = "removed"
    BUSY = "busy"
    """Too many connections came at once."""
    CODE = "code"
    """A message's code is wrong: it was forged or changed on its way."""
    MALFORMED = "malformed"
    """Too large, too deep, or not what it should be."""
    SPEAKER = "speaker"
    """A message speaks for a member of another node, or came by another way than its own."""
    CONFLICT = "conflict"
    """Two nodes announce the same metadata collection id."""
    ADDRESS = "address"
    """It is no address where platforms may be."""
    LOGIN = "log-in"
    """A platform's name or password is wrong, or missing."""


class TooManyRemovalsError(EdgeNodeError):
    """No more nodes can be removed from the cohort."""

    def __str__(self) -> str:
        return (
            f"{MAX_REMOVALS} nodes are removed already, and no more can be remembered: "
            "rotate the cohort's key without an overlap, which shuts out all that don't "
            "join again, and readmit some of them to make room"
        )


class Refusals:
    """Counts refusals since the start, and tells of them less and less often."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Refusal, str]] = Counter()
        self._peers: set[str] = set()
        self._told: Callable[[Refusal, str, str], None] | None = None

    def refused(self, reason: Refusal, address: str, detail: str = "") -> None:
        """Count a refusal, and log it less and less often for the same address.

        Args:
            reason: Why.
            address: The peer's, without its port; empty where it isn't known.
            detail: What was wrong, in words for the log.
        """
        if address not in self._peers and len(self._peers) >= MAX_REFUSED_PEERS:
            address = OTHER_PEERS
        self._peers.add(address)
        self._counts[reason, address] += 1
        count = self._counts[reason, address]
        if count == 1 and self._told is not None:
            self._told(reason, address or "a peer", detail)
        elif count == 10 ** (len(str(count)) - 1):  # 1, 10, 100, ...
            logger.warning(
                "refused %s: %s (%d so far)",
                address or "a peer",
                f"{reason.value}, {detail}" if detail else reason.value,
                count,
            )

    def on_refusal(self, told: Callable[[Refusal, str, str], None]) -> None:
        """Have somebody told, in place of the log, of the first one for each address."""
        self._told = told

    def counts(self) -> Mapping[tuple[Refusal, str], int]:
        """How often somebody was refused, by reason and address."""
        return dict(self._counts)


class Trust:
    """The removed nodes, which are kept, and the refusals since the start.

    All that is asked often is answered from memory.

    Attributes:
        fault: Why the newest word couldn't be kept; None where all are.
    """

    def __init__(
        self,
        path: Path,
        removals: Iterable[Removal] = (),
        strangers: Iterable[str] = (),
    ) -> None:
        """Take what was kept.

        Args:
            path: Where it is kept.
            removals: All of them.
            strangers: The ids of those that others told of, and that this node had
                never heard of itself. They make room for the others.
        """
        self.fault: OSError | None = None
        self._path = path
        self._removals: dict[str, Removal] = {}
        self._strangers = set(strangers)
        self._refusals = Refusals()
        self._saving = asyncio.Lock()
        for removal in removals:
            self._put(removal, is_stranger=removal.node_id in self._strangers)

    @classmethod
    async def opened(cls, path: Path) -> "Trust":
        """The trust with the removals that a file has.

        Raises:
            DamagedCohortError: The file is damaged.
        """
        kept = await asyncio.to_thread(_read_kept, path)
        strangers = {removal.node_id for removal, is_stranger in kept if is_stranger}
        return cls(path, [removal for removal, _ in kept], strangers)

    def is_removed(self, node_id: str) -> bool:
        """Whether a node is not let in any more."""
        removal = self._removals.get(node_id)
        return removal is not None and removal.is_removed

    def removals(self) -> tuple[Removal, ...]:
        """All removals and readmissions, for telling others of them."""
        return tuple(self._removals.values())

    async def merge(
        self,
        told: Iterable[Removal],
        now: EpochMillis,
        is_known: Callable[[str], bool] = lambda node_id: False,
    ) -> tuple[Removal, ...]:
        """Take over what others tell; the newest word on each node holds.

        What changed holds at once, and is kept when this returns. That it can't be kept
        is logged; others tell of it again after a restart.

        Args:
            told: What they tell.
            now: The time. What is far ahead of it isn't taken: nobody could say
                anything newer.
            is_known: Whether this node has heard of a node itself.

        Returns:
            What was news. Connections with those that are removed are for the caller
            to close.
        """
        latest = now + MAX_REMOVAL_LEAD_MILLIS
        news = tuple(
            removal
            for removal in told
            if _is_sound(removal)
            and removal.at <= latest
            and self._put(removal, is_stranger=not is_known(removal.node_id))
        )
        if news or self.fault is not None:
            await self._keep()
        return news

    async def remove(self, node_id: str, now: EpochMillis, by: str) -> Removal:
        """Let a node in no more.

        Raises:
            TooManyRemovalsError: No more can be remembered.
        """
        return await self._decide(node_id, now, by, is_removed=True)

    async def readmit(self, node_id: str, now: EpochMillis, by: str) -> Removal:
        """Let a node in again.

        Raises:
            TooManyRemovalsError: No more can be remembered.
        """
        return await self._decide(node_id, now, by, is_removed=False)

    def refused(self, reason: Refusal, address: str, detail: str = "") -> None:
        """Count a refusal, and log it less and less often for the same address.

        Args:
            reason: Why.
            address: The peer's, without its port; empty where it isn't known.
            detail: What was wrong, in words for the log.
        """
        self._refusals.refused(reason, address, detail)

    def on_refusal(self, told: Callable[[Refusal, str, str], None]) -> None:
        """Have somebody told, in place of the log, of the first one for each address."""
        self._refusals.on_refusal(told)

    def refusals(self) -> Mapping[tuple[Refusal, str], int]:
        """How often somebody was refused since the start, by reason and address."""
        return self._refusals.counts()

    async def _decide(
        self, node_id: str, now: EpochMillis, by: str, *, is_removed: bool
    ) -> Removal:
        before = self._removals.get(node_id)
        if before is not None and before.at >= _LATEST:
            # Nothing is newer; it was kept when such words were taken from others.
            del self._removals[node_id]
            before = None
        at = now if before is None else max(now, before.at + 1)
        wanted = Removal(node_id=node_id, at=at, by=by[:_MAX_BY], is_removed=is_removed)
        if not self._put(wanted, is_stranger=False):
            raise TooManyRemovalsError
        await self._keep()
        return wanted

    def _put(self, removal: Removal, *, is_stranger: bool) -> bool:
        """Remember a word on a node; whether it was news, and there was room for it."""
        node_id = removal.node_id
        known = self._removals.get(node_id)
        if known is not None and _rank(known) >= _rank(removal):
            return False
        if known is None and not self._make_room(for_stranger=is_stranger):
            logger.warning("%s", TooManyRemovalsError())
            return False
        if not is_stranger:
            self._strangers.discard(node_id)
        elif known is None:
            self._strangers.add(node_id)
        self._removals[node_id] = removal
        return True

    def _make_room(self, *, for_stranger: bool) -> bool:
        """Forget the oldest readmission if need be; whether one more can be remembered.

        Whoever makes up nodes and has them removed must not keep the removal of a real
        one from being remembered.
        """
        if len(self._removals) < MAX_REMOVALS:
            return True
        found = [each for each in self._removals.values() if not each.is_removed]
        if not found and not for_stranger:
            found = [self._removals[node_id] for node_id in self._strangers]
        if not found:
            return False
        node_id = min(found, key=_rank).node_id
        del self._removals[node_id]
        self._strangers.discard(node_id)
        return True

    async def _keep(self) -> None:
        """Write all down, or say once that it can't be done."""
        try:
            await self._save()
        except OSError as error:
            if self.fault is None:
                logger.warning(
                    "who was removed can't be kept in %s (%s)",
                    self._path,
                    error.strerror or error,
                )
            self.fault = error
        else:
            self.fault = None

    async def _save(self) -> None:
        async with self._saving:
            content = [self._document(each) for each in self._removals.values()]
            await asyncio.to_thread(_write, self._path, content)

    def _document(self, removal: Removal) -> dict[str, object]:
        is_stranger = removal.node_id in self._strangers
        return asdict(removal) | ({"is_stranger": True} if is_stranger else {})


def read_removals(path: Path) -> list[Removal]:
    """The removals that a file has; none where it isn't there.

    Raises:
        DamagedCohortError: It is damaged.
    """
    return [removal for removal, _ in _read_kept(path)]


def _read_kept(path: Path) -> list[tuple[Removal, bool]]:
    """The same, each with whether the node was never heard of here."""
    try:
        text = read_bounded(path, MAX_COHORT_FILE_BYTES)
        found = [] if text is None else [_read(each) for each in loads(text)]
    except (OSError, BadRequestError, TypeError, ValueError, AttributeError) as error:
        raise DamagedCohortError(
            path,
            str(error),
            "remove the file; other members of the cohort tell who was removed from it",
        ) from error
    return found


def _read(document: dict[str, Any]) -> tuple[Removal, bool]:
    is_stranger = document.get("is_stranger", False) is True
    fields = {name: document[name] for name in document if name != "is_stranger"}
    removal = Removal(**fields)
    if not _is_sound(removal):
        raise ValueError(f"{removal} is no removal")
    return removal, is_stranger


def _write(path: Path, content: list[dict[str, object]]) -> None:
    make_private_directory(path.parent)
    write_private(path, dumps_pretty(content) + b"\n")


def _rank(removal: Removal) -> tuple[EpochMillis, bool, str]:
    """Newer words outrank older ones; of two at once all choose the same."""
    return removal.at, removal.is_removed, removal.by


def _is_sound(removal: Removal) -> bool:
    return (
        isinstance(removal.node_id, str)
        and is_node_id(removal.node_id)
        and type(removal.at) is int
        and 0 <= removal.at <= _LATEST
        and isinstance(removal.by, str)
        and len(removal.by) <= _MAX_BY
        and removal.by.isprintable()
        and isinstance(removal.is_removed, bool)
    )
