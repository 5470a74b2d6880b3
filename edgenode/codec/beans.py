"""Dataclasses to the wire's JSON objects and back, by one set of rules.

The model's classes bear the wire's own names, so their fields say nearly everything:
a bean's ``class`` tag is its class name, a field's wire name is its Python name in
camel case. The rest are Egeria's Jackson rules: the tag is mandatory where a bean is
polymorphic, unknown fields are ignored, null and empty lists are left out, numbers
and booleans are always written, dates are ISO text in answers and epoch milliseconds
in events and archives and are accepted as either.

Coders are built from the type hints at first use and kept.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from edgenode.clock import EpochMillis
from edgenode.codec.json import JsonObject
from edgenode.errors import BadRequestError

T = TypeVar("T")
Decoder = Callable[[Any, str], Any]
Encoder = Callable[[Any], Any]

_ACRONYMS = {"guid": "GUID", "guids": "GUIDs", "url": "URL"}


def wire_name(name: str) -> str:
    """The JSON name of a Python field: ``type_def_guid`` is ``typeDefGUID``."""
    first, *rest = name.split("_")
    return first + "".join(
        _ACRONYMS.get(part) or part[:1].upper() + part[1:] for part in rest
    )


def iso_time(millis: EpochMillis) -> str:
    """A date as answers write it: ``2026-11-21T02:36:17.815+00:00``."""
    moment = datetime.fromtimestamp(millis // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}+00:00"


def parse_time(value: object, where: str) -> EpochMillis:
    """A date from epoch milliseconds or ISO text; no offset means UTC.

    Raises:
        BadRequestError: It is neither. A blank instead of ``T`` is refused, as
            genuine readers do.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and "T" in value:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise BadRequestError(f"{value!r} is not a date", where) from error
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000
    raise BadRequestError(f"{value!r} is not a date", where)


def _text(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)  # genuine readers turn scalars into text too
    raise BadRequestError("text expected", where)


def _whole(value: Any, where: str) -> int:
    if value is None:
        return 0  # a null for a primitive number is its zero on the genuine side
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise BadRequestError("a whole number expected", where)


def _boolean(value: Any, where: str) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    raise BadRequestError("true or false expected", where)


def _anything(value: Any, where: str) -> Any:
    return value


def _symbol(symbols: Mapping[str, Enum], value: Any, where: str) -> Enum:
    try:
        return symbols[value]
    except (KeyError, TypeError):
        raise BadRequestError(
            f"{value!r} is none of {', '.join(symbols)}", where
        ) from None


def _many(item: Decoder, value: Any, where: str) -> tuple[Any, ...] | None:
    if not isinstance(value, list):
        raise BadRequestError("a list expected", where)
    return tuple(item(entry, where) for entry in value)


def _mapping(item: Decoder, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequestError("an object expected", where)
    return {
        key: None if entry is None else item(entry, f"{where}.{key}")
        for key, entry in value.items()
    }


class _Field:
    """How one dataclass field travels."""

    __slots__ = ("always", "decode", "encode", "name", "nullable", "wire")

    def __init__(
        self,
        name: str,
        decode: Decoder,
        encode: Encoder | None,
        *,
        nullable: bool,
        always: bool,
    ) -> None:
        self.name = name
        self.wire = wire_name(name)
        self.decode = decode
        self.encode = encode
        self.nullable = nullable
        self.always = always


class BeanCoder:
    """Encodes and decodes every bean, under one release's rules and one form of dates.

    Args:
        tagged: The classes whose JSON carries ``class``; subclasses follow their base.
        symbols: The enum members that exist on this wire, where not all do.
        absent: Wire names of fields that don't exist, by class name.
        checks: Called with a decoded bean of the class, to refuse what the wire refuses.
        computed: Extra wire fields of a class, computed from the bean on the way out.
        last: Wire names that are written after all others.
        iso_dates: Dates are written as ISO text, otherwise as epoch milliseconds.
    """

    def __init__(
        self,
        *,
        tagged: frozenset[type],
        symbols: Mapping[type[Enum], frozenset[Enum]],
        absent: Mapping[str, frozenset[str]],
        checks: Mapping[type, Callable[[Any, str], Any]],
        computed: Mapping[type, Callable[[Any], JsonObject]],
        last: frozenset[str],
        iso_dates: bool,
    ) -> None:
        self._tagged = tagged
        self._symbols = symbols
        self._absent = absent
        self._checks = checks
        self._computed = computed
        self._last = last
        self._date: Encoder | None = iso_time if iso_dates else None
        self._fields: dict[type, list[_Field]] = {}
        self._decoders: dict[type, Decoder] = {}
        self._encoders: dict[type, Encoder] = {}

    def decode(self, cls: type[T], value: Any, where: str = "body") -> T:
        """Make a bean from parsed JSON.

        Raises:
            BadRequestError: The value can't be bound; it says where and why.
        """
        try:
            bean: T = self._decoder(cls)(value, where)
        except RecursionError:
            raise BadRequestError("nested too deeply", where) from None
        return bean

    def encode(self, bean: Any) -> Any:
        """Make the JSON object of a bean."""
        return self._encoder(type(bean))(bean)

    # decoding

    def _is_tagged(self, cls: type) -> bool:
        return any(base in self._tagged for base in cls.__mro__)

    def _decoder(self, cls: type) -> Decoder:
        decoder = self._decoders.get(cls)
        if decoder is None:
            if self._is_tagged(cls):
                decoder = partial(self._decode_tagged, self._by_tag(cls))
            else:
                decoder = partial(self._decode_fields, cls)
            self._decoders[cls] = decoder
        return decoder

    def _by_tag(self, cls: type) -> dict[str, type]:
        family = {cls.__name__: cls}
        subclasses: list[type] = cls.__subclasses__()
        for sub in subclasses:
            family |= self._by_tag(sub)
        return family

    def _decode_tagged(self, family: dict[str, type], value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise BadRequestError("an object expected", where)
        cls = family.get(value.get("class"))  # type: ignore[arg-type]
        if cls is None:
            raise BadRequestError(
                f"class {value.get('class')!r} is none of {', '.join(family)}", where
            )
        return self._decode_fields(cls, value, where)

    def _decode_fields(self, cls: type, value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise BadRequestError("an object expected", where)
        arguments = {}
        for field in self._fields_of(cls):
            if field.wire not in value:
                continue
            raw = value[field.wire]
            if raw is None and field.nullable:
                continue
            arguments[field.name] = field.decode(raw, f"{where}.{field.wire}")
        bean = cls(**arguments)
        check = self._checks.get(cls)
        return bean if check is None else check(bean, where)

    # encoding

    def _encoder(self, cls: type) -> Encoder:
        encoder = self._encoders.get(cls)
        if encoder is None:
            encoder = partial(
                self._encode_fields,
                cls.__name__ if self._is_tagged(cls) else None,
                self._fields_of(cls),
                self._computed.get(cls),
            )
            self._encoders[cls] = encoder
        return encoder

    def _encode_fields(
        self,
        tag: str | None,
        of_class: list[_Field],
        computed: Callable[[Any], JsonObject] | None,
        bean: Any,
    ) -> JsonObject:
        result: JsonObject = {} if tag is None else {"class": tag}
        for field in of_class:
            value = getattr(bean, field.name)
            if field.always:
                result[field.wire] = value
            elif value is not None and value != () and value != {}:
                encoded = value if field.encode is None else field.encode(value)
                if encoded is not None:
                    result[field.wire] = encoded
        if computed is not None:
            result |= computed(bean)
        return result

    # reading the type hints

    def _fields_of(self, cls: type) -> list[_Field]:
        known = self._fields.get(cls)
        if known is None:
            hints = get_type_hints(cls)
            absent = frozenset[str]().union(
                *(self._absent.get(base.__name__, ()) for base in cls.__mro__)
            )
            known = [
                self._field(field.name, hints[field.name], field.default is not MISSING)
                for field in fields(cls)
                if wire_name(field.name) not in absent
            ]
            known.sort(key=lambda field: field.wire in self._last)  # stable
            self._fields[cls] = known
        return known

    def _field(self, name: str, hint: Any, has_default: bool) -> _Field:
        nullable = type(None) in get_args(hint)
        if nullable:
            rest = tuple(arg for arg in get_args(hint) if arg is not type(None))
            hint = Union[rest] if len(rest) > 1 else rest[0]  # noqa: UP007
        date = name.endswith(("_time", "_date", "timestamp"))
        decode, encode = (
            (parse_time, self._date) if date and hint is int else self._coders(hint)
        )
        return _Field(
            name,
            decode,
            encode,
            nullable=hint not in (int, bool) or nullable,
            always=hint in (int, bool) and not nullable,
        )

    def _coders(self, hint: Any) -> tuple[Decoder, Encoder | None]:
        origin = get_origin(hint)
        if origin is tuple:
            decode, encode = self._coders(get_args(hint)[0])
            return partial(_many, decode), _listing(encode)
        if origin is not None and issubclass(_class_of(origin), Mapping):
            decode, encode = self._coders(get_args(hint)[1])
            return partial(_mapping, decode), _valuing(encode)
        if hint in _PLAIN:
            return _PLAIN[hint], None
        if isinstance(hint, type) and issubclass(hint, Enum):
            allowed = self._symbols.get(hint, frozenset(hint))
            names = {member.name: member for member in hint if member in allowed}
            return partial(_symbol, names), _name
        if isinstance(hint, type) and hint is not object:
            return self._late(hint), self.encode
        return _anything, None

    def _late(self, cls: type) -> Decoder:
        """The decoder of a class, looked up at first use: beans may hold themselves."""

        def decode(value: Any, where: str) -> Any:
            return self._decoder(cls)(value, where)

        return decode


_PLAIN: Mapping[Any, Decoder] = {str: _text, int: _whole, bool: _boolean}


def _class_of(origin: Any) -> type:
    return origin if isinstance(origin, type) else types.UnionType


def _name(member: Enum) -> str:
    return member.name


def _listing(encode: Encoder | None) -> Encoder:
    if encode is None:
        return list
    return lambda values: [encode(value) for value in values]


def _valuing(encode: Encoder | None) -> Encoder | None:
    if encode is None:
        return None
    return lambda values: {
        key: None if value is None else encode(value) for key, value in values.items()
    }
