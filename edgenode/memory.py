"""Memory that the C library keeps for later, and the system could use now."""

import ctypes


def give_back() -> bool:
    """Give free memory back to the system; takes some milliseconds.

    After much work glibc keeps some 15 MB of it for more work of the kind, which a quiet
    node may not see again for days.

    Returns:
        Whether there was any, and the C library is one that can.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
