"""Who took part in an answer that the whole cohort was asked for.

Whoever asks puts a ``Participation`` into ``current`` for the time of the call; the
enterprise collection writes into it, and a local one leaves it as it is.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Participation:
    """What an answer of the cohort rests on.

    Attributes:
        seconds: How long the members may take; 0 asks this member alone. None, and
            anything longer than ``limits.FEDERATION_SECONDS``, means that time.
        answered: The members that answered, by collection id, this one included; those
            that answered with an error, too.
        missing: The members that didn't, by collection id, and why.
        copies: The instances in the answer that come from copies because their home is
            missing: GUID and the home's collection id.
        alone: Why no other member was asked, where this one takes no part in the cohort;
            else empty.
    """

    seconds: float | None = None
    answered: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    alone: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether every member answered."""
        return not self.missing


current: ContextVar[Participation | None] = ContextVar("participation", default=None)
"""The participation of the call that is being answered."""
