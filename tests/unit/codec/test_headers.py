"""Headers read off the text are those of the decoded instance."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.codec import headers
from edgenode.codec.headers import Header, dates_of, header_of, header_of_object
from edgenode.errors import BadRequestError
from edgenode.instances.model import (
    EntityDetail,
    InstanceProvenanceType,
)
from tests.model.house import CODEC, remote_classification, remote_entity

TEXTS = st.text(max_size=6) | st.sampled_from(
    ['"guid":"x"', "\\", '"', "}{", "é\ud7ff"]
)
NAMED = st.builds(
    replace,
    st.just(remote_entity()),
    guid=TEXTS,
    version=st.integers(0, 2**40),
    metadata_collection_id=TEXTS,
    metadata_collection_name=st.none() | TEXTS,
    replicated_by=st.none() | TEXTS,
    created_by=st.none() | TEXTS,
    updated_by=st.none() | TEXTS,
    maintained_by=st.none() | st.lists(TEXTS, max_size=3).map(tuple),
    instance_license=st.none() | TEXTS,
    mapping_properties=st.none() | st.just({"guid": "other", "version": 99}),
    instance_provenance_type=st.sampled_from(InstanceProvenanceType),
    classifications=st.none() | st.just((remote_classification(version=77),)),
)

MOMENTS = st.none() | st.integers(-(10**12), 10**13)


@given(NAMED)
def test_the_header_is_the_instances(entity: EntityDetail) -> None:
    document = CODEC.stored_document(EntityDetail, CODEC.encode(entity))
    is_external = (
        entity.instance_provenance_type is InstanceProvenanceType.EXTERNAL_SOURCE
    )
    owner = entity.replicated_by if is_external else entity.metadata_collection_id
    assert header_of(document) == Header(str(entity.guid), entity.version, owner or "")


@given(NAMED, MOMENTS, MOMENTS)
def test_the_dates_are_the_instances(
    entity: EntityDetail, created: int | None, updated: int | None
) -> None:
    entity = replace(entity, create_time=created, update_time=updated)
    dates = dates_of(CODEC.stored_document(EntityDetail, CODEC.encode(entity)))
    assert dates in (None, (created, updated))


def test_what_servers_write_needs_no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(text: bytes) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(headers, "loads", parse)
    entity = remote_entity(maintained_by=("a", "b,]"), updated_by="b")
    text = CODEC.encode(entity)
    document = CODEC.stored_document(EntityDetail, text)
    assert header_of(document).guid == entity.guid
    assert dates_of(document) == (entity.create_time, entity.update_time)


@pytest.mark.parametrize("value", [None, 5, [], {}, {"guid": 5, "version": 1}])
def test_what_is_no_instance_is_refused(value: object) -> None:
    with pytest.raises(BadRequestError):
        header_of_object(value)  # type: ignore[arg-type]
