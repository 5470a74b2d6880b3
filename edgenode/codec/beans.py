"""Dataclasses to the wire's JSON objects and back, by one set of rules.

The model's classes bear the wire's own names, so their fields say nearly everything:
a bean's ``class`` tag is its class name, a field's wire name is its Python name in
camel case. The rest are Egeria's Jackson rules: the tag is mandatory where a bean is
polymorphic, unknown fields are ignored, null and empty lists are left out, numbers
and booleans are always written, dates are ISO text in answers and epoch milliseconds
in events and archives and are accepted as either, and scalars are read leniently.

A reader and a writer is made from the type hints of each class when it is first met,
and kept: a function over tables that were worked out before, for it runs for every
bean of every request.
"""

import re
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from operator import attrgetter
from threading import Lock
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from edgenode.clock import EpochMillis
from edgenode.codec.json import JsonObject
from edgenode.errors import BadRequestError

T = TypeVar("T")
Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]

_ACRONYMS = {"guid": "GUID", "guids": "GUIDs", "url": "URL"}


class UnboundError(Exception):
    """A JSON value doesn't fit; ``path`` leads to it from the inside out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str] = []


def wire_name(name: str) -> str:
    """The JSON name of a Python field: ``type_def_guid`` is ``typeDefGUID``."""
    first, *rest = name.split("_")
    return first + "".join(
        _ACRONYMS.get(part) or part[:1].upper() + part[1:] for part in rest
    )


# Dates

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII
)
_DATES = range(-62_135_596_800_000, 253_402_300_800_000)
"""The years 1 to 9999, which a date as text can tell."""


def iso_time(millis: EpochMillis) -> str:
    """A date as answers write it: ``2026-11-21T02:36:17.815+00:00``."""
    moment = _EPOCH + timedelta(milliseconds=millis)
    return moment.isoformat(timespec="milliseconds")


def parse_time(value: object) -> EpochMillis:
    """A date from epoch milliseconds or ISO text; no offset means UTC.

    Raises:
        UnboundError: It is neither. A blank instead of ``T`` is refused, as genuine
            readers do.
    """
    if isinstance(value, int) and value in _DATES and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise UnboundError(f"{value!r} is not a date") from error
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        delta = moment - _EPOCH
        seconds = delta.days * 86_400 + delta.seconds
        millis = seconds * 1000 + delta.microseconds // 1000
        if millis in _DATES:  # an offset can lead out of it
            return millis
    raise UnboundError(f"{value!r} is not a date")


# Scalars


def _read_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)  # genuine readers turn scalars into text too
    raise UnboundError("text expected")


def _read_boolean(value: Any) -> bool:
    if isinstance(value, int):  # booleans too
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise UnboundError("true or false expected")


def _whole_reader(bits: int) -> Reader:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1)

    def read(value: Any) -> int:
        if type(value) is not int:
            value = _lenient_whole(value)
        if low <= value < high:
            return value  # type: ignore[no-any-return]
        raise UnboundError(f"a whole number of {bits} bits expected")

    return read


def _lenient_whole(value: object) -> int:
    """What genuine readers make of a number in another guise."""
    if isinstance(value, float | str):
        try:
            return int(value or 0)
        except (ValueError, OverflowError) as error:
            raise UnboundError(f"{value!r} is no whole number") from error
    raise UnboundError("a whole number expected")


def _symbol_reader(symbols: Mapping[str, Enum]) -> Reader:
    def read(value: Any) -> Enum:
        try:
            return symbols[value]
        except (KeyError, TypeError):
            raise UnboundError(f"{value!r} is none of {', '.join(symbols)}") from None

    return read


def _read_anything(value: Any) -> Any:
    return value


# Lists and maps


def _list_reader(read_item: Reader) -> Reader:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise UnboundError("a list expected")
        return tuple([read_item(entry) for entry in value])

    return read


def _map_reader(read_item: Reader) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise UnboundError("an object expected")
        key = ""
        result = {}
        try:
            for key, entry in value.items():
                result[key] = None if entry is None else read_item(entry)
        except UnboundError as error:
            error.path.append(key)
            raise
        return result

    return read


# Beans

_KEEP = object()


class _FieldReader(NamedTuple):
    """How one field is read; ``plain`` values pass as they are, null becomes ``null``."""

    name: str
    plain: type
    read: Reader
    null: object


def _bean_reader(
    cls: type,
    by_wire: Mapping[str, _FieldReader],
    required: frozenset[str],
    check: Callable[[Any], Any] | None,
) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise UnboundError("an object expected")
        arguments = {}
        wire = ""
        try:
            for wire, raw in value.items():
                field = by_wire.get(wire)
                if field is None:
                    continue
                name, plain, read_field, null = field
                if type(raw) is plain:
                    arguments[name] = raw
                elif raw is not None:
                    arguments[name] = read_field(raw)
                elif null is not _KEEP:
                    arguments[name] = null
        except UnboundError as error:
            error.path.append(wire)
            raise
        if not required <= arguments.keys():
            missing = ", ".join(sorted(required - arguments.keys()))
            raise UnboundError(f"{missing} is missing")
        bean = cls(**arguments)
        return bean if check is None else check(bean)

    return read


def _tagged_reader(family: Mapping[str, Reader]) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise UnboundError("an object expected")
        tag = value.get("class")
        reader = family.get(tag) if isinstance(tag, str) else None
        if reader is None:
            raise UnboundError(f"class {tag!r} is none of {', '.join(family)}")
        return reader(value)

    return read


class _FieldWriter(NamedTuple):
    """How one field is written; None means as it is."""

    wire: str
    write: Writer | None


def _bean_writer(
    tag: str | None,
    names: list[str],
    writers: list[_FieldWriter],
    computed: Callable[[Any], JsonObject] | None,
) -> Writer:
    # Two names at least, so that the getter of every class gives a tuple.
    values = attrgetter(*names, "__class__", "__class__")

    def write(bean: Any) -> JsonObject:
        result: JsonObject = {} if tag is None else {"class": tag}
        for (wire, write_value), value in zip(writers, values(bean), strict=False):
            if value is None:
                continue
            if write_value is None:
                result[wire] = value
            else:
                written = write_value(value)
                if written is not None:
                    result[wire] = written
        if computed is not None:
            result |= computed(bean)
        return result

    return write


class BeanCoder:
    """Encodes and decodes every bean, under one release's rules and one form of dates.

    Args:
        tagged: The classes whose JSON carries ``class``; subclasses follow their base.
        abstract: The tagged classes that never stand on the wire themselves.
        symbols: The enum members that exist on this wire, where not all do.
        absent: Wire names of fields that don't exist, by class name.
        checks: Called with a decoded bean of the class, to refuse what the wire refuses
            (``UnboundError``) or to put right what it puts right.
        computed: Extra wire fields of a class, computed from the bean on the way out.
        last: The field that is written after all others, by class.
        iso_dates: Dates are written as ISO text, otherwise as epoch milliseconds.
    """

    def __init__(
        self,
        *,
        tagged: Iterable[type],
        abstract: Iterable[type],
        symbols: Mapping[type[Enum], frozenset[Enum]],
        absent: Mapping[str, frozenset[str]],
        checks: Mapping[type, Callable[[Any], Any]],
        computed: Mapping[type, Callable[[Any], JsonObject]],
        last: Mapping[type, str],
        iso_dates: bool,
    ) -> None:
        self._tagged = tuple(tagged)
        self._abstract = frozenset(abstract)
        self._symbols = symbols
        self._absent = absent
        self._checks = checks
        self._computed = computed
        self._last = last
        self._write_date: Writer | None = iso_time if iso_dates else None
        # Requests are decoded by several threads: a reader is put into ``_readers``
        # when it is complete; ``_beans`` and ``_families`` are the builder's own.
        self._readers: dict[type, Reader] = {}
        self._building = Lock()
        self._beans: dict[type, Reader] = {}
        self._families: dict[type, Reader] = {}
        self._writers: dict[type, Writer] = {}

    def decode(self, cls: type[T], value: Any, where: str = "body") -> T:
        """Make a bean from parsed JSON.

        Raises:
            BadRequestError: The value can't be bound; it says where and why.
        """
        reader = self._readers.get(cls)
        if reader is None:
            with self._building:
                reader = self._readers[cls] = self._coders(cls)[0]
        try:
            bean: T = reader(value)
        except UnboundError as error:
            path = ".".join([where, *reversed(error.path)])
            raise BadRequestError(error.reason, path) from error
        return bean

    def encode(self, bean: Any) -> Any:
        """Make the JSON object of a bean."""
        cls = type(bean)
        writer = self._writers.get(cls)
        if writer is None:
            writer = self._writers[cls] = self._writer(cls)
        return writer(bean)

    # Making readers

    def _reader(self, cls: type) -> Reader:
        if not issubclass(cls, self._tagged):
            return self._bean(cls)
        known = self._families.get(cls)
        if known is None:
            family: dict[str, Reader] = {}
            known = self._families[cls] = _tagged_reader(family)
            for member in _family(cls):
                if member not in self._abstract:
                    family[member.__name__] = self._bean(member)
        return known

    def _bean(self, cls: type) -> Reader:
        known = self._beans.get(cls)
        if known is None:
            of_class = self._fields(cls)
            required = frozenset(
                field.name
                for field, _ in of_class
                if field.default is MISSING and field.default_factory is MISSING
            )
            # Filled after the reader is known, because beans may hold themselves.
            by_wire: dict[str, _FieldReader] = {}
            check = self._checks.get(cls)
            known = self._beans[cls] = _bean_reader(cls, by_wire, required, check)
            for field, hint in of_class:
                by_wire[wire_name(field.name)] = self._field_reader(field.name, hint)
        return known

    def _field_reader(self, name: str, hint: Any) -> _FieldReader:
        bare, optional = _without_none(hint)
        null = None if optional else _NULLS.get(bare, _KEEP)
        if bare is int and _is_date(name):
            return _FieldReader(name, _Never, parse_time, null)
        if bare is int:
            read = _READ_64_BITS if name.endswith(_LONGS) else _READ_32_BITS
            return _FieldReader(name, _Never, read, null)
        plain = bare if bare in (str, bool) else _Never
        return _FieldReader(name, plain, self._coders(bare)[0], null)

    # Making writers

    def _writer(self, cls: type) -> Writer:
        names, writers = [], []
        for field, hint in self._fields(cls):
            bare, _ = _without_none(hint)
            is_date = bare is int and _is_date(field.name)
            write = self._write_date if is_date else self._coders(bare)[1]
            names.append(field.name)
            writers.append(_FieldWriter(wire_name(field.name), write))
        tag = cls.__name__ if issubclass(cls, self._tagged) else None
        return _bean_writer(tag, names, writers, self._computed.get(cls))

    # Reading the type hints

    def _fields(self, cls: type) -> list[tuple[Field[Any], Any]]:
        hints = get_type_hints(cls)
        absent = frozenset[str]().union(
            *(self._absent.get(base.__name__, ()) for base in cls.__mro__)
        )
        last = {name for base, name in self._last.items() if issubclass(cls, base)}
        found = [
            (field, hints[field.name])
            for field in fields(cls)
            if wire_name(field.name) not in absent
        ]
        found.sort(key=lambda entry: entry[0].name in last)  # stable
        return found

    def _coders(self, hint: Any) -> tuple[Reader, Writer | None]:
        origin = get_origin(hint)
        if origin is tuple:
            read, write = self._coders(get_args(hint)[0])
            return _list_reader(read), _list_writer(write)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            read, write = self._coders(get_args(hint)[1])
            return _map_reader(read), _map_writer(write)
        if hint in _PLAIN:
            return _PLAIN[hint], None
        if isinstance(hint, type) and issubclass(hint, Enum):
            allowed = self._symbols.get(hint, frozenset(hint))
            names = {member.name: member for member in hint if member in allowed}
            return _symbol_reader(names), _symbol_name
        if isinstance(hint, type) and hint is not object:
            return self._reader(hint), self.encode
        return _read_anything, None


class _Never:
    """No JSON value is of this type."""


_LONGS = ("version", "revision", "sequence")
"""How the names of numbers of 64 bits end."""

_READ_32_BITS = _whole_reader(32)
_READ_64_BITS = _whole_reader(64)
_PLAIN: Mapping[Any, Reader] = {
    str: _read_text,
    int: _READ_32_BITS,
    bool: _read_boolean,
}
_NULLS: Mapping[Any, object] = {int: 0, bool: False}
"""What a null is for a field that can't be null, as on the genuine side."""

_symbol_name = attrgetter("_name_")  # the public ``name`` is a slow property


def _family(cls: type) -> Iterable[type]:
    yield cls
    subclasses: list[type] = cls.__subclasses__()
    for subclass in subclasses:
        yield from _family(subclass)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    rest = tuple(arg for arg in get_args(hint) if arg is not type(None))
    bare = rest[0] if len(rest) == 1 else object  # a choice of scalars
    return bare, len(rest) < len(get_args(hint))


def _is_date(name: str) -> bool:
    return name.endswith(("_time", "_date", "timestamp")) or name in ("time", "at")


def _list_writer(write: Writer | None) -> Writer:
    if write is None:
        return lambda values: list(values) if values else None
    return lambda values: [write(value) for value in values] if values else None


def _map_writer(write: Writer | None) -> Writer:
    if write is None:
        return lambda values: dict(values) if values else None

    def write_map(values: Mapping[str, Any]) -> JsonObject | None:
        if not values:
            return None
        return {
            key: None if value is None else write(value)
            for key, value in values.items()
        }

    return write_map
