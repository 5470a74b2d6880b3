"""The next state of an instance, and what of the one before it keeps."""

from dataclasses import fields, replace

import pytest

from edgenode.instances import lifecycle
from edgenode.instances.lifecycle import Edit
from edgenode.instances.model import Classification, EntityDetail, EntityProxy
from edgenode.instances.properties import InstanceProperties
from edgenode.instances.provenance import (
    Home,
    external_provenance,
    local_provenance,
)
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    CODEC,
    LOCAL,
    START,
    instance_type,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    remote_relationship,
    types,
)

EDIT = Edit("ann", START + 7)
HEADER = {"version", "updated_by", "update_time", "maintained_by"}


def term_def(name: str = "GlossaryTerm") -> TypeDef:
    known = types().type_def(name)
    assert known is not None
    return known


def new_term(**given: object) -> EntityDetail:
    return lifecycle.new_entity(
        term_def(),
        "g",
        local_provenance(LOCAL),
        EDIT,
        **given,  # type: ignore[arg-type]
    )


def changed(before: object, after: object) -> set[str]:
    """The names of the fields in which two states differ."""
    return {
        field.name
        for field in fields(before)  # type: ignore[arg-type]
        if getattr(before, field.name) != getattr(after, field.name)
    }


def test_a_new_entity_has_the_types_initial_status() -> None:
    assert new_term().status is term_def().initial_status
    assert new_term(status=InstanceStatus.PROPOSED).status is InstanceStatus.PROPOSED


def test_properties_that_say_nothing_are_none() -> None:
    assert new_term(properties=InstanceProperties()).properties is None
    dated = InstanceProperties(effective_to_time=0)
    assert new_term(properties=dated).properties == dated


def test_an_external_entity_says_who_replicates_it() -> None:
    provenance = external_provenance(Home("ext", "source"), LOCAL)
    entity = lifecycle.new_entity(term_def(), "g", provenance, EDIT)
    assert (entity.metadata_collection_id, entity.replicated_by) == ("ext", LOCAL.id)


def test_an_update_changes_the_header_and_what_it_is_for() -> None:
    before = remote_entity()
    after = lifecycle.with_properties(before, properties(displayName="x"), EDIT)
    assert changed(before, after) == {"properties"} | HEADER
    assert (after.version, after.updated_by, after.update_time) == (4, "ann", START + 7)
    assert changed(
        before, lifecycle.with_status(before, InstanceStatus.PROPOSED, EDIT)
    ) == ({"status"} | HEADER)


def test_a_maintainer_is_named_once_in_the_order_of_coming() -> None:
    entity = remote_entity(maintained_by=("bob", "ann"))
    after = lifecycle.with_status(entity, InstanceStatus.ACTIVE, EDIT)
    assert after.maintained_by == ("bob", "ann")
    after = lifecycle.with_status(after, InstanceStatus.ACTIVE, Edit("eve", START))
    assert after.maintained_by == ("bob", "ann", "eve")


def test_deleting_and_restoring_lead_back() -> None:
    before = remote_entity(status=InstanceStatus.PROPOSED)
    deleted = lifecycle.deleted(before, EDIT)
    assert (deleted.status, deleted.status_on_delete) == (
        InstanceStatus.DELETED,
        InstanceStatus.PROPOSED,
    )
    restored = lifecycle.restored(deleted, Edit("bob", START + 9))
    assert changed(before, restored) == HEADER
    assert restored.version == before.version + 2


def test_undoing_brings_back_content_but_no_header_and_no_classification() -> None:
    previous = remote_entity(
        version=1, properties=properties(qualifiedName="old"), created_by="nobody"
    )
    current = remote_entity(
        type=instance_type("ControlledGlossaryTerm"),
        classifications=(remote_classification(),),
        maintained_by=("bob",),
    )
    after = lifecycle.undone(current, previous, EDIT)
    assert (after.type, after.properties) == (previous.type, previous.properties)
    assert (after.version, after.created_by) == (4, current.created_by)
    assert after.maintained_by == ("bob", "ann")
    assert after.classifications == current.classifications


def test_moving() -> None:
    before = remote_entity()
    moved = lifecycle.re_identified(before, "new", EDIT)
    assert changed(before, moved) == {"guid", "re_identified_from_guid"} | HEADER
    assert (moved.guid, moved.re_identified_from_guid) == ("new", before.guid)
    typed = lifecycle.re_typed(before, term_def("ControlledGlossaryTerm"), EDIT)
    assert changed(before, typed) == {"type"} | HEADER
    homed = lifecycle.re_homed(before, local_provenance(LOCAL), EDIT)
    assert (
        changed(before, homed)
        == {"metadata_collection_id", "metadata_collection_name"} | HEADER
    )


@pytest.mark.parametrize(
    ("began", "now", "following"), [(None, 5, 5), (4, 5, 5), (5, 5, 6), (9, 5, 10)]
)
def test_the_next_state_begins_now_but_after_the_one_before(
    began: int | None, now: int, following: int
) -> None:
    assert lifecycle.next_time(began, now) == following


def test_a_version_that_somebody_chose_too_high_is_not_left_again() -> None:
    classification = remote_classification(version=lifecycle.MAX_VERSION)
    edit = lifecycle.Edit("erin", 5)
    changed = lifecycle.re_classified(classification, None, edit)
    assert changed.version == lifecycle.MAX_VERSION == 2**63 - 1


def test_a_copys_time_is_its_homes_but_never_ahead() -> None:
    copy = remote_entity(create_time=10, update_time=20)
    assert lifecycle.copy_time(copy, 15) == 15
    assert lifecycle.copy_time(copy, 50) == 20
    assert lifecycle.copy_time(replace(copy, update_time=None), 50) == 10
    assert lifecycle.copy_time(remote_entity(create_time=None), 50) == 50


# Classifications


def test_a_classification_keeps_its_place() -> None:
    entity = remote_entity(
        classifications=(Classification(name="a"), Classification(name="b"))
    )
    newer = Classification(name="a", version=2)
    after = lifecycle.with_classification(entity, newer)
    assert after.classifications == (newer, Classification(name="b"))
    assert changed(entity, after) == {"classifications"}
    assert lifecycle.classification_of(after, "a") is newer
    assert lifecycle.classification_of(after, "c") is None
    after = lifecycle.without_classification(after, "a")
    assert after.classifications == (Classification(name="b"),)
    assert lifecycle.without_classification(after, "b").classifications is None


def test_reclassifying_counts_on() -> None:
    before = remote_classification(version=0)
    after = lifecycle.re_classified(before, properties(steward="x"), EDIT)
    assert changed(before, after) == {"properties"} | HEADER
    assert after.version == 2
    assert lifecycle.re_classified(after, None, EDIT).version == 3


def test_content_is_compared_without_what_says_nothing() -> None:
    assert lifecycle.same_content(None, InstanceProperties())
    assert lifecycle.same_content(properties(a="b"), properties(a="b"))
    assert not lifecycle.same_content(properties(a="b"), None)
    dated = InstanceProperties(effective_from_time=1)
    assert not lifecycle.same_content(dated, None)


# Proxies


def test_a_proxy_has_the_header_and_what_identifies() -> None:
    entity = remote_entity(
        properties=replace(
            properties(qualifiedName="a", displayName="b"), effective_to_time=9
        ),
        classifications=(remote_classification(),),
    )
    proxy = lifecycle.entity_proxy(entity, frozenset({"qualifiedName"}))
    assert proxy.unique_properties == replace(
        properties(qualifiedName="a"), effective_to_time=9
    )
    summary = CODEC.summary(CODEC.document(proxy)).value
    assert summary == CODEC.summary(CODEC.document(entity)).value
    assert lifecycle.entity_proxy(proxy, frozenset()) is proxy


def test_a_proxy_of_nothing_unique_has_no_properties() -> None:
    entity = remote_entity(properties=properties(displayName="b"))
    assert lifecycle.entity_proxy(entity, frozenset()).unique_properties is None


def test_an_end_is_replaced_wherever_it_stands() -> None:
    here, there = remote_proxy("a"), remote_proxy("b")
    moved = remote_proxy("c")
    one = lifecycle.with_end(remote_relationship(here, there), "b", moved)
    assert (one.entity_one_proxy, one.entity_two_proxy) == (here, moved)
    both = lifecycle.with_end(remote_relationship(here, here), "a", moved)
    assert (both.entity_one_proxy, both.entity_two_proxy) == (moved, moved)
    assert isinstance(moved, EntityProxy)
