"""Who may change an instance, and which copies are kept."""

from dataclasses import replace
from typing import Any

import pytest

from edgenode.instances import provenance
from edgenode.instances.model import InstanceProvenanceType as Type
from edgenode.instances.provenance import CopyVerdict, Home, judge_copy
from tests.model.house import (
    LOCAL,
    REMOTE,
    START,
    instance_type,
    remote_classification,
    remote_entity,
    remote_proxy,
    remote_relationship,
)

OURS = remote_entity(home=LOCAL)
THEIRS = remote_entity()
OTHER, PACK = Home("other-id", "other"), Home("pack-id", "pack")


def external(replicated_by: str) -> Any:
    return remote_entity(
        home=Home("ext", "source"),
        instance_provenance_type=Type.EXTERNAL_SOURCE,
        replicated_by=replicated_by,
    )


@pytest.mark.parametrize(
    ("entity", "may"),
    [
        (OURS, True),
        (THEIRS, False),
        (external(LOCAL.id), True),
        (external(REMOTE.id), False),
        *[
            (remote_entity(home=LOCAL, instance_provenance_type=kind), False)
            for kind in Type
            if kind not in {Type.LOCAL_COHORT, Type.EXTERNAL_SOURCE}
        ],
        (remote_entity(home=LOCAL, instance_provenance_type=None), False),
        (
            remote_entity(
                instance_provenance_type=Type.CONTENT_PACK, replicated_by=LOCAL.id
            ),
            False,
        ),
    ],
)
def test_who_may_update(entity: Any, may: bool) -> None:
    assert provenance.may_update(entity, LOCAL.id) is may


@pytest.mark.parametrize(
    ("stored", "incoming", "verdict"),
    [
        (None, THEIRS, CopyVerdict.SAVE),
        (None, OURS, CopyVerdict.AT_HOME),
        (None, external(LOCAL.id), CopyVerdict.AT_HOME),
        (OURS, remote_entity(version=99), CopyVerdict.AT_HOME),
        (external(LOCAL.id), remote_entity(version=99), CopyVerdict.AT_HOME),
        (THEIRS, remote_entity(version=2), CopyVerdict.IGNORE),
        (THEIRS, remote_entity(version=3), CopyVerdict.SAVE),
        (THEIRS, remote_entity(version=4), CopyVerdict.SAVE),
        (THEIRS, remote_entity(version=4, create_time=START), CopyVerdict.CONFLICT),
        (THEIRS, remote_entity(version=2, create_time=START), CopyVerdict.CONFLICT),
        (THEIRS, remote_entity(version=4, create_time=None), CopyVerdict.SAVE),
        (THEIRS, remote_entity(version=4, home=Home("x", "x")), CopyVerdict.CONFLICT),
        (THEIRS, remote_entity(version=2, home=Home("x", "x")), CopyVerdict.IGNORE),
        (
            THEIRS,
            remote_entity(version=4, type=instance_type("Glossary")),
            CopyVerdict.SAVE,
        ),
        (
            THEIRS,
            remote_entity(
                version=4,
                type=replace(instance_type("GlossaryTerm"), type_def_version=1),
            ),
            CopyVerdict.CONFLICT,
        ),
    ],
)
def test_which_copy_is_kept(stored: Any, incoming: Any, verdict: CopyVerdict) -> None:
    assert judge_copy(stored, incoming, LOCAL.id) is verdict


@pytest.mark.parametrize(
    ("stored", "incoming", "verdict"),
    [
        (None, OURS, CopyVerdict.SAVE),
        (OURS, remote_entity(home=LOCAL, version=3), CopyVerdict.IGNORE),
        (OURS, remote_entity(home=LOCAL, version=4), CopyVerdict.SAVE),
        (OURS, remote_entity(version=99), CopyVerdict.AT_HOME),
        (
            OURS,
            remote_entity(home=LOCAL, version=4, create_time=START),
            CopyVerdict.CONFLICT,
        ),
        (THEIRS, remote_entity(version=3), CopyVerdict.SAVE),
    ],
)
def test_what_an_archive_may_bring_back(
    stored: Any, incoming: Any, verdict: CopyVerdict
) -> None:
    assert judge_copy(stored, incoming, LOCAL.id, from_archive=True) is verdict


def test_classifications_given_here_survive_a_new_copy() -> None:
    ours = remote_classification("Retention", metadata_collection_id=LOCAL.id)
    external_one = remote_classification(
        "Impact",
        instance_provenance_type=Type.EXTERNAL_SOURCE,
        replicated_by=LOCAL.id,
    )
    theirs = remote_classification("Confidentiality")
    stored = remote_entity(classifications=(ours, theirs, external_one))
    newer = remote_classification("Retention", version=9)
    incoming = remote_entity(version=4, classifications=(newer,))
    kept = provenance.with_home_classifications(incoming, stored, LOCAL.id)
    assert kept.classifications == (ours, external_one)
    for nothing in (None, remote_entity(), remote_entity(classifications=(theirs,))):
        assert (
            provenance.with_home_classifications(incoming, nothing, LOCAL.id)
            is incoming
        )


@pytest.mark.parametrize(
    ("told", "may"),
    [
        (THEIRS, True),
        (external(REMOTE.id), True),
        (remote_entity(home=OTHER, instance_provenance_type=Type.CONTENT_PACK), False),
        (remote_entity(home=OTHER, replicated_by=REMOTE.id), False),
        (remote_entity(home=PACK, instance_provenance_type=Type.CONTENT_PACK), True),
        (remote_entity(home=PACK, instance_provenance_type=Type.EXPORT_ARCHIVE), True),
        (remote_entity(home=PACK, replicated_by=OTHER.id), True),
        (remote_entity(home=OTHER), False),
        (remote_entity(home=PACK), True),
        (external(OTHER.id), False),
        (remote_classification(), True),
        (remote_classification(metadata_collection_id=OTHER.id), False),
        (remote_classification(metadata_collection_id=PACK.id), True),
    ],
)
def test_who_may_tell(told: Any, may: bool) -> None:
    assert provenance.may_tell(REMOTE.id, told, OTHER.id.__eq__) is may


@pytest.mark.parametrize(
    ("kind", "home", "seen"),
    [
        (Type.LOCAL_COHORT, REMOTE.id, Type.DEREGISTERED_REPOSITORY),
        (Type.LOCAL_COHORT, LOCAL.id, Type.LOCAL_COHORT),
        (Type.LOCAL_COHORT, None, Type.LOCAL_COHORT),
        (Type.CONTENT_PACK, REMOTE.id, Type.CONTENT_PACK),
        (None, REMOTE.id, None),
    ],
)
def test_a_home_that_nobody_knows(kind: Any, home: Any, seen: Any) -> None:
    entity = remote_entity(instance_provenance_type=kind, metadata_collection_id=home)
    found = provenance.as_seen(entity, LOCAL.id.__eq__)
    assert found.instance_provenance_type is seen


def test_all_of_a_relationship_is_seen_alike() -> None:
    classified = (remote_classification(),)
    relationship = remote_relationship(
        remote_proxy("a", classifications=classified), remote_proxy("b")
    )
    seen = provenance.relationship_as_seen(relationship, LOCAL.id.__eq__)
    one, two = seen.entity_one_proxy, seen.entity_two_proxy
    assert one is not None
    assert two is not None
    assert one.classifications is not None
    for header in (seen, one, two, one.classifications[0]):
        assert header.instance_provenance_type is Type.DEREGISTERED_REPOSITORY
    same = provenance.relationship_as_seen(relationship, lambda _: True)
    assert same == relationship
