"""What Python and the C library are told about the process's memory."""

import ctypes
import gc


def keep_what_is_there() -> None:
    """Have the garbage collector pass over all that there is now, for good.

    What a node has made until it is ready, some 100,000 objects of types and code, stays
    as long as the process. To look through it again and again took a tenth to a fifth of
    an answer of thousands of instances.
    """
    gc.collect()
    gc.freeze()


def give_back() -> bool:
    """Give memory that the C library keeps for later back to the system.

    It takes some milliseconds. After much work glibc keeps some 15 MB of it for more work
    of the kind, which a quiet node may not see again for days.

    Returns:
        Whether there was any, and the C library is one that can.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
