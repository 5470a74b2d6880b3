"""What isn't passed on to a member, and what is told where it isn't there."""

import pytest

from edgenode.collection.base import MetadataCollection, answered
from edgenode.errors import (
    EntityNotKnownError,
    FunctionNotSupportedError,
    PeerUnavailableError,
    RepositoryNotAvailableError,
)
from edgenode.federation.members import AskedCollection, FederationMembers
from edgenode.federation.relayed import relayed
from edgenode.federation.remote import RemoteMetadataCollection
from edgenode.typedefs.model import TypeDefGallery
from tests.contract.cohorts import HOMES, registration_of
from tests.model.house import CODEC, LOCAL, USER, House, SetClock, type_guid
from tests.model.memory import MemoryRepository

ALDER = HOMES[0]


class _Nowhere:
    """The way to a node that is off."""

    async def request(self, *asked: object) -> tuple[int, dict[str, str], bytes]:
        raise PeerUnavailableError("alder", "it is off")


def members(collection: AskedCollection) -> FederationMembers:
    """Members that are asked as a collection is."""
    found = FederationMembers(lambda _: collection, SetClock())
    found.update(map(registration_of, [ALDER, LOCAL]))
    return found


@pytest.fixture
def house() -> House:
    return House(MemoryRepository(CODEC))


@pytest.fixture
def passing() -> MetadataCollection:
    """A member that is off, behind a bridge that isn't."""
    away = RemoteMetadataCollection(ALDER.id, _Nowhere(), "/servers/alder", CODEC)
    return relayed(ALDER.id, members(away), House(MemoryRepository(CODEC)).collection)


async def test_a_member_that_is_off_is_a_repository_that_is_off(
    passing: MetadataCollection,
) -> None:
    for _ in range(20):
        with pytest.raises(RepositoryNotAvailableError) as failed:
            await answered(passing.get_entity_detail(USER, "x"))
        assert failed.value.exception_class_name == "RepositoryErrorException"


async def test_it_is_the_members_own_id_that_is_told(
    passing: MetadataCollection,
) -> None:
    assert passing.get_metadata_collection_id(USER) == ALDER.id


async def test_who_is_no_member_now_is_off_too(house: House) -> None:
    passing = relayed("gone", members(house.collection), house.collection)
    with pytest.raises(RepositoryNotAvailableError):
        await answered(passing.get_entity_detail(USER, "x"))


async def test_types_are_known_whether_it_is_there_or_not(
    passing: MetadataCollection,
) -> None:
    known = passing.get_type_def_by_name(USER, "GlossaryTerm")
    assert known.guid == type_guid("GlossaryTerm")


async def test_its_types_are_changed_and_its_copies_kept_there_alone(
    passing: MetadataCollection,
) -> None:
    with pytest.raises(FunctionNotSupportedError, match="addTypeDefGallery"):
        await passing.add_type_def_gallery(USER, TypeDefGallery())
    with pytest.raises(FunctionNotSupportedError, match="saveEntityReferenceCopy"):
        await passing.save_entity_reference_copy(USER, None)


async def test_what_the_member_says_is_told_as_it_is(house: House) -> None:
    asked = members(house.collection)
    passing = relayed(LOCAL.id, asked, house.collection)
    with pytest.raises(EntityNotKnownError):
        await answered(passing.get_entity_detail(USER, "x"))
