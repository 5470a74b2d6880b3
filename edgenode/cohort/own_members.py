"""The members of this node, taken together."""

from collections.abc import Iterator, Mapping, Sequence

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

    def deliver(
        self, kind: TopicKind, collection_id: str, header: Header, event: bytes
    ) -> None:
        """Hand all but the sender itself what a member sent.

        Raises:
            BadRequestError: It can't be read.
        """
        for member in self._members:
            if member.collection_id == collection_id and kind is not _OF_EARLIER_RUNS:
                continue
            if kind in (TopicKind.REGISTRATION, TopicKind.REQUESTS):
                member.hear_registry(collection_id, header.node, header.revision, event)
            elif header.step is not None:
                member.hear_event(collection_id, header.step, event)
            else:
                member.hear_error(collection_id, event)

    # what they know

    def records(self) -> Mapping[str, MemberRecord]:
        """All members that are known, by collection id, own ones included."""
        found: dict[str, MemberRecord] = {}
        for member in self._members:
            for collection_id, record in member.records().items():
                known = found.get(collection_id)
                if known is None or known.revision < record.revision:
                    found[collection_id] = record
        return found

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


_OF_EARLIER_RUNS = TopicKind.REGISTRATION
"""A member hears its own registrations, too: it tells those of an earlier run from what a
twin says."""
