"""The members of this node, its guests among them, taken together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from edgenode.cohort.envelope import Header, TopicKind
from edgenode.cohort.guest import Guest
from edgenode.cohort.member import CohortMember
from edgenode.cohort.model import Mark, MemberRecord


class OwnMembers:
    """Hears as one what is for all of them, and tells what any of them knows."""

    def __init__(
        self,
        members: Sequence[CohortMember],
        guests: Mapping[str, Guest] = MappingProxyType({}),
    ) -> None:
        self._members = tuple(members)
        self.guests = guests

    def __iter__(self) -> Iterator[CohortMember]:
        return iter(self._members)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that needn't wait for others."""
        return any(member.is_busy for member in self._members) or any(
            guest.is_busy for guest in self.guests.values()
        )

    @property
    def ids(self) -> frozenset[str]:
        """Their collection ids."""
        own = (member.collection_id for member in self._members)
        return frozenset((*own, *self.guests))

    def deliver(
        self,
        kind: TopicKind,
        collection_id: str,
        header: Header,
        event: bytes,
        *,
        first_hand: bool,
    ) -> None:
        """Hand all but the sender itself what a member sent.

        Raises:
            BadRequestError: It can't be read.
        """
        if kind in _OF_REGISTRY:
            for key, guest in self.guests.items():
                if key == collection_id or kind is TopicKind.REQUESTS:
                    guest.hear_registry(
                        collection_id, header, event, first_hand=first_hand
                    )
        for member in self._members:
            if member.collection_id == collection_id and kind is not _OF_EARLIER_RUNS:
                continue
            if kind in _OF_REGISTRY:
                member.hear_registry(
                    collection_id, header, event, first_hand=first_hand
                )
            elif header.step is not None:
                member.hear_event(collection_id, header.step, event)
            else:
                member.hear_error(collection_id, event)

    def hear_of_guest(self, record: MemberRecord, *, first_hand: bool) -> None:
        """A node told of a member, which may be a guest of this one."""
        key = str(record.registration.metadata_collection_id)
        guest = self.guests.get(key)
        if guest is not None:
            guest.hear_record(record, first_hand=first_hand)

    # what they know

    def records(self) -> Mapping[str, MemberRecord]:
        """All members that are known, by collection id, own ones included.

        Those that only others have told of are among them.
        """
        found = _newest(member.records() for member in self._members)
        return {**found, **self._guest_records()}

    def met_records(self) -> Mapping[str, MemberRecord]:
        """Those that their nodes have told of themselves, own ones included."""
        found = _newest(member.met_records() for member in self._members)
        return {**found, **self._guest_records()}

    def _guest_records(self) -> Mapping[str, MemberRecord]:
        return {key: guest.record for key, guest in self.guests.items()}

    def is_first_hand(self, collection_id: str) -> bool:
        """Whether what is known of another member is what its node said last itself."""
        return any(member.is_first_hand(collection_id) for member in self._members)

    def record(self, collection_id: str) -> MemberRecord | None:
        """One of them; a message is no occasion to look through all."""
        guest = self.guests.get(collection_id)
        if guest is not None:
            return guest.record
        found: MemberRecord | None = None
        for member in self._members:
            record = member.record(collection_id)
            if record and (found is None or found.revision < record.revision):
                found = record
        return found

    def marks(self) -> Sequence[Mark]:
        """How far the events of own members go, and of those that they follow."""
        found: dict[str, Mark] = {}
        for member in self._members:
            for mark in member.marks():
                known = found.get(mark.metadata_collection_id)
                if known is None or known.sequence < mark.sequence:
                    found[mark.metadata_collection_id] = mark
        guests = {key: guest.mark() for key, guest in self.guests.items()}
        found |= {key: mark for key, mark in guests.items() if mark is not None}
        return list(found.values())


def _newest(
    several: Iterable[Mapping[str, MemberRecord]],
) -> Mapping[str, MemberRecord]:
    found: dict[str, MemberRecord] = {}
    for records in several:
        for collection_id, record in records.items():
            known = found.get(collection_id)
            if known is None or known.revision < record.revision:
                found[collection_id] = record
    return found


_OF_REGISTRY = frozenset({TopicKind.REGISTRATION, TopicKind.REQUESTS})

_OF_EARLIER_RUNS = TopicKind.REGISTRATION
"""A member hears its own registrations, too: it tells those of an earlier run from what a
twin says."""
