"""Servers of a cohort over Kafka hear of each other and of each other's metadata."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edgenode.bus.topics import OmrsTopic, Position, TopicsListener
from edgenode.clock import Clock, EpochMillis, SystemClock
from edgenode.collection.base import ClassificationSource
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.received import Outcome
from edgenode.errors import StoreFullError
from edgenode.events.exchange import (
    ExchangeRule,
    ExchangeRules,
    OpenMetadataExchangeRule,
)
from edgenode.events.model import (
    InstanceEvent,
    OMRSEventErrorCode,
    OMRSEventOriginator,
    OMRSEventV1,
    OMRSInstanceEventType,
    OMRSTypeDefEventType,
    TypeDefEvent,
)
from edgenode.events.wrapping import EventBuilder
from edgenode.instances.lifecycle import classification_of
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    InstanceProvenanceType,
)
from edgenode.instances.provenance import Home
from edgenode.kafka_cohort.member import KafkaCohortMember
from edgenode.kafka_cohort.receiver import AskTypes
from edgenode.limits import KAFKA_TYPES_LEAD_SECONDS
from edgenode.repository import compaction, recent, writing
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.model import EntityDef, TypeDef, TypeDefPatch
from edgenode.typedefs.status import InstanceStatus
from tests.cohort.topics import (
    MemoryCohortTopics,
    MemoryTopics,
    SimulatedPlatform,
    no_types,
)
from tests.model.house import (
    CODEC,
    START,
    properties,
    remote_entity,
    type_guid,
)
from tests.unit.cohort.clocks import FakeClock
from tests.unit.typedefs.samples import patch_of

TERM = "GlossaryTerm"
USER = "erin"
SECONDS = 30.0


class Impatient(SystemClock):
    """The machine's clock, on which nobody has to wait for long."""

    async def sleep(self, seconds: float) -> None:
        """Let others have their turn, the threads that write to stores among them."""
        await asyncio.sleep(seconds / 100)


@dataclass
class Server:
    """A server that takes part, and what tests ask of it."""

    platform: SimulatedPlatform

    @property
    def member(self) -> KafkaCohortMember:
        return self.platform.kafka

    @property
    def repository(self) -> SqliteRepository:
        return self.platform.repository

    @property
    def collection(self) -> LocalMetadataCollection:
        return self.platform.collection

    @property
    def is_registered(self) -> bool:
        """Whether it will know after a restart that it is."""
        standing = self.repository.kafka_cohort.standing
        return standing is not None and standing.registration_time is not None

    @property
    def messages(self) -> list[str]:
        """The ids of the audit records."""
        return [each.message_id for each in self.platform.audit_log.records()]

    async def add(self, name: str) -> str:
        """Add an entity; its GUID."""
        added = await self.collection.add_entity(
            USER, type_guid(TERM), properties(qualifiedName=name), None, None
        )
        return str(added.value.guid)

    async def add_type(self, name: str) -> None:
        """Add a type that no release has."""
        term = self.platform.types.type_def(TERM)
        assert isinstance(term, EntityDef)
        new = replace(term, guid=f"guid of {name}", name=name, version=1)
        await self.collection.add_type_def(USER, new)

    def holds(self, guid: str) -> bool:
        return self.repository.entity(guid) is not None

    async def settle(self) -> None:
        """Let everything happen that needs no time."""
        for _ in range(5):
            await self.repository.change(lambda tx: None)
            for _ in range(30):
                await asyncio.sleep(0)

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait for something, while events go to and fro."""
        async with asyncio.timeout(SECONDS):
            while not is_so():
                self.platform.check()
                await asyncio.sleep(0.002)


@asynccontextmanager
async def server(
    path: Path,
    name: str,
    hub: MemoryTopics,
    *,
    clock: Clock | None = None,
    ask_types: AskTypes = no_types,
    rules: ExchangeRules | None = None,
) -> AsyncIterator[Server]:
    """A server that takes part until the end of the block; its store outlives it."""
    async with AsyncExitStack() as stack:
        yield Server(
            await SimulatedPlatform.started(
                path, name, clock or SystemClock(), hub, stack, ask_types, rules
            )
        )


@asynccontextmanager
async def acquainted(
    path: Path, hub: MemoryTopics, rules: ExchangeRules | None = None
) -> AsyncIterator[tuple[Server, Server]]:
    """Two servers that know each other, pi by these rules, and attic."""
    async with (
        server(path, "pi", hub, rules=rules) as pi,
        server(path, "attic", hub) as attic,
    ):
        await pi.until(lambda: pi.member.remote and attic.member.remote)
        yield pi, attic


def told_of(hub: MemoryTopics, kind: OmrsTopic, sender: str) -> list[OMRSEventV1]:
    """What a server has sent."""
    return list(map(CODEC.decode_event, hub.sent(kind, sender)))


def patches_told(hub: MemoryTopics, sender: str) -> list[TypeDefPatch]:
    """The patches to types that a server has sent."""
    sections = (
        event.type_def_event_section for event in told_of(hub, OmrsTopic.TYPES, sender)
    )
    return [each.type_def_patch for each in sections if each and each.type_def_patch]


def types_told(hub: MemoryTopics, sender: str) -> list[str | None]:
    """The names of the types that a server has sent, whole."""
    sections = (
        event.type_def_event_section for event in told_of(hub, OmrsTopic.TYPES, sender)
    )
    return [each.type_def.name for each in sections if each and each.type_def]


def complaints_told(hub: MemoryTopics, sender: str) -> list[OMRSEventErrorCode]:
    """What a server has complained of about others' types."""
    sections = (event.error_section for event in told_of(hub, OmrsTopic.TYPES, sender))
    return [each.error_code for each in sections if each and each.error_code]


def registry_events(hub: MemoryTopics, sender: str) -> list[str]:
    return [
        event.registry_event_section.registry_event_type.name
        for event in told_of(hub, OmrsTopic.REGISTRATION, sender)
        if event.registry_event_section is not None
    ]


def instance_events(hub: MemoryTopics, sender: str) -> list[str]:
    return [
        event.instance_event_section.event_type.name
        for event in told_of(hub, OmrsTopic.INSTANCES, sender)
        if event.instance_event_section is not None
    ]


def entity(server: Server, guid: str) -> EntityDetail | None:
    stored = server.repository.entity(guid)
    value = None if stored is None else stored.document.value
    return value if isinstance(value, EntityDetail) else None


def is_version(server: Server, guid: str, version: int) -> bool:
    known = entity(server, guid)
    return known is not None and known.version == version


async def test_each_knows_the_other_whoever_was_first(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        await pi.until(lambda: "REFRESH" in str(registry_events(hub, "pi")))
        async with server(tmp_path, "attic", hub) as attic:
            await pi.until(lambda: pi.member.remote and attic.member.remote)
            assert set(pi.member.remote) == {"attic-id"}
            assert set(attic.member.remote) == {"pi-id"}
            assert pi.member.is_known("attic-id")
            connection = pi.member.remote["attic-id"].repository_connection
            assert connection is not None
            assert connection == attic.member.registration.repository_connection
    assert registry_events(hub, "attic")[0] == "REGISTRATION_EVENT"


async def test_after_a_restart_it_registers_again_and_knows_the_others(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    async with (
        server(tmp_path, "pi", hub) as pi,
        server(tmp_path, "attic", hub),
    ):
        await pi.until(lambda: pi.member.remote and pi.is_registered)
    async with server(tmp_path, "pi", hub) as pi:
        assert set(pi.member.remote) == {"attic-id"}
        await pi.until(lambda: "RE_REGISTRATION" in registry_events(hub, "pi")[-2])
    (first, *_, again, _) = told_of(hub, OmrsTopic.REGISTRATION, "pi")
    assert first.registry_event_section is not None
    assert again.registry_event_section is not None
    assert (
        first.registry_event_section.registration_timestamp
        == again.registry_event_section.registration_timestamp
    )


async def test_what_is_done_on_one_is_seen_on_the_other(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with (
        server(tmp_path, "pi", hub) as pi,
        server(tmp_path, "attic", hub) as attic,
    ):
        guid = await pi.add("one")
        await attic.until(lambda: is_version(attic, guid, 1))
        await pi.collection.update_entity_properties(
            USER, guid, properties(qualifiedName="two")
        )
        await attic.until(lambda: is_version(attic, guid, 2))
        copy = entity(attic, guid)
        assert copy is not None
        assert copy.metadata_collection_id == "pi-id"
        await pi.collection.delete_entity(USER, type_guid(TERM), TERM, guid)
        await attic.until(lambda: is_version(attic, guid, 3))
        copy = entity(attic, guid)
        assert copy is not None
        assert copy.status is InstanceStatus.DELETED
        await pi.collection.purge_entity(USER, type_guid(TERM), TERM, guid)
        await attic.until(lambda: not attic.holds(guid))


async def test_nothing_is_lost_while_the_brokers_are_away(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with (
        server(tmp_path, "pi", hub, clock=Impatient()) as pi,
        server(tmp_path, "attic", hub) as attic,
    ):
        await pi.until(lambda: pi.is_registered and not pi.member.is_busy)
        first = await pi.add("first")
        await attic.until(lambda: attic.holds(first))
        hub.cut_off.add("pi")
        while_away = [await pi.add(f"away {number}") for number in range(5)]
        assert pi.member.backlog == 5
        hub.cut_off.clear()
        hub.tell()
        await attic.until(lambda: all(map(attic.holds, while_away)))
        await pi.until(lambda: pi.member.backlog == 0)
    assert instance_events(hub, "pi").count("NEW_ENTITY_EVENT") == 6


async def test_where_events_were_forgotten_all_that_is_stored_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (compaction, writing):
        monkeypatch.setattr(module, "MAX_OUTBOX_EVENTS", 10)
    monkeypatch.setattr(recent, "MAX_RECENT_EVENT_BYTES", 0)
    hub = MemoryTopics()
    async with (
        server(tmp_path, "pi", hub, clock=Impatient()) as pi,
        server(tmp_path, "attic", hub) as attic,
    ):
        first = await pi.add("first")
        await attic.until(lambda: attic.holds(first))
        hub.cut_off.add("pi")
        await pi.add_type("Gadget")
        while_away = [await pi.add(f"away {number}") for number in range(40)]
        (oldest,) = await pi.repository.events_after(0, 1)
        assert oldest.after > 2, "nothing was forgotten"
        hub.cut_off.clear()
        hub.tell()
        await attic.until(lambda: all(map(attic.holds, while_away)))
        await pi.until(lambda: pi.member.backlog == 0)
        assert attic.platform.types.type_def("Gadget") is not None


async def test_nothing_is_lost_or_said_twice_by_a_restart(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        await pi.until(lambda: registry_events(hub, "pi") and not pi.member.is_busy)
        await pi.add("first")
        await pi.until(lambda: instance_events(hub, "pi"))
        hub.cut_off.add("pi")
        second = await pi.add("second")
    assert instance_events(hub, "pi") == ["NEW_ENTITY_EVENT"]
    hub.cut_off.clear()
    async with (
        server(tmp_path, "attic", hub) as attic,
        server(tmp_path, "pi", hub) as pi,
    ):
        await attic.until(lambda: attic.holds(second))
    assert instance_events(hub, "pi") == ["NEW_ENTITY_EVENT"] * 2


async def test_what_others_said_while_it_was_off_is_heard(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        await pi.until(lambda: registry_events(hub, "pi"))
    async with server(tmp_path, "attic", hub) as attic:
        guid = await attic.add("news")
        await attic.until(lambda: attic.member.backlog == 0)
    async with server(tmp_path, "pi", hub) as pi:
        await pi.until(lambda: pi.holds(guid) and pi.member.is_known("attic-id"))


async def test_what_was_there_before_it_joined_is_told(tmp_path: Path) -> None:
    quiet, hub = MemoryTopics(cut_off={"pi"}), MemoryTopics()
    async with server(tmp_path, "pi", quiet) as pi:
        kept, gone = await pi.add("kept"), await pi.add("gone")
        await pi.collection.delete_entity(USER, type_guid(TERM), TERM, gone)
        link = await pi.collection.add_relationship(
            USER, type_guid("RelatedTerm"), None, kept, await pi.add("other"), None
        )
    async with (
        server(tmp_path, "attic", hub) as attic,
        server(tmp_path, "pi", hub) as pi,
    ):
        await attic.until(lambda: attic.holds(kept))
        known = str(link.value.guid)
        await attic.until(lambda: attic.repository.relationship(known))
        assert "DELETED_ENTITY_EVENT" in instance_events(hub, "pi")


async def test_what_an_archive_brought_before_it_joined_is_told(
    tmp_path: Path,
) -> None:
    quiet, hub = MemoryTopics(cut_off={"pi"}), MemoryTopics()
    packed = remote_entity(
        "packed",
        home=Home("archive-id", "pack"),
        instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
    )
    async with server(tmp_path, "pi", quiet) as pi:
        await pi.collection.save_archive_instances(USER, [packed])
    async with (
        server(tmp_path, "attic", hub) as attic,
        server(tmp_path, "pi", hub) as pi,
    ):
        await attic.until(lambda: attic.holds("packed"))
        assert entity(attic, "packed") == packed
    # Copies of what members have, those tell themselves.
    assert instance_events(hub, "attic") == []


async def test_what_it_gave_to_others_before_it_joined_is_told(tmp_path: Path) -> None:
    quiet, hub = MemoryTopics(cut_off={"pi", "attic"}), MemoryTopics()
    async with server(tmp_path, "attic", quiet) as attic:
        guid = await attic.add("theirs")
        theirs = entity(attic, guid)
    async with server(tmp_path, "pi", quiet) as pi:
        await pi.collection.save_entity_reference_copy(USER, theirs)
        await pi.collection.classify_entity(
            USER, guid, "Confidentiality", ClassificationSource(), None
        )

    def given(by: Server) -> Classification | None:
        known = entity(by, guid)
        return None if known is None else classification_of(known, "Confidentiality")

    async with (
        server(tmp_path, "attic", hub) as attic,
        server(tmp_path, "pi", hub) as pi,
    ):
        await attic.until(lambda: given(attic))
        assert given(attic) == given(pi)
    assert instance_events(hub, "pi") == ["CLASSIFIED_ENTITY_EVENT"]


async def test_instances_wait_until_others_have_read_new_types(tmp_path: Path) -> None:
    # Genuine servers read types and instances side by side.
    hub, clock = MemoryTopics(), FakeClock()
    async with server(tmp_path, "pi", hub, clock=clock) as pi:
        await pi.until(lambda: pi.is_registered and not pi.member.is_busy)
        await pi.add_type("Gadget")
        await pi.until(lambda: "Gadget" in types_told(hub, "pi"))
        await pi.collection.add_entity(USER, "guid of Gadget", None, None, None)
        clock.advance(KAFKA_TYPES_LEAD_SECONDS / 2)
        await pi.settle()
        assert instance_events(hub, "pi") == []
        clock.advance(KAFKA_TYPES_LEAD_SECONDS / 2)
        await pi.until(lambda: instance_events(hub, "pi") == ["NEW_ENTITY_EVENT"])


async def test_what_nobody_can_read_is_told_and_passed_over(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with (
        server(tmp_path, "pi", hub) as pi,
        server(tmp_path, "attic", hub) as attic,
    ):
        await pi.until(lambda: pi.member.remote)
        for event in (b"", b"rubbish", b"[]", b"{}", b'{"class":"OMRSEventV1"}'):
            hub.put(OmrsTopic.INSTANCES, event)
            hub.put(OmrsTopic.REGISTRATION, event)
        guid = await attic.add("after")
        await pi.until(lambda: pi.holds(guid))
        await pi.until(lambda: pi.member.outcomes[Outcome.REFUSED] == 10)
        assert pi.messages.count("EDGENODE-AUDIT-0012") == 10


def another_type(sender: str) -> bytes:
    """An event of a type that has the name of one of the release."""
    section = TypeDefEvent(
        type_def_event_type=OMRSTypeDefEventType.NEW_TYPEDEF_EVENT,
        type_def=EntityDef(guid="other", name=TERM, version=1),
    )
    build = EventBuilder(OMRSEventOriginator(metadata_collection_id=sender))
    return CODEC.encode_event(build.event(section, START))


def told_by(sender: str, told: EntityDetail, at: EpochMillis = START) -> bytes:
    """An event as another program may send it."""
    recorded = told.type
    assert recorded is not None
    section = InstanceEvent(
        event_type=OMRSInstanceEventType.UPDATED_ENTITY_EVENT,
        type_def_guid=recorded.type_def_guid,
        type_def_name=recorded.type_def_name,
        instance_guid=told.guid,
        entity=told,
    )
    build = EventBuilder(OMRSEventOriginator(metadata_collection_id=sender))
    return CODEC.encode_event(build.event(section, at))


async def test_nobody_else_speaks_for_what_is_at_home_here(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        guid = await pi.add("ours")
        ours = entity(pi, guid)
        assert ours is not None
        await pi.until(lambda: instance_events(hub, "pi"))
        forged = replace(ours, version=99, properties=properties(qualifiedName="bad"))
        hub.put(OmrsTopic.INSTANCES, told_by("hub-id", forged))
        hub.put(OmrsTopic.INSTANCES, told_by("pi-id", forged))
        await pi.until(lambda: pi.member.outcomes[Outcome.REFUSED] == 2)
        assert entity(pi, guid) == ours


async def test_an_event_waits_until_it_can_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub, clock=Impatient()) as pi:
        receive = pi.collection.receive_instance_event
        refusals = [StoreFullError("save", "pi", "full")] * 2

        async def full_at_first(*told: object, **more: object) -> object:
            if refusals:
                raise refusals.pop()
            return await receive(*told, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(pi.collection, "receive_instance_event", full_at_first)
        await pi.until(lambda: registry_events(hub, "pi"))
        told = remote_entity(metadata_collection_id="hub-id")
        hub.put(OmrsTopic.INSTANCES, told_by("hub-id", told))
        await pi.until(lambda: pi.holds(str(told.guid)))


async def test_who_registers_while_the_disk_is_full_is_a_member_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub, clock=Impatient()) as pi:
        await pi.until(lambda: registry_events(hub, "pi"))
        store = pi.repository.kafka_cohort
        save = store.save_member
        refusals = [StoreFullError("save", "pi", "full")] * 2

        async def full_at_first(collection_id: str, document: bytes) -> None:
            if refusals:
                raise refusals.pop()
            await save(collection_id, document)

        monkeypatch.setattr(store, "save_member", full_at_first)
        followed: list[set[str]] = []
        pi.member.on_change(lambda: followed.append(set(pi.member.remote)))
        followed.clear()
        async with server(tmp_path, "attic", hub) as attic:
            await attic.until(lambda: "attic-id" in store.members)
            await attic.until(lambda: followed)
            assert followed[-1] == {"attic-id"}
            assert pi.messages.count("EDGENODE-AUDIT-0036") == 1


@dataclass
class BrokenTopics(MemoryTopics):
    """Topics whose client has a fault that nobody foresaw, for a while."""

    failures: int = 2

    @asynccontextmanager
    async def opened(
        self, server_id: str, positions: Sequence[Position], listener: TopicsListener
    ) -> AsyncIterator[MemoryCohortTopics]:
        if self.failures:
            self.failures -= 1
            raise ValueError("a fault of the client")
        async with super().opened(server_id, positions, listener) as topics:
            yield topics


async def test_what_fails_unforeseen_ends_nothing_and_is_tried_again(
    tmp_path: Path,
) -> None:
    hub = BrokenTopics()
    async with server(tmp_path, "pi", hub, clock=Impatient()) as pi:
        await pi.until(lambda: registry_events(hub, "pi"))
        assert (hub.failures, pi.member.trouble) == (0, "")
        assert pi.messages.count("EDGENODE-AUDIT-0031") == 1


async def test_types_that_are_unknown_are_asked_for(tmp_path: Path) -> None:
    hub = MemoryTopics()
    asked: list[tuple[str, tuple[str, ...]]] = []
    async with server(tmp_path, "attic", hub) as attic:
        term = attic.platform.types.type_def(TERM)
    assert isinstance(term, EntityDef)
    new = replace(term, guid="new-type", name="Gadget", version=1)

    async def ask(collection_id: str, names: Sequence[str]) -> Sequence[TypeDef]:
        asked.append((collection_id, tuple(names)))
        return [new]

    async with server(tmp_path, "pi", hub, ask_types=ask) as pi:
        await pi.until(lambda: registry_events(hub, "pi"))
        told = remote_entity(metadata_collection_id="hub-id")
        assert told.type is not None
        kind = replace(told.type, type_def_guid="new-type", type_def_name="Gadget")
        hub.put(OmrsTopic.INSTANCES, told_by("hub-id", replace(told, type=kind)))
        await pi.until(lambda: pi.holds(str(told.guid)))
        assert asked == [("hub-id", ("Gadget",))]
        assert pi.platform.types.type_def("Gadget") is not None


async def test_when_it_joins_all_its_types_are_told_once(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        known = pi.platform.types.definitions
        await pi.until(lambda: len(told_of(hub, OmrsTopic.TYPES, "pi")) == len(known))
        sections = [
            event.type_def_event_section
            for event in told_of(hub, OmrsTopic.TYPES, "pi")
        ]
        assert [
            section and (section.attribute_type_def or section.type_def)
            for section in sections
        ] == list(known)
    async with server(tmp_path, "pi", hub) as pi:
        guid = await pi.add("later")
        await pi.until(lambda: instance_events(hub, "pi"))
        assert pi.holds(guid)
        assert len(told_of(hub, OmrsTopic.TYPES, "pi")) == len(known)


async def test_types_of_its_own_are_told_to_whoever_comes_later(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        await pi.add_type("Gadget")
        await pi.until(lambda: "Gadget" in types_told(hub, "pi"))
        async with server(tmp_path, "attic", hub) as attic:
            await attic.until(lambda: attic.platform.types.type_def("Gadget"))


async def test_what_was_changed_of_the_release_is_told_as_a_patch(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        term = pi.platform.types.type_def(TERM)
        assert term is not None
        patch = patch_of(term, description="a word")
        await pi.collection.update_type_def(USER, patch)
        await pi.until(lambda: patches_told(hub, "pi"))
        before = len(patches_told(hub, "pi"))
        async with server(tmp_path, "attic", hub) as attic:
            await attic.until(lambda: len(patches_told(hub, "pi")) > before)
        (told,) = patches_told(hub, "pi")[before:]
        assert told.type_def_name == TERM
        assert told.apply_to_version == term.version
        assert told.update_to_version == term.version + 1


async def test_patches_leave_room_for_what_else_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.kafka_cohort.member.MAX_TOLD_PATCHES", 2)
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        term = pi.platform.types.type_def(TERM)
        assert term is not None
        new = replace(term, guid="guid of Gadget", name="Gadget", version=9)
        await pi.collection.add_type_def(USER, new)
        async with server(tmp_path, "attic", hub) as attic:
            await attic.until(lambda: attic.platform.types.type_def("Gadget"))
            await attic.until(lambda: patches_told(hub, "pi"))
            told = patches_told(hub, "pi")
    assert [each.apply_to_version for each in told[:2]] == [1, 2]
    assert all(each.apply_to_version < 3 for each in told)


async def test_who_says_the_same_again_may_have_been_started_anew(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    returned: list[str] = []
    async with server(tmp_path, "pi", hub) as pi:
        pi.member.on_return(returned.append)
        async with server(tmp_path, "attic", hub) as attic:
            await attic.until(lambda: pi.member.remote and attic.is_registered)
        await pi.until(lambda: not pi.member.is_busy)
        returned.clear()
        async with server(tmp_path, "attic", hub):
            await pi.until(lambda: returned)
        assert set(returned) == {"attic-id"}


async def test_types_in_conflict_are_told_until_their_member_leaves(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    async with acquainted(tmp_path, hub) as (pi, attic):
        hub.put(OmrsTopic.TYPES, another_type("attic-id"))
        await pi.until(lambda: pi.member.type_conflicts)
        (conflict,) = pi.member.type_conflicts
        assert (conflict.member, conflict.type_name) == ("attic-id", TERM)
        # The cohort hears of it, too, among all the types that pi tells.
        await pi.until(lambda: conflict.code in complaints_told(hub, "pi"))
        await attic.member.unregister()
        await pi.until(lambda: not pi.member.type_conflicts)


async def test_disconnected_it_says_and_hears_nothing_until_it_is_back(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    async with acquainted(tmp_path, hub) as (pi, attic):
        await pi.member.disconnect()
        theirs, ours = await attic.add("theirs"), await pi.add("ours")
        await attic.until(lambda: attic.member.backlog == 0)
        assert not pi.holds(theirs)
        assert not attic.holds(ours)
        await pi.member.connect()
        await pi.until(lambda: pi.holds(theirs) and attic.holds(ours))
        assert registry_events(hub, "pi").count("REGISTRATION_EVENT") == 1


async def test_unregistered_the_others_forget_it_until_it_is_back(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    async with acquainted(tmp_path, hub) as (pi, attic):
        await pi.member.unregister()
        await attic.until(lambda: not attic.member.remote)
        assert not pi.member.remote
        assert pi.repository.kafka_cohort.members == {}
        await attic.until(lambda: "EDGENODE-AUDIT-0011" in attic.messages)
        assert "EDGENODE-AUDIT-0011" not in pi.messages, "attic hasn't left"
        await pi.member.connect()
        await pi.until(lambda: pi.member.remote and attic.member.remote)
        assert registry_events(hub, "pi").count("REGISTRATION_EVENT") == 2


async def test_unregistered_it_registers_anew_after_a_restart(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        await pi.until(lambda: pi.is_registered)
        await pi.member.unregister()
        assert not pi.is_registered
    async with server(tmp_path, "pi", hub) as pi:
        await pi.until(lambda: pi.is_registered)
    assert registry_events(hub, "pi").count("REGISTRATION_EVENT") == 2
    assert "RE_REGISTRATION_EVENT" not in registry_events(hub, "pi")


async def test_whoever_registers_where_nobody_can_go_is_told_so_once(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    async with (
        server(tmp_path, "pi", hub) as pi,
        server(tmp_path, "nowhere", hub) as nowhere,
    ):
        await pi.until(lambda: pi.member.remote and nowhere.member.remote)
        await nowhere.until(lambda: "EDGENODE-AUDIT-0015" in nowhere.messages)
        assert "EDGENODE-AUDIT-0041" in pi.messages
        (complaint,) = [
            event
            for event in told_of(hub, OmrsTopic.REGISTRATION, "pi")
            if event.error_section is not None
        ]
        error = complaint.error_section
        assert error is not None
        assert error.target_metadata_collection_id == "nowhere-id"
        assert error.error_message == "nobody can go there"


async def test_what_was_read_from_another_is_asked_for_and_kept(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    async with acquainted(tmp_path, hub) as (pi, attic):
        guid = await attic.add("one")
        await pi.until(lambda: pi.holds(guid))
        read = entity(pi, guid)
        assert read is not None
        pi.member.was_read(read)  # it is stored already
        await pi.collection.purge_entity_reference_copy(USER, read)
        pi.member.was_read(read)
        await pi.until(lambda: pi.holds(guid))
        assert instance_events(hub, "pi") == ["REFRESH_ENTITY_REQUEST"]
        assert instance_events(hub, "attic")[-1] == "REFRESHED_ENTITY_EVENT"


async def test_what_is_not_sent_is_not_complained_of_or_asked_for_either(
    tmp_path: Path,
) -> None:
    hub = MemoryTopics()
    nothing = ExchangeRule(OpenMetadataExchangeRule.REGISTRATION_ONLY)
    async with acquainted(tmp_path, hub, rules=ExchangeRules(send=nothing)) as (
        pi,
        _attic,
    ):
        hub.put(OmrsTopic.TYPES, another_type("attic-id"))
        ours = entity(pi, await pi.add("ours"))
        assert ours is not None
        forged = replace(ours, version=99)
        hub.put(OmrsTopic.INSTANCES, told_by("attic-id", forged))
        await pi.until(lambda: pi.member.outcomes[Outcome.REFUSED] == 2)
        pi.member.was_read(
            replace(remote_entity("theirs"), metadata_collection_id="attic-id")
        )
        await pi.until(lambda: not pi.member.is_busy)
        assert told_of(hub, OmrsTopic.TYPES, "pi") == []
        assert told_of(hub, OmrsTopic.INSTANCES, "pi") == []


async def test_nobody_is_asked_for_what_is_no_members(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with acquainted(tmp_path, hub) as (pi, _):
        await pi.until(lambda: pi.is_registered and not pi.member.is_busy)
        pi.member.was_read(remote_entity("stranger"))
        await pi.member.disconnect()
        pi.member.was_read(
            replace(remote_entity("away"), metadata_collection_id="attic-id")
        )
        await pi.member.connect()
        await pi.add("last")
        await pi.until(lambda: instance_events(hub, "pi"))
        assert instance_events(hub, "pi") == ["NEW_ENTITY_EVENT"]
