"""A relationship's ends as they are now, put into its JSON as encoding would put them."""

from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from edgenode.codec.codec import Codec
from edgenode.instances.lifecycle import entity_proxy, with_end
from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.instances.properties import InstanceProperties
from edgenode.releases import SERVED
from tests.unit.codec.strategies import beans

CODEC = Codec(SERVED)


@st.composite
def attributes(draw: st.DrawFn, entity: EntityDetail | EntityProxy) -> frozenset[str]:
    """Some that the entity has, and one that it hasn't."""
    held = None if isinstance(entity, EntityProxy) else entity.properties
    names = sorted((held or InstanceProperties()).instance_properties)
    some = st.frozensets(st.sampled_from(names)) if names else st.just(frozenset[str]())
    return draw(some) | {"another"}


@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_it_is_what_encoding_it_would_be(data: st.DataObject) -> None:
    relationship = data.draw(beans(Relationship))
    entity = data.draw(beans(EntityDetail) | beans(EntityProxy))
    unique = data.draw(attributes(entity))
    one, two = (
        None if proxy is None else replace(proxy, guid=guid)
        for proxy, guid in (
            (relationship.entity_one_proxy, data.draw(st.sampled_from("ab"))),
            (relationship.entity_two_proxy, "b"),
        )
    )
    told = replace(relationship, entity_one_proxy=one, entity_two_proxy=two)
    spliced = CODEC.with_ends(
        CODEC.document(told),
        {"a": (CODEC.document(entity), unique)}.get,
    )
    expected = with_end(told, "a", entity_proxy(entity, unique))
    assert spliced.json == CODEC.encode(expected)
    assert spliced.value == expected
    assert not spliced.ends_changed
