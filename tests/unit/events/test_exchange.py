"""The exchange rules, each in a table, and batches instance by instance."""

from dataclasses import replace

import pytest

from edgenode.events.exchange import (
    ExchangeRule,
    ExchangeRules,
    OpenMetadataExchangeRule,
)
from edgenode.events.model import InstanceEvent, OMRSInstanceEventType
from edgenode.instances.model import (
    EntityDetail,
    InstanceGraph,
    InstanceType,
    Relationship,
)

Rule = OpenMetadataExchangeRule
LISTED, OTHER = "listed", "other"


def of_type(guid: str | None, name: str | None = "Name") -> InstanceType:
    return InstanceType(type_def_guid=guid, type_def_name=name)


def event(guid: str | None, name: str | None = "Name") -> InstanceEvent:
    return InstanceEvent(
        event_type=OMRSInstanceEventType.NEW_ENTITY_EVENT,
        type_def_guid=guid,
        type_def_name=name,
    )


@pytest.mark.parametrize(
    ("rule", "types", "listed", "other"),
    [
        (Rule.REGISTRATION_ONLY, False, False, False),
        (Rule.JUST_TYPEDEFS, True, False, False),
        (Rule.SELECTED_TYPES, True, True, False),
        (Rule.LEARNED_TYPES, True, True, False),
        (Rule.DESELECTED_TYPES, True, False, True),
        (Rule.ALL, True, True, True),
    ],
)
def test_what_each_rule_lets_pass(
    rule: Rule, types: bool, listed: bool, other: bool
) -> None:
    one = ExchangeRule(rule, frozenset({LISTED}))
    assert one.lets_types_pass() is types
    for guid, passes in ((LISTED, listed), (OTHER, other)):
        assert one.lets_pass(guid, "Name") is passes
        instance = EntityDetail(type=of_type(guid))
        assert one.lets_instance_pass(instance) is passes
        expected = event(guid) if passes else None
        assert ExchangeRules(send=one).sent(event(guid)) == expected
        assert ExchangeRules(process=one).processed(event(guid)) == expected
        assert ExchangeRules(save=one).saves(instance) is passes
    assert ExchangeRules(send=one).sends_types() is types
    assert ExchangeRules(process=one).processes_types() is types


@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize(("guid", "name"), [(None, "Name"), (LISTED, None)])
def test_what_names_no_type_never_passes(
    rule: Rule, guid: str | None, name: str | None
) -> None:
    one = ExchangeRule(rule)
    assert not one.lets_pass(guid, name)
    assert not one.lets_instance_pass(EntityDetail(type=of_type(guid, name)))
    assert not one.lets_instance_pass(EntityDetail())
    assert ExchangeRules(process=one).processed(event(guid, name)) is None


def test_all_is_exchanged_by_default() -> None:
    rules = ExchangeRules()
    assert rules.sends_types()
    assert rules.processes_types()
    assert rules.sent(event(OTHER)) == rules.processed(event(OTHER)) == event(OTHER)
    assert rules.saves(Relationship(type=of_type(OTHER)))


def test_each_rule_is_asked_for_its_own() -> None:
    none = ExchangeRule(Rule.REGISTRATION_ONLY)
    assert ExchangeRules(process=none, save=none).sent(event(OTHER)) is not None
    assert ExchangeRules(send=none, save=none).processed(event(OTHER)) is not None
    assert ExchangeRules(send=none, process=none).saves(
        EntityDetail(type=of_type(OTHER))
    )


def test_only_the_rule_that_learns_learns() -> None:
    for rule in Rule:
        learned = ExchangeRule(rule).learned(LISTED)
        expected = {LISTED} if rule is Rule.LEARNED_TYPES else set()
        assert learned == ExchangeRule(rule, frozenset(expected))
    one = ExchangeRule(Rule.LEARNED_TYPES).learned(LISTED)
    assert one.learned(LISTED) is one
    assert one.learned(OTHER).type_guids == {LISTED, OTHER}


# Batches

ENTITIES = (
    EntityDetail(guid="e1", type=of_type(LISTED)),
    EntityDetail(guid="e2", type=of_type(OTHER)),
    EntityDetail(guid="e3"),
)
RELATIONSHIPS = (
    Relationship(guid="r1", type=of_type(LISTED)),
    Relationship(guid="r2", type=of_type(OTHER)),
)
BATCH = InstanceEvent(
    event_type=OMRSInstanceEventType.BATCH_INSTANCES_EVENT,
    instance_batch=InstanceGraph(entities=ENTITIES, relationships=RELATIONSHIPS),
)


def test_a_batch_passes_instance_by_instance() -> None:
    only = ExchangeRule(Rule.SELECTED_TYPES, frozenset({LISTED}))
    expected = replace(
        BATCH,
        instance_batch=InstanceGraph(
            entities=ENTITIES[:1], relationships=RELATIONSHIPS[:1]
        ),
    )
    assert ExchangeRules(process=only).processed(BATCH) == expected
    assert ExchangeRules(send=only).sent(BATCH) == expected


def test_a_batch_of_which_nothing_passes_is_none() -> None:
    for rule in (
        ExchangeRule(Rule.JUST_TYPEDEFS),
        ExchangeRule(Rule.SELECTED_TYPES, frozenset({"third"})),
    ):
        assert ExchangeRules(process=rule).processed(BATCH) is None
    assert ExchangeRules().processed(replace(BATCH, instance_batch=None)) is None


def test_a_batch_needs_no_relationships() -> None:
    entities = replace(BATCH, instance_batch=InstanceGraph(entities=ENTITIES[:2]))
    assert ExchangeRules().processed(entities) == entities
