"""Notices that two processes speak as one node, as those of a copied card do."""

from edgenode.limits import MAX_NODES, MAX_REMEMBERED_RUNS


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
