"""Audit log services."""

from collections.abc import Mapping

from edgenode.observability.audit_log import (
    OMRSAuditingComponent,
    OMRSAuditLogRecordSeverity,
)
from edgenode.rest.operations import Call, Fields, Operation


def get_severity_list(call: Call) -> Fields:
    severities = [
        {
            "ordinal": severity.ordinal,
            "name": severity.display_name,
            "description": severity.description,
        }
        for severity in OMRSAuditLogRecordSeverity
    ]
    return {"severities": severities}


def _component(component: OMRSAuditingComponent) -> Fields:
    return {
        "componentId": component.component_id,
        "componentDevelopmentStatus": "STABLE",
        "componentName": component.component_name,
        "componentDescription": component.description,
    }


def _counted(
    component: OMRSAuditingComponent, counts: Mapping[OMRSAuditLogRecordSeverity, int]
) -> Fields:
    """What one part has recorded."""
    by_ordinal = sorted(counts.items(), key=lambda item: item[0].ordinal)
    report: Fields = {"reportingComponent": _component(component)}
    if by_ordinal:
        report["severityIdentification"] = {
            str(severity.ordinal): [severity.display_name] for severity, _ in by_ordinal
        }
        report["severityCount"] = {
            str(severity.ordinal): count for severity, count in by_ordinal
        }
    return report


def get_audit_log_report(call: Call) -> Fields:
    counts = dict(call.server.audit_log.counts())
    # The server's own part is what reports; the others report to it.
    own = OMRSAuditingComponent.OPERATIONAL_SERVICES
    report = _counted(own, counts.pop(own, {}))
    server = call.server
    originator = {
        "serverName": server.name,
        "serverType": server.server_type,
        "metadataCollectionId": server.collection.get_metadata_collection_id(
            call.user_id
        ),
    }
    if server.organization_name:
        originator["organizationName"] = server.organization_name
    report |= {
        "childAuditLogReports": [_counted(*part) for part in counts.items()],
        "originatorProperties": originator,
        "destinationsReport": {
            "logStoreReports": [
                {
                    "destinationName": "log",
                    "supportedSeverities": [
                        severity.display_name for severity in OMRSAuditLogRecordSeverity
                    ],
                    "implementationClass": "edgenode.observability.audit_log.AuditLog",
                }
            ]
        },
    }
    return {"report": report}


OPERATIONS = (
    Operation("GET", "/severity-definitions", "getSeverityList",
              get_severity_list, "AuditLogSeveritiesResponse"),
    Operation("GET", "/report", "getAuditLogReport",
              get_audit_log_report, "AuditLogReportResponse"),
)  # fmt: skip
