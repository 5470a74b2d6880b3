"""What can go wrong with the genuine programs."""


class HarnessError(Exception):
    """A genuine program can't be built, started or configured; the text says why."""


class EgeriaError(Exception):
    """Egeria refused a request.

    Attributes:
        code: The HTTP code that stands in its answer.
        message_id: Of its message, such as ``OMRS-REPOSITORY-404-002``; may be empty.
    """

    def __init__(self, code: int, message_id: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.message_id = message_id
