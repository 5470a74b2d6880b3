"""Giving out what this server holds, for open metadata archives."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from edgenode.collection.local_base import LocalOperations
from edgenode.instances.document import Document
from edgenode.instances.lifecycle import with_end
from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.limits import EXPORT_PAGE
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.base import Instance
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef, TypeDefPatch
from edgenode.typedefs.patch import patch_between
from edgenode.typedefs.registry import Definition


@dataclass(frozen=True, slots=True)
class ExportedTypes:
    """The types that go beyond the release's own, or say more than these.

    Attributes:
        attribute_type_defs: Attribute types, by name.
        type_defs: Types, by name; patched ones as they are now.
        patches: What leads from the release's types to the patched ones.
    """

    attribute_type_defs: tuple[AttributeTypeDef, ...]
    type_defs: tuple[TypeDef, ...]
    patches: tuple[TypeDefPatch, ...]


class LocalExportOperations(LocalOperations):
    """Reading everything, as stored: nothing is shown as deregistered here."""

    async def exported_types(self) -> ExportedTypes:
        """The types that a server of this release doesn't have by itself."""
        return await asyncio.to_thread(self._types_beyond_release)

    def _types_beyond_release(self) -> ExportedTypes:
        shipped = load_release_types(self._parts.release)
        type_defs, patches = [], []
        for known in sorted(self._parts.types.type_defs, key=_name):
            original = shipped.type_def_by_guid(known.guid)
            if original == known:
                continue
            type_defs.append(known)
            if original is not None and original.version < known.version:
                patches.append(patch_between(original, known))
        return ExportedTypes(
            tuple(
                known
                for known in sorted(self._parts.types.attribute_type_defs, key=_name)
                if known != shipped.attribute_type_def_by_guid(known.guid)
            ),
            tuple(type_defs),
            tuple(patches),
        )

    async def export_mark(self) -> int:
        """A mark for what is stored now; exports up to it agree with each other."""
        return await self._repository.newest_state()

    async def exported_entities(
        self, mark: int
    ) -> AsyncIterator[list[Document[EntityDetail]]]:
        """The entities known in full, deleted ones too, in pages by GUID."""
        async for page in self._pages(EntityDetail, mark):
            yield page

    async def exported_proxies(
        self, mark: int
    ) -> AsyncIterator[list[Document[EntityProxy]]]:
        """The entities known by a proxy only, in pages by GUID."""
        async for page in self._pages(EntityProxy, mark):
            yield page

    async def exported_relationships(
        self, mark: int
    ) -> AsyncIterator[list[Document[Relationship]]]:
        """The relationships, deleted ones too, in pages by GUID.

        The proxies of ends that changed, or are known by a proxy only, are as these
        entities are now: so they come out the same after they were loaded elsewhere.
        """
        async for page in self._pages(Relationship, mark):
            yield [self._with_its_ends(document) for document in page]

    async def _pages(
        self, kind: type[Instance], mark: int
    ) -> AsyncIterator[list[Document[Instance]]]:
        after = ""
        while page := await self._repository.states_until(
            kind, mark, after, EXPORT_PAGE
        ):
            yield page
            after = str(page[-1].value.guid)

    def _with_its_ends(
        self, document: Document[Relationship]
    ) -> Document[Relationship]:
        stored = relationship = document.value
        for end in (stored.entity_one_proxy, stored.entity_two_proxy):
            known = None if end is None else self._repository.entity(str(end.guid))
            if known is not None and (document.ends_changed or known.is_proxy):
                proxy = self._proxy_of(known.document.value)
                relationship = with_end(relationship, str(proxy.guid), proxy)
        if relationship == stored:
            return document
        return self._parts.codec.document(relationship)


def _name(definition: Definition) -> str:
    return str(definition.name)
