"""Every bean survives its JSON, and no JSON gets past the codec unchecked."""

from collections.abc import Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from edgenode.codec import requests
from edgenode.codec.codec import Codec
from edgenode.codec.requests import OMRSAPIRequest, TypeDefProperties
from edgenode.connectors.connection import Connection
from edgenode.errors import BadRequestError
from edgenode.events.model import (
    EventError,
    InstanceEvent,
    RegistryEvent,
    TypeDefEvent,
)
from edgenode.events.registration import MemberRegistration
from edgenode.instances.model import (
    Classification,
    ClassificationEntityExtension,
    EntityDetail,
    EntityProxy,
    EntitySummary,
    InstanceGraph,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties, InstancePropertyValue
from edgenode.releases import SERVED
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import (
    TypeDef,
    TypeDefGallery,
    TypeDefPatch,
    TypeDefSummary,
)
from tests.unit.codec.strategies import JSON, beans

CODEC = Codec(SERVED)
REQUESTS = [
    of
    for of in vars(requests).values()
    if isinstance(of, type) and issubclass(of, OMRSAPIRequest)
]
ROOTS: list[type] = [
    EntityDetail,
    EntitySummary,
    EntityProxy,
    Relationship,
    Classification,
    ClassificationEntityExtension,
    InstanceGraph,
    InstanceProperties,
    InstancePropertyValue,
    TypeDef,
    AttributeTypeDef,
    TypeDefPatch,
    TypeDefSummary,
    TypeDefGallery,
    TypeDefProperties,
    InstanceEvent,
    TypeDefEvent,
    RegistryEvent,
    EventError,
    Connection,
    MemberRegistration,
    *REQUESTS,
]
every_root = pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.__name__)
thorough = settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),  # beans are big: to shrink one takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@every_root
@thorough
@given(data=st.data())
def test_a_bean_survives_its_json_in_both_forms(
    root: type, data: st.DataObject
) -> None:
    bean = data.draw(beans(root))
    text = CODEC.encode(bean)
    again: Any = CODEC.decode(root, text)
    assert again == bean
    assert CODEC.encode(again) == text
    assert CODEC.from_object(root, CODEC.event_object(bean)) == bean


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every list and object inside a JSON value, with each of its keys."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from places(inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield value, index
            yield from places(inner)


@every_root
@thorough
@given(data=st.data())
def test_a_bean_with_a_fault_is_read_or_refused(
    root: type, data: st.DataObject
) -> None:
    value = CODEC.to_object(data.draw(beans(root)))
    found = list(places(value))
    if found:
        holder, key = data.draw(st.sampled_from(found))
        holder[key] = data.draw(JSON)
    try:
        bean: Any = CODEC.from_object(root, value)
    except BadRequestError as error:
        assert error.where.startswith("body")  # noqa: PT017 - either will do
    else:
        assert isinstance(bean, root)
        # Empty lists go, and a null makes room for its default, the first time round.
        text = CODEC.encode(CODEC.decode(root, CODEC.encode(bean)))
        assert CODEC.encode(CODEC.decode(root, text)) == text


@every_root
@thorough
@given(value=JSON)
def test_any_json_is_read_or_refused(root: type, value: Any) -> None:
    try:
        bean: Any = CODEC.from_object(root, value)
    except BadRequestError as error:
        assert error.reason  # noqa: PT017 - either will do
    else:
        assert isinstance(bean, root)


def test_many_threads_may_meet_a_class_for_the_first_time() -> None:
    threads, codec = 8, Codec(SERVED)
    value = {
        "class": "EntityDetail",
        "guid": "g",
        "properties": {
            "class": "InstanceProperties",
            "instanceProperties": {
                "name": {"class": "PrimitivePropertyValue", "primitiveValue": "x"}
            },
        },
    }
    start, read = Barrier(threads), []

    def look() -> None:
        start.wait()
        read.append(codec.from_object(EntityDetail, value))

    readers = [Thread(target=look) for _ in range(threads)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert read == [Codec(SERVED).from_object(EntityDetail, value)] * threads
