"""What a refused call says, in one comparable tuple."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from edgenode.errors import OMRSError

Refusal = tuple[Any, ...]


def said(error: OMRSError) -> Refusal:
    """Message id, Java exception, operation, parameters and the properties' value."""
    properties = error.properties
    return (
        error.message_id.removeprefix("OMRS-"),
        error.exception_class_name,
        error.reporting_operation,
        error.parameters,
        None if properties is None else next(iter(properties.values())),
    )


async def refusal(call: Awaitable[Any]) -> Refusal:
    """What a coroutine is refused with."""
    with pytest.raises(OMRSError) as raised:
        await call
    return said(raised.value)


def refusal_of(call: Callable[[], Any]) -> Refusal:
    """What a function is refused with."""
    with pytest.raises(OMRSError) as raised:
        call()
    return said(raised.value)
