"""Changed types after a restart."""

import asyncio
from dataclasses import replace
from pathlib import Path

from edgenode.clock import SystemClock
from edgenode.releases import SERVED
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.sqlite import SqliteRepository
from tests.model.house import CODEC, USER, House
from tests.unit.typedefs.samples import COLOUR, attribute, entity_def, patch_of

BOOK = entity_def("Book", properties_definition=(attribute("title"),))


async def test_changes_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "node.db"
    opened = SqliteRepository.opened
    shipped, shipped_again = [
        await asyncio.to_thread(load_release_types, SERVED) for _ in range(2)
    ]
    async with opened(file, CODEC, SystemClock(), name="node") as repository:
        house = House(repository, types=shipped)
        collection = house.collection
        await collection.add_attribute_type_def(USER, COLOUR)
        await collection.add_type_def(USER, BOOK)
        await collection.add_type_def(USER, entity_def("Letter"))
        await collection.delete_type_def(USER, "guid-Letter", "Letter")
        term = collection.get_type_def_by_name(USER, "GlossaryTerm")
        patch = patch_of(term, property_definitions=(attribute("mood", COLOUR),))
        patched = await collection.update_type_def(USER, patch)
        before = house.types
    async with opened(file, CODEC, SystemClock(), name="node") as repository:
        again = House(repository, types=shipped_again)
        assert again.types.type_defs == before.type_defs
        assert again.types.attribute_type_defs == before.attribute_type_defs
        assert again.collection.get_type_def_by_name(USER, "GlossaryTerm") == patched


async def test_a_newer_release_knows_better_than_what_was_stored(
    tmp_path: Path,
) -> None:
    file = tmp_path / "node.db"
    shipped, newer = [
        await asyncio.to_thread(load_release_types, SERVED) for _ in range(2)
    ]
    known = shipped.type_def("GlossaryTerm")
    assert known is not None
    described = replace(known, description="Words and what they mean.")
    opened = SqliteRepository.opened
    async with opened(file, CODEC, SystemClock(), name="node") as repository:
        await repository.change(lambda tx: tx.save_type(described))
        assert House(repository, types=shipped).types.type_def("GlossaryTerm") == (
            described
        )
        later = replace(known, version=known.version + 1)
        newer.put(later)
        assert House(repository, types=newer).types.type_def("GlossaryTerm") == later
