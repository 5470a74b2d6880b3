"""One release's wire: its beans as JSON objects, texts and stored documents."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import Enum
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from edgenode.codec.beans import BeanCoder, UnboundError
from edgenode.codec.json import JsonObject, dumps, loads, loads_stored
from edgenode.codec.requests import OMRSAPIRequest
from edgenode.codec.values import checked_primitive
from edgenode.connectors.connection import EmbeddedConnection, Referenceable
from edgenode.events.model import InstanceEvent, OMRSEventOriginator, OMRSEventV1
from edgenode.instances.document import Document
from edgenode.instances.ids import is_id
from edgenode.instances.model import (
    Classification,
    ClassificationEntityExtension,
    EntityDetail,
    EntityProxy,
    EntitySummary,
    InstanceAuditHeader,
    InstanceGraph,
    InstanceHeader,
    InstanceType,
    Relationship,
)
from edgenode.instances.properties import (
    InstanceProperties,
    InstancePropertyValue,
    MapPropertyValue,
    PrimitivePropertyValue,
)
from edgenode.limits import MAX_FRAME_TEXT_BYTES
from edgenode.releases.release import Release
from edgenode.typedefs.attributes import (
    AttributeTypeDef,
    AttributeTypeDefCategory,
    CollectionDef,
    EnumDef,
    PrimitiveDef,
)
from edgenode.typedefs.model import (
    ClassificationDef,
    EntityDef,
    RelationshipDef,
    TypeDef,
    TypeDefCategory,
)
from edgenode.typedefs.status import InstanceStatus

T = TypeVar("T")

_TAGGED = (
    OMRSAPIRequest,
    InstanceType,
    Classification,
    ClassificationEntityExtension,
    InstanceHeader,
    InstanceGraph,
    InstanceProperties,
    InstancePropertyValue,
    TypeDef,
    AttributeTypeDef,
    Referenceable,
    EmbeddedConnection,
    OMRSEventV1,
)
_ABSTRACT = (
    InstanceHeader,
    InstancePropertyValue,
    TypeDef,
    AttributeTypeDef,
    Referenceable,
)


StoredEnd = Document[EntityDetail] | Document[EntityProxy]


def _without_empty_properties(bean: Any) -> Any:
    """An instance whose properties hold nothing is one without properties."""
    name = "unique_properties" if isinstance(bean, EntityProxy) else "properties"
    held: InstanceProperties | None = getattr(bean, name)
    if held is None or not _says_nothing(held):
        return bean
    return replace(bean, **{name: None})


def _says_nothing(held: InstanceProperties) -> bool:
    dated = (held.effective_from_time, held.effective_to_time) != (None, None)
    return not (held.instance_properties or dated)


def _of_category(category: Enum) -> Callable[[Any], Any]:
    """The class of a definition decides on its category, whatever the field says."""

    def check(bean: Any) -> Any:
        return bean if bean.category is category else replace(bean, category=category)

    return check


def _with_short_ids(names: Iterable[str]) -> Callable[[Any], Any]:
    """What is told in an event, if all nodes can tell each other of it."""
    read = attrgetter(*names, "__class__")  # two names at least give a tuple

    def check(bean: Any) -> Any:
        for each in read(bean)[:-1]:
            if each is not None and not is_id(each):
                raise UnboundError(f"an id of more than {MAX_FRAME_TEXT_BYTES} bytes")
        return bean

    return check


_GIVEN = ("metadata_collection_id", "replicated_by")
_FOUND = (*_GIVEN, "guid", "re_identified_from_guid")
_IDS: Mapping[type, Iterable[str]] = {
    EntityDetail: _FOUND,
    EntityProxy: _FOUND,
    Relationship: _FOUND,
    Classification: _GIVEN,
    InstanceEvent: (
        "instance_guid",
        "original_instance_guid",
        "home_metadata_collection_id",
        "original_home_metadata_collection_id",
    ),
    OMRSEventOriginator: ("metadata_collection_id",),
}
"""What finds an instance and its home, by which nodes tell each other of it."""

_CHECKS: Mapping[type, Callable[[Any], Any]] = {
    EntityDetail: _without_empty_properties,
    EntityProxy: _without_empty_properties,
    Relationship: _without_empty_properties,
    Classification: _without_empty_properties,
    PrimitivePropertyValue: checked_primitive,
    EntityDef: _of_category(TypeDefCategory.ENTITY_DEF),
    RelationshipDef: _of_category(TypeDefCategory.RELATIONSHIP_DEF),
    ClassificationDef: _of_category(TypeDefCategory.CLASSIFICATION_DEF),
    PrimitiveDef: _of_category(AttributeTypeDefCategory.PRIMITIVE),
    CollectionDef: _of_category(AttributeTypeDefCategory.COLLECTION),
    EnumDef: _of_category(AttributeTypeDefCategory.ENUM_DEF),
}


def _both(
    one: Callable[[Any], Any], other: Callable[[Any], Any] | None
) -> Callable[[Any], Any]:
    return one if other is None else lambda bean: other(one(bean))


_CHECKS_OF_EVENTS = {
    **_CHECKS,
    **{
        cls: _both(_with_short_ids(names), _CHECKS.get(cls))
        for cls, names in _IDS.items()
    },
}


def _map_element_count(value: MapPropertyValue) -> JsonObject:
    entries = value.map_values.instance_properties if value.map_values else {}
    return {"mapElementCount": len(entries)}


class Codec:
    """Encodes and decodes as one release does.

    ``decode`` and ``encode`` use the form of REST answers, in which instances are
    also stored; ``event_object`` and ``from_object`` serve events and archives,
    whose dates are epoch milliseconds. Reading accepts both forms of dates.
    """

    def __init__(self, release: Release) -> None:
        self.release = release
        self._answers = self._coder(_CHECKS, iso_dates=True)
        self._events = self._coder(_CHECKS_OF_EVENTS, iso_dates=False)

    def _coder(
        self, checks: Mapping[type, Callable[[Any], Any]], *, iso_dates: bool
    ) -> BeanCoder:
        return BeanCoder(
            tagged=_TAGGED,
            abstract=_ABSTRACT,
            symbols={InstanceStatus: self.release.statuses},
            absent=self.release.absent_fields,
            checks=checks,
            computed={MapPropertyValue: _map_element_count},
            last={InstanceAuditHeader: "status"},
            iso_dates=iso_dates,
        )

    def decode(self, cls: type[T], text: bytes | str) -> T:
        """Make a bean from JSON text.

        Raises:
            BadRequestError: The text isn't JSON or can't be bound to the class.
        """
        return self._answers.decode(cls, loads(text))

    def from_object(self, cls: type[T], value: Any, where: str = "body") -> T:
        """Make a bean from parsed JSON.

        Raises:
            BadRequestError: The value can't be bound to the class.
        """
        return self._answers.decode(cls, value, where)

    def to_object(self, bean: object) -> Any:
        """Make the JSON object of a bean, in the form of answers."""
        return self._answers.encode(bean)

    def event_object(self, bean: object) -> Any:
        """Make the JSON object of a bean, in the form of events and archives."""
        return self._events.encode(bean)

    def encode(self, bean: object) -> bytes:
        """Make the JSON text of a bean, in the form of answers."""
        return dumps(self._answers.encode(bean))

    def encode_event(self, event: OMRSEventV1) -> bytes:
        """Make the JSON text of an event, byte for byte as genuine members do."""
        return dumps(self._events.encode(event))

    def decode_event(self, text: bytes) -> OMRSEventV1:
        """Make an event from its JSON text.

        Raises:
            BadRequestError: The text isn't JSON or no event.
        """
        return self._events.decode(OMRSEventV1, loads(text), "event")

    def document(self, bean: T) -> Document[T]:
        """A bean with its JSON text."""
        return Document(self.encode(bean), partial(self.decode, type(bean)), bean)

    def summary(
        self, entity: Document[EntityDetail] | Document[EntityProxy]
    ) -> Document[EntitySummary]:
        """A stored entity in any form without its properties."""
        fields = loads_stored(entity.json)
        fields["class"] = EntitySummary.__name__
        for held in ("properties", "uniqueProperties"):
            fields.pop(held, None)
        return self.stored_document(EntitySummary, dumps(fields))

    def with_ends(
        self,
        relationship: Document[Relationship],
        found: Callable[[str], tuple[StoredEnd, frozenset[str]] | None],
    ) -> Document[Relationship]:
        """A relationship with its ends as they are now; none of the three is decoded.

        Args:
            relationship: The relationship.
            found: By the GUID of an end what is stored of it, with the attributes that
                identify it; None for an end that stays as it is.
        """
        fields = loads_stored(relationship.json)
        for name in ("entityOneProxy", "entityTwoProxy"):
            guid = (fields.get(name) or {}).get("guid")
            end = None if guid is None else found(guid)
            if end is not None:
                fields[name] = self._proxy_fields(*end)
        return self.stored_document(Relationship, dumps(fields))

    def _proxy_fields(
        self, entity: StoredEnd, unique_attributes: frozenset[str]
    ) -> JsonObject:
        """What relationships carry of an entity, as ``entity_proxy`` has it."""
        fields: JsonObject = loads_stored(entity.json)
        if fields["class"] == EntityProxy.__name__:
            return fields
        unique: Any = None
        if fields.get("properties") is not None:
            held = self._answers.decode(InstanceProperties, fields["properties"])
            identifying = {
                name: value
                for name, value in held.instance_properties.items()
                if name in unique_attributes
            }
            unique = replace(held, instance_properties=identifying)
        # In the place of the properties, as the fields of a bean are in order.
        proxy = {
            "uniqueProperties" if name == "properties" else name: value
            for name, value in fields.items()
        }
        proxy["class"] = EntityProxy.__name__
        if unique is None or _says_nothing(unique):
            proxy.pop("uniqueProperties", None)
        else:
            proxy["uniqueProperties"] = self._answers.encode(unique)
        return proxy

    def stored_document(
        self, cls: type[T], text: bytes, *, ends_changed: bool = False
    ) -> Document[T]:
        """A stored JSON text that is decoded when somebody looks inside."""
        decode = partial(self._decode_stored, cls)
        return Document(text, decode, ends_changed=ends_changed)

    def _decode_stored(self, cls: type[T], text: bytes) -> T:
        return self._answers.decode(cls, loads_stored(text))
