"""The ids by which instances and their homes are found."""

from edgenode.limits import MAX_FRAME_TEXT_BYTES


def is_id(text: str | None) -> bool:
    """Whether a text can be an id; one that nodes couldn't tell each other is none."""
    return text is not None and len(text.encode()) <= MAX_FRAME_TEXT_BYTES
