"""The whole collection: that its groups of operations don't get in each other's way."""

from collections import Counter
from typing import Any

import pytest

from edgenode.collection.base import MetadataCollection
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalOperations
from tests.model.house import LOCAL, USER, House, properties, type_guid


def test_no_two_groups_define_the_same_name() -> None:
    shared = set(vars(LocalOperations))
    names = Counter(
        name
        for group in LocalMetadataCollection.__mro__
        if issubclass(group, LocalOperations)
        for name, member in vars(group).items()
        if name not in shared
        and not name.startswith("__")
        and not getattr(member, "__isabstractmethod__", False)
    )
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) > len(vars(MetadataCollection))


@pytest.mark.parametrize(
    "name",
    [
        f'","instanceProvenanceType":"LOCAL_COHORT","metadataCollectionId":"{LOCAL.id}',
        f'"LOCAL_COHORT","metadataCollectionId":"{LOCAL.id}"',
        '"LOCAL_COHORT"',
        "LOCAL_COHORT",
    ],
)
async def test_a_text_that_looks_like_a_header_is_only_a_text(
    house: House, name: Any
) -> None:
    document = await house.collection.add_entity(
        USER, type_guid("GlossaryTerm"), properties(qualifiedName=name), None, None
    )
    found = house.collection.get_entity_detail(USER, str(document.value.guid))
    assert found.value.properties == properties(qualifiedName=name)
    assert found.json == document.json
