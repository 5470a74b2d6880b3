"""The collection of a member of one cohort, as it is offered to the members of another.

Questions about instances, and changes of them, are passed on to the member, each on
behalf of whoever asks. What its types are is answered here: members of a cohort have the
same ones. Types are changed, and copies kept, at a member itself only.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Never, cast

from edgenode.collection.base import MetadataCollection, TypeOperations, answered
from edgenode.errors import (
    FunctionNotSupportedError,
    MemberUnavailableError,
    RepositoryNotAvailableError,
)
from edgenode.federation.members import AskedCollection, FederationMembers
from edgenode.limits import FEDERATION_SECONDS

_READS_OF_TYPES = frozenset(
    {
        "get_all_types",
        "find_types_by_name",
        "find_type_defs_by_category",
        "find_attribute_type_defs_by_category",
        "find_type_defs_by_property",
        "find_types_by_external_id",
        "search_for_type_defs",
        "get_type_def_by_guid",
        "get_attribute_type_def_by_guid",
        "get_type_def_by_name",
        "get_attribute_type_def_by_name",
        "verify_type_def",
        "verify_attribute_type_def",
    }
)

Ask = Callable[..., Coroutine[Any, Any, Any]]


class _RelayedCollection:
    """Finds each operation where it is performed."""

    def __init__(
        self, collection_id: str, members: FederationMembers, types: TypeOperations
    ) -> None:
        self._id = collection_id
        self._members = members
        self._types = types

    def get_metadata_collection_id(self, user_id: str) -> str:
        """The member's own, which it needn't be there for."""
        return self._id

    def __getattr__(self, name: str) -> Any:
        if name in _READS_OF_TYPES:
            return getattr(self._types, name)
        return self._asking(name) if hasattr(AskedCollection, name) else _refusing(name)

    def _asking(self, name: str) -> Ask:
        async def ask(user_id: str, *rest: object, **named: object) -> Any:
            async def question(collection: AskedCollection) -> Any:
                return await answered(
                    getattr(collection, name)(user_id, *rest, **named)
                )

            away = RepositoryNotAvailableError(self._id, _java_name(name))
            member = self._members.member(self._id)
            if member is None:
                raise away
            try:
                return await member.ask(user_id, question, FEDERATION_SECONDS)
            except MemberUnavailableError as error:
                raise away from error

        return ask


def _refusing(name: str) -> Ask:
    async def refuse(*asked: object, **named: object) -> Never:
        raise FunctionNotSupportedError(
            _java_name(name), "RelayedCollection", "another server"
        )

    return refuse


def _java_name(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def relayed(
    collection_id: str, members: FederationMembers, types: TypeOperations
) -> MetadataCollection:
    """A collection that passes on what it is asked.

    Its operations raise RepositoryNotAvailableError where the member doesn't answer.

    Args:
        collection_id: The member's.
        members: Asks it, while it can be asked.
        types: Answers for the types.
    """
    passing = _RelayedCollection(collection_id, members, types)
    return cast("MetadataCollection", passing)
