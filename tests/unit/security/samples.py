"""Cohorts, and identities in them; issuing one takes a third of a second."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from edgenode.security.cohorts import Cohort
from edgenode.security.identity import NodeIdentity, make_identity
from edgenode.security.keys import CohortKey

NOW = 1_795_000_000_000  # 2026-11-18
DAY = 86_400_000
KEY = CohortKey("home", bytes(range(32)))
NEXT_KEY = CohortKey("home", bytes(range(1, 33)))
FOREIGN_KEY = CohortKey("home", bytes(range(2, 34)))
COHORT = Cohort(key=KEY)

_kept: list[TemporaryDirectory[str]] = []


@cache
def issued(node: str, cohort: Cohort = COHORT) -> NodeIdentity:
    """The identity of a node, made once; tests only read it."""
    _kept.append(TemporaryDirectory(prefix=f"edgenode-{node}-"))
    return make_identity(Path(_kept[-1].name), cohort, NOW)
