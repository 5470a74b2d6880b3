"""The members of this node, taken together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from edgenode.cohort.envelope import Header, TopicKind
from edgenode.cohort.member import CohortMember
from edgenode.cohort.model import Mark, MemberRecord


class OwnMembers:
    """Hears as one what is for all of them, and tells what any of them knows."""

    def __init__(self, members: Sequence[CohortMember]) -> None:
        self._members = tuple(members)

    def __iter__(self) -> Iterator[CohortMember]:
        return iter(self._members)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that needn't wait for others."""
        return any(member.is_busy for member in self._members)

    @property
    def ids(self) -> frozenset[str]:
        """Their collection ids."""
        return frozenset(member.collection_id for member in self._members)

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
        for member in self._members:
            if member.collection_id == collection_id and kind is not _OF_EARLIER_RUNS:
                continue
            if kind in (TopicKind.REGISTRATION, TopicKind.REQUESTS):
                member.hear_registry(
                    collection_id, header, event, first_hand=first_hand
                )
            elif header.step is not None:
                member.hear_event(collection_id, header.step, event)
            else:
                member.hear_error(collection_id, event)

    # what they know

    def records(self) -> Mapping[str, MemberRecord]:
        """All members that are known, by collection id, own ones included.

        Those that only others have told of are among them.
        """
        return _newest(member.records() for member in self._members)

    def met_records(self) -> Mapping[str, MemberRecord]:
        """Those that their nodes have told of themselves, own ones included."""
        return _newest(member.met_records() for member in self._members)

    def is_first_hand(self, collection_id: str) -> bool:
        """Whether what is known of another member is what its node said last itself."""
        return any(member.is_first_hand(collection_id) for member in self._members)

    def record(self, collection_id: str) -> MemberRecord | None:
        """One of them; a message is no occasion to look through all."""
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


_OF_EARLIER_RUNS = TopicKind.REGISTRATION
"""A member hears its own registrations, too: it tells those of an earlier run from what a
twin says."""
