"""Everything that changes a collection, by chance."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from edgenode.collection.base import ClassificationSource, ExternalSource
from edgenode.instances.document import Document
from edgenode.instances.model import ClassificationOrigin, EntityProxy
from edgenode.instances.provenance import Home
from edgenode.typedefs.model import TypeDefSummary
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    LOCAL,
    REMOTE,
    START,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    remote_relationship,
    type_guid,
)
from tests.model.twins import (
    CATEGORIZATION,
    COPIES,
    RELATED,
    RELATIONSHIP_COPY,
    RELATIONSHIPS,
    Fits,
    Twins,
    carries,
    classification_properties,
    classifications,
    data,
    entity_properties,
    is_deleted,
    is_live,
    is_ours,
    names,
    statuses,
    symbols,
    type_names,
    users,
    versions,
)

SOURCE = ExternalSource("source-id", "catalogue")

externals = st.sampled_from([None, None, None, SOURCE])
sources = st.sampled_from(
    [
        ClassificationSource(),
        ClassificationSource(ClassificationOrigin.PROPAGATED, "guid-0"),
        ClassificationSource(external=SOURCE),
    ]
)
new_homes = st.sampled_from([LOCAL, LOCAL, LOCAL, REMOTE])
named_types = st.sampled_from(
    [("Referenceable", "Referenceable")] * 8
    + [("Referenceable", "Glossary"), ("Glossary", "Glossary"), (None, "Glossary")]
)
"""A type GUID's and a type's name, as deleting wants them; at times they are wrong."""


def is_copy(state: Any) -> bool:
    """It is there, known in full, and at home elsewhere."""
    is_proxy = getattr(state, "is_proxy", False)
    return is_live(state) and not is_proxy and state.metadata_collection_id == REMOTE.id


def of_type(name: str) -> Fits:
    """It is there and of the type."""
    return lambda state: is_live(state) and state.type_name == name


class EntityChanges(Twins):
    """Entities and their classifications."""

    @rule(
        draw=data,
        user=users,
        type_name=type_names,
        status=statuses,
        given=st.booleans(),
        external=externals,
    )
    def add_entity(
        self,
        draw: Any,
        user: str,
        type_name: str,
        status: Any,
        given: bool,
        external: ExternalSource | None,
    ) -> None:
        values = draw.draw(st.none() | entity_properties(type_name))
        self.add(user, type_name, values, status, given=given, external=external)

    def add(
        self,
        user: str,
        type_name: str,
        values: Any,
        status: Any = None,
        *,
        given: bool = False,
        external: ExternalSource | None = None,
    ) -> None:
        with_it = [remote_classification(version=0)] if given else None
        self.same_guid()
        added = self.both(
            lambda c: c.add_entity(
                user, type_guid(type_name), values, with_it, status, external
            )
        )
        if isinstance(added, Document):
            known = self.terms if "Term" in type_name else self.others
            known.append(added.value.guid)

    @rule(draw=data, user=users, type_name=type_names)
    def update_entity_properties(self, draw: Any, user: str, type_name: str) -> None:
        guid = self.entity(draw, is_ours)
        values = draw.draw(entity_properties(type_name))
        self.both(lambda c: c.update_entity_properties(user, guid, values))

    @rule(draw=data, user=users, status=statuses)
    def update_entity_status(self, draw: Any, user: str, status: Any) -> None:
        guid = self.entity(draw, is_ours)
        self.both(lambda c: c.update_entity_status(user, guid, status))

    @rule(draw=data, user=users)
    def undo_entity_update(self, draw: Any, user: str) -> None:
        guid = self.entity(draw, is_ours)
        self.both(lambda c: c.undo_entity_update(user, guid))

    @rule(draw=data, user=users, types=named_types)
    def delete_entity(self, draw: Any, user: str, types: Any) -> None:
        guid, (of, name) = self.entity(draw, is_ours), types
        self.both(lambda c: c.delete_entity(user, of and type_guid(of), name, guid))

    @rule(draw=data, user=users)
    def restore_entity(self, draw: Any, user: str) -> None:
        guid = self.entity(draw, is_deleted)
        self.both(lambda c: c.restore_entity(user, guid))

    @rule(draw=data, user=users, types=named_types)
    def purge_entity(self, draw: Any, user: str, types: Any) -> None:
        guid, (of, name) = self.entity(draw, is_deleted), types
        self.both(lambda c: c.purge_entity(user, of and type_guid(of), name, guid))

    @rule(draw=data, user=users, back=st.booleans())
    def delete_for_a_time_or_for_good(self, draw: Any, user: str, back: bool) -> None:
        guid, of = self.entity(draw, is_ours), "Referenceable"
        self.both(lambda c: c.delete_entity(user, type_guid(of), of, guid))
        if back:
            self.both(lambda c: c.restore_entity(user, guid))
        else:
            self.both(lambda c: c.purge_entity(user, type_guid(of), of, guid))

    @rule(draw=data, user=users)
    def re_identify_entity(self, draw: Any, user: str) -> None:
        guid, new = self.entity(draw, is_ours), f"moved-{next(self.uuids)}"
        of = "Referenceable"
        moved = self.both(
            lambda c: c.re_identify_entity(user, type_guid(of), of, guid, new)
        )
        if isinstance(moved, Document):
            known = self.terms if guid in self.terms else self.others
            known.append(new)

    @rule(draw=data, user=users, type_name=type_names)
    def re_type_entity(self, draw: Any, user: str, type_name: str) -> None:
        guid = self.entity(draw, is_ours)
        of = draw.draw(st.sampled_from(["Referenceable", "GlossaryTerm"]))
        old = TypeDefSummary(guid=type_guid(of), name=of)
        new = TypeDefSummary(guid=type_guid(type_name), name=type_name)
        self.both(lambda c: c.re_type_entity(user, guid, old, new))

    @rule(draw=data, user=users, new_home=new_homes)
    def re_home_entity(self, draw: Any, user: str, new_home: Home) -> None:
        guid, of = self.entity(draw, is_copy), "Referenceable"
        self.both(
            lambda c: c.re_home_entity(
                user, guid, type_guid(of), of, REMOTE.id, new_home.id, new_home.name
            )
        )

    # Classifications

    @rule(draw=data, user=users, name=classifications, source=sources)
    def classify(
        self, draw: Any, user: str, name: str, source: ClassificationSource
    ) -> None:
        guid = self.entity(draw)
        values = draw.draw(classification_properties(name))
        self.both(lambda c: c.classify_entity(user, guid, name, source, values))

    @rule(draw=data, user=users, name=classifications)
    def reclassify(self, draw: Any, user: str, name: str) -> None:
        guid = self.entity(draw, carries(name))
        values = draw.draw(classification_properties(name))
        self.both(lambda c: c.update_entity_classification(user, guid, name, values))

    @rule(draw=data, user=users, name=classifications)
    def declassify(self, draw: Any, user: str, name: str) -> None:
        guid = self.entity(draw, carries(name))
        self.both(lambda c: c.declassify_entity(user, guid, name))

    @rule(draw=data, user=users, name=classifications, source=sources)
    def classify_by_proxy(
        self, draw: Any, user: str, name: str, source: ClassificationSource
    ) -> None:
        proxy = self.proxy(draw)
        values = draw.draw(classification_properties(name))
        self.both(
            lambda c: c.classify_entity_by_proxy(user, proxy, name, source, values)
        )

    @rule(draw=data, user=users, name=classifications)
    def reclassify_by_proxy(self, draw: Any, user: str, name: str) -> None:
        proxy = self.proxy(draw, carries(name))
        values = draw.draw(classification_properties(name))
        self.both(
            lambda c: c.update_entity_classification_by_proxy(user, proxy, name, values)
        )

    @rule(draw=data, user=users, name=classifications)
    def declassify_by_proxy(self, draw: Any, user: str, name: str) -> None:
        proxy = self.proxy(draw, carries(name))
        self.both(lambda c: c.declassify_entity_by_proxy(user, proxy, name))

    def proxy(self, draw: Any, fits: Fits | None = None) -> EntityProxy:
        """A proxy as a caller sends it, of an entity that may or may not be known."""
        home = draw.draw(st.sampled_from([LOCAL, REMOTE]))
        return remote_proxy(
            self.entity(draw, fits),
            metadata_collection_id=home.id,
            metadata_collection_name=home.name,
        )


class RelationshipChanges(Twins):
    """Relationships."""

    @rule(draw=data, user=users, name=names, external=externals)
    def categorize(
        self, draw: Any, user: str, name: str, external: ExternalSource | None
    ) -> None:
        one = self.entity(draw, of_type("GlossaryCategory"))
        two = self.entity(draw, of_type("GlossaryTerm"))
        self.link(draw, user, CATEGORIZATION, name, one, two, external)

    @rule(draw=data, user=users, name=names)
    def relate(self, draw: Any, user: str, name: str) -> None:
        one, two = (self.entity(draw, of_type("GlossaryTerm")) for _ in range(2))
        self.link(draw, user, RELATED, name, one, two)

    @rule(draw=data, user=users, type_name=st.sampled_from(RELATIONSHIPS), name=names)
    def relate_any(self, draw: Any, user: str, type_name: str, name: str) -> None:
        one, two = self.entity(draw), self.entity(draw)
        self.link(draw, user, type_name, name, one, two)

    def link(
        self,
        draw: Any,
        user: str,
        type_name: str,
        name: str,
        one: str,
        two: str,
        external: ExternalSource | None = None,
    ) -> None:
        values = properties(description=name, status=draw.draw(symbols))
        self.same_guid()
        added = self.both(
            lambda c: c.add_relationship(
                user, type_guid(type_name), values, one, two, None, external
            )
        )
        if isinstance(added, Document):
            self.relationships.append(added.value.guid)

    @rule(draw=data, user=users, name=names)
    def update_relationship(self, draw: Any, user: str, name: str) -> None:
        guid = self.relationship(draw, is_ours)
        values = properties(description=name)
        self.both(lambda c: c.update_relationship_properties(user, guid, values))

    @rule(draw=data, user=users, status=statuses)
    def update_relationship_status(self, draw: Any, user: str, status: Any) -> None:
        guid = self.relationship(draw, is_ours)
        self.both(lambda c: c.update_relationship_status(user, guid, status))

    @rule(draw=data, user=users)
    def undo_relationship_update(self, draw: Any, user: str) -> None:
        guid = self.relationship(draw, is_ours)
        self.both(lambda c: c.undo_relationship_update(user, guid))

    @rule(draw=data, user=users)
    def delete_relationship(self, draw: Any, user: str) -> None:
        guid = self.relationship(draw, is_ours)
        of = self.relationship_type(draw, guid)
        self.both(lambda c: c.delete_relationship(user, type_guid(of), of, guid))

    @rule(draw=data, user=users)
    def restore_relationship(self, draw: Any, user: str) -> None:
        guid = self.relationship(draw, is_deleted)
        self.both(lambda c: c.restore_relationship(user, guid))

    @rule(draw=data, user=users)
    def purge_relationship(self, draw: Any, user: str) -> None:
        guid = self.relationship(draw, is_deleted)
        of = self.relationship_type(draw, guid)
        self.both(lambda c: c.purge_relationship(user, type_guid(of), of, guid))

    @rule(draw=data, user=users)
    def re_identify_relationship(self, draw: Any, user: str) -> None:
        guid, new = self.relationship(draw, is_ours), f"moved-{next(self.uuids)}"
        of = self.relationship_type(draw, guid)
        moved = self.both(
            lambda c: c.re_identify_relationship(user, type_guid(of), of, guid, new)
        )
        if isinstance(moved, Document):
            self.relationships.append(new)

    @rule(draw=data, user=users, new=st.sampled_from([*RELATIONSHIPS, "Synonym"]))
    def re_type_relationship(self, draw: Any, user: str, new: str) -> None:
        guid = self.relationship(draw, is_ours)
        old = self.relationship_type(draw, guid)
        summaries = [TypeDefSummary(guid=type_guid(of), name=of) for of in (old, new)]
        self.both(lambda c: c.re_type_relationship(user, guid, *summaries))

    @rule(draw=data, user=users, new_home=new_homes)
    def re_home_relationship(self, draw: Any, user: str, new_home: Home) -> None:
        guid, of = self.relationship(draw, is_copy), CATEGORIZATION
        self.both(
            lambda c: c.re_home_relationship(
                user, guid, type_guid(of), of, REMOTE.id, new_home.id, new_home.name
            )
        )

    def relationship_type(self, draw: Any, guid: str) -> str:
        """A type to name for a relationship, mostly its own."""
        stored = self.model.relationship(guid)
        known = [] if stored is None else [stored.type_name] * 6
        name: str = draw.draw(st.sampled_from([*known, *RELATIONSHIPS]))
        return name


class CopyChanges(Twins):
    """Copies of what is at home elsewhere."""

    @rule(
        guid=st.sampled_from(COPIES),
        version=versions,
        name=names,
        status=st.sampled_from([InstanceStatus.ACTIVE] * 4 + [InstanceStatus.DELETED]),
    )
    def save_copy(
        self, guid: str, version: int, name: str, status: InstanceStatus
    ) -> None:
        copy = remote_entity(
            guid,
            version=version,
            properties=properties(qualifiedName=name),
            update_time=START - 100 + version,
            status=status,
        )
        self.both(lambda c: c.save_entity_reference_copy("ann", copy))

    @rule(guid=st.sampled_from(COPIES), version=versions)
    def save_proxy(self, guid: str, version: int) -> None:
        proxy = remote_proxy(guid, version=version)
        self.both(lambda c: c.add_entity_proxy("ann", proxy))

    @rule(draw=data, version=versions)
    def delete_copy(self, draw: Any, version: int) -> None:
        copy = remote_entity(self.copy(draw), version=version)
        self.both(lambda c: c.delete_entity_reference_copy("ann", copy))

    @rule(draw=data)
    def purge_copy(self, draw: Any) -> None:
        copy = remote_entity(self.copy(draw))
        self.both(lambda c: c.purge_entity_reference_copy("ann", copy))

    @rule(draw=data)
    def purge_copy_by_guid(self, draw: Any) -> None:
        guid, of = self.copy(draw), "GlossaryTerm"
        self.both(
            lambda c: c.purge_entity_reference_copy_by_guid(
                "ann", guid, type_guid(of), of, REMOTE.id
            )
        )

    @rule(draw=data)
    def refresh_copy(self, draw: Any) -> None:
        guid, of = self.copy(draw), "GlossaryTerm"
        self.both(
            lambda c: c.refresh_entity_reference_copy(
                "ann", guid, type_guid(of), of, REMOTE.id
            )
        )

    @rule(draw=data, version=versions, full=st.booleans())
    def save_classification_copy(self, draw: Any, version: int, full: bool) -> None:
        guid = self.entity(draw)
        entity = remote_entity(guid) if full else remote_proxy(guid)
        given = remote_classification("Retention", version=version)
        self.both(lambda c: c.save_classification_reference_copy("ann", entity, given))

    @rule(draw=data, name=classifications)
    def purge_classification_copy(self, draw: Any, name: str) -> None:
        proxy, given = (
            remote_proxy(self.entity(draw, carries(name))),
            remote_classification(name),
        )
        self.both(lambda c: c.purge_classification_reference_copy("ann", proxy, given))

    @rule(draw=data, version=versions)
    def save_relationship_copy(self, draw: Any, version: int) -> None:
        copy = self.relationship_copy(draw, version)
        self.both(lambda c: c.save_relationship_reference_copy("ann", copy))

    @rule(draw=data, version=versions)
    def delete_relationship_copy(self, draw: Any, version: int) -> None:
        copy = self.relationship_copy(draw, version)
        self.both(lambda c: c.delete_relationship_reference_copy("ann", copy))

    @rule(draw=data)
    def purge_relationship_copy(self, draw: Any) -> None:
        copy = replace(self.relationship_copy(draw, 1), guid=self.relationship(draw))
        self.both(lambda c: c.purge_relationship_reference_copy("ann", copy))

    @rule(draw=data)
    def purge_relationship_copy_by_guid(self, draw: Any) -> None:
        guid, of = self.relationship(draw), CATEGORIZATION
        self.both(
            lambda c: c.purge_relationship_reference_copy_by_guid(
                "ann", guid, type_guid(of), of, REMOTE.id
            )
        )

    @rule(draw=data)
    def refresh_relationship_copy(self, draw: Any) -> None:
        guid, of = self.relationship(draw), CATEGORIZATION
        self.both(
            lambda c: c.refresh_relationship_reference_copy(
                "ann", guid, type_guid(of), of, REMOTE.id
            )
        )

    @rule(draw=data, versions=st.tuples(versions, versions))
    def save_copies_together(self, draw: Any, versions: tuple[int, int]) -> None:
        entities = [
            remote_entity(guid, version=version)
            for guid, version in zip(COPIES, versions, strict=True)
        ]
        relationships = [self.relationship_copy(draw, versions[0])]
        self.both(
            lambda c: c.save_instance_reference_copies("ann", entities, relationships)
        )

    def copy(self, draw: Any) -> str:
        """Mostly a copy's GUID, at times one of ours."""
        if draw.draw(st.integers(0, 4)) == 4:
            return self.entity(draw)
        guid: str = draw.draw(st.sampled_from(COPIES))
        return guid

    def relationship_copy(self, draw: Any, version: int) -> Any:
        one, two = (remote_proxy(self.entity(draw)) for _ in range(2))
        return remote_relationship(one, two, RELATIONSHIP_COPY, version=version)
