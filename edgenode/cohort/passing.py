"""What a node has heard already, so that it heeds and passes on each message once.

A message that is forgotten while it is on its way goes round for ever: it comes back, is
news again, and passed on. So each is remembered for longer than any way takes, and what
there is no room to remember isn't passed on.
"""

from collections import OrderedDict

from edgenode.limits import MAX_REMEMBERED_MESSAGES, REMEMBERED_SECONDS


class Heard:
    """Remembers messages by their code, as many as there is room for."""

    def __init__(self) -> None:
        self._codes: OrderedDict[bytes, float] = OrderedDict()

    def is_new(self, code: bytes) -> bool:
        """Whether a message wasn't heard before, as far as is remembered."""
        return code not in self._codes

    def remember(self, code: bytes, now: float) -> bool:
        """Know a message again from now on; False where too many others came lately.

        Args:
            code: What tells it from all others.
            now: Monotonic seconds.
        """
        while len(self._codes) >= MAX_REMEMBERED_MESSAGES:
            if now - next(iter(self._codes.values())) < REMEMBERED_SECONDS:
                return False
            self._codes.popitem(last=False)
        self._codes[code] = now
        return True
