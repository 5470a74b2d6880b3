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

# The cohort

MEMBER_JOINED = AuditMessage(
    "EDGENODE-AUDIT-0010",
    OMRSAuditLogRecordSeverity.COHORT,
    "member {0} with metadata collection {1} on node {2} is followed from now on",
)
MEMBER_LEFT = AuditMessage(
    "EDGENODE-AUDIT-0011",
    OMRSAuditLogRecordSeverity.COHORT,
    "the member with metadata collection {0} has left the cohort; copies of its metadata "
    "stay",
)
EVENT_REFUSED = AuditMessage(
    "EDGENODE-AUDIT-0012",
    OMRSAuditLogRecordSeverity.ERROR,
    "an event or state of the member with metadata collection {0} is refused: {1}",
)
COLLECTION_ID_CONFLICT = AuditMessage(
    "EDGENODE-AUDIT-0013",
    OMRSAuditLogRecordSeverity.SECURITY,
    "metadata collection {0} belongs to node {1}, but node {2} claims it and is refused. If "
    "it moved there, remove the first one: 'edgenode cohort remove {1}'",
)
COPY_OF_THIS_NODE = AuditMessage(
    "EDGENODE-AUDIT-0014",
    OMRSAuditLogRecordSeverity.SECURITY,
    "node {1} speaks for server {0} of this node: a copy of its data runs there. Give one "
    "of them an empty data directory",
)
COMPLAINT_RECEIVED = AuditMessage(
    "EDGENODE-AUDIT-0015",
    OMRSAuditLogRecordSeverity.ACTION,
    "the member with metadata collection {0} complains: {1}, {2}",
)
MEMBERS_FULL = AuditMessage(
    "EDGENODE-AUDIT-0016",
    OMRSAuditLogRecordSeverity.ACTION,
    "there are more members in the cohort than this node can remember; {0} is left out",
)
NODE_LOST = AuditMessage(
    "EDGENODE-AUDIT-0017",
    OMRSAuditLogRecordSeverity.COHORT,
    "node {0} ({1}) is lost: it can't be reached; what it changes meanwhile is fetched when "
    "it is back",
)
NODE_BACK = AuditMessage(
    "EDGENODE-AUDIT-0018",
    OMRSAuditLogRecordSeverity.COHORT,
    "node {0} ({1}) is back",
)
NODE_REMOVED = AuditMessage(
    "EDGENODE-AUDIT-0019",
    OMRSAuditLogRecordSeverity.SECURITY,
    "node {0} was removed from the cohort by {1}; it is let in no more",
)
NODE_READMITTED = AuditMessage(
    "EDGENODE-AUDIT-0020",
    OMRSAuditLogRecordSeverity.SECURITY,
    "node {0} may be in the cohort again, by {1}",
)
PEER_REFUSED = AuditMessage(
    "EDGENODE-AUDIT-0021",
    OMRSAuditLogRecordSeverity.SECURITY,
    "{0} is refused ({1}); from now on this is counted, and logged now and then",
)
MEMBER_MENDED = AuditMessage(
    "EDGENODE-AUDIT-0022",
    OMRSAuditLogRecordSeverity.COHORT,
    "{1} instances of the member with metadata collection {0} were held otherwise here, or "
    "not at all; a comparison has mended that",
)
MEMBER_COPIED = AuditMessage(
    "EDGENODE-AUDIT-0023",
    OMRSAuditLogRecordSeverity.COHORT,
    "{1} instances were taken over from the member with metadata collection {0}, which is "
    "new",
)
NODE_COPIED = AuditMessage(
    "EDGENODE-AUDIT-0024",
    OMRSAuditLogRecordSeverity.SECURITY,
    "two machines use the key of node {0} ({1}){2}: a card was copied. Decide which one "
    "stays; what was added on the other is lost, unless it is exported there first: 'edgenode "
    "archive export FILE'. Then stop the node there, remove its data directory and join the "
    "cohort again",
)
INSTANCE_MOVED = AuditMessage(
    "EDGENODE-AUDIT-0025",
    OMRSAuditLogRecordSeverity.ACTION,
    "instance {0} of this server now has the GUID {2}: the member with metadata collection "
    "{1} has another instance with the old one. See that it has it rightfully",
)
SERVER_DISCONNECTED = AuditMessage(
    "EDGENODE-AUDIT-0026",
    OMRSAuditLogRecordSeverity.COHORT,
    "server {0} is disconnected from the cohort: it sends no events, applies none and is "
    "asked nothing; 'edgenode cohort connect --server {0}' brings it back",
)
SERVER_UNREGISTERED = AuditMessage(
    "EDGENODE-AUDIT-0027",
    OMRSAuditLogRecordSeverity.COHORT,
    "server {0} is unregistered: it has left the cohort and forgotten the other members; "
    "'edgenode cohort connect --server {0}' brings it back",
)
SERVER_CONNECTED = AuditMessage(
    "EDGENODE-AUDIT-0028",
    OMRSAuditLogRecordSeverity.COHORT,
    "server {0} takes part in the cohort again",
)

# A cohort over Kafka

KAFKA_CONNECTED = AuditMessage(
    "EDGENODE-AUDIT-0030",
    OMRSAuditLogRecordSeverity.COHORT,
    "the topics of cohort {0} are read",
)
KAFKA_DISCONNECTED = AuditMessage(
    "EDGENODE-AUDIT-0031",
    OMRSAuditLogRecordSeverity.ERROR,
    "the topics of cohort {0} can't be read ({1}); it is tried again, and what is to be "
    "sent waits",
)
KAFKA_RECORDS_DROPPED = AuditMessage(
    "EDGENODE-AUDIT-0032",
    OMRSAuditLogRecordSeverity.ERROR,
    "{0} records of topic {1} from offset {2} on were passed over: {3}",
)
KAFKA_RECORDS_EXPIRED = AuditMessage(
    "EDGENODE-AUDIT-0033",
    OMRSAuditLogRecordSeverity.ACTION,
    "{0} records of topic {1} were removed by the brokers before this server read them. "
    "Copies that they would have changed are old until their homes change them again; let "
    "the topic keep its records for longer than this server is away",
)
KAFKA_TOPIC_RECREATED = AuditMessage(
    "EDGENODE-AUDIT-0034",
    OMRSAuditLogRecordSeverity.COHORT,
    "topic {0} was deleted and made anew; it is read from its beginning",
)
EVENT_UNSENDABLE = AuditMessage(
    "EDGENODE-AUDIT-0035",
    OMRSAuditLogRecordSeverity.ERROR,
    "an event of {0} bytes can't be sent to topic {1}: {2}. The others see what it tells "
    "when they ask this server",
)
KAFKA_MEMBER_JOINED = AuditMessage(
    "EDGENODE-AUDIT-0036",
    OMRSAuditLogRecordSeverity.COHORT,
    "member {0} with metadata collection {1} has registered; it is asked at {2}",
)
KAFKA_COLLECTION_CLAIMED = AuditMessage(
    "EDGENODE-AUDIT-0037",
    OMRSAuditLogRecordSeverity.SECURITY,
    "server {0} at {1} has registered with metadata collection {2}, which is that of server "
    "{3} here; it is ignored. A copy of this server's data may run there: give one of them "
    "an empty data directory",
)
KAFKA_SERVER_CONNECTED = AuditMessage(
    "EDGENODE-AUDIT-0038",
    OMRSAuditLogRecordSeverity.COHORT,
    "server {0} takes part in cohort {1} again",
)
KAFKA_SERVER_DISCONNECTED = AuditMessage(
    "EDGENODE-AUDIT-0039",
    OMRSAuditLogRecordSeverity.COHORT,
    "server {0} is disconnected from cohort {1}: it sends no events and applies none; "
    "'edgenode cohort connect --server {0} --cohort {1}' brings it back",
)
KAFKA_SERVER_UNREGISTERED = AuditMessage(
    "EDGENODE-AUDIT-0040",
    OMRSAuditLogRecordSeverity.COHORT,
    "server {0} has left cohort {1} and forgotten its members; 'edgenode cohort connect "
    "--server {0} --cohort {1}' brings it back",
)
KAFKA_MEMBER_UNUSABLE = AuditMessage(
    "EDGENODE-AUDIT-0041",
    OMRSAuditLogRecordSeverity.ACTION,
    "member {0} with metadata collection {1} can't be asked as it has registered: {2}. The "
    "cohort is told; events of the member are applied all the same",
)
