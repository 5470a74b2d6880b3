"""The metadata collection of another member, asked over its REST API.

It has all operations that read and change instances. Types and reference copies travel
as events, so nobody asks another member for them.
"""

from edgenode.federation.remote_instances import (
    RemoteClassificationOperations,
    RemoteEntityOperations,
    RemoteRelationshipOperations,
)
from edgenode.federation.remote_queries import (
    RemoteGraphOperations,
    RemoteReadOperations,
    RemoteSearchOperations,
)


class RemoteMetadataCollection(
    RemoteReadOperations,
    RemoteSearchOperations,
    RemoteGraphOperations,
    RemoteEntityOperations,
    RemoteClassificationOperations,
    RemoteRelationshipOperations,
):
    """Each group of operations is a class of its own that shares nothing but its parts."""
