"""What the answer to a question about events or states consists of, frame by frame."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventFrame:
    """One event of the history, as the JSON that was or would have been published."""

    after: int
    sequence: int
    event: bytes


@dataclass(frozen=True, slots=True)
class EndFrame:
    """All there is for now has been told, up to this number."""

    sequence: int


@dataclass(frozen=True, slots=True)
class ResetFrame:
    """The history doesn't go back that far: compare digests, then go on from here."""

    incarnation: str
    sequence: int


HistoryFrame = EventFrame | EndFrame | ResetFrame


@dataclass(frozen=True, slots=True)
class StateFrame:
    """One instance as the member has it; no ``document`` means that it has none.

    Attributes:
        guid: The instance's.
        kind: The bean's class name: EntityDetail, EntityProxy or Relationship.
        document: Its JSON.
    """

    guid: str
    kind: str = ""
    document: bytes = b""


Frame = HistoryFrame | StateFrame
