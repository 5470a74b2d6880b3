"""The OMRS audit log: records by message id, counted by component and severity."""

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import uuid4

from edgenode.clock import Clock, EpochMillis
from edgenode.limits import MAX_AUDIT_RECORDS, MAX_AUDIT_TEXT_LENGTH

logger = logging.getLogger("edgenode.audit")


class OMRSAuditLogRecordSeverity(Enum):
    """How a record is to be taken: the wire's ordinal, display name, and our gloss."""

    UNKNOWN = (0, "Unknown", "Nobody said how to take it.")
    INFO = (1, "Information", "Something worth knowing happened.")
    EVENT = (2, "Event", "An event was sent or received.")
    DECISION = (3, "Decision", "The server chose between ways to go on.")
    ACTION = (4, "Action", "Somebody should do something.")
    ERROR = (5, "Error", "Something went wrong and may need a mend.")
    EXCEPTION = (6, "Exception", "Something went wrong that nobody foresaw.")
    SECURITY = (7, "Security", "Access was refused or looked wrong.")
    STARTUP = (8, "Startup", "A part started.")
    SHUTDOWN = (9, "Shutdown", "A part stopped.")
    ASSET = (10, "Asset", "An asset was used.")
    TYPES = (11, "Types", "The known types changed.")
    COHORT = (12, "Cohort", "The cohort's membership changed.")
    TRACE = (13, "Trace", "Detail for finding a fault.")
    PERFMON = (14, "PerfMon", "How long something took.")

    @property
    def ordinal(self) -> int:
        """The number on the wire."""
        return self.value[0]

    @property
    def display_name(self) -> str:
        """The name on the wire."""
        return self.value[1]

    @property
    def description(self) -> str:
        """What it means."""
        return self.value[2]


class OMRSAuditingComponent(Enum):
    """The parts that write records: wire number and name, and our gloss."""

    OPERATIONAL_SERVICES = (3, "Operational Services", "Runs the server.")
    ARCHIVE_MANAGER = (4, "Archive Manager", "Loads open metadata archives.")
    REPOSITORY_CONTENT_MANAGER = (
        8,
        "Repository Content Manager",
        "Keeps the type definitions.",
    )
    LOCAL_REPOSITORY = (
        7,
        "Local Repository Connector",
        "Keeps the server's metadata.",
    )
    REST_SERVICES = (11, "Repository REST Services", "Answers calls of the API.")
    COHORT_MANAGER = (14, "Cohort Manager", "Takes part in a cohort.")

    @property
    def component_id(self) -> int:
        """The number on the wire."""
        return self.value[0]

    @property
    def component_name(self) -> str:
        """The name on the wire."""
        return self.value[1]

    @property
    def description(self) -> str:
        """What the part does."""
        return self.value[2]


@dataclass(frozen=True, slots=True)
class AuditMessage:
    """One definition: id, severity, and a template with positional parameters."""

    message_id: str
    severity: OMRSAuditLogRecordSeverity
    template: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One record."""

    guid: str
    time: EpochMillis
    component: OMRSAuditingComponent
    severity: OMRSAuditLogRecordSeverity
    message_id: str
    text: str
    parameters: tuple[str, ...]


_LEVELS = {
    OMRSAuditLogRecordSeverity.ERROR: logging.ERROR,
    OMRSAuditLogRecordSeverity.EXCEPTION: logging.ERROR,
    OMRSAuditLogRecordSeverity.SECURITY: logging.WARNING,
    OMRSAuditLogRecordSeverity.ACTION: logging.WARNING,
    OMRSAuditLogRecordSeverity.TRACE: logging.DEBUG,
    OMRSAuditLogRecordSeverity.PERFMON: logging.DEBUG,
}


class AuditLog:
    """Writes records to the log and remembers the newest; counts all."""

    def __init__(self, server_name: str, clock: Clock) -> None:
        self._server_name = server_name
        self._clock = clock
        self._records: deque[AuditRecord] = deque(maxlen=MAX_AUDIT_RECORDS)
        self._counts: dict[
            OMRSAuditingComponent, dict[OMRSAuditLogRecordSeverity, int]
        ] = {}

    def record(
        self,
        component: OMRSAuditingComponent,
        message: AuditMessage,
        *parameters: object,
    ) -> None:
        """Write one record."""
        texts = tuple(_shortened(str(parameter)) for parameter in parameters)
        record = AuditRecord(
            str(uuid4()),
            self._clock.now(),
            component,
            message.severity,
            message.message_id,
            message.template.format(*texts),
            texts,
        )
        self._records.append(record)
        by_severity = self._counts.setdefault(component, {})
        by_severity[message.severity] = by_severity.get(message.severity, 0) + 1
        logger.log(
            _LEVELS.get(message.severity, logging.INFO),
            "%s %s",
            record.message_id,
            record.text,
            extra={
                "server": self._server_name,
                "component": component.component_name,
                "message_id": record.message_id,
            },
        )

    def records(self) -> tuple[AuditRecord, ...]:
        """The newest records, oldest first."""
        return tuple(self._records)

    def counts(
        self,
    ) -> Mapping[OMRSAuditingComponent, Mapping[OMRSAuditLogRecordSeverity, int]]:
        """How many records there were, by part and severity."""
        return {component: dict(counts) for component, counts in self._counts.items()}


def _shortened(text: str) -> str:
    """A text that others may have made as long as they like."""
    if len(text) <= MAX_AUDIT_TEXT_LENGTH:
        return text
    return f"{text[:MAX_AUDIT_TEXT_LENGTH]}..."
