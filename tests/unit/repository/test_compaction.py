"""Whoever follows the events ends with the same, however many of them were left out.

Receivers of two kinds follow one member: some take of an event about a classification
only that, others the whole entity. They hear messages late, twice and in any order, and
ask for what they missed, while events are left out and forgotten.
"""

import copy
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenode.events.model import InstanceEvent
from edgenode.events.model import OMRSInstanceEventType as Type
from edgenode.instances.model import Classification
from edgenode.repository import compaction, outbox, writer, writing
from edgenode.repository.base import Transaction
from edgenode.repository.compaction import Compaction, Later
from edgenode.repository.migrations import migrate
from edgenode.repository.sqlite import SqliteRepository
from edgenode.repository.statements import load
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import CODEC, START, entity, guid, until

pytestmark = pytest.mark.usefixtures("events_from_the_file")

SQL = load("outbox")

OWN = ("a", "b")
FOREIGN = ("f",)
RELATIONSHIPS = ("r", "s")
NAMES = ("one", "two")


@dataclass(frozen=True)
class Entity:
    version: int
    home: str = "x"
    is_deleted: bool = False
    classifications: tuple[tuple[str, int], ...] = ()
    """Names and versions."""


@dataclass(frozen=True)
class Link:
    version: int
    ends: tuple[str, str]
    is_deleted: bool = False


@dataclass(frozen=True)
class Told:
    """An event, with all that it carries."""

    type: Type
    guid: str
    state: Entity | Link | None = None
    original: str | None = None
    name: str | None = None
    version: int = 0


def classified(known: Entity, name: str, version: int | None) -> Entity:
    """An entity with a classification at a version, or without it."""
    others = dict(known.classifications)
    others.pop(name, None)
    if version is not None:
        others[name] = version
    return replace(known, classifications=tuple(sorted(others.items())))


PROXY = Entity(version=0)


@dataclass
class Holdings:
    """What a receiver has: entities, of which proxies have no version, and links."""

    takes_whole: bool
    entities: dict[str, Entity] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)

    def visible(self) -> tuple[dict[str, Entity], dict[str, Link]]:
        counted = {
            guid: known
            for guid, known in self.entities.items()
            if known.version or known.classifications
        }
        return counted, self.links

    def apply(self, told: Told) -> None:
        kind = told.type.name.rsplit("_", 2)[1]
        verb = told.type.name.split(f"_{kind}", 1)[0]
        match verb:
            case "PURGED":
                self.purge(told.guid)
            case "DELETED":
                self.delete(told)
            case "CLASSIFIED" | "RECLASSIFIED" | "DECLASSIFIED":
                self.classify(told, None if verb == "DECLASSIFIED" else told.version)
            case "RE_IDENTIFIED" | "RE_HOMED":
                self.move(told)
            case _:
                self.save(told)

    def save(self, told: Told) -> None:
        state = told.state
        if isinstance(state, Link):
            known_link = self.links.get(told.guid)
            if known_link is None or known_link.version <= state.version:
                self.links[told.guid] = state
                for end in state.ends:
                    self.entities.setdefault(end, PROXY)
        elif state is not None:
            known = self.entities.get(told.guid, PROXY)
            is_same = not known.version or known.home == state.home
            if is_same and known.version <= state.version:
                self.entities[told.guid] = state

    def delete(self, told: Told) -> None:
        if told.guid in self.links:
            self.save(told)
        elif self.entities.get(told.guid, PROXY).version:
            self.save(told)
            for guid in self.at(told.guid):
                link = self.links[guid]
                if not link.is_deleted:
                    self.links[guid] = replace(
                        link, version=link.version + 1, is_deleted=True
                    )

    def purge(self, guid: str) -> None:
        self.links.pop(guid, None)
        if self.entities.pop(guid, None) is not None:
            for link in self.at(guid):
                del self.links[link]

    def classify(self, told: Told, version: int | None) -> None:
        assert told.name is not None
        if self.takes_whole and told.state is not None:
            self.save(told)
            return
        known = self.entities.get(told.guid)
        if version is None:
            if known is not None:
                self.entities[told.guid] = classified(known, told.name, None)
            return
        known = known or PROXY
        if dict(known.classifications).get(told.name, 0) <= version:
            self.entities[told.guid] = classified(known, told.name, version)

    def move(self, told: Told) -> None:
        if isinstance(told.state, Link):
            self.links.pop(str(told.original), None)
            self.links[told.guid] = told.state
        elif isinstance(told.state, Entity):
            if told.original is not None:
                self.entities.pop(told.original, None)
                for guid in self.at(told.original):
                    link = self.links[guid]
                    one, two = (
                        told.guid if end == told.original else end for end in link.ends
                    )
                    self.links[guid] = replace(
                        link, version=link.version + 1, ends=(one, two)
                    )
            self.entities[told.guid] = told.state

    def at(self, guid: str) -> list[str]:
        return [name for name, link in self.links.items() if guid in link.ends]


@dataclass
class Receiver:
    holdings: Holdings
    position: int = 0

    def take(self, after: int, sequence: int, told: Told) -> None:
        if after <= self.position < sequence:
            self.holdings.apply(told)
            self.position = sequence


own = st.sampled_from(OWN)
anybody = st.sampled_from([*OWN, *FOREIGN])
link = st.sampled_from(RELATIONSHIPS)
name = st.sampled_from(NAMES)


def call(operation: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(operation), *arguments)


number = st.integers(0, 2)
steps = st.one_of(
    call("change", own),
    call("change", own),
    call("re_home", own, st.sampled_from("xy")),
    call("delete_or_restore", own),
    call("purge", own),
    call("re_identify", own, own),
    call("classify", anybody, name),
    call("declassify", anybody, name),
    call("relate", link, own, anybody),
    call("delete_or_restore_link", link),
    call("purge_link", link),
    call("re_identify_link", link, link),
    call("leave_out", st.integers(1, 20), st.sampled_from([100, 100, 5])),
    call("hear", number, st.lists(st.integers(1, 20), min_size=1, max_size=5)),
    call("ask", number),
    call("ask_for_a_few", number, st.integers(1, 4)),
)


class Following:
    """One member and those who follow it; ``all_told`` is where everything arrived."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.patch.setattr(compaction, "OUTBOX_SLICE", 3)
        self.patch.setattr(compaction, "OUTBOX_PART_LEFT", 1.0)
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.connection, Path("memory"), CODEC)
        outbox.begin_life(self.connection)
        self.told: dict[int, Told] = {}
        self.messages: list[tuple[int, int, Told]] = []
        self.last = 0
        self.compacting: Compaction | None = None
        self.all_told = {whole: Holdings(whole) for whole in (False, True)}
        self.receivers = [
            Receiver(Holdings(takes_whole)) for takes_whole in (False, True, True)
        ]

    # The member

    @property
    def now(self) -> Holdings:
        return self.all_told[True]

    def tell(self, told: Told) -> None:
        for holdings in self.all_told.values():
            holdings.apply(told)
        self.last += 1
        classification = None if told.name is None else Classification(name=told.name)
        event = InstanceEvent(
            event_type=told.type,
            instance_guid=told.guid,
            original_instance_guid=told.original,
            classification=classification,
        )
        queued = outbox.QueuedEvent(self.last, 0, event)
        outbox.queue(self.connection, CODEC, queued, lambda _: None)
        self.told[self.last] = told
        self.messages.append((self.before(self.last), self.last, told))

    def before(self, sequence: int) -> int:
        (number,) = self.connection.execute(SQL["before"], (sequence,)).fetchone()
        return int(number)

    def change(self, guid: str) -> None:
        known = self.now.entities.get(guid, PROXY)
        if not known.is_deleted:
            event = (
                Type.UPDATED_ENTITY_EVENT if known.version else Type.NEW_ENTITY_EVENT
            )
            state = replace(known, version=known.version + 1)
            self.tell(Told(event, guid, state))

    def re_home(self, guid: str, home: str) -> None:
        known = self.now.entities.get(guid, PROXY)
        if known.version and not known.is_deleted:
            state = replace(known, version=known.version + 1, home=home)
            self.tell(Told(Type.RE_HOMED_ENTITY_EVENT, guid, state))

    def delete_or_restore(self, guid: str) -> None:
        known = self.now.entities.get(guid, PROXY)
        if known.version:
            state = replace(
                known, version=known.version + 1, is_deleted=not known.is_deleted
            )
            event = (
                Type.DELETED_ENTITY_EVENT
                if state.is_deleted
                else Type.RESTORED_ENTITY_EVENT
            )
            self.tell(Told(event, guid, state))

    def purge(self, guid: str) -> None:
        if self.now.entities.get(guid, PROXY).version:
            self.tell(Told(Type.PURGED_ENTITY_EVENT, guid))

    def re_identify(self, guid: str, other: str) -> None:
        known = self.now.entities.get(guid, PROXY)
        if known.version and not known.is_deleted and other not in self.now.entities:
            state = replace(known, version=known.version + 1)
            event = Type.RE_IDENTIFIED_ENTITY_EVENT
            self.tell(Told(event, other, state, original=guid))

    def classify(self, guid: str, name: str) -> None:
        known = self.now.entities.get(guid, PROXY)
        if (guid in FOREIGN or known.version) and not known.is_deleted:
            before = dict(known.classifications).get(name, 0)
            event = (
                Type.RECLASSIFIED_ENTITY_EVENT
                if before
                else Type.CLASSIFIED_ENTITY_EVENT
            )
            state = classified(known, name, before + 1) if known.version else None
            self.tell(Told(event, guid, state, name=name, version=before + 1))

    def declassify(self, guid: str, name: str) -> None:
        known = self.now.entities.get(guid, PROXY)
        if name in dict(known.classifications) and not known.is_deleted:
            state = classified(known, name, None) if known.version else None
            self.tell(Told(Type.DECLASSIFIED_ENTITY_EVENT, guid, state, name=name))

    def relate(self, guid: str, one: str, two: str) -> None:
        known = self.now.links.get(guid)
        if known is not None:
            state = replace(known, version=known.version + 1)
            if not known.is_deleted:
                self.tell(Told(Type.UPDATED_RELATIONSHIP_EVENT, guid, state))
        elif all(
            end in FOREIGN or self.now.entities.get(end, PROXY).version
            for end in (one, two)
        ):
            self.tell(Told(Type.NEW_RELATIONSHIP_EVENT, guid, Link(1, (one, two))))

    def delete_or_restore_link(self, guid: str) -> None:
        known = self.now.links.get(guid)
        if known is not None:
            state = replace(
                known, version=known.version + 1, is_deleted=not known.is_deleted
            )
            event = (
                Type.DELETED_RELATIONSHIP_EVENT
                if state.is_deleted
                else Type.RESTORED_RELATIONSHIP_EVENT
            )
            self.tell(Told(event, guid, state))

    def purge_link(self, guid: str) -> None:
        if guid in self.now.links:
            self.tell(Told(Type.PURGED_RELATIONSHIP_EVENT, guid))

    def re_identify_link(self, guid: str, other: str) -> None:
        known = self.now.links.get(guid)
        if known is not None and other not in self.now.links:
            state = replace(known, version=known.version + 1)
            event = Type.RE_IDENTIFIED_RELATIONSHIP_EVENT
            self.tell(Told(event, other, state, original=guid))

    def leave_out(self, slices: int, room: int) -> None:
        self.patch.setattr(compaction, "MAX_OUTBOX_EVENTS", room)
        for _ in range(slices):
            if self.compacting is None:
                known = outbox.mark(self.connection)
                self.compacting = Compaction(
                    known.last_sequence, known.forgotten_through
                )
            if not self.compacting.step(self.connection):
                self.compacting = None

    # Those who follow it

    def hear(self, number: int, ages: list[int]) -> None:
        """Some messages arrive, in any order and again and again."""
        for age in ages:
            if age <= len(self.messages):
                self.receivers[number].take(*self.messages[-age])

    def ask(self, number: int) -> None:
        self.catch_up(self.receivers[number])

    def ask_for_a_few(self, number: int, count: int) -> None:
        self.fetch(self.receivers[number], count)

    def fetch(self, receiver: Receiver, count: int) -> None:
        rows = self.connection.execute(
            "SELECT sequence FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (receiver.position, count),
        ).fetchall()
        if rows and self.before(rows[0][0]) > receiver.position:
            # Something is forgotten: what they hold is compared, and made the same.
            takes_whole = receiver.holdings.takes_whole
            receiver.holdings = copy.deepcopy(self.all_told[takes_whole])
            receiver.position = self.last
            return
        for (sequence,) in rows:
            receiver.take(self.before(sequence), sequence, self.told[sequence])

    def catch_up(self, receiver: Receiver) -> None:
        self.fetch(receiver, 1_000)
        assert receiver.position == self.last
        whole = receiver.holdings.takes_whole
        assert receiver.holdings.visible() == self.all_told[whole].visible()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(steps, min_size=50, max_size=100))
def test_everybody_ends_with_the_same(history: list[tuple[Any, ...]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        following = Following(patch)
        with closing(following.connection):
            for operation, *arguments in history:
                getattr(following, operation)(*arguments)
            for receiver in following.receivers:
                following.catch_up(receiver)
    one, other = following.all_told.values()
    assert one.visible() == other.visible()


def kept(*told: Any) -> list[int]:
    """Which of some events are kept, by their places."""
    later = Later()
    found = []
    for place, (event, about, *rest) in reversed(list(enumerate(told))):
        is_moved = event is Type.RE_IDENTIFIED_ENTITY_EVENT
        original, name = (
            (rest[0], None) if is_moved else (None, rest[0] if rest else None)
        )
        if later.needs(event.name, about, original, name):
            found.append(place)
    return found[::-1]


NEW, UPDATED = Type.NEW_ENTITY_EVENT, Type.UPDATED_ENTITY_EVENT
PURGED, DELETED = Type.PURGED_ENTITY_EVENT, Type.DELETED_ENTITY_EVENT
CLASSIFIED, DECLASSIFIED = Type.CLASSIFIED_ENTITY_EVENT, Type.DECLASSIFIED_ENTITY_EVENT


def test_the_last_state_is_kept() -> None:
    assert kept((NEW, "a"), (NEW, "b"), (UPDATED, "a"), (UPDATED, "a")) == [1, 3]


def test_a_purge_leaves_nothing_before_it_but_former_purges() -> None:
    before = [(NEW, "a"), (CLASSIFIED, "a", "n"), (DELETED, "a")]
    assert kept(*before, (PURGED, "a"), *before, (PURGED, "a"), (NEW, "a")) == [3, 7, 8]


def test_states_before_something_else_are_kept() -> None:
    homed = (Type.RE_HOMED_ENTITY_EVENT, "a")
    moved = (Type.RE_IDENTIFIED_ENTITY_EVENT, "a", "b")
    assert kept((NEW, "a"), homed, (UPDATED, "a"), (UPDATED, "a")) == [0, 1, 3]
    assert kept((NEW, "b"), moved, (UPDATED, "a"), (NEW, "b")) == [0, 1, 2, 3]


def test_classifications_are_kept_by_name() -> None:
    n, m = (CLASSIFIED, "a", "n"), (CLASSIFIED, "a", "m")
    removed = (DECLASSIFIED, "a", "n")
    assert kept(n, m, n, removed, n, (UPDATED, "a")) == [1, 3, 4, 5]
    assert kept(removed, n, removed) == [2]


def test_events_of_one_origin_make_up_for_none_of_anothers() -> None:
    later = Later()
    asked = [
        ("CLASSIFIED_ENTITY_EVENT", "a", None, "n", origin)
        for origin in ("x", "y", None, "x", "y", None)
    ]
    assert [later.needs(*each) for each in asked] == [True] * 3 + [False] * 3


def test_other_events_are_kept() -> None:
    later = Later()
    assert all(later.needs(None, None, None, None) for _ in range(3))


# In a store


def updating(number: int, version: int = 1) -> InstanceEvent:
    return InstanceEvent(
        event_type=UPDATED,
        instance_guid=guid(number),
        entity=entity(number, version=version),
    )


async def update(repository: SqliteRepository, *numbers: int) -> None:
    def work(change: Transaction) -> None:
        for number in numbers:
            change.save_entity(entity(number), START)
            change.queue_event(updating(number))

    await repository.change(work)


async def places(repository: SqliteRepository) -> list[tuple[int, int]]:
    found = await repository.events_after(0, 1_000)
    return [(each.after, each.sequence) for each in found]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An outbox that should have ten events and has eleven at most."""
    for module in (compaction, writing):
        monkeypatch.setattr(module, "MAX_OUTBOX_EVENTS", 10)
    monkeypatch.setattr(compaction, "OUTBOX_SLICE", 20)
    return monkeypatch


@pytest.mark.usefixtures("small")
async def test_needless_events_go_between_changes(opener: Opener) -> None:
    async with opener(keep_events=True) as repository:
        await update(repository, *range(5), *range(5), 0, 0)
        for _ in range(5):
            await update(repository, 0)
        found = await places(repository)
        last = repository.last_sequence()
    assert [number for _, number in found][:4] == [7, 8, 9, 10]
    assert found[0] == (0, 7)
    assert len(found) < 11
    assert found[-1][1] == last
    assert all(after == found[place][1] for place, (after, _) in enumerate(found[1:]))


@pytest.mark.usefixtures("small")
async def test_the_oldest_events_make_room(opener: Opener) -> None:
    async with opener(keep_events=True) as repository:
        await update(repository, *range(30))
        for number in range(30, 40):
            await update(repository, number)
        found = await places(repository)
        last = repository.last_sequence()
    first_after, first = found[0]
    assert len(found) <= 13
    # Who is behind that has missed something, whoever is there has not.
    assert first_after == first - 1 > 0
    assert [each for _, each in found] == list(range(first, last + 1))
    async with opener(keep_events=True) as repository:
        again = await places(repository)  # a last slice may have come in between
        assert again == found[-len(again) :]
        assert repository.last_sequence() == last


async def test_a_quiet_moment_is_used(
    small: pytest.MonkeyPatch, opener: Opener
) -> None:
    small.setattr(writing, "OUTBOX_SURPLUS", 100.0)
    async with opener(keep_events=True) as repository:
        await update(repository, *[1] * 20)
        await update(repository, 2)
        assert len(await places(repository)) == 21
    small.setattr(writer, "QUIET_SECONDS", 0.01)
    async with opener(keep_events=True) as repository:
        await until(lambda: repository._database._writer._is_tidy)
        assert await places(repository) == [(0, 20), (20, 21)]


async def test_large_events_count_for_more(
    monkeypatch: pytest.MonkeyPatch, opener: Opener
) -> None:
    for module in (compaction, writing):
        monkeypatch.setattr(module, "MAX_OUTBOX_BYTES", 20_000)

    def work(change: Transaction) -> None:
        for number in range(30):  # nowhere stored, so they travel in the events
            change.queue_event(updating(number))

    async with opener(keep_events=True) as repository:
        await repository.change(work)
        for _ in range(5):
            await repository.change(lambda change: change.queue_event(updating(77)))
        found = await places(repository)
    assert 10 < len(found) < 25
    assert found[0][0] > 0


async def test_a_full_disk_leaves_the_old_events_for_now(
    small: pytest.MonkeyPatch, opener: Opener
) -> None:
    small.setitem(writing.__dict__, "Compaction", Failing)
    async with opener(keep_events=True) as repository:
        await update(repository, *[1] * 20)
        await update(repository, 1)
        assert len(await places(repository)) == 21


class Failing(Compaction):
    """Finds the disk full."""

    def step(self, connection: object) -> bool:
        assert isinstance(connection, sqlite3.Connection)
        connection.execute("BEGIN IMMEDIATE")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error


def test_what_purges_leave_is_found_at_once(path: Path) -> None:
    """The states that events refer to are looked up by their numbers, not one by one."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, CODEC)
        plan = connection.execute("EXPLAIN QUERY PLAN " + SQL["referring"]).fetchall()
    assert sum("SCAN outbox" in row[3] for row in plan) == 1
    assert not any("CORRELATED" in row[3] for row in plan)
