"""What is wrong with records and events on the topics is told in the audit log."""

from edgenode.bus.topics import Partition
from edgenode.kafka_cohort.audit import KafkaAudit
from edgenode.observability.audit_log import AuditLog
from tests.model.house import SetClock

HERE = Partition("instances", 0)


def test_each_fault_has_a_record() -> None:
    log = AuditLog("pi", SetClock())
    audit = KafkaAudit(log, "pi", "plant")
    audit.dropped(HERE, 7, 1, "it is too large")
    audit.expired(HERE, 3)
    audit.recreated(HERE)
    audit.refused("instances", b"event", "it is too large")
    told = {each.message_id: each.parameters for each in log.records()}
    assert told == {
        "EDGENODE-AUDIT-0032": (
            "1",
            "instances",
            "7",
            "INVALID_EVENT_FORMAT: it is too large",
        ),
        "EDGENODE-AUDIT-0033": ("3", "instances"),
        "EDGENODE-AUDIT-0034": ("instances",),
        "EDGENODE-AUDIT-0035": ("5", "instances", "it is too large"),
    }
