"""An instance as stored or received: its JSON, decoded only when somebody looks inside."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Document(Generic[T]):
    """The wire's JSON of one instance; answers splice it without decoding it.

    Attributes:
        json: The JSON text.
        ends_changed: Whether an end of this relationship was stored after it, so that
            the proxy in it is no longer what the end is now.
    """

    __slots__ = ("_decode", "_value", "ends_changed", "json")

    def __init__(
        self,
        json: bytes,
        decode: Callable[[bytes], T],
        value: T | None = None,
        *,
        ends_changed: bool = False,
    ) -> None:
        self.json = json
        self.ends_changed = ends_changed
        self._decode = decode
        self._value = value

    @property
    def value(self) -> T:
        """The decoded instance."""
        if self._value is None:
            self._value = self._decode(self.json)
        return self._value
