"""Metadata highway services: the cohorts of a server.

A server that is in no cohort has no highway, and says so to every call, as a genuine
one does.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from edgenode.errors import NoMetadataHighwayError
from edgenode.rest.hosting import CohortDescription, Highway
from edgenode.rest.operations import Call, Fields, Handler, Operation


def _description(call: Call, cohort: CohortDescription) -> dict[str, Any]:
    described: dict[str, Any] = {
        "class": CohortDescription.__name__,
        "cohortName": cohort.cohort_name,
        "connectionStatus": cohort.connection_status.name,
    }
    for name, connection in (
        ("topicConnection", cohort.topic_connection),
        ("singleTopicConnection", cohort.single_topic_connection),
        ("registrationTopicConnection", cohort.registration_topic_connection),
        ("typesTopicConnection", cohort.types_topic_connection),
        ("instancesTopicConnection", cohort.instances_topic_connection),
    ):
        if connection is not None:
            described[name] = call.server.codec.to_object(connection)
    return described


def get_cohorts(call: Call, highway: Highway) -> Fields:
    return {"cohorts": [_description(call, cohort) for cohort in highway.cohorts()]}


def get_local_registration(call: Call, highway: Highway) -> Fields:
    # When it registered is a cohort's matter.
    return {"cohortMember": replace(highway.local_member(), registration_time=None)}


def get_cohort_local_registration(call: Call, highway: Highway) -> Fields:
    member = highway.local_registration(call.path["cohortName"])
    return {} if member is None else {"cohortMember": member}


def get_remote_registrations(call: Call, highway: Highway) -> Fields:
    return {"cohortMembers": highway.remote_members(call.path["cohortName"])}


async def connect_to_cohort(call: Call, highway: Highway) -> Fields:
    return {"flag": await highway.connect(call.path["cohortName"])}


async def disconnect_from_cohort(call: Call, highway: Highway) -> Fields:
    return {"flag": await highway.disconnect(call.path["cohortName"])}


async def unregister_from_cohort(call: Call, highway: Highway) -> Fields:
    return {"flag": await highway.unregister(call.path["cohortName"])}


def _on_highway(
    handler: Callable[[Call, Highway], Fields | Awaitable[Fields]], reported: str
) -> Handler[Call]:
    def perform(call: Call) -> Fields | Awaitable[Fields]:
        if call.server.highway is None:
            raise NoMetadataHighwayError(reported, reporting_operation=reported)
        return handler(call, call.server.highway)

    return perform


def _operation(
    path: str,
    name: str,
    handler: Callable[[Call, Highway], Fields | Awaitable[Fields]],
    response: str,
    reported: str = "",
) -> Operation[Call]:
    performed = _on_highway(handler, reported or name)
    return Operation("GET", path, name, performed, response)


READS = (
    _operation("/cohort-descriptions", "getCohorts",
               get_cohorts, "CohortListResponse", "getCohortList"),
    _operation("/local-registration", "getLocalRegistration",
               get_local_registration, "CohortMembershipResponse"),
    _operation("/cohorts/{cohortName}/local-registration", "getLocalRegistration",
               get_cohort_local_registration, "CohortMembershipResponse",
               "getLocalRegistration (cohort version)"),
    _operation("/cohorts/{cohortName}/remote-members", "getRemoteRegistrations",
               get_remote_registrations, "CohortMembershipListResponse"),
)  # fmt: skip
"""What tells of cohorts."""

CHANGES = (
    _operation("/cohorts/{cohortName}/connect", "connectToCohort",
               connect_to_cohort, "BooleanResponse"),
    _operation("/cohorts/{cohortName}/disconnect", "disconnectFromCohort",
               disconnect_from_cohort, "BooleanResponse"),
    _operation("/cohorts/{cohortName}/unregister", "unregisterFromCohort",
               unregister_from_cohort, "BooleanResponse"),
)  # fmt: skip
"""What makes a server leave a cohort or come back to it, by a mere GET."""
