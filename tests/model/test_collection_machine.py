"""The local collection over SQLite, held against itself over the model, by chance.

Hypothesis makes up a history of operations; both collections perform it. Every answer
and every refusal must be the same, and so must all that can be read afterwards: the
states as of any time, the versions, what searches find, the graph and the events.

``EDGENODE_MODEL_EXAMPLES`` sets how many histories are tried, each time others; if it
isn't set, it is 60, the same each time.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, run_state_machine_as_test

from edgenode.collection.base import (
    InstanceOperations,
    QueryOperations,
    ReferenceOperations,
)
from edgenode.typedefs.status import InstanceStatus
from tests.model.changes import CopyChanges, EntityChanges, RelationshipChanges
from tests.model.house import START, properties
from tests.model.questions import Reading, Searching, Walking
from tests.model.twins import COPIES, answered, data, date, refused

EXAMPLES = os.environ.get("EDGENODE_MODEL_EXAMPLES")
STEPS = 60
CHANCES = 4
"""An operation is seldom left out by chance; then other histories are tried as well."""

OPERATIONS = {
    name
    for group in (QueryOperations, InstanceOperations, ReferenceOperations)
    for name in vars(group)
    if not name.startswith("_")
}


class CollectionMachine(
    EntityChanges, RelationshipChanges, CopyChanges, Reading, Searching, Walking
):
    """All rules."""

    @initialize(draw=data)
    def begin(self, draw: Any) -> None:
        """Something of each kind for the first rules to work on."""
        dated = properties(qualifiedName="beta", startDate=date(START))
        self.add("ann", "Project", dated)
        for type_name in ("GlossaryCategory", "GlossaryTerm", "GlossaryTerm"):
            named = properties(qualifiedName="alpha")
            self.add("ann", type_name, named, given=True)
        self.save_relationship_copy(draw, 1)
        self.save_copy(COPIES[0], 2, "alpha", InstanceStatus.ACTIVE)
        self.categorize(draw, "ann", "alpha", None)
        self.relate(draw, "ann", "alpha")


@pytest.mark.usefixtures("no_leaked_thread")
def test_sqlite_does_as_the_model_does(
    record_property: Callable[[str, object], None],
) -> None:
    for chance in range(CHANCES):
        run_state_machine_as_test(
            CollectionMachine,
            settings=settings(
                max_examples=int(EXAMPLES or 60),
                stateful_step_count=STEPS,
                derandomize=EXAMPLES is None and chance == 0,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        if answered.keys() >= OPERATIONS:
            break
    # An operation that was only ever refused would not have been tried.
    assert OPERATIONS - answered.keys() == set()
    counts = f"{answered.total()} answers, {refused.total()} refusals"
    record_property("compared", counts)
