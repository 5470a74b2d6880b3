"""The registration protocol of genuine members, rule by rule."""

from dataclasses import replace

import pytest

from edgenode.connectors.repository import remote_connection
from edgenode.errors import BadRequestError
from edgenode.events.model import (
    EventError,
    OMRSEventErrorCode,
    OMRSEventOriginator,
    OMRSEventV1,
)
from edgenode.events.model import OMRSRegistryEventType as Kind
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.kafka_cohort.registry import (
    Effect,
    ForgetRegistration,
    KafkaRegistry,
    NoteReturn,
    RemoveRemote,
    ReportClaim,
    ReportComplaint,
    ReportFull,
    SaveRemote,
    Send,
)
from edgenode.limits import CLAIM_ANSWER_SECONDS, MAX_MEMBERS

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


PI, HUB = member("pi"), member("hub")
SENSOR = replace(member("sensor"), registration_time=NOW - 5)


def joined(*, since: int | None = None) -> KafkaRegistry:
    registry = KafkaRegistry(PI, since)
    registry.connect(NOW)
    return registry


def said(effects: list[Effect]) -> list[tuple[str | None, Kind]]:
    """What is sent: by whom, and what."""
    found = []
    for effect in effects:
        if isinstance(effect, Send):
            sender = effect.event.originator or OMRSEventOriginator()
            section = effect.event.registry_event_section
            assert section is not None
            found.append((sender.metadata_collection_id, section.registry_event_type))
    return found


def events(effects: list[Effect]) -> list[OMRSEventV1]:
    return [effect.event for effect in effects if isinstance(effect, Send)]


def registration(of: MemberRegistration, *, again: bool = False) -> OMRSEventV1:
    told = replace(of, registration_time=NOW)
    return EventBuilder(originator_of(of)).registered(told, NOW, again=again)


def test_the_first_time_it_registers_and_then_asks_who_is_there() -> None:
    registry = KafkaRegistry(PI, None)
    effects = registry.connect(NOW)
    assert said(effects) == [
        ("pi", Kind.REGISTRATION_EVENT),
        (None, Kind.REFRESH_REGISTRATION_REQUEST),
    ]
    first = effects[0]
    assert isinstance(first, Send)
    assert first.registers_at == NOW
    section = first.event.registry_event_section
    assert section is not None
    assert section.registration_timestamp == NOW
    assert section.remote_connection == PI.repository_connection


def test_after_a_start_it_says_so_again_with_the_first_time() -> None:
    registry = KafkaRegistry(PI, NOW - 77)
    effects = registry.connect(NOW)
    assert said(effects)[0] == ("pi", Kind.RE_REGISTRATION_EVENT)
    first = effects[0]
    assert isinstance(first, Send)
    assert first.registers_at is None
    section = first.event.registry_event_section
    assert section is not None
    assert section.registration_timestamp == NOW - 77


@pytest.mark.parametrize("again", [False, True])
def test_whoever_registers_is_remembered_and_not_answered(again: bool) -> None:
    registry = joined()
    effects = registry.receive(registration(HUB, again=again), NOW)
    told = replace(HUB, registration_time=NOW)
    assert effects == [SaveRemote(told, is_new=True)]
    assert registry.remote == {"hub": told}


def test_a_new_address_replaces_the_old_one_and_the_same_changes_nothing() -> None:
    registry = joined()
    registry.receive(registration(HUB), NOW)
    assert registry.receive(registration(HUB), NOW) == [NoteReturn("hub")]
    moved = member("hub", port=1)
    (effect,) = registry.receive(registration(moved, again=True), NOW)
    assert effect == SaveRemote(replace(moved, registration_time=NOW), is_new=False)


def test_each_request_is_answered() -> None:
    registry = joined()
    request = EventBuilder(originator_of(HUB)).refresh_requested(NOW)
    for _ in range(2):
        assert said(registry.receive(request, NOW)) == [
            ("pi", Kind.RE_REGISTRATION_EVENT)
        ]


def test_whoever_leaves_is_forgotten() -> None:
    registry = joined()
    registry.receive(registration(HUB), NOW)
    left = EventBuilder(originator_of(HUB)).unregistered(HUB, NOW)
    assert registry.receive(left, NOW) == [RemoveRemote("hub")]
    assert registry.receive(left, NOW) == []


def test_disconnected_it_hears_and_answers_nothing() -> None:
    registry = joined()
    registry.disconnect()
    request = EventBuilder(originator_of(HUB)).refresh_requested(NOW)
    assert registry.receive(request, NOW) == []
    assert registry.receive(registration(HUB), NOW) == []
    assert said(registry.connect(NOW))[0] == ("pi", Kind.RE_REGISTRATION_EVENT)


def test_unregistered_it_forgets_everybody_and_can_register_again() -> None:
    registry = joined()
    registry.receive(registration(HUB), NOW)
    effects = registry.unregister(NOW)
    assert said(effects) == [("pi", Kind.UN_REGISTRATION_EVENT)]
    assert effects[1:] == [ForgetRegistration(), RemoveRemote("hub")]
    assert registry.unregister(NOW) == []
    assert said(registry.connect(NOW))[0] == ("pi", Kind.REGISTRATION_EVENT)


def test_a_server_with_our_collection_id_is_told_of_once_for_each_address() -> None:
    registry = joined()
    other = replace(member("pi", port=7), server_name="twin")
    effects = registry.receive(registration(other), NOW)
    assert said(effects) == [
        ("pi", Kind.REGISTRATION_ERROR_EVENT),
        ("pi", Kind.RE_REGISTRATION_EVENT),
    ]
    (send, _, report) = effects
    assert isinstance(send, Send)
    error = send.event.error_section
    assert error is not None
    assert error.error_code is OMRSEventErrorCode.CONFLICTING_COLLECTION_ID
    assert error.target_metadata_collection_id == "pi"
    assert isinstance(report, ReportClaim)
    assert registry.receive(registration(other), NOW) == []
    assert registry.remote == {}


def test_what_it_said_before_its_store_was_put_back_is_no_claim() -> None:
    registry = KafkaRegistry(PI, NOW - 9)
    registry.speak_for([SENSOR], NOW)
    registry.connect(NOW + 1)
    assert registry.receive(registration(PI), NOW + 1) == []
    left = EventBuilder(originator_of(PI)).unregistered(PI, NOW)
    assert registry.receive(left, NOW + 1) == []
    build = EventBuilder(originator_of(SENSOR))
    former = build.registered(SENSOR, NOW, again=False)
    assert registry.receive(former, NOW + 1) == []
    assert set(registry.spoken_for) == {"sensor"}
    assert registry.remote == {}


def test_a_claim_that_comes_again_is_answered_now_and_then() -> None:
    # Each time genuine members take it for our new address; two that do so, and answer
    # each other at once, would never end.
    registry = joined()
    other = registration(replace(member("pi", port=7), server_name="twin"))
    registry.receive(other, NOW)
    later = NOW + int(CLAIM_ANSWER_SECONDS * 1000)
    assert registry.receive(other, later - 1) == []
    assert said(registry.receive(other, later)) == [("pi", Kind.RE_REGISTRATION_EVENT)]
    assert registry.receive(other, later) == []
    backwards = registry.receive(other, NOW)  # a clock that was put right
    assert said(backwards) == [("pi", Kind.RE_REGISTRATION_EVENT)]


def test_whoever_has_us_leave_is_contradicted() -> None:
    registry = joined()
    twin = replace(member("pi", port=7), server_name="twin")
    left = EventBuilder(originator_of(twin)).unregistered(twin, NOW)
    for _ in range(2):
        effects = registry.receive(left, NOW)
        assert said(effects) == [("pi", Kind.RE_REGISTRATION_EVENT)]
    assert registry.local.registration_time == NOW


def test_complaints_of_others_about_us_are_told() -> None:
    registry = joined()
    build = EventBuilder(originator_of(HUB))
    about_us = build.bad_remote_connection("pi", None, "no", NOW)
    about_another = build.bad_remote_connection("sensor", None, "no", NOW)
    (effect,) = registry.receive(about_us, NOW)
    assert effect == ReportComplaint("hub", about_us.error_section or EventError())
    assert registry.receive(about_another, NOW) == []


def test_a_connection_that_is_of_no_use_is_complained_of() -> None:
    registry = joined()
    assert registry.unreachable("hub", "no", NOW) == []
    registry.receive(registration(HUB), NOW)
    (effect,) = registry.unreachable("hub", "no", NOW)
    assert isinstance(effect, Send)
    error = effect.event.error_section
    assert error is not None
    assert error.error_code is OMRSEventErrorCode.BAD_REMOTE_CONNECTION
    assert error.target_remote_connection == HUB.repository_connection


def test_members_are_bounded() -> None:
    registry = joined()
    for number in range(MAX_MEMBERS):
        registry.receive(registration(member(f"m{number}")), NOW)
    (effect,) = registry.receive(registration(HUB), NOW)
    assert isinstance(effect, ReportFull)
    assert len(registry.remote) == MAX_MEMBERS


def test_an_event_that_names_no_collection_is_refused() -> None:
    registry = joined()
    event = replace(registration(HUB), originator=OMRSEventOriginator())
    with pytest.raises(BadRequestError):
        registry.receive(event, NOW)
    with pytest.raises(BadRequestError):
        registry.receive(OMRSEventV1(), NOW)


# A bridge


def test_it_registers_whom_it_speaks_for_and_has_them_leave() -> None:
    registry = joined()
    assert said(registry.speak_for([SENSOR], NOW)) == [
        ("sensor", Kind.REGISTRATION_EVENT)
    ]
    assert registry.spoken_for == {"sensor": SENSOR}
    assert registry.speak_for([SENSOR], NOW) == []
    renamed = replace(SENSOR, server_name="other")
    assert said(registry.speak_for([renamed], NOW)) == [
        ("sensor", Kind.RE_REGISTRATION_EVENT)
    ]
    assert said(registry.speak_for([], NOW)) == [("sensor", Kind.UN_REGISTRATION_EVENT)]


def test_it_answers_for_them_and_leaves_with_them() -> None:
    registry = joined()
    registry.speak_for([SENSOR], NOW)
    request = EventBuilder(originator_of(HUB)).refresh_requested(NOW)
    both = [
        ("pi", Kind.RE_REGISTRATION_EVENT),
        ("sensor", Kind.RE_REGISTRATION_EVENT),
    ]
    assert said(registry.receive(request, NOW)) == both
    assert said(registry.connect(NOW)) == [
        *both,
        (None, Kind.REFRESH_REGISTRATION_REQUEST),
    ]
    assert said(registry.unregister(NOW)) == [
        ("sensor", Kind.UN_REGISTRATION_EVENT),
        ("pi", Kind.UN_REGISTRATION_EVENT),
    ]


def test_who_is_gone_for_good_is_forgotten_until_it_registers_again() -> None:
    registry = joined()
    registry.receive(registration(HUB), NOW)
    assert registry.forget("hub", NOW) == [RemoveRemote("hub")]
    assert registry.remote == {}
    assert registry.forget("hub", NOW) == []
    assert registry.forget("pi", NOW) == []
    (saved,) = registry.receive(registration(HUB, again=True), NOW)
    assert isinstance(saved, SaveRemote)


def test_whom_another_bridge_registered_is_left_to_it_until_it_lets_go() -> None:
    registry = joined()
    registry.receive(registration(SENSOR), NOW)
    assert registry.speak_for([SENSOR], NOW) == []
    left = EventBuilder(originator_of(SENSOR)).unregistered(SENSOR, NOW)
    effects = registry.receive(left, NOW)
    assert said(effects) == [("sensor", Kind.REGISTRATION_EVENT)]


def test_whom_another_one_registers_later_is_spoken_for_by_that_one() -> None:
    registry = joined()
    registry.speak_for([SENSOR], NOW)
    registry.receive(registration(SENSOR), NOW)
    assert registry.spoken_for == {}
    assert registry.speak_for([SENSOR], NOW) == []


def bridged(of: MemberRegistration, host: str) -> MemberRegistration:
    """A member as a bridge registers it."""
    address = f"https://{host}/servers/{of.metadata_collection_id}"
    return replace(of, repository_connection=remote_connection(address))


def test_of_two_bridges_that_register_one_at_once_one_speaks_for_it() -> None:
    one, other = joined(), KafkaRegistry(HUB, None)
    other.connect(NOW)
    bridges = {one: bridged(SENSOR, "a"), other: bridged(SENSOR, "b")}
    on_topic = {
        bridge: events(bridge.speak_for([sensor], NOW))
        for bridge, sensor in bridges.items()
    }
    # Each reads what the other one said, after it spoke itself, until nobody says more.
    while any(on_topic.values()):
        heard = {one: on_topic[other], other: on_topic[one]}
        on_topic = {
            bridge: [
                told
                for event in heard[bridge]
                for told in events(bridge.receive(event, NOW))
            ]
            for bridge in bridges
        }
    assert set(one.spoken_for) == {"sensor"}
    assert set(other.spoken_for) == set()
    assert other.remote["sensor"] == bridges[one]
    # Who asks is answered by the one that was heard last.
    request = EventBuilder(originator_of(HUB)).refresh_requested(NOW)
    assert ("sensor", Kind.RE_REGISTRATION_EVENT) in said(one.receive(request, NOW))
    assert ("sensor", Kind.RE_REGISTRATION_EVENT) not in said(
        other.receive(request, NOW)
    )


def test_a_member_that_registers_itself_is_left_to_itself() -> None:
    registry = joined()
    registry.speak_for([bridged(SENSOR, "a")], NOW)
    registry.receive(registration(SENSOR), NOW)
    assert registry.spoken_for == {}


def test_whoever_has_a_member_leave_that_it_speaks_for_is_contradicted() -> None:
    registry = joined()
    registry.speak_for([SENSOR], NOW)
    left = EventBuilder(originator_of(SENSOR)).unregistered(SENSOR, NOW)
    effects = registry.receive(left, NOW)
    assert said(effects) == [("sensor", Kind.RE_REGISTRATION_EVENT)]
    assert set(registry.spoken_for) == {"sensor"}


def test_before_it_is_connected_it_speaks_for_nobody() -> None:
    registry = KafkaRegistry(PI, None)
    assert registry.speak_for([SENSOR], NOW) == []
    assert said(registry.connect(NOW)) == [
        ("pi", Kind.REGISTRATION_EVENT),
        ("sensor", Kind.REGISTRATION_EVENT),
        (None, Kind.REFRESH_REGISTRATION_REQUEST),
    ]
