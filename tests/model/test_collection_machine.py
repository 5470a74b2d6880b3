"""The local collection over SQLite, held against itself over the model, by chance.

Hypothesis makes up a history of operations; both collections perform it. Every answer
and every refusal must be the same, and so must all that can be read afterwards: the
states as of any time, the versions, what searches find, the graph and the events.

``EDGENODE_MODEL_EXAMPLES`` sets how many histories are tried, 40 if it isn't set.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.changes import CopyChanges, EntityChanges, RelationshipChanges
from tests.model.questions import Reading, Searching, Walking
from tests.model.twins import outcomes

EXAMPLES = int(os.environ.get("EDGENODE_MODEL_EXAMPLES", "40"))
STEPS = 60


class CollectionMachine(
    EntityChanges, RelationshipChanges, CopyChanges, Reading, Searching, Walking
):
    """All rules."""


@pytest.mark.usefixtures("no_leaked_thread")
def test_sqlite_does_as_the_model_does(record_property: Any) -> None:
    run_state_machine_as_test(
        CollectionMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # Were most refused, the rules would not get anywhere.
    assert outcomes["answered"] > outcomes["refused"]
    record_property("compared", ", ".join(f"{n} {how}" for how, n in outcomes.items()))
