"""The audit records this house writes, by message id; the texts are our own."""

from edgenode.observability.audit_log import AuditMessage, OMRSAuditLogRecordSeverity

SERVER_STARTED = AuditMessage(
    "EDGENODE-AUDIT-0001",
    OMRSAuditLogRecordSeverity.STARTUP,
    "server {0} of edgenode {1} has started; its metadata collection is {2}",
)
SERVER_STOPPED = AuditMessage(
    "EDGENODE-AUDIT-0002",
    OMRSAuditLogRecordSeverity.SHUTDOWN,
    "server {0} has stopped",
)
STORE_SET_ASIDE = AuditMessage(
    "EDGENODE-AUDIT-0003",
    OMRSAuditLogRecordSeverity.ERROR,
    "the store {0} was damaged ({1}); what is damaged is set aside as {2}, and the server "
    "has started without it. The newest good backup is {3}: bring it back with "
    "'edgenode restore'",
)
ARCHIVE_LOADED = AuditMessage(
    "EDGENODE-AUDIT-0004",
    OMRSAuditLogRecordSeverity.INFO,
    "archive {0} is loaded: {1} types, {2} instances, {3} refused",
)
USER_REFUSED = AuditMessage(
    "EDGENODE-AUDIT-0005",
    OMRSAuditLogRecordSeverity.SECURITY,
    "user {0} was refused {1}",
)
CALL_FAILED = AuditMessage(
    "EDGENODE-AUDIT-0006",
    OMRSAuditLogRecordSeverity.EXCEPTION,
    "{0} failed in an unforeseen way ({1}); the log has the whole story",
)
