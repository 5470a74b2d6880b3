"""The registration protocol: rule by rule, and by a network that does its worst."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import permutations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edgenode.cohort.model import MemberRecord, Standing
from edgenode.cohort.registry import (
    CohortRegistry,
    CollectionIdChangedError,
    Effect,
    NoteRemote,
    RemoveRemote,
    ReportClone,
    ReportComplaint,
    ReportConflict,
    ReportFull,
    SaveLocal,
    SaveRemote,
    Send,
)
from edgenode.connectors.repository import remote_connection
from edgenode.errors import BadRequestError
from edgenode.events.model import (
    EventError,
    InstanceEvent,
    OMRSEventErrorCode,
    OMRSEventOriginator,
    OMRSEventV1,
    OMRSInstanceEventType,
    RegistryEvent,
)
from edgenode.events.model import OMRSRegistryEventType as Kind
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.limits import (
    FORGOTTEN_AFTER_SECONDS,
    MAX_MEMBERS,
    MAX_OVERTAKINGS,
    REFRESH_ANSWER_MILLIS,
)

NOW = 1_795_226_772_501


def member(name: str, *, port: int = 9443) -> MemberRegistration:
    return MemberRegistration(
        metadata_collection_id=name,
        metadata_collection_name=f"{name} metadata",
        server_name=f"{name} server",
        server_type="Test",
        organization_name="home",
        repository_connection=remote_connection(f"https://{name}:{port}/servers/s"),
    )


def record(
    name: str, revision: int, *, node: str | None = None, registered: bool = True
) -> MemberRecord:
    return MemberRecord(
        node_id=node or f"node of {name}",
        revision=revision,
        registration=replace(member(name), registration_time=1 if registered else None),
        is_registered=registered,
    )


PI, HUB = member("pi"), member("hub")


def joined(*remote: MemberRecord, now: int = NOW) -> CohortRegistry:
    """The Pi's registry after it joined a cohort."""
    registry = CohortRegistry("node of pi", PI, remote=remote)
    registry.connect(now)
    return registry


def kinds(effects: Iterable[Effect]) -> list[object]:
    """Effects in short: an event's type, or the effect's class."""
    told: list[object] = []
    for effect in effects:
        if isinstance(effect, Send):
            section = effect.event.registry_event_section
            assert section is not None
            told.append(section.registry_event_type)
        else:
            told.append(type(effect))
    return told


def receive(
    registry: CohortRegistry, sender: CohortRegistry, effects: list[Effect], now: int
) -> list[Effect]:
    """What a registry does about what another one sends."""
    configured = sender._configured
    return [
        answer
        for effect in effects
        if isinstance(effect, Send)
        for answer in registry.receive(
            str(configured.metadata_collection_id),
            sender._node_id,
            effect.revision,
            effect.event,
            now,
            first_hand=True,
        )
    ]


# Joining, leaving and coming back


def test_a_member_registers_once() -> None:
    registry = CohortRegistry("node of pi", PI)
    first, save, refresh = registry.connect(NOW)
    registered = MemberRecord(
        node_id="node of pi",
        revision=NOW,
        registration=replace(PI, registration_time=NOW),
    )
    build = EventBuilder(originator_of(PI))
    event = build.registered(registered.registration, NOW, again=False)
    assert first == Send(event, NOW)
    assert save == SaveLocal(registered)
    assert refresh == Send(build.refresh_requested(NOW))
    assert registry.local == registered


def test_a_restart_keeps_the_time_of_the_first_registration() -> None:
    stored = joined().local
    registry = CohortRegistry("node of pi", PI, stored)
    effects = registry.connect(NOW + 50)
    assert kinds(effects) == [
        Kind.RE_REGISTRATION_EVENT,
        SaveLocal,
        Kind.REFRESH_REGISTRATION_REQUEST,
    ]
    assert registry.local is not None
    assert registry.local.registration.registration_time == NOW
    assert registry.local.revision == NOW + 50


def test_revisions_rise_where_the_clock_does_not() -> None:
    registry = CohortRegistry("node of pi", PI, joined().local)
    registry.connect(0)
    assert registry.local is not None
    assert registry.local.revision == NOW + 1
    assert kinds(registry.renew(member("pi", port=1), 0)) == [
        Kind.RE_REGISTRATION_EVENT,
        SaveLocal,
    ]
    assert registry.local.revision == NOW + 2
    registry.unregister(0)
    assert registry.local.revision == NOW + 3
    registry.connect(0)
    assert registry.local.revision == NOW + 4


def test_two_members_learn_of_each_other() -> None:
    pi, hub = CohortRegistry("n1", PI), CohortRegistry("n2", HUB)
    hub.connect(NOW)
    answers = receive(hub, pi, pi.connect(NOW + 1), NOW + 1)
    assert kinds(answers) == [SaveRemote, Kind.RE_REGISTRATION_EVENT]
    assert kinds(receive(pi, hub, answers, NOW + 2)) == [SaveRemote]
    assert pi.remote == {"hub": hub.local}
    assert hub.remote == {"pi": pi.local}


def test_a_refresh_is_answered_with_the_same_announcement() -> None:
    pi, hub = joined(), CohortRegistry("n2", HUB)
    asked = hub.connect(NOW)
    (answer,) = receive(pi, hub, asked[2:], NOW + 5)
    assert isinstance(answer, Send)
    assert pi.local is not None
    assert answer.revision == pi.local.revision
    hub.learn(pi.local, NOW, first_hand=True)
    assert receive(hub, pi, [answer], NOW + 6) == []


def test_refreshes_are_not_answered_all_the_time() -> None:
    pi, hub = joined(), CohortRegistry("n2", HUB)
    asked = hub.connect(NOW)[2:]
    assert len(receive(pi, hub, asked, NOW)) == 1
    assert receive(pi, hub, asked, NOW + REFRESH_ANSWER_MILLIS - 1) == []
    assert len(receive(pi, hub, asked, NOW + REFRESH_ANSWER_MILLIS)) == 1
    assert len(receive(pi, hub, asked, 0)) == 1  # the clock was put right


def test_echoes_are_passed_over() -> None:
    pi = CohortRegistry("node of pi", PI, joined(now=5).local)
    effects = pi.connect(NOW)
    assert receive(pi, pi, effects, NOW) == []
    before = record("pi", 5)
    assert pi.learn(before, NOW, first_hand=True) == []


def test_a_member_that_goes_says_nothing_and_hears_nothing() -> None:
    pi, hub = joined(record("hub", 1)), CohortRegistry("n2", HUB)
    assert pi.disconnect() == []
    assert receive(pi, hub, hub.connect(NOW), NOW) == []
    assert pi.renew(member("pi", port=1), NOW) == []
    assert pi.unreachable("hub", "no route", NOW) == []
    assert pi.standing is Standing.DISCONNECTED


def test_a_member_that_has_gone_can_leave_all_the_same() -> None:
    pi = joined(record("hub", 1))
    pi.disconnect()
    assert kinds(pi.unregister(NOW + 1)) == [
        Kind.UN_REGISTRATION_EVENT,
        SaveLocal,
        RemoveRemote,
    ]
    assert pi.disconnect() == []
    assert pi.standing is Standing.UNREGISTERED


def test_a_member_that_leaves_forgets_all() -> None:
    pi = joined(record("hub", 1), record("attic", 2))
    left, save, *forgotten = pi.unregister(NOW + 1)
    assert isinstance(left, Send)
    assert left.revision == NOW + 1
    assert kinds([left]) == [Kind.UN_REGISTRATION_EVENT]
    assert isinstance(save, SaveLocal)
    assert save.record is not None
    assert not save.record.is_registered
    assert save.record.registration.registration_time is None
    assert forgotten == [RemoveRemote("hub"), RemoveRemote("attic")]
    assert pi.remote == {}
    assert pi.unregister(NOW + 2) == []
    hub = CohortRegistry("n2", HUB)
    assert receive(pi, hub, hub.connect(NOW), NOW) == []


def test_a_member_that_left_registers_anew() -> None:
    pi = joined()
    pi.unregister(NOW + 1)
    again = CohortRegistry("node of pi", PI, pi.local)
    assert kinds(again.connect(NOW + 2))[0] is Kind.REGISTRATION_EVENT
    assert again.local is not None
    assert again.local.registration.registration_time == NOW + 2


def test_that_a_member_left_is_remembered() -> None:
    pi, hub = joined(), CohortRegistry("n2", HUB)
    announced = hub.connect(NOW)
    receive(pi, hub, announced, NOW)
    (saved,) = receive(pi, hub, hub.unregister(NOW + 1), NOW)
    assert saved == SaveRemote(pi.remote["hub"])
    assert not pi.remote["hub"].is_registered
    assert receive(pi, hub, announced[:1], NOW) == []
    assert not pi.remote["hub"].is_registered


def test_a_member_says_where_it_moved() -> None:
    pi = joined()
    moved = member("pi", port=1)
    send, save = pi.renew(moved, NOW + 1)
    assert isinstance(send, Send)
    section = send.event.registry_event_section
    assert section is not None
    assert section.remote_connection == moved.repository_connection
    assert section.registration_timestamp == NOW
    assert save == SaveLocal(pi.local)
    assert pi.renew(moved, NOW + 2) == []


def test_a_member_says_it_again_on_another_bus() -> None:
    pi, hub = joined(), CohortRegistry("n2", HUB)
    hub.connect(NOW)
    again = pi.announce(NOW + 1)
    assert kinds(again) == [Kind.RE_REGISTRATION_EVENT]
    assert kinds(receive(hub, pi, again, NOW + 1)) == [SaveRemote]
    assert hub.remote == {"pi": pi.local}
    assert receive(hub, pi, pi.announce(NOW + 2), NOW + 2) == []
    pi.disconnect()
    assert pi.announce(NOW + 3) == []


# Without a repository, or with another one


def test_a_server_without_a_repository_only_listens() -> None:
    listener = CohortRegistry("n3", MemberRegistration(server_name="listener"))
    hub = CohortRegistry("n2", HUB)
    assert listener.connect(NOW) == []
    assert kinds(receive(listener, hub, hub.connect(NOW), NOW)) == [SaveRemote]
    assert listener.remote == {"hub": hub.local}
    assert listener.unregister(NOW) == []
    assert listener.unreachable("hub", "no route", NOW) == []


def test_a_server_that_lost_its_repository_takes_it_out_of_the_cohort() -> None:
    bare = replace(PI, metadata_collection_id=None)
    registry = CohortRegistry("node of pi", bare, joined().local)
    left, save = registry.connect(NOW + 1)
    assert isinstance(left, Send)
    assert kinds([left]) == [Kind.UN_REGISTRATION_EVENT]
    assert left.event.originator == originator_of(PI)
    assert left.revision == NOW + 1
    assert save == SaveLocal(None)
    assert registry.local is None
    assert registry.connect(NOW + 2) == []


def test_another_collection_id_does_not_start() -> None:
    registry = CohortRegistry("node of pi", HUB, joined().local)
    with pytest.raises(CollectionIdChangedError, match=r"pi.*hub"):
        registry.connect(NOW)
    assert registry.learn(record("attic", 1), NOW, first_hand=True) == []


def test_another_collection_id_starts_after_the_first_left() -> None:
    pi = joined()
    pi.unregister(NOW + 1)
    registry = CohortRegistry("node of pi", HUB, pi.local)
    assert kinds(registry.connect(NOW + 2))[0] is Kind.REGISTRATION_EVENT


# Conflicts


def test_older_announcements_are_passed_over() -> None:
    pi = joined()
    for revision, effects in ((5, [SaveRemote]), (4, []), (5, []), (6, [SaveRemote])):
        assert kinds(pi.learn(record("hub", revision), NOW, first_hand=True)) == effects
    assert pi.remote == {"hub": record("hub", 6)}


@pytest.mark.parametrize("revision", [4, 5, 6])
def test_a_member_belongs_to_the_node_that_announced_it_first(revision: int) -> None:
    known, other = record("hub", 5), record("hub", revision, node="another")
    pi = joined(known)
    report, complaint = pi.learn(other, NOW, first_hand=True)
    assert report == ReportConflict(known, other)
    assert isinstance(complaint, Send)
    assert complaint.revision is None
    error = complaint.event.error_section
    assert error is not None
    assert error.error_code is OMRSEventErrorCode.CONFLICTING_COLLECTION_ID
    assert error.target_metadata_collection_id == "hub"
    # Counted, but not told again.
    assert pi.learn(other, NOW, first_hand=True) == [report]
    assert pi.learn(replace(other, is_registered=False), NOW, first_hand=True) == []
    assert pi.remote == {"hub": known}


def test_another_node_may_have_a_member_that_left() -> None:
    pi = joined(record("hub", 5, registered=False))
    moved = record("hub", 7, node="another")
    assert pi.learn(record("hub", 4, node="another"), NOW, first_hand=True) == []
    assert pi.learn(moved, NOW, first_hand=True) == [SaveRemote(moved)]
    # From before it left, by another way:
    assert pi.learn(record("hub", 3), NOW, first_hand=True) == []
    assert pi.remote == {"hub": moved}
    assert kinds(pi.learn(record("hub", 8), NOW, first_hand=True))[0] is ReportConflict


def test_another_node_may_have_a_member_whose_node_was_removed() -> None:
    pi = joined(record("hub", 5), record("attic", 5))
    assert pi.node_removed("node of hub") == [RemoveRemote("hub")]
    moved = record("hub", 1, node="another")
    assert pi.learn(moved, NOW, first_hand=True) == [SaveRemote(moved)]
    assert pi.remote == {"hub": moved, "attic": record("attic", 5)}


def test_whoever_has_this_members_id_on_another_node_is_reported() -> None:
    pi = joined()
    before = pi.local
    for revision in (1, NOW, NOW + 9):
        twin = record("pi", revision, node="another")
        assert pi.learn(twin, NOW, first_hand=True) == [ReportClone(twin)]
    assert pi.local == before


def test_a_member_that_came_from_another_node_goes_beyond_its_leaving() -> None:
    pi = joined()
    left = record("pi", NOW + 9, node="another", registered=False)
    assert kinds(pi.learn(left, NOW, first_hand=True)) == [
        Kind.RE_REGISTRATION_EVENT,
        SaveLocal,
    ]
    assert pi.local is not None
    assert pi.local.revision == NOW + 10
    assert pi.learn(replace(left, revision=NOW), NOW, first_hand=True) == []


def test_a_store_that_was_put_back_is_overtaken_once() -> None:
    pi = joined()
    assert kinds(pi.learn(record("pi", NOW + 9), NOW, first_hand=True)) == [
        Kind.RE_REGISTRATION_EVENT,
        SaveLocal,
    ]
    assert pi.local is not None
    assert pi.local.revision == NOW + 10
    assert pi.learn(record("pi", NOW + 9), NOW, first_hand=True) == []


def test_a_store_that_was_put_back_may_come_to_the_same_revision() -> None:
    pi = joined()
    assert pi.local is not None
    moved = replace(pi.local, registration=member("pi", port=1))
    assert kinds(pi.learn(moved, 0, first_hand=True)) == [
        Kind.RE_REGISTRATION_EVENT,
        SaveLocal,
    ]
    assert pi.local.revision == NOW + 1


def test_twins_on_one_key_are_noticed() -> None:
    one, other = joined(), joined(now=NOW + 1)
    assert other.local is not None
    effects = one.learn(other.local, NOW, first_hand=True)
    reports = 0
    for _ in range(3 * MAX_OVERTAKINGS):
        reports += kinds(effects).count(ReportClone)
        one, other = other, one
        if not any(isinstance(effect, Send) for effect in effects):
            break
        effects = receive(one, other, effects, NOW)
    assert reports == 1
    assert not any(isinstance(effect, Send) for effect in effects)


def test_a_revision_that_nothing_follows_is_not_overtaken() -> None:
    last = record("pi", 2**63 - 1)
    assert joined().learn(last, NOW, first_hand=True) == [ReportClone(last)]


# Complaints


def test_a_member_that_cannot_be_reached_is_told() -> None:
    pi = joined(record("hub", 5))
    (complaint,) = pi.unreachable("hub", "no route", NOW)
    assert isinstance(complaint, Send)
    assert complaint.revision is None
    connection = record("hub", 5).registration.repository_connection
    assert complaint.event == EventBuilder(originator_of(PI)).bad_remote_connection(
        "hub", connection, "no route", NOW
    )
    assert pi.unreachable("attic", "no route", NOW) == []


@pytest.mark.parametrize(
    ("code", "target", "is_told"),
    [
        (OMRSEventErrorCode.BAD_REMOTE_CONNECTION, "pi", True),
        (OMRSEventErrorCode.BAD_REMOTE_CONNECTION, "attic", False),
        (OMRSEventErrorCode.CONFLICTING_COLLECTION_ID, "pi", True),
        (OMRSEventErrorCode.CONFLICTING_COLLECTION_ID, "attic", True),
    ],
)
def test_complaints_are_reported(
    code: OMRSEventErrorCode, target: str, is_told: bool
) -> None:
    error = EventError(error_code=code, target_metadata_collection_id=target)
    section = RegistryEvent(registry_event_type=Kind.REGISTRATION_ERROR_EVENT)
    event = EventBuilder(originator_of(HUB)).event(section, NOW, error)
    effects = joined().receive("hub", "node of hub", None, event, NOW, first_hand=True)
    assert effects == ([ReportComplaint("hub", error)] if is_told else [])
    bare = replace(event, error_section=None)
    assert (
        joined().receive("hub", "node of hub", None, bare, NOW, first_hand=True) == []
    )


# What arrives is another's word


def announcement(kind: Kind, originator: str | None) -> OMRSEventV1:
    return OMRSEventV1(
        originator=OMRSEventOriginator(metadata_collection_id=originator),
        registry_event_section=RegistryEvent(registry_event_type=kind),
    )


@pytest.mark.parametrize(
    "kind",
    [Kind.REGISTRATION_EVENT, Kind.RE_REGISTRATION_EVENT, Kind.UN_REGISTRATION_EVENT],
)
def test_an_announcement_is_by_the_topics_member_and_has_a_revision(kind: Kind) -> None:
    registry = joined()
    for event, revision in (
        (announcement(kind, "attic"), 1),
        (announcement(kind, None), 1),
        (replace(announcement(kind, "hub"), originator=None), 1),
        (announcement(kind, "hub"), None),
    ):
        with pytest.raises(BadRequestError):
            registry.receive("hub", "n", revision, event, NOW, first_hand=True)
    assert registry.remote == {}
    effects = registry.receive(
        "hub", "n", 1, announcement(kind, "hub"), NOW, first_hand=True
    )
    assert kinds(effects) == [SaveRemote]


def test_other_events_say_nothing_about_members() -> None:
    registry = joined()
    section = InstanceEvent(event_type=OMRSInstanceEventType.NEW_ENTITY_EVENT)
    event = EventBuilder(originator_of(HUB)).event(section, NOW)
    with pytest.raises(BadRequestError):
        registry.receive("hub", "n", 1, event, NOW, first_hand=True)
    unknown = announcement(Kind.UNKNOWN_REGISTRY_EVENT, "hub")
    assert registry.receive("hub", "n", 1, unknown, NOW, first_hand=True) == []
    assert (
        registry.learn(
            replace(record("x", 1), registration=MemberRegistration()),
            1,
            first_hand=True,
        )
        == []
    )


def test_a_registry_has_an_end() -> None:
    full = [record(f"m{number}", number) for number in range(MAX_MEMBERS)]
    pi, one_more = joined(*full), record("one more", 1)
    assert pi.learn(one_more, NOW, first_hand=True) == [ReportFull(one_more)]
    assert pi.learn(replace(one_more, is_registered=False), NOW, first_hand=True) == []
    pi.learn(record("m7", NOW, registered=False), NOW, first_hand=True)
    pi.learn(record("m8", NOW - 1, registered=False), NOW, first_hand=True)
    assert pi.learn(one_more, NOW, first_hand=True) == [
        RemoveRemote("m8"),
        SaveRemote(one_more),
    ]
    assert len(pi.remote) == MAX_MEMBERS


# What others tell


def test_what_a_node_says_replaces_what_others_told() -> None:
    pi = joined()
    pi.learn(record("hub", 5), NOW, first_hand=True)
    lie = record("hub", 2**62, registered=False)
    assert pi.learn(lie, NOW, first_hand=False) == [SaveRemote(lie)]
    assert not pi.is_first_hand("hub")
    said = record("hub", 6)
    assert pi.learn(said, NOW, first_hand=False) == []
    assert pi.learn(said, NOW, first_hand=True) == [SaveRemote(said)]
    assert pi.is_first_hand("hub")
    assert pi.learn(record("hub", 5), NOW, first_hand=True) == []


def test_what_is_stored_may_be_old() -> None:
    pi = joined(record("hub", 9))
    assert not pi.is_first_hand("hub")
    said = record("hub", 6)
    assert pi.learn(said, NOW, first_hand=True) == [SaveRemote(said)]


def test_that_others_say_a_member_left_lets_nobody_else_have_it() -> None:
    pi = joined()
    known = record("hub", 5)
    pi.learn(known, NOW, first_hand=True)
    gone = record("hub", 6, registered=False)
    pi.learn(gone, NOW, first_hand=False)
    other = record("hub", 7, node="another")
    assert pi.learn(other, NOW, first_hand=True)[0] == ReportConflict(gone, other)
    back = record("hub", 6)
    assert pi.learn(back, NOW, first_hand=True) == [SaveRemote(back)]
    pi.learn(replace(gone, revision=8), NOW, first_hand=True)
    moved = replace(other, revision=9)
    assert pi.learn(moved, NOW, first_hand=True) == [SaveRemote(moved)]


def test_a_member_that_its_node_has_no_more_left() -> None:
    pi = joined()
    for name in ("hub", "attic"):
        pi.learn(record(name, 5, node="n"), NOW, first_hand=True)
    (saved,) = pi.node_has("n", {"attic", "x"})
    assert isinstance(saved, SaveRemote)
    assert not saved.record.is_registered
    assert pi.remote["attic"].is_registered
    assert pi.node_has("n", {"attic"}) == []
    back = record("hub", 5, node="n")
    assert pi.learn(back, NOW, first_hand=True) == [SaveRemote(back)]
    pi.node_has("n", {"attic"})
    moved = record("hub", 7, node="m")
    assert pi.learn(moved, NOW, first_hand=True) == [SaveRemote(moved)]


def test_who_is_only_told_of_is_not_stored() -> None:
    pi = joined()
    told = record("hub", 5)
    assert pi.learn(told, NOW, first_hand=False) == [NoteRemote(told)]
    assert pi.learn(told, NOW + 1, first_hand=False) == []
    assert pi.told == {"hub": told}
    assert pi.remote == {}
    age = int(FORGOTTEN_AFTER_SECONDS * 1000)
    assert not pi.forget_told(NOW + age - 1)
    assert pi.forget_told(NOW + age)
    assert pi.told == {}
    pi.learn(told, NOW, first_hand=False)
    assert pi.learn(told, NOW, first_hand=True) == [SaveRemote(told)]
    assert pi.told == {}
    pi.learn(record("x", 1, node="n"), NOW, first_hand=False)
    pi.node_removed("n")
    assert pi.told == {}


def test_there_is_room_for_so_many_who_are_told_of() -> None:
    pi = joined(*(record(f"m{number}", 1) for number in range(MAX_MEMBERS - 2)))
    for number in range(5):
        pi.learn(record(f"t{number}", 1), NOW, first_hand=False)
    assert set(pi.told) == {"t3", "t4"}


# A network that loses, repeats and reorders, and nodes that stop, go back in time and
# are put back to an earlier state.

NAMES = ("pi", "hub", "attic")
LISTENER = "listener"
ALL = (*NAMES, LISTENER)


@dataclass
class Stored:
    """What a member has on its disk."""

    local: MemberRecord | None = None
    remote: dict[str, MemberRecord] = field(default_factory=dict)

    def copy(self) -> "Stored":
        return Stored(self.local, dict(self.remote))


@dataclass(frozen=True)
class Letter:
    """A message to one member."""

    to: str
    sender: str
    send: Send


class Cohort(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.disks = {name: Stored() for name in ALL}
        self.backups: dict[str, Stored] = {}
        self.running: dict[str, CohortRegistry] = {}
        self.letters: list[Letter] = []
        self.port = 9443

    def configured(self, name: str) -> MemberRegistration:
        if name == LISTENER:
            return MemberRegistration(server_name=name)
        return member(name, port=self.port)

    def perform(self, name: str, effects: Iterable[Effect]) -> None:
        disk = self.disks[name]
        for effect in effects:
            match effect:
                case Send():
                    self.letters.extend(
                        Letter(to, name, effect) for to in ALL if to != name
                    )
                case SaveLocal(local):
                    assert local is not None
                    assert disk.local is None or local.revision > disk.local.revision
                    disk.local = local
                case SaveRemote(other):
                    key = str(other.registration.metadata_collection_id)
                    assert disk.remote.get(key) != other
                    disk.remote[key] = other
                case RemoveRemote(collection_id):
                    del disk.remote[collection_id]
                case NoteRemote():
                    pass  # nothing is stored
                case ReportClone():
                    pass  # many overtakings of the same past look alike
                case _:
                    raise AssertionError(effect)

    names = st.sampled_from(ALL)

    @rule(name=names)
    def start(self, name: str) -> None:
        disk = self.disks[name].copy()
        registry = CohortRegistry(
            f"node of {name}",
            self.configured(name),
            disk.local,
            disk.remote.values(),
        )
        self.running[name] = registry
        self.perform(name, registry.connect(self.now))

    @rule(name=names)
    def stop(self, name: str) -> None:
        if name in self.running:
            self.perform(name, self.running.pop(name).disconnect())

    @rule(name=st.sampled_from(NAMES))
    def unregister(self, name: str) -> None:
        local = self.disks[name].local
        if name not in self.running or local is None:
            return
        # Whoever leaves just after its store was put back leaves too early.
        if self.is_newest(local):
            self.perform(name, self.running[name].unregister(self.now))

    def is_newest(self, local: MemberRecord) -> bool:
        """Whether nobody knows more of a member than it does itself."""
        name = str(local.registration.metadata_collection_id)
        known = [disk.remote.get(name) for disk in self.disks.values()]
        return all(each is None or each.revision <= local.revision for each in known)

    @rule(name=st.sampled_from(NAMES))
    def move(self, name: str) -> None:
        self.port += 1
        if name in self.running:
            effects = self.running[name].renew(self.configured(name), self.now)
            self.perform(name, effects)

    @rule(passed=st.integers(-10_000, 10_000))
    def pass_time(self, passed: int) -> None:
        self.now = max(0, self.now + passed)

    @rule(name=names)
    def back_up(self, name: str) -> None:
        self.backups[name] = self.disks[name].copy()

    @rule(name=names)
    def put_back(self, name: str) -> None:
        if name in self.backups:
            self.running.pop(name, None)
            self.disks[name] = self.backups[name].copy()

    def deliver(self, letter: Letter) -> None:
        registry = self.running.get(letter.to)
        if registry is not None:
            send = letter.send
            local = self.disks[letter.sender].local
            effects = registry.receive(
                letter.sender,
                f"node of {letter.sender}",
                send.revision,
                send.event,
                self.now,
                # What comes late comes by way of others.
                first_hand=local is not None and local.revision == send.revision,
            )
            self.perform(letter.to, effects)

    @precondition(lambda self: self.letters)
    @rule(data=st.data(), is_kept=st.booleans(), is_lost=st.booleans())
    def network(self, data: st.DataObject, is_kept: bool, is_lost: bool) -> None:
        place = data.draw(st.integers(0, len(self.letters) - 1))
        letter = self.letters[place] if is_kept else self.letters.pop(place)
        if not is_lost:
            self.deliver(letter)

    @precondition(lambda self: self.letters)
    @rule()
    def deliver_all(self) -> None:
        letters, self.letters = self.letters, []
        for letter in letters:
            self.deliver(letter)

    def told(self, name: str) -> Iterator[tuple[MemberRecord, bool]]:
        """What a node tells of members, and whether they are its own."""
        disk = self.disks[name]
        if disk.local is not None:
            yield disk.local, True
        for each in list(disk.remote.values()):
            yield each, False

    @rule(one=names, other=names)
    def tell(self, one: str, other: str) -> None:
        if one != other and other in self.running:
            for each, is_own in self.told(one):
                effects = self.running[other].learn(each, self.now, first_hand=is_own)
                self.perform(other, effects)

    @invariant()
    def disks_have_what_registries_know(self) -> None:
        for name, registry in self.running.items():
            assert registry.local == self.disks[name].local
            assert registry.remote == self.disks[name].remote

    def teardown(self) -> None:
        """Once all run and speak with each other, all know all."""
        for name in ALL:
            local = self.disks[name].local
            has_left = local is not None and not local.is_registered
            if has_left and local is not None and self.is_newest(local):
                continue
            if name not in self.running or has_left:
                self.start(name)
        for _ in range(2 * len(ALL)):
            before = [disk.copy() for disk in self.disks.values()]
            for one, other in permutations(ALL, 2):
                self.tell(one, other)
            if before == list(self.disks.values()):
                break
        else:
            raise AssertionError("they never come to an end")
        for name, other in permutations(ALL, 2):
            if other == LISTENER or self.disks[other].local is None:
                continue
            registry = self.running.get(name)
            local = self.disks[name].local
            if registry is not None and (
                name == LISTENER or (local is not None and local.is_registered)
            ):
                assert self.disks[name].remote.get(other) == self.disks[other].local
                assert other not in registry.told


TestCohort = Cohort.TestCase
TestCohort.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
