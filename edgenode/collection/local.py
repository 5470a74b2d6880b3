"""The metadata collection of this server's own repository."""

from edgenode.collection.archive_exports import LocalExportOperations
from edgenode.collection.archive_instances import LocalArchiveOperations
from edgenode.collection.local_classifications import LocalClassificationOperations
from edgenode.collection.local_entities import LocalEntityOperations
from edgenode.collection.local_queries import (
    LocalGraphOperations,
    LocalQueryOperations,
)
from edgenode.collection.local_reads import LocalReadOperations
from edgenode.collection.local_relationships import LocalRelationshipOperations
from edgenode.collection.mending import LocalMendingOperations
from edgenode.collection.received_types import LocalReceivedTypeOperations
from edgenode.collection.references import (
    LocalEntityCopyOperations,
    LocalGraphCopyOperations,
    LocalRelationshipCopyOperations,
)
from edgenode.collection.replicas import LocalReplicaOperations


class LocalMetadataCollection(
    LocalReceivedTypeOperations,
    LocalReadOperations,
    LocalQueryOperations,
    LocalGraphOperations,
    LocalEntityOperations,
    LocalClassificationOperations,
    LocalRelationshipOperations,
    LocalEntityCopyOperations,
    LocalRelationshipCopyOperations,
    LocalGraphCopyOperations,
    LocalReplicaOperations,
    LocalMendingOperations,
    LocalArchiveOperations,
    LocalExportOperations,
):
    """All operations, each group a class of its own that shares nothing but its parts."""
