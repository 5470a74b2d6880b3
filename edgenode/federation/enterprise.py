"""The metadata collection of the whole cohort, as one member of it asks the others."""

from edgenode.federation.enterprise_changes import (
    EnterpriseEntityOperations,
    EnterpriseRelationshipOperations,
)
from edgenode.federation.enterprise_classifications import (
    EnterpriseClassificationOperations,
)
from edgenode.federation.enterprise_histories import EnterpriseHistoryOperations
from edgenode.federation.enterprise_queries import (
    EnterpriseGraphOperations,
    EnterpriseSearchOperations,
)
from edgenode.federation.enterprise_reads import EnterpriseReadOperations
from edgenode.federation.enterprise_refusals import EnterpriseRefusals
from edgenode.federation.enterprise_types import EnterpriseTypeOperations


class EnterpriseMetadataCollection(
    EnterpriseTypeOperations,
    EnterpriseReadOperations,
    EnterpriseHistoryOperations,
    EnterpriseSearchOperations,
    EnterpriseGraphOperations,
    EnterpriseEntityOperations,
    EnterpriseRelationshipOperations,
    EnterpriseClassificationOperations,
    EnterpriseRefusals,
):
    """Each group of operations is a class of its own that shares nothing but its parts."""
