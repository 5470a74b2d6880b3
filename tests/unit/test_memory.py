"""What is free is given back to the system, and what stays is left alone."""

import gc
import platform

import pytest

from edgenode.memory import give_back, keep_what_is_there


def test_free_memory_is_given_back() -> None:
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("only glibc is known to keep it")
    pieces = [bytes(600) for _ in range(100_000)]
    last = bytes(600)  # keeps the heap from shrinking by itself
    pieces.clear()
    assert give_back()
    assert len(last) == 600


def test_the_collector_passes_over_what_is_kept() -> None:
    kept: list[list[str]] = [[]]
    try:
        keep_what_is_there()
        assert gc.get_freeze_count() > 0
        assert not any(each is kept for each in gc.get_objects())
    finally:
        gc.unfreeze()
    assert any(each is kept for each in gc.get_objects())
