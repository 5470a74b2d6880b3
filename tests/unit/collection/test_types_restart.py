"""Changed types after a restart."""

from pathlib import Path

from edgenode.clock import SystemClock
from edgenode.repository.sqlite import SqliteRepository
from tests.model.house import CODEC, USER, House
from tests.unit.typedefs.samples import COLOUR, attribute, entity_def, patch_of

BOOK = entity_def("Book", properties_definition=(attribute("title"),))


async def test_changes_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "node.db"
    opened = SqliteRepository.opened
    async with opened(file, CODEC, SystemClock(), name="node") as repository:
        house = House(repository)
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
        again = House(repository)
        assert again.types.type_defs == before.type_defs
        assert again.types.attribute_type_defs == before.attribute_type_defs
        assert again.collection.get_type_def_by_name(USER, "GlossaryTerm") == patched
