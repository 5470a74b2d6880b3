"""Who is registered in a cohort, as the registry and its events tell it."""

from dataclasses import dataclass

from edgenode.clock import EpochMillis
from edgenode.connectors.connection import Connection
from edgenode.connectors.repository import server_at


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRegistration:
    """One member of a cohort: a metadata collection and the server that has it.

    Attributes:
        registration_time: When it first registered; None for the local member before
            that has happened.
        repository_connection: How its collection is reached; None for a member that
            is listed but not asked.
    """

    metadata_collection_id: str | None = None
    metadata_collection_name: str | None = None
    server_name: str | None = None
    server_type: str | None = None
    organization_name: str | None = None
    registration_time: EpochMillis | None = None
    repository_connection: Connection | None = None


def is_relayed(registration: MemberRegistration) -> bool:
    """Whether a bridge brought the member in from another cohort, and answers for it.

    Then its connection names it by its collection id, which no server is called.
    """
    collection_id = registration.metadata_collection_id
    return bool(collection_id) and collection_id == server_at(
        registration.repository_connection
    )
