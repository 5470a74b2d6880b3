"""Audit records are dated, counted and logged."""

import logging

import pytest

from edgenode.limits import MAX_AUDIT_RECORDS, MAX_AUDIT_TEXT_LENGTH
from edgenode.observability.audit_log import (
    AuditLog,
    AuditMessage,
    OMRSAuditingComponent,
    OMRSAuditLogRecordSeverity,
)
from tests.model.house import START, SetClock

STARTED = AuditMessage("X-1", OMRSAuditLogRecordSeverity.STARTUP, "{0} has {1} parts")
BROKEN = AuditMessage("X-2", OMRSAuditLogRecordSeverity.ERROR, "{0} is broken")
TRACED = AuditMessage("X-3", OMRSAuditLogRecordSeverity.TRACE, "here")
SERVICES = OMRSAuditingComponent.OPERATIONAL_SERVICES
STORE = OMRSAuditingComponent.LOCAL_REPOSITORY


def test_a_record_tells_when_what_and_who() -> None:
    log = AuditLog("mds", SetClock())
    log.record(SERVICES, STARTED, "mds", 3)
    (record,) = log.records()
    assert (record.time, record.component, record.severity, record.message_id) == (
        START,
        SERVICES,
        OMRSAuditLogRecordSeverity.STARTUP,
        "X-1",
    )
    assert (record.text, record.parameters) == ("mds has 3 parts", ("mds", "3"))


def test_records_are_counted_by_part_and_severity() -> None:
    log = AuditLog("mds", SetClock())
    log.record(SERVICES, STARTED, "a", 1)
    log.record(SERVICES, STARTED, "b", 1)
    log.record(STORE, BROKEN, "disk")
    assert log.counts() == {
        SERVICES: {OMRSAuditLogRecordSeverity.STARTUP: 2},
        STORE: {OMRSAuditLogRecordSeverity.ERROR: 1},
    }


def test_only_the_newest_records_are_kept_but_all_are_counted() -> None:
    log = AuditLog("mds", SetClock())
    for number in range(MAX_AUDIT_RECORDS + 1):
        log.record(STORE, STARTED, number, 1)
    kept = log.records()
    assert len(kept) == MAX_AUDIT_RECORDS
    assert kept[0].parameters == ("1", "1")
    assert log.counts()[STORE] == {
        OMRSAuditLogRecordSeverity.STARTUP: MAX_AUDIT_RECORDS + 1
    }


def test_what_others_made_long_is_shortened() -> None:
    log = AuditLog("mds", SetClock())
    log.record(STORE, STARTED, "x" * 4_000_000, "y" * MAX_AUDIT_TEXT_LENGTH)
    (record,) = log.records()
    assert record.parameters == (
        "x" * MAX_AUDIT_TEXT_LENGTH + "...",
        "y" * MAX_AUDIT_TEXT_LENGTH,
    )
    assert len(record.text) < 3 * MAX_AUDIT_TEXT_LENGTH


@pytest.mark.parametrize(
    ("message", "level"),
    [(STARTED, logging.INFO), (BROKEN, logging.ERROR), (TRACED, logging.DEBUG)],
)
def test_a_record_goes_to_the_log(
    message: AuditMessage, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    AuditLog("mds", SetClock()).record(STORE, message, "one", "two")
    (line,) = caplog.records
    assert line.levelno == level
    assert line.getMessage().startswith(message.message_id + " ")
    assert (
        vars(line).items()
        >= {
            "server": "mds",
            "component": "Local Repository Connector",
            "message_id": message.message_id,
        }.items()
    )
