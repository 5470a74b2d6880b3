"""The place of an undecoded instance in an order, and lists in one.

Of what an instance holds an order needs a single field. To read that from the parsed JSON
takes a tenth of the time of decoding all of it.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar, cast

from edgenode.codec.beans import UnboundError, parse_time
from edgenode.codec.codec import Codec
from edgenode.codec.headers import dates_of, header_of
from edgenode.codec.json import loads
from edgenode.errors import BadRequestError
from edgenode.instances.conditions import Paging, SequencingOrder
from edgenode.instances.document import Document
from edgenode.instances.matching import DESCENDING, sort_key
from edgenode.instances.model import EntityDetail
from edgenode.instances.properties import InstanceProperties, InstancePropertyValue

T = TypeVar("T")

_DATES = {
    SequencingOrder.CREATION_DATE_RECENT: "createTime",
    SequencingOrder.CREATION_DATE_OLDEST: "createTime",
    SequencingOrder.LAST_UPDATE_RECENT: "updateTime",
    SequencingOrder.LAST_UPDATE_OLDEST: "updateTime",
}


def put_in_order(documents: list[Document[T]], paging: Paging, codec: Codec) -> None:
    """Sort instances by what is asked for, then by GUID; ANY leaves them as they are."""
    order = paging.sequencing_order
    if order is SequencingOrder.ANY:
        return
    documents.sort(key=lambda document: header_of(document).guid)
    if order is not SequencingOrder.GUID:
        documents.sort(key=place_in(paging, codec), reverse=order in DESCENDING)


def first_in_order(
    documents: Sequence[Document[T]], paging: Paging, codec: Codec
) -> list[Document[T]]:
    """A page of a list that has everything."""
    ordered = list(documents)
    put_in_order(ordered, paging, codec)
    end = paging.offset + paging.page_size if paging.page_size else None
    return ordered[paging.offset : end]


def places_in(
    documents: Sequence[Document[Any]], paging: Paging, codec: Codec
) -> list[Any]:
    """What an order compares instances by; of equal ones any may come first."""
    if paging.sequencing_order is SequencingOrder.GUID:
        return [header_of(document).guid for document in documents]
    return list(map(place_in(paging, codec), documents))


def are_in_order(places: Sequence[Any], order: SequencingOrder) -> bool:
    """Whether none comes before one that it should come behind."""
    if order in DESCENDING:
        return all(one >= other for one, other in pairwise(places))
    return all(one <= other for one, other in pairwise(places))


def place_in(paging: Paging, codec: Codec) -> Callable[[Document[Any]], Any]:
    """What to compare instances by, for one of the orders that look at a field."""
    order, name = paging.sequencing_order, paging.sequencing_property

    def place(document: Document[Any]) -> Any:
        if order in _DATES:
            dates = dates_of(document)
            if dates is not None:
                return sort_key(cast("EntityDetail", dates), order)
        try:
            part = _part(loads(document.json), order, name or "", codec)
        except (UnboundError, BadRequestError, AttributeError):
            part = document.value  # which tells what is wrong with it
        return sort_key(part, order, name)

    return place


def _part(fields: Any, order: SequencingOrder, name: str, codec: Codec) -> EntityDetail:
    """An instance with the field alone that an order needs."""
    if order in _DATES:
        told = fields.get(_DATES[order])
        time = None if told is None else parse_time(told)
        return EntityDetail(create_time=time, update_time=time)
    held = (fields.get("properties") or {}).get("instanceProperties") or {}
    if held.get(name) is None:
        return EntityDetail()
    value = codec.from_object(InstancePropertyValue, held[name])
    return EntityDetail(
        properties=InstanceProperties(instance_properties={name: value})
    )
