"""The metadata collection of a genuine member, with its answers made good.

Genuine members answer some questions otherwise than they are asked, each in its own way,
for they have different repositories. What is corrected here:

- pages and orders: a repository may pass over either, puts nothing but texts, dates and
  GUIDs in order, and leaves open what comes first of equal ones. So it is asked for more
  than is wanted, and for everything where what comes isn't in order;
- conditions on classifications, by which a search fails as soon as it looks at an entity
  that has none: then they are looked at here;
- states, which relationships of an entity aren't limited by;
- all that is related to an entity, and the ways between two: not offered, and found in its
  neighbourhood, which for an entity that isn't known is empty;
- versions, which are listed again for each change of a classification;
- classifying again, which is passed over whatever the properties are, and by the proxy of
  an entity of its own, which is done where nobody looks for it;
- classifications given to entities of others, which are asked for without ever being told.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.codec.headers import header_of
from edgenode.codec.requests import OMRSAPIPagedFindRequest
from edgenode.collection.base import ClassificationSource, Guids, Statuses
from edgenode.collection.search_requests import SearchReader
from edgenode.errors import (
    EntityAlreadyClassifiedError,
    EntityNotKnownError,
    OMRSError,
    UnexpectedError,
    UnpagedAnswerError,
)
from edgenode.events.registration import MemberRegistration
from edgenode.federation.failures import is_not_known
from edgenode.federation.merge import owner_of
from edgenode.federation.ordering import are_in_order, first_in_order, places_in
from edgenode.federation.platform_http import PlatformCaller, PlatformHttp
from edgenode.federation.remote import RemoteMetadataCollection
from edgenode.federation.remote_base import Caller, InstanceT, at
from edgenode.instances.conditions import (
    HistorySequencingOrder,
    Paging,
    SearchClassifications,
    SearchProperties,
    SequencingOrder,
)
from edgenode.instances.document import Document
from edgenode.instances.lifecycle import classification_of, same_content
from edgenode.instances.matching import matches_instance
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties
from edgenode.instances.validate import type_name
from edgenode.limits import (
    MAX_UNPAGED_INSTANCES,
    MAX_WALK_LEVELS,
    MERGED_IN_THE_LOOP,
    PAGE_ALLOWANCE,
    SEARCH_TEXT_SECONDS,
)
from edgenode.repository.base import Graph, HistoryRange
from edgenode.repository.paths import on_simple_paths
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.registry import TypeRegistry

_EVERYTHING = Paging(page_size=MAX_UNPAGED_INSTANCES + 1)
_BY_PROPERTY = frozenset(
    {SequencingOrder.PROPERTY_ASCENDING, SequencingOrder.PROPERTY_DESCENDING}
)


class PlatformMetadataCollection(RemoteMetadataCollection):
    """A genuine member's collection, asked as any other member's."""

    def __init__(
        self,
        collection_id: str,
        caller: Caller,
        prefix: str,
        codec: Codec,
        types: TypeRegistry,
    ) -> None:
        """Make the collection of a genuine member.

        Args:
            collection_id: The id that it is registered with.
            caller: Sends the requests.
            prefix: The path of its server: ``/servers/<name>``.
            codec: The wire form of what is asked and answered.
            types: The types that this node knows.
        """
        super().__init__(collection_id, caller, prefix, codec)
        self._types = types

    # Types

    async def get_type_def_by_name(self, user_id: str, name: str) -> TypeDef:
        """A type's definition, as the member knows it.

        Raises:
            OMRSError: It doesn't know the type.
        """
        told = await self._get(user_id, at("types", "typedef", "name", name))
        return self._bean(told.get("typeDef"), TypeDef)

    # Lists

    async def _list(
        self, user_id: str, path: str, body: object, cls: type[InstanceT]
    ) -> list[Document[InstanceT]]:
        """A page of a list, in the order that is asked for."""
        if not isinstance(body, OMRSAPIPagedFindRequest):
            return await super()._list(user_id, path, body, cls)
        paging = _paging(body)
        end = paging.offset + paging.page_size
        if paging.page_size == 0:
            found = await super()._list(user_id, path, replace(body, offset=0), cls)
            return await self._page(found, paging)
        if paging.sequencing_order is SequencingOrder.ANY:
            return await super()._list(user_id, path, body, cls)
        size = end + PAGE_ALLOWANCE
        most = max(size, MAX_UNPAGED_INSTANCES)
        while size <= most:
            asked = replace(body, offset=0, page_size=size)
            found = await super()._list(user_id, path, asked, cls)
            look = partial(self._sure, size=size, paging=paging)
            sure = await self._looked_at(found, look)
            if len(sure) >= end or len(found) < size:
                return await self._page(sure, paging)
            if not sure:
                break
            size *= 2
        everything = replace(
            body,
            offset=0,
            page_size=_EVERYTHING.page_size,
            sequencing_order=SequencingOrder.ANY,
            sequencing_property=None,
        )
        found = self._bounded(await super()._list(user_id, path, everything, cls))
        return await self._page(found, paging)

    def _sure(
        self, found: list[Document[InstanceT]], size: int, paging: Paging
    ) -> list[Document[InstanceT]]:
        """Of what came, what comes before all that may have been left out.

        It is empty where nothing says that there is an order.
        """
        if len(found) < size:
            return found
        order = paging.sequencing_order
        places = places_in(found, paging, self._codec)
        if len(found) > size or not are_in_order(places, order):
            return []
        if order is SequencingOrder.GUID:
            return found
        if order in _BY_PROPERTY and not all(
            isinstance(each[1], str) for each in places
        ):
            return []
        last = places[-1]
        return [
            each for each, place in zip(found, places, strict=True) if place != last
        ]

    async def _page(
        self, found: list[Document[InstanceT]], paging: Paging
    ) -> list[Document[InstanceT]]:
        """A page of a list that has everything."""
        return await self._looked_at(
            found, lambda some: first_in_order(some, paging, self._codec)
        )

    async def _looked_at(
        self,
        found: list[Document[InstanceT]],
        look: Callable[[list[Document[InstanceT]]], list[Document[InstanceT]]],
    ) -> list[Document[InstanceT]]:
        """What is made of a list, without holding others up."""
        if len(found) <= MERGED_IN_THE_LOOP:
            return look(found)
        return await asyncio.to_thread(look, found)

    def _bounded(self, found: list[Document[InstanceT]]) -> list[Document[InstanceT]]:
        """A list that has everything.

        Raises:
            UnpagedAnswerError: It may have more than it shows.
        """
        if len(found) > MAX_UNPAGED_INSTANCES:
            raise UnpagedAnswerError(MAX_UNPAGED_INSTANCES, self.collection_id)
        return found

    # Searches

    async def find_entities(
        self,
        user_id: str,
        entity_type_guid: str | None,
        entity_subtype_guids: Guids,
        match_properties: SearchProperties | None,
        limit_results_by_status: Statuses,
        match_classifications: SearchClassifications | None,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        try:
            return await super().find_entities(
                user_id,
                entity_type_guid,
                entity_subtype_guids,
                match_properties,
                limit_results_by_status,
                match_classifications,
                as_of_time,
                paging,
            )
        except OMRSError as error:
            is_fault = error.message_id == UnexpectedError.message_id
            if match_classifications is None or not is_fault:
                raise
        condition = SearchReader("findEntities").classifications(match_classifications)
        found = self._bounded(
            await super().find_entities(
                user_id,
                entity_type_guid,
                entity_subtype_guids,
                match_properties,
                limit_results_by_status,
                None,
                as_of_time,
                _EVERYTHING,
            )
        )
        if condition is not None:
            wanted = condition
            found = await self._those(
                found, lambda each: matches_instance(wanted, each, SEARCH_TEXT_SECONDS)
            )
        return await self._page(found, paging)

    async def get_relationships_for_entity(
        self,
        user_id: str,
        entity_guid: str,
        relationship_type_guid: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        statuses = frozenset(limit_results_by_status or ())
        found = await super().get_relationships_for_entity(
            user_id,
            entity_guid,
            relationship_type_guid,
            limit_results_by_status,
            as_of_time,
            _EVERYTHING if statuses else paging,
        )
        if not statuses:
            return found
        kept = await self._those(
            self._bounded(found), lambda each: each.status in statuses
        )
        return await self._page(kept, paging)

    async def _those(
        self,
        found: list[Document[InstanceT]],
        is_wanted: Callable[[InstanceT], bool],
    ) -> list[Document[InstanceT]]:
        """Of what was found, what is wanted; looked at without holding others up."""
        try:
            return await asyncio.to_thread(
                lambda: [each for each in found if is_wanted(each.value)]
            )
        except TimeoutError as error:
            raise self._unavailable("a pattern takes too long to be tried") from error

    # Graphs

    async def get_entity_neighborhood(
        self,
        user_id: str,
        entity_guid: str,
        entity_type_guids: Guids,
        relationship_type_guids: Guids,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        level: int,
    ) -> Graph:
        graph = await super().get_entity_neighborhood(
            user_id,
            entity_guid,
            entity_type_guids,
            relationship_type_guids,
            limit_results_by_status,
            limit_results_by_classification,
            as_of_time,
            level,
        )
        if not graph.entities and not graph.relationships:
            operation = "getEntityNeighborhood"
            raise EntityNotKnownError(entity_guid, operation, self.collection_id)
        return graph

    async def get_related_entities(
        self,
        user_id: str,
        start_entity_guid: str,
        entity_type_guids: Guids,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        around = await self._reachable(
            user_id, start_entity_guid, limit_results_by_status, as_of_time
        )
        names = self._with_subtypes(entity_type_guids)
        classified = frozenset(limit_results_by_classification or ())

        def is_wanted(entity: EntityDetail) -> bool:
            given = {each.name for each in entity.classifications or ()}
            # The neighborhood has the start even where its status isn't asked for.
            return (
                (
                    entity.guid != start_entity_guid
                    or limit_results_by_status is None
                    or entity.status in limit_results_by_status
                )
                and (names is None or type_name(entity) in names)
                and (not classified or not classified.isdisjoint(given))
            )

        found = await self._those(around.entities, is_wanted)
        return await self._page(found, paging)

    async def get_linking_entities(
        self,
        user_id: str,
        start_entity_guid: str,
        end_entity_guid: str,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
    ) -> Graph:
        around = await self._reachable(
            user_id, start_entity_guid, limit_results_by_status, as_of_time
        )
        return await asyncio.to_thread(
            _between, around, start_entity_guid, end_entity_guid
        )

    async def _reachable(
        self,
        user_id: str,
        guid: str,
        statuses: Statuses,
        as_of_time: EpochMillis | None,
    ) -> Graph:
        """All that can be reached from an entity."""
        return await self.get_entity_neighborhood(
            user_id, guid, None, None, statuses, None, as_of_time, MAX_WALK_LEVELS
        )

    def _with_subtypes(self, guids: Guids) -> frozenset[str] | None:
        """The names of types and their subtypes; None, without GUIDs, means all."""
        if not guids:
            return None
        known = (self._types.type_def_by_guid(guid) for guid in guids)
        names = (str(each.name) for each in known if each is not None)
        return frozenset().union(*map(self._types.with_subtypes, names))

    # Classifications

    async def classify_entity(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]:
        entity = await super().classify_entity(
            user_id, entity_guid, classification_name, source, properties
        )
        given = classification_of(entity.value, classification_name)
        if given is None or not same_content(given.properties, properties):
            raise EntityAlreadyClassifiedError(
                "classifyEntity", self.collection_id, classification_name, entity_guid
            )
        return entity

    async def classify_entity_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Classification:
        guid = self._own(entity_proxy)
        if guid is not None:
            entity = await self.classify_entity(
                user_id, guid, classification_name, source, properties
            )
            return self._given(entity, classification_name)
        return await super().classify_entity_by_proxy(
            user_id, entity_proxy, classification_name, source, properties
        )

    async def update_entity_classification_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        properties: InstanceProperties | None,
    ) -> Classification:
        guid = self._own(entity_proxy)
        if guid is not None:
            entity = await self.update_entity_classification(
                user_id, guid, classification_name, properties
            )
            return self._given(entity, classification_name)
        return await super().update_entity_classification_by_proxy(
            user_id, entity_proxy, classification_name, properties
        )

    async def declassify_entity_by_proxy(
        self, user_id: str, entity_proxy: EntityProxy | None, classification_name: str
    ) -> Classification:
        guid = self._own(entity_proxy)
        if guid is not None:
            entity = await self.get_entity_detail(user_id, guid)
            await self.declassify_entity(user_id, guid, classification_name)
            return self._given(entity, classification_name)
        return await super().declassify_entity_by_proxy(
            user_id, entity_proxy, classification_name
        )

    def _own(self, proxy: EntityProxy | None) -> str | None:
        """The GUID of an entity of the member's own; None for another's."""
        is_own = proxy is not None and owner_of(proxy) == self.collection_id
        return proxy.guid if proxy is not None and is_own else None

    def _given(self, entity: Document[EntityDetail], name: str) -> Classification:
        found = classification_of(entity.value, name)
        if found is None:
            raise self._unavailable(f"tells of an entity without {name}")
        return found

    # Single instances

    async def get_home_classifications(
        self, user_id: str, entity_guid: str, as_of_time: EpochMillis | None = None
    ) -> tuple[Classification, ...]:
        if as_of_time is not None:
            return await super().get_home_classifications(
                user_id, entity_guid, as_of_time
            )
        try:
            summary = await self.get_entity_summary(user_id, entity_guid)
        except OMRSError as error:
            if is_not_known(error):
                return ()
            raise
        given = summary.value.classifications or ()
        return tuple(each for each in given if owner_of(each) == self.collection_id)

    async def get_entity_detail_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[EntityDetail]]:
        found = await super().get_entity_detail_history(user_id, guid, _whole(span))
        return _versions(found, span)

    async def get_relationship_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[Relationship]]:
        found = await super().get_relationship_history(user_id, guid, _whole(span))
        return _versions(found, span)


def platform_collection(
    registration: MemberRegistration,
    http: PlatformHttp,
    codec: Codec,
    types: TypeRegistry,
) -> PlatformMetadataCollection | None:
    """The collection of a registered member; None for one that offers none.

    Args:
        registration: Where it is, and what it is called.
        http: Asks it.
        codec: The wire form of what is asked and answered.
        types: The types that this node knows.
    """
    connection = registration.repository_connection
    collection_id = registration.metadata_collection_id
    if connection is None or collection_id is None:
        return None
    name = registration.server_name or collection_id
    caller = PlatformCaller(http, name, connection)
    return PlatformMetadataCollection(
        collection_id, caller, caller.prefix, codec, types
    )


def _paging(body: OMRSAPIPagedFindRequest) -> Paging:
    """The page that a request asks for."""
    return Paging(
        offset=body.offset,
        page_size=body.page_size,
        sequencing_order=body.sequencing_order or SequencingOrder.ANY,
        sequencing_property=body.sequencing_property,
    )


def _whole(span: HistoryRange) -> HistoryRange:
    return HistoryRange(from_time=span.from_time, to_time=span.to_time)


def _versions(
    found: Sequence[Document[InstanceT]], span: HistoryRange
) -> list[Document[InstanceT]]:
    """Part of a history, each version once, as it was last."""
    versions: dict[int, Document[InstanceT]] = {}
    for document in found:  # the newest comes first
        versions.setdefault(header_of(document).version, document)
    ordered = list(versions.values())
    if span.order is HistorySequencingOrder.FORWARDS:
        ordered.reverse()
    end = span.offset + span.page_size if span.page_size else None
    return ordered[span.offset : end]


def _between(graph: Graph, start: str, end: str) -> Graph:
    """The part of a graph that lies on ways from one entity to another."""
    numbers: dict[str, int] = {start: 0, end: 1}
    edges: list[tuple[int, int]] = []
    for document in graph.relationships:
        one, two = _ends(document.value)
        for guid in (one, two):
            numbers.setdefault(guid, len(numbers))
        edges.append((numbers[one], numbers[two]))
    on_ways = on_simple_paths(edges, numbers[start], numbers[end])
    return Graph(
        [
            each
            for each in graph.entities
            if numbers.get(header_of(each).guid) in on_ways
        ],
        [
            each
            for each, (one, two) in zip(graph.relationships, edges, strict=True)
            if one != two and one in on_ways and two in on_ways
        ],
    )


def _ends(relationship: Relationship) -> tuple[str, str]:
    one, two = relationship.entity_one_proxy, relationship.entity_two_proxy
    return str(one and one.guid), str(two and two.guid)
