"""An instance as stored or received: its JSON, decoded only when somebody looks inside."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Document(Generic[T]):
    """The wire's JSON of one instance; answers splice it without decoding it."""

    __slots__ = ("_decode", "_value", "json")

    def __init__(
        self, json: bytes, decode: Callable[[bytes], T], value: T | None = None
    ) -> None:
        self.json = json
        self._decode = decode
        self._value = value

    @property
    def value(self) -> T:
        """The decoded instance."""
        if self._value is None:
            self._value = self._decode(self.json)
        return self._value
