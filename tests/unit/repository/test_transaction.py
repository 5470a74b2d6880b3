"""What a change stores can be read, now and as it was, until it is purged."""

from dataclasses import replace

import pytest

from edgenode.errors import InvalidInstanceError
from edgenode.instances.conditions import HistorySequencingOrder
from edgenode.instances.model import EntityDetail
from edgenode.repository.base import HistoryRange, Transaction
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.attributes import EnumDef
from edgenode.typedefs.model import EntityDef
from edgenode.typedefs.status import InstanceStatus
from tests.unit.repository.samples import (
    CODEC,
    HOME,
    START,
    classified,
    entity,
    guid,
    proxy,
    relationship,
)

ALL = HistoryRange(order=HistorySequencingOrder.FORWARDS)


async def save(repository: SqliteRepository, *beans: object, at: int = START) -> None:
    def work(change: Transaction) -> None:
        store(change, *beans, at=at)

    await repository.change(work)


def store(change: Transaction, *beans: object, at: int = START) -> None:
    for bean in beans:
        if isinstance(bean, EntityDetail):
            change.save_entity(bean, at)
        elif type(bean).__name__ == "EntityProxy":
            change.save_proxy(bean, at)  # type: ignore[arg-type]
        else:
            change.save_relationship(bean, at)  # type: ignore[arg-type]


def stored(repository: SqliteRepository, number: int) -> object:
    found = repository.entity(guid(number)) or repository.relationship(guid(number))
    return None if found is None else found.document.value


# entities


async def test_an_entity_is_read_as_it_was_saved(repository: SqliteRepository) -> None:
    bean = entity(1)
    document = await repository.change(lambda change: change.save_entity(bean, START))
    found = repository.entity(guid(1))
    assert found is not None
    assert found.document.value == bean
    assert found.document.json == document.json == CODEC.encode(bean)
    assert (found.is_proxy, found.type_name) == (False, "GlossaryTerm")
    assert (found.status, found.metadata_collection_id) == (InstanceStatus.ACTIVE, HOME)


async def test_an_unknown_guid_is_nothing(repository: SqliteRepository) -> None:
    await save(repository, relationship(9, 1, 2))
    assert repository.entity(guid(7)) is None
    assert repository.relationship(guid(7)) is None
    assert repository.entity(guid(1)) is None  # mentioned by the relationship only
    assert repository.entity_as_of(guid(1), START) is None


async def test_an_entity_is_no_relationship_and_the_reverse(
    repository: SqliteRepository,
) -> None:
    await save(repository, entity(1), relationship(9, 1, 2))
    assert repository.relationship(guid(1)) is None
    assert repository.entity(guid(9)) is None


@pytest.mark.parametrize(
    "bean", [entity(9), proxy(9), replace(entity(1), guid=None), relationship(1, 2, 3)]
)
async def test_a_guid_is_one_thing_only(
    repository: SqliteRepository, bean: object
) -> None:
    await save(repository, entity(1), relationship(9, 1, 2))
    with pytest.raises(InvalidInstanceError):
        await save(repository, bean)
    assert stored(repository, 1) == entity(1)
    assert stored(repository, 9) == relationship(9, 1, 2)


async def test_a_relationship_without_an_end_is_refused(
    repository: SqliteRepository,
) -> None:
    with pytest.raises(InvalidInstanceError):
        await save(repository, replace(relationship(9, 1, 2), entity_two_proxy=None))
    assert repository.relationship(guid(9)) is None


async def test_a_change_reads_what_it_wrote(repository: SqliteRepository) -> None:
    def work(change: Transaction) -> list[int]:
        versions = []
        for version in (1, 2, 3):
            change.save_entity(entity(1, version=version), START + version)
            found = change.entity(guid(1))
            assert found is not None
            versions.append(found.document.value.version)
            previous = change.previous_entity(guid(1))
            versions.append(previous.version if previous else 0)
        return versions

    assert await repository.change(work) == [1, 0, 2, 1, 3, 2]


async def test_the_previous_state_is_the_last_of_a_lower_version(
    repository: SqliteRepository,
) -> None:
    await save(repository, entity(1), at=START)
    await save(repository, classified(entity(1), "Confidentiality"), at=START + 1)
    await save(repository, entity(1, version=2), at=START + 2)
    await save(repository, classified(entity(1, version=2), "Retention"), at=START + 3)
    previous = await repository.change(lambda change: change.previous_entity(guid(1)))
    assert previous == classified(entity(1), "Confidentiality")


async def test_a_proxy_is_stored_until_the_entity_is_known(
    repository: SqliteRepository,
) -> None:
    await save(repository, proxy(1))
    found = repository.entity(guid(1))
    assert found is not None
    assert found.is_proxy
    assert found.document.value == proxy(1)
    await save(repository, proxy(1, version=2))
    assert stored(repository, 1) == proxy(1, version=2)
    await save(repository, entity(1, version=3))
    await save(repository, proxy(1, version=4))
    assert stored(repository, 1) == entity(1, version=3)
    history = await repository.entity_history(guid(1), ALL)
    assert [document.value for document in history] == [entity(1, version=3)]
    previous = await repository.change(lambda change: change.previous_entity(guid(1)))
    assert previous is None


# relationships


async def test_relationships_stand_at_both_ends(repository: SqliteRepository) -> None:
    await save(repository, entity(1), entity(2), relationship(9, 1, 2))
    await save(repository, relationship(8, 2, 2), relationship(7, 3, 1))
    deleted = relationship(8, 2, 2, version=2, status=InstanceStatus.DELETED)
    await save(repository, deleted)

    def at(number: int) -> list[object]:
        return [stored(repository, n) for n in found[number]]

    found = {1: [9, 7], 2: [9, 8], 3: [7], 4: []}
    for number in found:

        def work(change: Transaction, end: str = guid(number)) -> list[object]:
            return [r.document.value for r in change.relationships_of(end)]

        assert await repository.change(work) == at(number)


async def test_a_relationship_says_whether_an_end_was_stored_after_it(
    repository: SqliteRepository,
) -> None:
    def ends_changed(change: Transaction) -> bool:
        found = change.relationship(guid(9))
        assert found is not None
        (same,) = change.relationships_of(guid(1))
        assert same.document.ends_changed is found.document.ends_changed
        return found.document.ends_changed

    def update_end(change: Transaction) -> tuple[bool, bool]:
        before = ends_changed(change)
        change.save_entity(entity(1, version=2), START + 1)
        return before, ends_changed(change)

    await save(repository, entity(1), proxy(2), relationship(9, 1, 2))
    assert await repository.change(update_end) == (False, True)
    found = repository.relationship(guid(9))
    assert found is not None
    assert found.document.ends_changed
    earlier = repository.relationship_as_of(guid(9), START)
    assert earlier is not None
    assert not earlier.document.ends_changed
    await save(repository, relationship(9, 1, 2, version=2), at=START + 2)
    assert not await repository.change(ends_changed)
    await save(repository, proxy(2, version=2), at=START + 3)
    assert await repository.change(ends_changed)


async def test_a_relationship_can_be_put_elsewhere(
    repository: SqliteRepository,
) -> None:
    await save(repository, relationship(9, 1, 2))
    await save(repository, relationship(9, 3, 2, version=2), at=START + 5)

    def work(change: Transaction) -> dict[int, int]:
        return {
            number: len(list(change.relationships_of(guid(number))))
            for number in (1, 2, 3)
        }

    assert await repository.change(work) == {1: 0, 2: 1, 3: 1}


# history


async def test_every_state_can_be_read_as_of_its_time(
    repository: SqliteRepository,
) -> None:
    for version in (1, 2, 3):
        await save(repository, entity(1, version=version), at=START + 10 * version)
        link = relationship(9, 1, 2, version=version)
        await save(repository, link, at=START + 10 * version)

    def versions(time: int) -> tuple[int, int]:
        found = repository.entity_as_of(guid(1), time)
        link = repository.relationship_as_of(guid(9), time)
        return (
            found.document.value.version if found else 0,
            link.document.value.version if link else 0,
        )

    times = (9, 10, 19, 20, 29, 30, 10_000)
    expected = [0, 1, 1, 2, 2, 3, 3]
    assert [versions(START + time) for time in times] == [(v, v) for v in expected]


async def test_states_keep_the_order_of_storing_when_the_clock_goes_back(
    repository: SqliteRepository,
) -> None:
    await save(repository, entity(1, version=1), at=START + 100)
    await save(repository, entity(1, version=2), at=START + 50)
    found = repository.entity_as_of(guid(1), START + 99)
    assert found is None
    found = repository.entity_as_of(guid(1), START + 100)
    assert found is not None
    assert found.document.value.version == 2


async def history_of(
    repository: SqliteRepository, span: HistoryRange
) -> list[tuple[int, int]]:
    """Versions, and how many classifications each document has."""
    documents = await repository.entity_history(guid(1), span)
    return [
        (document.value.version, len(document.value.classifications or ()))
        for document in documents
    ]


async def store_history(repository: SqliteRepository) -> None:
    """Versions 1 at 10, 2 at 20, classified at 25, 3 at 30."""
    second = entity(1, version=2)
    await save(repository, entity(1, version=1), at=START + 10)
    await save(repository, second, at=START + 20)
    await save(repository, classified(second, "Retention"), at=START + 25)
    await save(repository, entity(1, version=3), at=START + 30)


@pytest.mark.parametrize(
    ("from_time", "to_time", "expected"),
    [
        (None, None, [(1, 0), (2, 1), (3, 0)]),
        (None, 9, []),
        (None, 10, [(1, 0)]),
        (None, 20, [(1, 0), (2, 0)]),
        (None, 25, [(1, 0), (2, 1)]),
        (19, 19, [(1, 0)]),
        (20, 20, [(2, 0)]),
        (29, None, [(2, 1), (3, 0)]),
        (30, None, [(3, 0)]),
        (1_000, None, [(3, 0)]),
        (15, 35, [(1, 0), (2, 1), (3, 0)]),
    ],
)
async def test_history_has_the_versions_in_force_in_its_range(
    repository: SqliteRepository,
    from_time: int | None,
    to_time: int | None,
    expected: list[tuple[int, int]],
) -> None:
    await store_history(repository)
    span = HistoryRange(
        None if from_time is None else START + from_time,
        None if to_time is None else START + to_time,
        order=HistorySequencingOrder.FORWARDS,
    )
    assert await history_of(repository, span) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (HistorySequencingOrder.BACKWARDS, [3, 2, 1]),
        (HistorySequencingOrder.FORWARDS, [1, 2, 3]),
    ],
)
async def test_history_comes_in_pages(
    repository: SqliteRepository, order: HistorySequencingOrder, expected: list[int]
) -> None:
    await store_history(repository)
    pages = [
        await history_of(
            repository, HistoryRange(offset=offset, page_size=2, order=order)
        )
        for offset in (0, 2, 4)
    ]
    assert [version for page in pages for version, _ in page] == expected
    assert [len(page) for page in pages] == [2, 1, 0]
    rest = await history_of(repository, HistoryRange(offset=1, order=order))
    assert [version for version, _ in rest] == expected[1:]


async def test_relationships_have_a_history_too(repository: SqliteRepository) -> None:
    for version in (1, 2):
        await save(
            repository, relationship(9, 1, 2, version=version), at=START + version
        )
    history = await repository.relationship_history(guid(9), ALL)
    assert [d.value for d in history] == [
        relationship(9, 1, 2),
        relationship(9, 1, 2, version=2),
    ]
    assert await repository.relationship_history(guid(1), ALL) == []


# purging


async def test_a_purged_entity_leaves_nothing(repository: SqliteRepository) -> None:
    await save(repository, entity(1), entity(2), relationship(9, 1, 2))
    await save(repository, relationship(8, 3, 1), relationship(7, 2, 3))
    await save(repository, entity(1, version=2), at=START + 1)
    await repository.change(lambda change: change.purge_entity(guid(1)))
    assert [stored(repository, n) for n in (1, 9, 8)] == [None, None, None]
    assert repository.entity_as_of(guid(1), START) is None
    assert await repository.entity_history(guid(1), ALL) == []
    assert await repository.relationship_history(guid(9), ALL) == []
    assert stored(repository, 2) == entity(2)
    assert stored(repository, 7) == relationship(7, 2, 3)


async def test_what_was_purged_can_be_stored_again(
    repository: SqliteRepository,
) -> None:
    await save(repository, entity(1), relationship(9, 1, 2))

    def work(change: Transaction) -> None:
        change.purge_entity(guid(1))
        assert change.entity(guid(1)) is None
        assert change.relationship(guid(9)) is None
        change.save_entity(entity(1, name="again"), START + 9)

    await repository.change(work)
    assert stored(repository, 1) == entity(1, name="again")
    assert repository.entity_as_of(guid(1), START) is None
    assert len(await repository.entity_history(guid(1), ALL)) == 1


async def test_purging_a_relationship_leaves_its_ends(
    repository: SqliteRepository,
) -> None:
    await save(repository, entity(1), relationship(9, 1, 2))
    await save(repository, relationship(9, 1, 2, version=2), at=START + 1)
    await repository.change(lambda change: change.purge_relationship(guid(9)))
    assert stored(repository, 9) is None
    assert stored(repository, 1) == entity(1)
    left = await repository.change(lambda c: list(c.relationships_of(guid(1))))
    assert left == []


async def test_purging_the_unknown_changes_nothing(
    repository: SqliteRepository,
) -> None:
    def work(change: Transaction) -> None:
        change.purge_entity(guid(5))
        change.purge_relationship(guid(5))
        change.purge_entity(guid(9))  # a relationship
        change.purge_relationship(guid(1))  # an entity

    await save(repository, entity(1), relationship(9, 1, 2))
    await repository.change(work)
    assert stored(repository, 1) == entity(1)
    assert stored(repository, 9) == relationship(9, 1, 2)


async def test_an_entity_that_moved_away_is_purged_without_its_relationships(
    repository: SqliteRepository,
) -> None:
    await save(repository, entity(1), entity(2), entity(3), relationship(9, 1, 2))
    await save(repository, relationship(9, 3, 2, version=2), at=START + 1)
    await repository.change(lambda change: change.purge_entity(guid(1)))
    assert stored(repository, 9) == relationship(9, 3, 2, version=2)
    await repository.change(lambda change: change.purge_relationship(guid(9)))
    assert stored(repository, 9) is None


# types and counts


async def test_types_are_stored_replaced_and_removed(
    repository: SqliteRepository,
) -> None:
    kept = EntityDef(guid="t1", name="Sensor", version=1)
    newer = EntityDef(guid="t1", name="Sensor", version=2)
    enum = EnumDef(guid="t2", name="Unit", version=1)
    gone = EntityDef(guid="t3", name="Probe", version=1)

    def work(change: Transaction) -> None:
        for definition in (kept, enum, gone, newer):
            change.save_type(definition)
        change.remove_type("t3")

    await repository.change(work)
    assert list(repository.types()) == [newer, enum]


async def test_a_type_is_used_while_anything_of_it_is_stored(
    repository: SqliteRepository,
) -> None:
    async def used() -> list[str]:
        names = ("GlossaryTerm", "Synonym", "Retention", "Nothing")
        return await repository.change(
            lambda change: [name for name in names if change.is_type_used(name)]
        )

    assert await used() == []
    deleted = entity(1, status=InstanceStatus.DELETED)
    await save(repository, deleted, relationship(9, 1, 2))
    assert await used() == ["GlossaryTerm", "Synonym"]
    await save(repository, classified(entity(1), "Retention"), at=START + 1)
    assert await used() == ["GlossaryTerm", "Synonym", "Retention"]
    await repository.flush()
    assert await used() == ["GlossaryTerm", "Synonym", "Retention"]
    await repository.change(lambda change: change.purge_entity(guid(1)))
    assert await used() == []


async def test_counts_follow_what_is_there(repository: SqliteRepository) -> None:
    assert repository.counts() == {}
    await save(repository, entity(1), entity(2), proxy(3), relationship(9, 1, 2))
    await save(repository, entity(4, type_name="Glossary"))
    assert repository.counts() == {"GlossaryTerm": 2, "Synonym": 1, "Glossary": 1}
    await save(repository, entity(2, version=2, status=InstanceStatus.DELETED))
    await save(repository, entity(1, version=2, type_name="SpineObject"))
    await repository.change(lambda change: change.purge_relationship(guid(9)))
    assert repository.counts() == {"SpineObject": 1, "Glossary": 1}
