"""Metadata highway services: the cohorts of a server.

A server that is in no cohort has no highway, and says so to every call, as a genuine
one does.
"""

from edgenode.errors import NoMetadataHighwayError
from edgenode.rest.operations import Call, Fields, Handler, Operation


def _no_highway(reporting_operation: str) -> Handler[Call]:
    def refuse(call: Call) -> Fields:
        raise NoMetadataHighwayError(
            reporting_operation, reporting_operation=reporting_operation
        )

    return refuse


def _operation(
    path: str, name: str, response: str, reported: str = ""
) -> Operation[Call]:
    return Operation("GET", path, name, _no_highway(reported or name), response)


OPERATIONS = (
    _operation("/cohort-descriptions", "getCohorts", "CohortListResponse",
               "getCohortList"),
    _operation("/local-registration", "getLocalRegistration",
               "CohortMembershipResponse"),
    _operation("/cohorts/{cohortName}/local-registration", "getLocalRegistration",
               "CohortMembershipResponse", "getLocalRegistration (cohort version)"),
    _operation("/cohorts/{cohortName}/connect", "connectToCohort", "BooleanResponse"),
    _operation("/cohorts/{cohortName}/remote-members", "getRemoteRegistrations",
               "CohortMembershipListResponse"),
    _operation("/cohorts/{cohortName}/disconnect", "disconnectFromCohort",
               "BooleanResponse"),
    _operation("/cohorts/{cohortName}/unregister", "unregisterFromCohort",
               "BooleanResponse"),
)  # fmt: skip
