"""The operations of a metadata collection, as OMRS defines them.

Local, remote and enterprise collections answer alike, so nobody above asks where an
instance lives. Names and parameters are those of Java's OMRSMetadataCollection in
snake_case; every operation raises the ``OMRSError`` subclass that its Java counterpart
documents. Where the API has two forms of one operation (now and as of a time), here it
is one with ``as_of_time``.

What holds for all of them isn't said at each:

- ``user_id`` is who acts; None or blank raises UserIdMissingError.
- A mandatory GUID that is None raises GuidMissingError, a type's GUID or name
  TypeDefIdMissingError or TypeDefNameMissingError, a home's id HomeIdMissingError; a
  type GUID that no type has raises TypeIdNotKnownError.
- Times are epoch milliseconds. ``as_of_time`` None means now; a time to come raises
  AsOfTimeInFutureError.
- In filters, None and an empty list ask for everything; of states, for all but DELETED.
  Types include their subtypes.
- A negative offset or page size raises NegativePageSizeError; page size 0 means all.
- Errors of storage (StoreFullError, StoreUnavailableError) come through, and nothing
  of that operation is stored then; a search that takes too long is given up with
  SearchTimeoutError, one with too many conditions raises SearchTooLargeError.

The rules are those that genuine servers of release 4.2 show, except where one of theirs
loses or hides something; those places say so.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Protocol, TypeAlias, TypeVar

from edgenode.clock import EpochMillis
from edgenode.instances.conditions import (
    MatchCriteria,
    Paging,
    SearchClassifications,
    SearchProperties,
)
from edgenode.instances.document import Document
from edgenode.instances.model import (
    Classification,
    ClassificationOrigin,
    EntityDetail,
    EntityProxy,
    EntitySummary,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties
from edgenode.repository.base import Graph, HistoryRange
from edgenode.typedefs.attributes import AttributeTypeDef, AttributeTypeDefCategory
from edgenode.typedefs.model import (
    TypeDef,
    TypeDefCategory,
    TypeDefGallery,
    TypeDefPatch,
    TypeDefSummary,
)
from edgenode.typedefs.status import InstanceStatus

T = TypeVar("T")

Answer: TypeAlias = T | Awaitable[T]
"""What a question about one instance gives: a local collection has the answer at once,
one that must ask others gives something to wait for."""

Guids = Sequence[str] | None
Statuses = Sequence[InstanceStatus] | None


async def answered(answer: Answer[T]) -> T:
    """An answer, once it is there."""
    if isawaitable(answer):
        done: T = await answer
        return done
    return answer


@dataclass(frozen=True, slots=True)
class ExternalSource:
    """The metadata collection of a source outside the cohort."""

    metadata_collection_id: str | None
    metadata_collection_name: str | None


@dataclass(frozen=True, slots=True)
class ClassificationSource:
    """Where a classification came from; ``external`` for one owned outside the cohort."""

    origin: ClassificationOrigin = ClassificationOrigin.ASSIGNED
    origin_guid: str | None = None
    external: ExternalSource | None = None


class TypeOperations(Protocol):
    """Groups 1 and 2 of OMRS: the collection's identity and its types."""

    def get_metadata_collection_id(self, user_id: str) -> str:
        """The id that this collection's instances bear as their home."""
        ...

    def get_all_types(self, user_id: str) -> TypeDefGallery:
        """Every definition that is known."""
        ...

    def find_types_by_name(self, user_id: str, name: str) -> TypeDefGallery:
        """The types whose whole name matches.

        Args:
            user_id: Who asks.
            name: A Java regular expression; a plain name finds only itself.

        Raises:
            UnexpectedError: The expression is invalid, as genuine servers answer.
            SearchTimeoutError: It takes too long.
        """
        ...

    def find_type_defs_by_category(
        self, user_id: str, category: TypeDefCategory
    ) -> tuple[TypeDef, ...]:
        """The entity, relationship or classification types."""
        ...

    def find_attribute_type_defs_by_category(
        self, user_id: str, category: AttributeTypeDefCategory
    ) -> tuple[AttributeTypeDef, ...]:
        """The primitive, collection or enum types."""
        ...

    def find_type_defs_by_property(
        self, user_id: str, match_criteria: Mapping[str, object] | None
    ) -> tuple[TypeDef, ...]:
        """The types that have, or inherit, every attribute named; the values don't count.

        Raises:
            MatchCriteriaMissingError: No attribute is named.
        """
        ...

    def find_types_by_external_id(
        self,
        user_id: str,
        standard: str | None,
        organization: str | None,
        identifier: str | None,
    ) -> tuple[TypeDef, ...]:
        """The types that one mapping to a standard describes; None matches any.

        Raises:
            ExternalIdMissingError: All three are None.
        """
        ...

    def search_for_type_defs(
        self, user_id: str, search_criteria: str
    ) -> tuple[TypeDef, ...]:
        """The types whose whole name matches a Java regular expression.

        Raises:
            SearchCriteriaMissingError: There is no expression.
            UnexpectedError: It is invalid, as genuine servers answer.
            SearchTimeoutError: It takes too long.
        """
        ...

    def get_type_def_by_guid(self, user_id: str, guid: str) -> TypeDef:
        """The type with this GUID.

        Raises:
            TypeDefIdNotKnownError: There is none.
        """
        ...

    def get_attribute_type_def_by_guid(
        self, user_id: str, guid: str
    ) -> AttributeTypeDef:
        """The attribute type with this GUID.

        Raises:
            TypeDefIdNotKnownError: There is none.
        """
        ...

    def get_type_def_by_name(self, user_id: str, name: str) -> TypeDef:
        """The type with this name.

        Raises:
            TypeDefNameNotKnownError: There is none.
        """
        ...

    def get_attribute_type_def_by_name(
        self, user_id: str, name: str
    ) -> AttributeTypeDef:
        """The attribute type with this name.

        Raises:
            TypeDefNameNotKnownError: There is none.
        """
        ...

    async def add_type_def_gallery(self, user_id: str, gallery: TypeDefGallery) -> None:
        """Add all definitions of a gallery, attribute types first, or none of them.

        Raises:
            TypeDefKnownError: One of them is known, or its name or GUID is.
            InvalidTypeDefError: One of them contradicts itself or its supertypes.
        """
        ...

    async def add_type_def(self, user_id: str, type_def: TypeDef) -> None:
        """Add a type.

        Raises:
            TypeDefKnownError: It is known, or its name or GUID is.
            InvalidTypeDefError: It contradicts itself or its supertypes.
        """
        ...

    async def add_attribute_type_def(
        self, user_id: str, attribute_type_def: AttributeTypeDef
    ) -> None:
        """Add an attribute type.

        Raises:
            AttributeTypeDefKnownError: It is known.
            TypeDefKnownError: Its name or GUID is.
        """
        ...

    def verify_type_def(self, user_id: str, type_def: TypeDef) -> bool:
        """Whether the type is known under both its GUID and its name.

        Raises:
            TypeDefConflictError: Only one of the two is known, or each means another type.
        """
        ...

    def verify_attribute_type_def(
        self, user_id: str, attribute_type_def: AttributeTypeDef
    ) -> bool:
        """Whether the attribute type is known under both its GUID and its name.

        Raises:
            TypeDefConflictError: Only one of the two is known, or each means another one.
        """
        ...

    async def update_type_def(self, user_id: str, patch: TypeDefPatch) -> TypeDef:
        """Apply a patch to a type; one that is in it already changes nothing.

        Raises:
            TypeDefMissingError: The type isn't known.
            InvalidPatchVersionError: The patch doesn't lead to a later version.
            IncompatiblePatchVersionError: It is for a version that isn't known yet.
            PatchFieldMissingError: It lacks a mandatory field.
            IncompatiblePropertyPatchError: A known property would get another type.
            InvalidTypeDefError: The outcome contradicts itself or its supertypes.
        """
        ...

    async def delete_type_def(self, user_id: str, guid: str, name: str | None) -> None:
        """Forget a type that nothing uses.

        Raises:
            TypeDefToChangeNotKnownError: No type has the GUID.
            TypeDefIdNotKnownError: The type has another name.
            TypeDefInUseError: The release ships it, it has instances, or other types
                build on it.
        """
        ...

    async def delete_attribute_type_def(
        self, user_id: str, guid: str, name: str | None
    ) -> None:
        """Forget an attribute type that no type uses.

        Raises:
            AttributeTypeDefToChangeNotKnownError: None has this GUID and name.
            AttributeTypeDefInUseError: The release ships it, or a type has an attribute
                of it.
        """
        ...

    async def re_identify_type_def(
        self,
        user_id: str,
        original_guid: str,
        original_name: str | None,
        new_guid: str | None,
        new_name: str | None,
    ) -> TypeDef:
        """Give a type that nothing uses another GUID and name.

        Raises:
            TypeDefToChangeNotKnownError: No type has the original GUID and name.
            TypeDefKnownError: The new GUID or name is taken.
            TypeDefInUseError: The release ships it, it has instances, or other types
                build on it.
        """
        ...

    async def re_identify_attribute_type_def(
        self,
        user_id: str,
        original_guid: str,
        original_name: str | None,
        new_guid: str | None,
        new_name: str | None,
    ) -> AttributeTypeDef:
        """Give an attribute type that no type uses another GUID and name.

        Raises:
            AttributeTypeDefToChangeNotKnownError: None has the original GUID and name.
            TypeDefKnownError: The new GUID or name is taken.
            AttributeTypeDefInUseError: The release ships it, or a type has an attribute
                of it.
        """
        ...


class QueryOperations(Protocol):
    """Group 3 of OMRS: reading and finding instances."""

    def is_entity_known(
        self, user_id: str, guid: str
    ) -> Answer[Document[EntityDetail] | None]:
        """The entity in full, deleted or not; None if unknown or known by a proxy only."""
        ...

    def get_entity_summary(
        self, user_id: str, guid: str
    ) -> Answer[Document[EntitySummary]]:
        """The header and classifications of an entity, known in full or by a proxy.

        Raises:
            EntityNotKnownError: It isn't known.
            EntitySoftDeletedError: It is deleted.
        """
        ...

    def get_entity_detail(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Answer[Document[EntityDetail]]:
        """The entity's state that is, or was, in force.

        Raises:
            EntityNotKnownError: It isn't known.
            EntityProxyOnlyError: Only a proxy is known, or nothing was at that time.
            EntitySoftDeletedError: It is, or was then, deleted.
        """
        ...

    async def get_entity_detail_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[EntityDetail]]:
        """The versions of an entity in force within a span, deleted ones too.

        Raises:
            EntityNotKnownError: It isn't known in full, or had no version in that span.
            InvalidTimeRangeError: The span ends before it starts.
        """
        ...

    async def get_relationships_for_entity(
        self,
        user_id: str,
        entity_guid: str,
        relationship_type_guid: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        """The relationships at an entity, at either end; proxies have some too.

        Raises:
            EntityNotKnownError: The entity isn't known.
            EntitySoftDeletedError: It is deleted, and no earlier time is asked about.
        """
        ...

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
        """The entities that meet conditions on their properties and classifications.

        Args:
            user_id: Who asks.
            entity_type_guid: The type, its subtypes included.
            entity_subtype_guids: Only these of its subtypes, with their own subtypes.
            match_properties: LIKE takes a Java regular expression for the whole text, the
                other operators whole value objects; header fields aren't looked at.
            limit_results_by_status: The states wanted.
            match_classifications: What they are to be classified as.
            as_of_time: The time asked about.
            paging: The order and the page.

        Raises:
            TypeNotSubtypeError: A subtype is no subtype of the type.
            InvalidPropertySearchError: A condition is neither complete nor nested.
            InvalidListConditionError: IN got no array.
            InvalidLikeConditionError: LIKE got no text.
            InvalidNumericConditionError: There is no order among such values.
            InvalidSearchPatternError: A regular expression is invalid.
            InvalidClassificationSearchError: A classification isn't named.
        """
        ...

    async def find_entities_by_property(
        self,
        user_id: str,
        entity_type_guid: str | None,
        match_properties: InstanceProperties | None,
        match_criteria: MatchCriteria | None,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        """The entities that are like the properties.

        Args:
            user_id: Who asks.
            entity_type_guid: The type, its subtypes included.
            match_properties: Texts are Java regular expressions for the whole value; a map,
                array or struct is part of what is wanted; anything else is exact. Some
                header fields may be named too (``HeaderField``).
            match_criteria: How the properties combine; goes with them.
            limit_results_by_status: The states wanted.
            limit_results_by_classification: At least one of these names.
            as_of_time: The time asked about.
            paging: The order and the page.

        Raises:
            MatchCriteriaMissingError: There are properties or criteria without the other.
            InvalidSearchPatternError: A regular expression is invalid.
        """
        ...

    async def find_entities_by_classification(
        self,
        user_id: str,
        entity_type_guid: str | None,
        classification_name: str,
        match_properties: InstanceProperties | None,
        match_criteria: MatchCriteria | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        """The entities that carry a classification with such properties.

        An unknown name finds nothing. Properties match as in ``find_entities_by_property``,
        header fields apart.

        Raises:
            InvalidClassificationForEntityError: No entity of the type can carry it.
            MatchCriteriaMissingError: There are properties or criteria without the other.
            InvalidSearchPatternError: A regular expression is invalid.
        """
        ...

    async def find_entities_by_property_value(
        self,
        user_id: str,
        entity_type_guid: str | None,
        search_criteria: str | None,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        """The entities with a text that matches a Java regular expression in full.

        Looked at are string properties, the symbolic names of enums, and the texts inside
        maps, arrays and structs; neither header fields nor classifications.

        Raises:
            SearchCriteriaMissingError: There is no expression.
            InvalidPropertyForSearchError: It is invalid.
        """
        ...

    def is_relationship_known(
        self, user_id: str, guid: str
    ) -> Answer[Document[Relationship] | None]:
        """The relationship, deleted or not; None if unknown."""
        ...

    def get_relationship(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Answer[Document[Relationship]]:
        """The relationship's state that is, or was, in force.

        Raises:
            RelationshipNotKnownError: It isn't, or wasn't then, known.
            RelationshipSoftDeletedError: It is, or was then, deleted.
        """
        ...

    async def get_relationship_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[Relationship]]:
        """The versions of a relationship in force within a span, deleted ones too.

        Raises:
            RelationshipNotKnownError: It isn't known, or had no version in that span.
            InvalidTimeRangeError: The span ends before it starts.
        """
        ...

    async def find_relationships(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        relationship_subtype_guids: Guids,
        match_properties: SearchProperties | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        """The relationships that meet conditions on their properties.

        Raises:
            OMRSError: As for ``find_entities``.
        """
        ...

    async def find_relationships_by_property(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        match_properties: InstanceProperties | None,
        match_criteria: MatchCriteria | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        """The relationships that are like the properties, or like header fields.

        Raises:
            MatchCriteriaMissingError: There are properties or criteria without the other.
            InvalidSearchPatternError: A regular expression is invalid.
        """
        ...

    async def find_relationships_by_property_value(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        search_criteria: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        """The relationships with a text that matches a Java regular expression in full.

        Raises:
            SearchCriteriaMissingError: There is no expression.
            InvalidPropertyForSearchError: It is invalid.
        """
        ...

    async def get_linking_entities(
        self,
        user_id: str,
        start_entity_guid: str,
        end_entity_guid: str,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
    ) -> Graph:
        """Everything that lies on a path between two entities.

        Raises:
            EntityNotKnownError: One of them isn't known.
            EntitySoftDeletedError: One of them is deleted.
        """
        ...

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
        """What is around an entity, up to ``level`` relationships away.

        The root is always in the answer; the filters on types and classifications hold for
        the other ends, those on relationship types and states for the relationships. An end
        that is known by a proxy only isn't listed, though the relationship to it is.

        Raises:
            EntityNotKnownError: The root isn't known.
            EntitySoftDeletedError: The root is deleted.
            UnknownClassificationError: A classification to filter by isn't known.
        """
        ...

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
        """The start, and the entities that any number of relationships lead to.

        The filters hold for the start as well. That it is among them is what Egeria's
        conformance suite expects.

        Raises:
            EntityNotKnownError: The start isn't known.
            EntitySoftDeletedError: The start is deleted.
            UnknownClassificationError: A classification to filter by isn't known.
        """
        ...

    def get_home_classifications(
        self, user_id: str, entity_guid: str, as_of_time: EpochMillis | None = None
    ) -> Answer[tuple[Classification, ...]]:
        """The entity's classifications that are at home here; none if it isn't known."""
        ...


class InstanceOperations(Protocol):
    """Groups 4 and 5 of OMRS: maintaining instances and who they belong to."""

    async def add_entity(
        self,
        user_id: str,
        entity_type_guid: str | None,
        initial_properties: InstanceProperties | None,
        initial_classifications: Sequence[Classification] | None,
        initial_status: InstanceStatus | None,
        external: ExternalSource | None = None,
    ) -> Document[EntityDetail]:
        """Create an entity, whose home is this collection or the external source.

        Cardinalities and the uniqueness of properties aren't enforced.

        Raises:
            BadCategoryForTypeError: The type is no entity type.
            BadInstanceStatusError: The type doesn't allow the status.
            DeletedStatusError: The status is DELETED.
            UnknownClassificationError: There is no such classification.
            InvalidClassificationForEntityError: A classification isn't for this type.
            BadPropertyForTypeError: The type has no such property, and so the other errors
                of properties (``instances.validate``).
        """
        ...

    async def add_entity_proxy(self, user_id: str, proxy: EntityProxy) -> None:
        """Remember another member's entity, as far as relationships need it.

        Raises:
            LocalEntityProxyError: Its home is here.
            HomeIdMissingError: It names no home.
        """
        ...

    async def update_entity_status(
        self, user_id: str, entity_guid: str, new_status: InstanceStatus | None
    ) -> Document[EntityDetail]:
        """Give an entity another status; a new version of it.

        Raises:
            EntityNotKnownError: It isn't known.
            EntitySoftDeletedError: It is deleted.
            EntityProxyInHomeError: Only a proxy of it is known.
            EntityCanNotBeUpdatedError: It isn't this member's to change.
            InstanceStatusMissingError: There is no status.
            BadInstanceStatusError: The type doesn't allow it.
            DeletedStatusError: It is DELETED.
        """
        ...

    async def update_entity_properties(
        self, user_id: str, entity_guid: str, properties: InstanceProperties | None
    ) -> Document[EntityDetail]:
        """Replace all properties of an entity; a new version of it.

        Raises:
            EntityNotKnownError: It isn't known, and so the others of ``update_entity_status``.
            NewPropertiesMissingError: There are no properties.
            BadPropertyForTypeError: The type has no such property, and so the other errors
                of properties (``instances.validate``).
        """
        ...

    async def undo_entity_update(
        self, user_id: str, entity_guid: str
    ) -> Document[EntityDetail] | None:
        """Make the content of the previous version a new one; None if there is none.

        Type, status and properties go back; classifications stay.

        Raises:
            EntityNotKnownError: It isn't known, and so the others of ``update_entity_status``.
            EntitySoftDeletedError: It is deleted, or was in the previous version.
        """
        ...

    async def delete_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_entity_guid: str,
    ) -> Document[EntityDetail]:
        """Delete an entity so that it can be restored.

        Its relationships that are at home here go with it; copies of others are forgotten.

        Raises:
            TypeMismatchError: It is of another type, or GUID and name aren't one type's.
            EntityNotKnownError: It isn't known, and so the others of ``update_entity_status``.
        """
        ...

    async def purge_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_entity_guid: str,
    ) -> None:
        """Remove a deleted entity, its history and its relationships for good.

        Raises:
            EntityNotDeletedError: It isn't deleted.
            EntityNotKnownError: It isn't known in full.
            EntityCanNotBeUpdatedError: It isn't this member's to change.
            TypeMismatchError: It is of another type, or GUID and name aren't one type's.
        """
        ...

    async def restore_entity(
        self, user_id: str, deleted_entity_guid: str
    ) -> Document[EntityDetail]:
        """Bring a deleted entity back, with the status it had; its relationships stay deleted.

        Raises:
            EntityNotDeletedError: It isn't deleted.
            EntityNotKnownError: It isn't known in full.
            EntityCanNotBeUpdatedError: It isn't this member's to change.
        """
        ...

    async def classify_entity(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]:
        """Classify an entity, whoever it belongs to; its own version stays.

        An entity that carries the same already is answered as it is (the rule of the
        enterprise layer; a genuine local repository ignores other properties).

        Raises:
            EntityAlreadyClassifiedError: It carries it with other properties.
            EntityNotKnownError: It isn't known in full.
            EntitySoftDeletedError: It is deleted.
            UnknownClassificationError: There is no such classification.
            InvalidClassificationForEntityError: It isn't for entities of this type.
        """
        ...

    async def classify_entity_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Classification:
        """Classify an entity that needn't be known here; the classification as given.

        Raises:
            EntityProxyMissingError: There is no proxy.
            EntityNotKnownError: The proxy claims this home, and the entity isn't known.
            EntityAlreadyClassifiedError: The entity carries it with other properties.
        """
        ...

    async def declassify_entity(
        self, user_id: str, entity_guid: str, classification_name: str
    ) -> Document[EntityDetail]:
        """Take a classification from an entity.

        Raises:
            EntityNotClassifiedError: It doesn't carry it.
            EntityNotKnownError: It isn't known in full.
            EntitySoftDeletedError: It is deleted.
        """
        ...

    async def declassify_entity_by_proxy(
        self, user_id: str, entity_proxy: EntityProxy | None, classification_name: str
    ) -> Classification:
        """Take a classification from an entity; the classification as it was.

        Raises:
            EntityNotClassifiedError: It doesn't carry it, as far as is known here.
        """
        ...

    async def update_entity_classification(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]:
        """Replace all properties of a classification; a new version of it.

        Raises:
            EntityNotClassifiedError: The entity doesn't carry it.
            EntityNotKnownError: The entity isn't known in full.
            EntitySoftDeletedError: The entity is deleted.
        """
        ...

    async def update_entity_classification_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        properties: InstanceProperties | None,
    ) -> Classification:
        """Replace all properties of a classification; the classification as it is then.

        Raises:
            EntityNotClassifiedError: The entity doesn't carry it, as far as is known here.
        """
        ...

    async def add_relationship(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        initial_properties: InstanceProperties | None,
        entity_one_guid: str | None,
        entity_two_guid: str | None,
        initial_status: InstanceStatus | None,
        external: ExternalSource | None = None,
    ) -> Document[Relationship]:
        """Create a relationship between two entities, known in full or by a proxy.

        How many there may be at an end, and between two entities, isn't enforced.

        Raises:
            EntityNotKnownError: An end isn't known.
            EntitySoftDeletedError: An end is deleted.
            InvalidRelationshipEndsError: The ends aren't of the type's, in its order.
            BadCategoryForTypeError: The type is no relationship type.
        """
        ...

    async def update_relationship_status(
        self, user_id: str, relationship_guid: str, new_status: InstanceStatus | None
    ) -> Document[Relationship]:
        """Give a relationship another status; a new version of it.

        Raises:
            RelationshipNotKnownError: It isn't known.
            RelationshipSoftDeletedError: It is deleted.
            RelationshipCanNotBeUpdatedError: It isn't this member's to change.
            InstanceStatusMissingError: There is no status.
            BadInstanceStatusError: The type doesn't allow it.
            DeletedStatusError: It is DELETED.
        """
        ...

    async def update_relationship_properties(
        self,
        user_id: str,
        relationship_guid: str,
        properties: InstanceProperties | None,
    ) -> Document[Relationship]:
        """Replace all properties of a relationship; a new version of it.

        Raises:
            RelationshipNotKnownError: As for ``update_relationship_status``, and so the others.
            NewPropertiesMissingError: There are no properties.
        """
        ...

    async def undo_relationship_update(
        self, user_id: str, relationship_guid: str
    ) -> Document[Relationship] | None:
        """Make the content of the previous version a new one; None if there is none.

        Raises:
            RelationshipNotKnownError: As for ``update_relationship_status``, and so the others.
        """
        ...

    async def delete_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_relationship_guid: str,
    ) -> Document[Relationship]:
        """Delete a relationship so that it can be restored.

        Raises:
            TypeMismatchError: It is of another type, or GUID and name aren't one type's.
            RelationshipNotKnownError: As for ``update_relationship_status``, and so the others.
        """
        ...

    async def purge_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_relationship_guid: str,
    ) -> None:
        """Remove a deleted relationship and its history for good.

        Raises:
            RelationshipNotDeletedError: It isn't deleted.
            RelationshipNotKnownError: It isn't known.
            RelationshipCanNotBeUpdatedError: It isn't this member's to change.
            TypeMismatchError: It is of another type, or GUID and name aren't one type's.
        """
        ...

    async def restore_relationship(
        self, user_id: str, deleted_relationship_guid: str
    ) -> Document[Relationship]:
        """Bring a deleted relationship back, with the status it had.

        Raises:
            RelationshipNotDeletedError: It isn't deleted.
            RelationshipNotKnownError: It isn't known.
            RelationshipCanNotBeUpdatedError: It isn't this member's to change.
        """
        ...

    async def re_identify_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        entity_guid: str,
        new_entity_guid: str | None,
    ) -> Document[EntityDetail]:
        """Give an entity another GUID; the old one stays behind as deleted.

        Its relationships point to the new one from then on.

        Raises:
            GuidMissingError: There is no new GUID.
            GuidInUseError: The new GUID is something else's.
            EntityNotKnownError: It isn't known, and so the others of ``update_entity_status``.
        """
        ...

    async def re_type_entity(
        self,
        user_id: str,
        entity_guid: str,
        current_type_def: TypeDefSummary | None,
        new_type_def: TypeDefSummary | None,
    ) -> Document[EntityDetail]:
        """Give an entity another type, in which all that it holds is allowed.

        Raises:
            TypeNotKnownError: A summary names no type by both GUID and name.
            TypeMismatchError: It isn't of the current type.
            BadPropertyForTypeError: The new type lacks one of its properties.
            InvalidClassificationForEntityError: One of its classifications isn't for that type.
            EntityNotKnownError: It isn't known, and so the others of ``update_entity_status``.
        """
        ...

    async def re_home_entity(
        self,
        user_id: str,
        entity_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
        new_home_metadata_collection_id: str | None,
        new_home_metadata_collection_name: str | None,
    ) -> Document[EntityDetail]:
        """Make this collection the home of an entity that it has a full copy of.

        Raises:
            NotForLocalCollectionError: The new home is another collection.
            EntityHomeIsLocalError: It is at home here.
            EntityProxyOnlyError: Only a proxy is known.
            EntityNotKnownError: It isn't known.
            TypeMismatchError: It is of another type, or GUID and name aren't one type's.
        """
        ...

    async def re_identify_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        relationship_guid: str,
        new_relationship_guid: str | None,
    ) -> Document[Relationship]:
        """Give a relationship another GUID; the old one stays behind as deleted.

        Raises:
            GuidMissingError: There is no new GUID.
            GuidInUseError: The new GUID is something else's.
            RelationshipNotKnownError: As for ``update_relationship_status``, and so the others.
        """
        ...

    async def re_type_relationship(
        self,
        user_id: str,
        relationship_guid: str,
        current_type_def: TypeDefSummary | None,
        new_type_def: TypeDefSummary | None,
    ) -> Document[Relationship]:
        """Give a relationship another type, in which its properties and ends are allowed.

        Raises:
            TypeNotKnownError: A summary names no type by both GUID and name.
            TypeMismatchError: It isn't of the current type.
            BadPropertyForTypeError: The new type lacks one of its properties.
            InvalidRelationshipEndsError: Its ends aren't of the new type's.
            RelationshipNotKnownError: As for ``update_relationship_status``, and so the others.
        """
        ...

    async def re_home_relationship(
        self,
        user_id: str,
        relationship_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
        new_home_metadata_collection_id: str | None,
        new_home_metadata_collection_name: str | None,
    ) -> Document[Relationship]:
        """Make this collection the home of a relationship that it has a copy of.

        Raises:
            NotForLocalCollectionError: The new home is another collection.
            RelationshipHomeIsLocalError: It is at home here.
            RelationshipNotKnownError: It isn't known.
            TypeMismatchError: It is of another type, or GUID and name aren't one type's.
        """
        ...


class ReferenceOperations(Protocol):
    """Group 6 of OMRS: copies of instances whose home is elsewhere."""

    async def save_entity_reference_copy(
        self, user_id: str, entity: EntityDetail | None
    ) -> None:
        """Keep a copy, unless a newer one is known.

        Classifications that members here gave to it stay.

        Raises:
            HomeEntityError: It is at home here.
            EntityConflictError: It can't be the same as the one of its GUID that is known.
        """
        ...

    async def delete_entity_reference_copy(
        self, user_id: str, entity: EntityDetail | None
    ) -> None:
        """Keep a copy as deleted, if the entity is known.

        Raises:
            HomeEntityError: It is at home here.
        """
        ...

    async def purge_entity_reference_copy(
        self, user_id: str, entity: EntityDetail | None
    ) -> None:
        """Forget a copy, if there is one.

        Raises:
            HomeEntityError: It is at home here.
        """
        ...

    async def purge_entity_reference_copy_by_guid(
        self,
        user_id: str,
        entity_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None:
        """Forget a copy.

        Raises:
            EntityNotKnownError: There is none.
            HomeEntityError: It is at home here.
        """
        ...

    async def refresh_entity_reference_copy(
        self,
        user_id: str,
        entity_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None:
        """Ask the home to send the entity again; the answer comes as an event.

        Raises:
            HomeEntityError: It is at home here.
        """
        ...

    async def save_classification_reference_copy(
        self,
        user_id: str,
        entity: EntityDetail | EntityProxy | None,
        classification: Classification | None,
    ) -> None:
        """Keep a copy of a classification, with the entity if that is sent in full.

        Raises:
            HomeEntityError: The classification is at home here.
            EntityNotKnownError: The entity claims this home and isn't known.
        """
        ...

    async def purge_classification_reference_copy(
        self,
        user_id: str,
        entity: EntityDetail | EntityProxy | None,
        classification: Classification | None,
    ) -> None:
        """Forget a copy of a classification, if there is one.

        Raises:
            HomeEntityError: It is at home here.
        """
        ...

    async def save_relationship_reference_copy(
        self, user_id: str, relationship: Relationship | None
    ) -> None:
        """Keep a copy, unless a newer one is known, and proxies of ends not known yet.

        Raises:
            HomeRelationshipError: It is at home here.
            RelationshipConflictError: It can't be the same as the one of its GUID that is known.
        """
        ...

    async def delete_relationship_reference_copy(
        self, user_id: str, relationship: Relationship | None
    ) -> None:
        """Keep a copy as deleted, if the relationship is known.

        Raises:
            HomeRelationshipError: It is at home here.
        """
        ...

    async def purge_relationship_reference_copy(
        self, user_id: str, relationship: Relationship | None
    ) -> None:
        """Forget a copy, if there is one.

        Raises:
            HomeRelationshipError: It is at home here.
        """
        ...

    async def purge_relationship_reference_copy_by_guid(
        self,
        user_id: str,
        relationship_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None:
        """Forget a copy.

        Raises:
            RelationshipNotKnownError: There is none.
            HomeRelationshipError: It is at home here.
        """
        ...

    async def refresh_relationship_reference_copy(
        self,
        user_id: str,
        relationship_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None:
        """Ask the home to send the relationship again; the answer comes as an event.

        Raises:
            HomeRelationshipError: It is at home here.
        """
        ...

    async def save_instance_reference_copies(
        self,
        user_id: str,
        entities: Sequence[EntityDetail] | None,
        relationships: Sequence[Relationship] | None,
    ) -> None:
        """Keep copies, all of them or none.

        Raises:
            InvalidEntityError: An entity can't be kept; the reason is inside.
            InvalidRelationshipError: A relationship can't be kept; the reason is inside.
        """
        ...


class MetadataCollection(
    TypeOperations, QueryOperations, InstanceOperations, ReferenceOperations, Protocol
):
    """All operations."""
