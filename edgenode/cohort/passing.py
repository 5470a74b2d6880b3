"""What a node has heard already, so that it heeds and passes on each message once."""

from collections import OrderedDict

from edgenode.limits import MAX_REMEMBERED_MESSAGES


class Heard:
    """Remembers the newest messages by their code."""

    def __init__(self) -> None:
        self._codes: OrderedDict[bytes, None] = OrderedDict()

    def is_new(self, code: bytes) -> bool:
        """Whether a message is heard for the first time; from then on it isn't."""
        if code in self._codes:
            return False
        self._codes[code] = None
        if len(self._codes) > MAX_REMEMBERED_MESSAGES:
            self._codes.popitem(last=False)
        return True
