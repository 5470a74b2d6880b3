"""What is compared between members is always what a look at all documents would give."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edgenode.instances.digests import BUCKETS
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    InstanceProvenanceType,
    Relationship,
)
from edgenode.repository import migrations
from edgenode.repository.base import Repository, StoredDocument, Transaction
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.model import TypeDefCategory
from edgenode.typedefs.status import InstanceStatus
from tests.model.memory import MemoryRepository
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import (
    CODEC,
    HOME,
    START,
    SetClock,
    entity,
    guid,
    instance_type,
    proxy,
    relationship,
)

T = TypeVar("T")

OTHER = "22222222-2222-4222-8222-222222222222"
THIRD = "33333333-3333-4333-8333-333333333333"
OWNERS = (HOME, OTHER, THIRD)
NAMES = ("Retention", "Confidence")

provenances = st.sampled_from(
    [
        (InstanceProvenanceType.LOCAL_COHORT, None),
        (InstanceProvenanceType.EXTERNAL_SOURCE, OTHER),
        (InstanceProvenanceType.EXTERNAL_SOURCE, None),
        (InstanceProvenanceType.CONTENT_PACK, None),
    ]
)
headers = st.fixed_dictionaries(
    {
        "metadata_collection_id": st.sampled_from(OWNERS),
        "version": st.integers(1, 3),
        "update_time": st.none() | st.integers(START, START + 2),
        "status": st.sampled_from([InstanceStatus.ACTIVE, InstanceStatus.DELETED]),
    }
)
types = st.sampled_from(["GlossaryTerm", "Glossary"])


@st.composite
def classifications(draw: st.DrawFn) -> tuple[Classification, ...]:
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        known = instance_type(name, TypeDefCategory.CLASSIFICATION_DEF)
        found.append(with_header(draw, Classification(name=name, type=known)))
    return tuple(found)


def with_header(draw: st.DrawFn, bean: Any) -> Any:
    provenance, replicated_by = draw(provenances)
    return replace(
        bean,
        instance_provenance_type=provenance,
        replicated_by=replicated_by,
        **draw(headers),
    )


@st.composite
def entities(draw: st.DrawFn) -> EntityDetail:
    bean = entity(draw(st.integers(0, 4)), type_name=draw(types))
    named: EntityDetail = with_header(draw, bean)
    return replace(named, classifications=draw(classifications()))


@st.composite
def proxies(draw: st.DrawFn) -> EntityProxy:
    named: EntityProxy = with_header(draw, proxy(draw(st.integers(0, 4))))
    return replace(named, classifications=draw(classifications()))


@st.composite
def relationships(draw: st.DrawFn) -> Relationship:
    ends = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    named: Relationship = with_header(
        draw, relationship(draw(st.integers(10, 12)), *ends)
    )
    return named


class History(RuleBasedStateMachine):
    """Any history of changes, in SQLite and in plain Python."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.model = MemoryRepository(CODEC)
        path = Path(self.directory.name) / "store"
        self.opening = SqliteRepository.opened(path, CODEC, SetClock(), name="pi")
        self.stored = self.runner.run(self.opening.__aenter__())

    def teardown(self) -> None:
        self.runner.run(self.opening.__aexit__(None, None, None))
        self.runner.close()
        self.directory.cleanup()

    def both(self, work: Callable[[Transaction], Any]) -> None:
        for repository in (self.model, self.stored):
            self.runner.run(repository.change(work))

    @rule(bean=entities())
    def save_entity(self, bean: EntityDetail) -> None:
        self.both(lambda change: change.save_entity(bean, START))

    @rule(bean=proxies())
    def save_proxy(self, bean: EntityProxy) -> None:
        self.both(lambda change: change.save_proxy(bean, START))

    @rule(bean=relationships())
    def save_relationship(self, bean: Relationship) -> None:
        self.both(lambda change: change.save_relationship(bean, START))

    @rule(number=st.integers(0, 4))
    def purge_entity(self, number: int) -> None:
        self.both(lambda change: change.purge_entity(guid(number)))

    @rule(number=st.integers(10, 12))
    def purge_relationship(self, number: int) -> None:
        self.both(lambda change: change.purge_relationship(guid(number)))

    @rule(bean=entities(), number=st.integers(0, 4))
    def re_identify(self, bean: EntityDetail, number: int) -> None:
        def work(change: Transaction) -> None:
            change.purge_entity(guid(number))
            change.save_entity(bean, START)

        self.both(work)

    @invariant()
    def same(self) -> None:
        assert self.runner.run(compared(self.stored)) == self.runner.run(
            compared(self.model)
        )


async def compared(repository: Repository) -> dict[str, Any]:
    """Everything that others may compare."""
    found: dict[str, Any] = {"owners": await repository.owners()}
    for owner in (*OWNERS, "nobody"):
        groups = await repository.group_sums(owner)
        for group in (*groups, "nothing", "#nothing"):
            buckets = await repository.bucket_sums(owner, group)
            items = await repository.bucket_items(owner, group, range(BUCKETS))
            found[f"{owner} {group}"] = groups.get(group), dict(buckets), dict(items)
            some = list(buckets)[:1]
            part = await repository.bucket_items(owner, group, some)
            assert len(part) == sum(buckets[each].count for each in some)
    guids = [guid(number) for number in range(14)]
    found["documents"] = sorted(await repository.documents(guids))
    return found


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


async def test_sums_are_sums_of_items(repository: SqliteRepository) -> None:
    def work(change: Transaction) -> None:
        for number in range(300):
            change.save_entity(entity(number), START)

    await repository.change(work)
    groups = await repository.group_sums(HOME)
    buckets = await repository.bucket_sums(HOME, "GlossaryTerm")
    items = await repository.bucket_items(HOME, "GlossaryTerm", range(BUCKETS))
    assert groups.keys() == {"GlossaryTerm"}
    assert groups["GlossaryTerm"].count == len(items) == 300
    assert groups["GlossaryTerm"].digest == sum(items.values())
    assert sum(each.digest for each in buckets.values()) == sum(items.values())
    assert len(buckets) > 100


async def test_states_are_given_as_they_are_now(repository: SqliteRepository) -> None:
    deleted = entity(1, version=2, status=InstanceStatus.DELETED)

    def work(change: Transaction) -> None:
        change.save_entity(entity(1), START)
        change.save_entity(deleted, START)
        change.save_proxy(proxy(2), START)
        change.save_relationship(relationship(9, 1, 3), START)

    await repository.change(work)
    found = await repository.documents([guid(each) for each in (1, 2, 3, 9, 77)])
    assert sorted(found) == sorted(
        [
            StoredDocument(guid(1), "EntityDetail", CODEC.encode(deleted)),
            StoredDocument(guid(2), "EntityProxy", CODEC.encode(proxy(2))),
            StoredDocument(
                guid(9), "Relationship", CODEC.encode(relationship(9, 1, 3))
            ),
        ]
    )


def made_older(path: Path) -> None:
    """Take everything out of a file that the schema has since version 3."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table in (
            "owned_classification",
            "position",
            "member",
            "registration",
            "kafka_cohort",
            "kafka_member",
            "kafka_told",
            "kafka_position",
        ):
            connection.execute(f"DROP TABLE {table}")
        for table, columns in {
            "store": (
                "incarnation",
                "forgotten_through",
                "settled_through",
                "settled_count",
                "cohort",
            ),
            "instance": ("owner_id", "digest", "bucket"),
            "outbox": ("origin",),
        }.items():
            for column in columns:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 2")


def schema(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        columns = "SELECT m.name, c.name, c.type FROM sqlite_schema m, pragma_table_info(m.name) c"
        return sorted(connection.execute(columns))


async def test_a_file_of_the_version_before_gets_the_same(
    opener: Opener, path: Path, tmp_path: Path, clock: SetClock
) -> None:
    foreign = Classification(
        name="Retention", metadata_collection_id=OTHER, version=4, status=None
    )
    own = replace(foreign, name="Confidence", metadata_collection_id=HOME)

    def work(change: Transaction) -> None:
        for number in range(1_200):
            change.save_entity(entity(number, home=OWNERS[number % 2]), START)
        tagged = replace(entity(1), classifications=(foreign, own))
        change.save_entity(tagged, START)
        change.save_proxy(replace(proxy(2_000), classifications=(foreign, own)), START)
        change.save_relationship(relationship(3_000, 1, 2_001), START)
        change.purge_entity(guid(4))

    async with opener() as repository:
        await repository.change(work)
        expected = await compared(repository)
    fresh = schema(path)
    made_older(path)
    async with opener() as repository:
        assert repository.report.migrated_from == 2
        assert await compared(repository) == expected
    assert schema(path) == fresh


def test_the_older_file_is_one_of_the_older_schema(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for number, script in migrations.steps().items():
            if number < 3:
                connection.executescript(script)
        older = schema(path)
        connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 2")
        migrations.migrate(connection, path, CODEC)
    made_older(path)
    assert schema(path) == older
