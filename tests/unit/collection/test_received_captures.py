"""Captured events of genuine members, taken in one after the other as they were sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from edgenode.collection.received import Outcome
from edgenode.events.model import OMRSEventV1
from tests.conftest import SHARED
from tests.model.house import CODEC
from tests.unit.collection.members import Member

SAMPLES = SHARED / "facts" / "omrs" / "samples"
PATHS = sorted(SAMPLES.glob("event-*.json"))

needs_captures = pytest.mark.skipif(
    not PATHS, reason="captures are absent: there is no ../shared beside the project"
)


def captured(path: Path) -> tuple[int, OMRSEventV1]:
    record: Any = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(record["value"]).encode()
    return record["kafka"]["offset"], CODEC.decode_event(text)


CAPTURED = sorted((captured(path) for path in PATHS), key=lambda each: each[0])

EXPECTED = {
    "BATCH_INSTANCES_EVENT": {Outcome.SAVED},
    "REFRESH_ENTITY_REQUEST": {Outcome.IGNORED},
}


def sender(event: OMRSEventV1) -> str:
    assert event.originator is not None
    return str(event.originator.metadata_collection_id)


@needs_captures
async def test_captured_instance_events_are_taken_in(here: Member) -> None:
    here.known_collections |= {
        sender(event) for _, event in CAPTURED if event.instance_event_section
    }
    for _, event in CAPTURED:
        section = event.instance_event_section
        if section is not None:
            received = await here.hear(sender(event), section)
            expected = EXPECTED.get(section.event_type.name, {Outcome.SAVED})
            assert received.outcome in expected, (section.event_type, received.reason)
            again = await here.hear(sender(event), section)
            assert again.outcome is Outcome.IGNORED, section.event_type
    term = here.repository.entity("511f2df1-b8e5-4dbc-af27-6f4fb44b0cb4")
    assert term is not None
    given = term.document.value.classifications or ()
    # What its home says of others' classifications is hearsay for who knows the entity.
    assert {each.name for each in given} == {"Criticality"}
    assert here.repository.entity("de256c38-68e7-463c-8427-2bb124636d64") is None
    assert await here.told() == []


@needs_captures
async def test_captured_types_are_known_already(here: Member) -> None:
    sections = [
        (sender(event), event.type_def_event_section)
        for _, event in CAPTURED
        if event.type_def_event_section is not None
    ]
    assert sections
    before = {known.guid: known.version for known in here.types.type_defs}
    for expected in (Outcome.SAVED, Outcome.IGNORED):
        for origin, section in sections:
            received = await here.collection.receive_type_def_event(
                origin, None, section
            )
            is_described = "prose" in str(section)
            outcome = expected if is_described else Outcome.IGNORED
            assert received.outcome is outcome, (section, received.reason)
    # All that they add is what the shipped ones say nothing of.
    assert {known.guid: known.version for known in here.types.type_defs} == before
    assert all(map(here.collection.is_of_release, here.types.type_defs))
