"""A collection over the repository model, with two terms and a category; a member."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgenode.events.model import InstanceEvent
from tests.model.house import (
    CODEC,
    REMOTE,
    USER,
    House,
    properties,
    type_guid,
)
from tests.model.memory import MemoryRepository
from tests.unit.collection.members import THIRD, Member, cohort


@dataclass(frozen=True)
class Glossary:
    """GUIDs of what the house holds."""

    term: str
    other_term: str
    category: str
    placed: str
    """The relationship from the category to the term."""


@pytest.fixture
def memory() -> MemoryRepository:
    return MemoryRepository(CODEC)


@pytest.fixture
def house(memory: MemoryRepository) -> House:
    return House(memory)


@pytest.fixture
async def glossary(house: House) -> Glossary:
    collection = house.collection
    term, other_term, category = [
        await collection.add_entity(
            USER, type_guid(type_name), properties(qualifiedName=name), None, None
        )
        for type_name, name in (
            ("GlossaryTerm", "term"),
            ("GlossaryTerm", "other"),
            ("GlossaryCategory", "category"),
        )
    ]
    placed = await collection.add_relationship(
        USER,
        type_guid("TermCategorization"),
        properties(description="placed"),
        category.value.guid,
        term.value.guid,
        None,
    )
    return Glossary(
        str(term.value.guid),
        str(other_term.value.guid),
        str(category.value.guid),
        str(placed.value.guid),
    )


@pytest.fixture
def new_events(memory: MemoryRepository, glossary: Glossary) -> list[InstanceEvent]:
    """The events of the test itself, empty at first."""
    memory.events.clear()
    return memory.events  # type: ignore[return-value]


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Member]:
    """A member on a file, which knows two others by name only."""
    async with cohort(tmp_path, "local") as (member,):
        member.known_collections |= {REMOTE.id, THIRD.id}
        yield member
