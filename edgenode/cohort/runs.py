"""Notices that two processes speak as one node, as those of a copied card do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgenode.cohort.model import NodeInfo
from edgenode.limits import (
    COPY_SHOWN_SECONDS,
    MAX_COPY_ADDRESSES,
    MAX_COPY_RUNS,
    MAX_NODES,
    MAX_REMEMBERED_RUNS,
)


class Runs:
    """Remembers the runs of nodes: one that has ended never comes back."""

    def __init__(self) -> None:
        self._runs: dict[str, tuple[NodeInfo, ...]] = {}

    def has_come_back(self, info: NodeInfo) -> bool:
        """Whether a node speaks in a run that another one had followed already."""
        runs = self._runs.pop(info.node_id, ())
        is_back = any(each.run_id == info.run_id for each in runs[:-1])
        others = (each for each in runs if each.run_id != info.run_id)
        self._runs[info.node_id] = (*others, _in_short(info))[-MAX_REMEMBERED_RUNS:]
        if len(self._runs) > MAX_NODES:
            del self._runs[next(iter(self._runs))]  # silent for the longest time
        return is_back

    def last(self, node_id: str) -> tuple[NodeInfo, ...]:
        """How a node described itself in its last two runs."""
        return self._runs.get(node_id, ())[-MAX_COPY_RUNS:]


@dataclass(frozen=True, slots=True)
class Copied:
    """That two machines speak as a node.

    Attributes:
        seconds: How long ago that showed.
        runs: How each of them describes itself, as far as is known.
    """

    seconds: float
    runs: tuple[NodeInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class _Notice:
    at: float
    runs: tuple[NodeInfo, ...]


class Copies:
    """Remembers which nodes two machines speak as, and when that was noticed last.

    Of a node itself others tell it: a copy that nobody is connected with may hear only so
    that it is one.
    """

    def __init__(self, own_id: str) -> None:
        self._own_id = own_id
        self._noticed: dict[str, _Notice] = {}
        self._told: dict[str, _Notice] = {}
        self._was_told = False

    def notice(self, node_id: str, now: float, runs: Sequence[NodeInfo] = ()) -> bool:
        """Two speak as a node (monotonic seconds); whether that is news."""
        before = self._noticed.pop(node_id, None)
        known = () if before is None else before.runs
        _put(self._noticed, node_id, _Notice(now, tuple(runs) or known))
        return before is None and not (node_id == self._own_id and self._was_told)

    def told(self, teller: str, now: float, runs: Sequence[NodeInfo]) -> bool:
        """Another node says that two speak as this one; whether that is news.

        Without ``runs`` it says that it knows of none, or of none any more.
        """
        self._told.pop(teller, None)
        if not runs:
            return False
        _put(self._told, teller, _Notice(now, tuple(map(_in_short, runs))))
        is_news = not self._was_told and self._own_id not in self._noticed
        self._was_told = True
        return is_news

    def forget(self, node_id: str) -> None:
        """A node isn't one of the cohort any more."""
        self._noticed.pop(node_id, None)
        self._told.pop(node_id, None)

    def noticed(self, node_id: str, now: float) -> tuple[NodeInfo, ...]:
        """How both describe themselves that were noticed lately to speak as a node."""
        notice = self._noticed.get(node_id)
        if notice is None or now - notice.at >= COPY_SHOWN_SECONDS:
            return ()
        return notice.runs

    def lately(self, now: float) -> Mapping[str, Copied]:
        """Which it was noticed of lately, this node included where others tell so."""
        notices = dict(self._noticed)
        of_own = [*self._told.values()]
        if self._own_id in notices:
            of_own.append(notices[self._own_id])
        if of_own:
            runs = max(of_own, key=lambda each: (len(each.runs), each.at)).runs
            notices[self._own_id] = _Notice(max(each.at for each in of_own), runs)
        return {
            node_id: Copied(now - each.at, each.runs)
            for node_id, each in notices.items()
            if now - each.at < COPY_SHOWN_SECONDS
        }


def _put(notices: dict[str, _Notice], key: str, notice: _Notice) -> None:
    notices[key] = notice
    if len(notices) > MAX_NODES:
        del notices[next(iter(notices))]


def _in_short(info: NodeInfo) -> NodeInfo:
    """As much of a description as tells a machine from its copy."""
    return replace(info, addresses=info.addresses[:MAX_COPY_ADDRESSES])
