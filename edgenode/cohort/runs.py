"""Notices that two processes speak as one node, as those of a copied card do."""

from collections.abc import Mapping

from edgenode.limits import COPY_SHOWN_SECONDS, MAX_NODES, MAX_REMEMBERED_RUNS


class Runs:
    """Remembers the runs of nodes: one that has ended never comes back."""

    def __init__(self) -> None:
        self._runs: dict[str, tuple[str, ...]] = {}

    def has_come_back(self, node_id: str, run_id: str) -> bool:
        """Whether a node speaks in a run that another one had followed already."""
        runs = self._runs.pop(node_id, ())
        is_back = run_id in runs[:-1]
        others = tuple(each for each in runs if each != run_id)
        self._runs[node_id] = (*others, run_id)[-MAX_REMEMBERED_RUNS:]
        if len(self._runs) > MAX_NODES:
            del self._runs[next(iter(self._runs))]  # silent for the longest time
        return is_back


class Copies:
    """Remembers which nodes two machines speak as, and when that was noticed last."""

    def __init__(self) -> None:
        self._noticed: dict[str, float] = {}

    def notice(self, node_id: str, now: float) -> bool:
        """Two speak as a node (monotonic seconds); whether that is news."""
        is_news = self._noticed.pop(node_id, None) is None
        self._noticed[node_id] = now
        if len(self._noticed) > MAX_NODES:
            del self._noticed[next(iter(self._noticed))]
        return is_news

    def forget(self, node_id: str) -> None:
        """A node isn't one of the cohort any more."""
        self._noticed.pop(node_id, None)

    def lately(self, now: float) -> Mapping[str, float]:
        """Which it was noticed of lately, and how many seconds ago."""
        return {
            node_id: now - at
            for node_id, at in self._noticed.items()
            if now - at < COPY_SHOWN_SECONDS
        }
