"""Every bound on what users and peers can grow, each with its reason."""

# Requests

MAX_BODY_BYTES = 4 * 1024 * 1024
"""A request's body. A thousand typical entities in one call are 2.5 MB; parsing more
would hold the event loop of a small machine for more than a tenth of a second."""

MAX_DISCARDED_BYTES = 4 * MAX_BODY_BYTES
"""How much of a body that is too large is read on, for the caller to see the refusal
instead of a lost connection."""

LARGE_BODY_BYTES = 64 * 1024
"""From this size on a body is decoded off the event loop (about 1 ms of work here)."""

LARGE_BODIES = 8
"""Bodies larger than that which are taken in at a time, so that all together hold 32 MiB
at most; the others wait with their callers."""

MAX_CONNECTIONS = 512
"""Connections at a time. Most systems let a process open 1,024 files, and the metadata's
own must always be among them."""

PEER_SECONDS = 30.0
"""How long a request's body may take to arrive, and a piece of an answer to be taken, so
that nobody holds memory by standing still. 4 MiB in this time is a megabit a second."""

IDLE_SECONDS = 75.0
"""How long a connection is kept without a whole request's head. Clients keep theirs for
seconds, proxies for a minute."""

ANSWER_PIECE_BYTES = 256 * 1024
"""Answers beyond this size are sent in pieces of it, with the event loop turning between
them; copying one takes some tens of microseconds."""

MAX_REASON_LENGTH = 300
"""Characters of the reason in a refusal, which may quote what the caller sent."""

MAX_KEPT_DEFINITIONS = 2_000
"""Type definitions whose JSON text is kept: a release has some 700 (1 MB, with descriptions
2.5 MB), and making them all anew takes 12 ms."""

MAX_JSON_DEPTH = 100
"""How deep JSON nests. A map within a map adds three levels and nobody nests ten of them;
code that walks over such values calls itself a few times for each level."""

# Audit

MAX_AUDIT_RECORDS = 1_000
"""Audit records kept in memory for reports (about 0.5 MB); the log has them all."""

MAX_AUDIT_TEXT_LENGTH = 1_000
"""Characters of a name or reason in an audit record. Others tell them, in an event of four
megabytes perhaps: all records together have some 6 MB then, and a line can be read."""

# Log

REPEATED_COMPLAINTS = 5
"""How often the same place of the code may complain in ``REPETITION_SECONDS``."""

REPETITION_SECONDS = 60.0
"""After so long a lasting fault is told of again, with how often it was left out."""

MAX_COUNTED_COMPLAINTS = 500
"""Places of the code whose complaints are counted; there are some dozens."""

# Search patterns

MAX_PATTERN_LENGTH = 100_000
"""A search pattern's characters. Callers quote whole property values, which are texts of
some pages at most."""

MAX_PATTERN_ELEMENTS = 4_000
"""The elements of a pattern that is more than quoted text, each as often as it is
repeated at least, for the compiler lays them all out. Compiling this many takes about
80 ms; people write some dozens."""

MAX_PATTERN_DEPTH = 50
"""How deep the groups of a pattern nest; keeps the recursion of its parser small."""

MAX_COMPILED_PATTERNS = 64
"""Compiled expressions kept for the next search (some 10 KB each)."""

TYPE_SEARCH_SECONDS = 0.1
"""How long a pattern may look through the names of all types; it runs in the event loop.
A reasonable pattern takes about 1 ms for the 700 names of a release."""

# Storage

MAX_WAITING_CHANGES = 1_024
"""Changes that wait for the writer; more wait for their turn to queue. At some 5,000 a
second the last of them waits a fifth of a second."""

MAX_GROUP_CHANGES = 256
"""Changes in one commit. Beyond that the disk's part in a change is lost in the noise,
and the first of the group only waits longer for its answer."""

MAX_GROUP_SECONDS = 0.1
"""How long a group takes in changes before it is committed: big changes (an archive's)
must not hold up the answers to the small ones before them."""

MAX_INDEX_BACKLOG = 100
"""Changes whose index rows are still to be written. Measured: writing them 100 at a time
costs 9 to 27 % more bytes than 500 at a time, but changes wait 15 ms for it instead of
0.1 s, at 200 changes a second each twentieth of them, here and at every peer."""

QUIET_SECONDS = 5.0
"""So long after the last change the writer tidies up."""

QUIET_INDEX_BACKLOG = 50
"""From this many changes on a quiet moment is used to write their index rows; fewer wait
for company, because a handful costs nearly as many pages as fifty."""

MAX_LOST_BACKLOG = 20 * MAX_INDEX_BACKLOG
"""Index changes kept in memory while the disk refuses them; beyond that they are dropped
and made again from the stored documents."""

CHECKPOINT_COMMITS = 1_000
"""Commits after which the write-ahead log is copied into the file in the background: some
8 MB of it where they are small."""

WAL_CHECKPOINT_BYTES = 4 * 1024 * 1024
"""Growth of the write-ahead log after which it is copied however few commits it was."""

WAL_KEPT_BYTES = 8 * 1024 * 1024
"""How much of the write-ahead log's file stays when it is begun again: to write over it
takes two thirds of the time of making it grow. What a crash leaves in it is read at the
next start, from an SD card in less than half a second."""

WAL_STOP_BYTES = 16 * 1024 * 1024
"""Size of the write-ahead log at which the writer itself stops to copy it. Measured: a
non-stop writer outruns the background copying for ever (75 MB and growing)."""

WRITER_CACHE_KIB = 8_192
"""The writer's page cache: the index pages that a batch of changes touches."""

COUNTING_CACHE_KIB = 256
"""The page cache while all instances are counted at the start: enough for the way down
to the next page."""

POINT_READ_CACHE_KIB = 2_048
"""The event loop's page cache; the operating system caches the file anyway."""

READER_CACHE_KIB = 4_096
"""The page cache of each connection for long reads."""

LONG_READERS = 2
"""Connections for long reads: one may be busy with something big, and the interpreter
runs only one at a time in Python anyway."""

SEARCH_TEXT_SECONDS = 1.0
"""How long a search pattern may try one text; one that is not through with it by then
backtracks without end."""

MAX_SEARCH_SIZE = 5_000
"""The conditions of a search and the values they compare with, where those of a list count
as one unless they are long. SQLite compares each with all others before it begins: this
many take half a second, four times as many several, and nothing stops it meanwhile."""

MAX_SEARCH_TRIGRAMS = 12
"""How many groups of three letters a search looks up to narrow down where a text occurs;
more hardly find fewer instances, and each is a list to be read."""

WORTH_SAMPLING = 2_000
"""Instances from which on it pays to know which letters are common in their texts."""

SAMPLED_INSTANCES = 300
"""Instances whose texts tell how common groups of letters are: half a megabyte of memory
and some 50 ms, each time that a store has doubled."""

SAMPLED_LETTERS = 2_000
"""How much of a long text is looked at for that."""

RAREST_TRIGRAMS = 4
"""How many groups of three letters are looked up where the rarest are known. Measured with
100,000 instances: 1.1 ms, against 8.6 ms for twelve from all over the text."""

FEW_CANDIDATES = 500
"""How many instances that may be in a result are few enough to be looked at and sorted
before its first page is shown, some milliseconds."""

MANY_CANDIDATES = 2_000
"""How many instances may be listed to be looked at for a result that is not a page, in the
order of their ids. Where no list is as short, the search goes through one of any length."""

FEW_VERSIONS = 50
"""Versions of one instance that are read in the event loop, in less than a millisecond; to
hand them to a thread takes as long as reading them."""

LONG_READ_SECONDS = 10.0
"""How long one search, graph walk or history may take. The write-ahead log can't be
emptied meanwhile."""

BUSY_MILLISECONDS = 5_000
"""How long to wait for a lock that another program holds on the file."""

CHECK_SECONDS = 5.0
"""How long the check of the file after an unclean stop may hold up the start; it walks
some 500 MB in that time on a PC, 150 MB from an SD card."""

BRIEF_CHECK_SECONDS = 0.2
"""The same after a proper stop, when there is little reason for damage: enough for a file
of 20 MB on a PC."""

MAX_OUTBOX_EVENTS = 50_000
"""Events kept for members that can't be reached, some 10 MB: a day and a half at one every
two seconds. A member that missed more compares digests."""

MAX_OUTBOX_BYTES = 32 * 1024 * 1024
"""What events may take beyond the states they refer to. Mostly that is 200 bytes each; an
event of something that was purged has the whole of it."""

OUTBOX_SURPLUS = 1.1
OUTBOX_PART_LEFT = 0.9
"""Events are left out from so many times ``MAX_OUTBOX_EVENTS`` on, between two changes, or
from just that number on in a quiet moment, until this part of it is left; so that going
through all of them, half a second of work, comes after some thousand events each time."""

OUTBOX_SLICE = 500
"""Events that are looked at while changes wait, some milliseconds."""

MAX_OUTBOX_PAGE_BYTES = 1024 * 1024
"""Events that are read at once; they are decoded in the event loop, in some 30 ms."""

# Archives

ARCHIVE_CHUNK_BYTES = 256 * 1024
"""How much of an archive is read at a time: some hundred elements."""

MAX_ARCHIVE_BYTES = 2 * 1024 * 1024 * 1024
"""An archive that is sent to be loaded; some two million elements. It stands on the disk
meanwhile, because it is read twice."""

MAX_ARCHIVE_ELEMENT_BYTES = 16 * 1024 * 1024
"""One element of an archive. It is parsed as a whole, which takes some ten times its size
in memory; genuine ones are a few thousand bytes."""

MAX_ARCHIVE_TYPES = 10_000
"""The types and patches of an archive, which are taken over together; a release has some
thousand."""

ARCHIVE_BATCH_ELEMENTS = 200
"""Elements of an archive in one change: some 50 ms of the writer's time, so that other
changes get their turn."""

ARCHIVE_BATCH_BYTES = 1024 * 1024
"""Size of the elements of an archive in one change, where they are big."""

EXPORT_PAGE = 200
"""Instances read at once for an archive: less than a megabyte."""

MAX_ARCHIVE_REFUSALS = 1_000
"""Elements whose refusal is told one by one; beyond that they are only counted."""

# Disk

LOW_DISK_BYTES = 64 * 1024 * 1024
"""Free space below which a server calls itself unwell: the write-ahead log may take a
quarter of it, and a backup or a migration needs room for a copy."""

# Nodes of the cohort

FULL_MESH_NODES = 9
"""Up to so many nodes all subscribe to all: measured, amqtt takes a tenth of a core for
ten nodes at five events a second each, and connections grow with the square."""

MAX_NODES = 1_000
"""Nodes that are remembered, twice what an operator of 500 has; some 2 KB each."""

MAX_ADDRESSES = 16
"""Addresses of one node: four interfaces with an address of each kind."""

MAX_PROVEN_ADDRESSES = 4
"""Addresses at which a node answered that are remembered: by cable and by radio, with IPv4
and IPv6. They come first, so that no more than these are old ones."""

MAX_SEEN_ADDRESSES = MAX_ADDRESSES // 2
"""Addresses of a node that were seen on the network. Anybody there can announce others that
aren't the node's, and must leave room to try those that it names itself."""

MAX_TOLD_ADDRESSES = 4
"""Addresses of a lost node that others told: it may have moved, or they may lie, so that they
are tried after those at which it answered, and leave room for the rest."""

SILENT_AFTER_SECONDS = 120.0
SILENT_SECONDS_A_NODE = 120.0
"""A node without a connection to us that hasn't been heard of for so long is shown as
silent: six rounds of exchanges, and so much for each node that there is. Two of them speak
with each other every ten seconds a node; that they don't for twelve times as long happens
once in 160,000 times. That a node is lost its neighbours tell at once."""

FORGOTTEN_AFTER_SECONDS = 3_600.0
"""So long the place of a lost node in the circle of neighbours is kept for it; closing
ranks sooner would move connections at each restart. And so long a node or member is
remembered that others told of, and that was never met: then it is tried anew."""

MAX_REMEMBERED_MESSAGES = 4_096
REMEMBERED_SECONDS = 20.0
"""Messages that are recognised when they come another way, and how long at least, far
longer than any way takes: 200 a second, 100 bytes each. More aren't passed on."""

MAX_SINGLE_EVENTS = 200
"""Events that are sent one by one when they have piled up: a second's worth at the rate
the bus is made for. A longer row is fetched in bulk, compressed, at a tenth of the cost."""

MAX_TYPES = 3_000
"""Types that are known before no more are taken from other members: four times those of a
release, which has some 700. Each takes a few KB, and some work whenever types change."""

ASKED_TYPE_SECONDS = 60.0
"""How long a genuine member isn't asked again for a type: one that is in conflict would be
asked for with each event of its instances."""

ASKED_INSTANCE_SECONDS = 60.0
"""How long a genuine member isn't asked again to send an instance that was read from it:
some never do, and whoever shows an instance reads it with each look."""

MAX_ASKED_INSTANCES = 1_000
"""Instances that were asked for lately which are remembered, some 100 bytes each. With more
some are asked for twice, which does no harm."""

MAX_PATCHED_VERSIONS = 20
"""Earlier versions of a type for each of which a new member is told a patch. Types of the
releases have come to version 5 at most."""

MAX_TOLD_PATCHES = 500
"""Patches that a new member is told: with all types that can be known they leave room for
registrations among what waits for the brokers. All of release 4.2 are 296."""

MAX_TYPE_CONFLICTS = 200
"""Types that others have otherwise which are remembered for status reports, a few hundred
bytes each. Between the two releases that are known some 90 are."""

MAX_TYPE_BYTES = 64 * 1024
"""The JSON of a type, or of an event about one, that is taken from another member. The
largest of the releases has 11 KB."""

MAX_TYPES_BYTES = 8 * 1024 * 1024
"""The JSON of all stored types before no more is taken from other members, eight times that
of a release without its descriptions. In memory they take about as much."""

MAX_REGISTRATION_BYTES = 32 * 1024
"""An event by which a genuine member registers, which has 3 KB. All members that can be
remembered have 32 MB then, and far less mostly."""

MAX_TYPES_SECONDS = 5.0
"""How long a genuine member may take to tell the types that one of its events needs, while
the events after it wait: as long as the answer to a question to the whole cohort."""

SLOW_TYPES_SECONDS = 1.0
SLOW_TYPES_PAUSE = 10
"""From when on it counts that a member tells no types, and how many times as long it isn't
asked for any then: a tenth of the time at most is spent on waiting for it."""

MAX_ENDINGS = 1_000
"""Ends of each kind (purges, deletions, ...) that are remembered for events of buses that
keep no order; each takes half a KB mostly, and as much as four ids at most. Events overtake
others of the same second, and a genuine server deletes some hundred instances in one."""

CLAIM_SECONDS = 10.0
"""How long a member may tell another one's instance as its own, on a bus that keeps no
order, until that is complained of: so long the event that it took it over may be late."""

MAX_COMPARED_OWNERS = 256
"""Owners, beside a member itself, whose things are compared with what it holds of them, a
question each: archives, of which there are tens, and members that have left."""

COMPARED_BUCKETS = 16
"""Buckets whose items are asked for at once: of 100,000 instances of one type some 6,000,
that is 300 KB."""

FETCHED_STATES = 200
"""States that are fetched and stored at once: half a megabyte, one commit."""

RESTORING_PEERS = 32
RESTORING_SECONDS = 300.0
"""Members that a store which was put back asks at a time, and how long for all of them:
100,000 states of 2.5 KB come in that time at 1 MB/s. Changes wait for the end of it."""

MAX_RECENT_EVENT_BYTES = 256 * 1024
"""Text of the newest events that are kept in memory for those who send them: some hundred
of the usual size, a tenth of a second's worth of changes, in two megabytes of memory."""

MAX_WAITING_EVENTS = 1_000
"""Events of one origin that wait to be applied: five seconds' worth; some 3 MB. Beyond
that they are dropped and fetched later."""

MAX_WAITING_EVENT_BYTES = 4 * 1024 * 1024
MAX_ALL_WAITING_EVENT_BYTES = 8 * 1024 * 1024
"""The same in bytes: of one origin as much as a message may have, and of all of them what
a node can spare that has 64 MiB in all. Events and states that are fetched are stored in
portions of the former, too."""

MAX_WAITING_ERRORS = 16
MAX_ERROR_EVENT_BYTES = 256 * 1024
"""Error events that wait to be taken in, 4 MB at most. They complain of single instances;
what is dropped is found again when what both hold is compared."""

COMPLAINT_SECONDS = 60
"""At least between two comparisons with a member that complaints name: anybody may complain
as often as it likes, and what was complained of meanwhile is found every while anyway."""

APPLIED_TOGETHER = 64
"""Events that are applied in one commit: on an SD card that is what makes the rate."""

MAX_PASSED_NUMBERS = 1_000
"""Numbers that an event on the bus may pass over, as those of events that the cohort isn't
sent. Where it says more its origin is asked, which is seldom and costs one question; so no
message that somebody forged moves anybody far."""

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
"""After a failure another try is made after so long, and after twice as long each time: a
node that restarts is back in seconds, one that is off costs a connection a minute, however
many members it has."""

MAX_TOLD_RECORDS = 1_000
"""Nodes, and members, in one half of an exchange: as many as are remembered."""

MAX_RETOLD_NODES = 16
"""Nodes in one half of an exchange that the other was told of already, and never met: it may
have been told otherwise. Three exchanges a minute name almost all of a thousand in an hour."""

MAX_TOLD_BYTES = 2 * 1024 * 1024
"""Nodes, and members, in one half of an exchange: a thousand of 2 KB each. With what else
stands there it is far less than ``MAX_PEER_ANSWER_BYTES``. The rest has its turn later."""

MAX_TOLD_RECORD_BYTES = 8 * 1024
"""What is said of one member, four times what is common; and its event on the bus. There
a node's description and goodbye, too."""

MAX_TOLD_TEXT_LENGTH = 256
"""Characters of a node's name, version or run; names have 63 at most, runs 36. So
descriptions with all of their addresses stay within ``MAX_TOLD_RECORD_BYTES``."""

# HTTP between nodes

MAX_MEMBER_CONNECTIONS = 256
"""Connections of nodes at a time: with ``MAX_CONNECTIONS`` and the files of the metadata
still within the 1,024 files of most systems, and two for each node of a large cohort."""

MAX_CONNECTIONS_OF_A_NODE = 16
"""Connections that one node has here at a time; twice what it opens itself."""

MAX_PLATFORM_CONNECTIONS = 64
MAX_CONNECTIONS_OF_A_PLATFORM = 48
"""The same of genuine members, in all and from one address: each thread of theirs that works
for a caller opens one. With those of users and nodes there still is room for the metadata's
files among the 1,024 of most systems."""

CONNECTIONS_TO_A_NODE = 8
"""Connections to one node at a time; what comes on top waits for one."""

CONNECTIONS_TO_NODES = 128
"""Connections to all nodes at a time: one for each of a large cohort, and some more."""

MAX_HANDSHAKES_OF_AN_ADDRESS = 8
"""TLS handshakes at a time with one address, so that it can't keep the others out."""

MAX_HANDSHAKES_OF_A_NETWORK = 24
"""The same with one network of 64 bits of IPv6, where one host can have any number of
addresses, but where all nodes of a site may be, too: half of those for strangers."""

TLS_GOODBYE_SECONDS = 2.0
"""How long the other side's part in closing TLS is waited for. What it would say doesn't
matter any more."""

UPKEEP_SECONDS = 86_400.0
"""How often it is looked whether a certificate is to be renewed, which has years for it."""

MAX_REMOVED_CONNECTIONS = 8
"""Connections of removed nodes at a time that have a moment to ask; the others are cut at
once, so that they take no room from the cohort's nodes."""

REMOVED_SECONDS = 5.0
"""How long a removed node that knocks has for asking, and is told that it was removed."""

ACCEPT_PAUSE_SECONDS = 1.0
"""After so long a system that has no more files to open is asked for one again."""

CONNECT_SECONDS = 10.0
"""How long connecting to a node may take by all its addresses together."""

ADDRESS_STAGGER_SECONDS = 0.25
"""How long an address of a node has to answer before the next is tried beside it."""

MAX_ADDRESSES_TRIED = 16
"""Addresses of one node that are tried, so that none makes this one knock everywhere."""

MAX_KEPT_ADDRESSES = 1_000
"""Nodes whose address that worked last is remembered."""

KEEPALIVE_SECONDS = 60.0
"""How long a connection to a node is kept for its next question; less than it is kept
on the other side (``IDLE_SECONDS``)."""

PLATFORM_KEEPALIVE_SECONDS = 15.0
"""The same to a genuine member: less than Tomcat, which serves there, keeps it by default
where a platform is configured to (20 seconds)."""

MAX_LOOKUPS = 4
"""Names of genuine members' hosts that are looked up at a time. One that no name server
answers for takes some ten seconds, and anybody may register a thousand of them."""

MAX_PEER_ANSWER_BYTES = 16 * 1024 * 1024
"""An answer of another node that is taken as a whole. A page of a thousand typical
entities is 3 MB, the digests of 100,000 things are 6 MB."""

MAX_ASKED_THINGS = 1_000
"""Instances or type definitions that one question names; more are asked for in turn."""

FRAMES_PIECE_BYTES = 64 * 1024
"""How much of a stream of frames is compressed at once, some milliseconds on a small
machine; who breaks off loses no more than this."""

MAX_MISSING_HEADER_BYTES = 2_048
"""The header that says who didn't take part, some 50 members; programs take 8 KB. The body
names all of them."""

LARGE_COHORT_BODIES = 2
"""Large bodies of other nodes that are taken in at a time. They are exchanges of large
cohorts and lists of GUIDs, and nobody waits for the answers."""

CONTACTS_AT_ONCE = 4
"""Conversations with other nodes at once: one that hangs doesn't hold up the rest."""

STRANGERS_AT_ONCE = CONTACTS_AT_ONCE // 2
"""Of these with nodes that were never met: those that anybody can make up on the local
network don't answer, and must not hold up conversations with nodes that exist."""

MAX_WAITING_CONTACTS = MAX_NODES
"""Nodes that wait to be spoken with: each stands there once."""

MAX_WAITING_STRANGERS = 128
"""Nodes never met that wait to be spoken with: more than most cohorts have, and any one of
a larger cohort tells of the others. Each that doesn't answer takes ten seconds."""

# Messages, frames and registrations

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""A message on the bus. An event that carries two typical states is 10 KB; a larger one
than this is fetched from its origin."""

MAX_ENVELOPE_HEADER_BYTES = 1_024
"""What stands before the event in a message: two ids, a code and four numbers are 250."""

MAX_TOPIC_ID_LENGTH = 128
"""Characters of a collection's or node's id in a topic; those of UUIDs are 36."""

MAX_FRAME_BYTES = 4 * MAX_BODY_BYTES
"""One frame of a stream: an event with two states, each as large as a request can make
it, and room to spare."""

MAX_FRAME_TEXT_BYTES = 1_024
"""A GUID, a name or an id in a frame."""

MAX_STREAM_BYTES = 1024 * 1024 * 1024
"""A whole stream, unpacked: ``MAX_OUTBOX_EVENTS`` of 5 KB are half of it."""

INFLATED_PIECE_BYTES = 64 * 1024
"""What is unpacked of a compressed stream at a time, so that a small piece that says the
same a million times takes no memory."""

MAX_MEMBERS = 1_000
"""Members that a registry remembers, as many as ``MAX_NODES``; some 2 KB each. Those that
have left make room first."""

REFRESH_ANSWER_MILLIS = 1_000
"""Requests to register again that come sooner after the last answer aren't answered: it
is still under way to whoever asks, and asking must not make the cohort busy."""

MAX_REMEMBERED_RUNS = 3
"""Runs of a node that are remembered to notice that one has come back: two would do for
a card and its copy."""

MAX_COPY_RUNS = 2
"""Machines that are named when two speak as one node."""

MAX_COPY_ADDRESSES = 3
"""Addresses of each that are named: one for a cable, one without, and one to spare."""

COPY_SHOWN_SECONDS = 3_600.0
"""So long it is shown that a node was heard in two runs at once. Whoever sees it looks for
the copy; when that is gone, so is this, and a node of a large cohort is heard that seldom."""

MAX_OVERTAKINGS = 10
"""How often a member announces itself anew because somebody spoke for it with a higher
revision. What was said before a backup was put back comes to an end; a twin doesn't."""

# Discovery

MAX_ANNOUNCED_NAME = 60
"""Characters of a node's name in its announcement; a string of a TXT record takes 255
bytes and a character up to four of them."""

MAX_TXT_BYTES = 1_000
"""The TXT record of another node's announcement. A node's own has at most some 300 bytes,
and with all of its addresses the announcement stays within one packet."""

MAX_ANNOUNCED_ADDRESSES = 12
"""Addresses in this node's announcement; with them it stays within one packet."""

MAX_SIGHTED_NODES = 1_000
"""Nodes of the cohort that were seen on the local network: twice as many as cohorts are
made for. Everybody there can announce more; the one seen longest ago then makes room."""

MAX_SIGHTED_ADDRESSES = 16
"""Addresses of one node that were seen; they are tried one after the other."""

MAX_RESOLVED_NODES = 8
"""Announcements whose other half is asked for at a time. Nodes announce themselves in one
packet; asking is for packets that were lost, and is a packet itself."""

RESOLVE_SECONDS = 3.0
"""How long the other half of an announcement is asked for."""

SIGHTING_SECONDS = 24 * 3_600.0
"""How long an address is remembered after it was last seen. By then, a day being what
routers commonly lease addresses for, somebody else may have it."""

ANNOUNCE_SECONDS = 300.0
"""How often a node announces itself unasked, one packet each for IPv4 and IPv6. Nodes that
a switch or an access point kept apart find each other so much later at the latest."""

INTERFACE_POLL_SECONDS = 30.0
"""How often the interfaces are looked at, beside when the kernel tells of a change."""

INTERFACE_SETTLE_SECONDS = 0.2
"""How long to wait after the kernel told of a change: changes come by the dozen."""

GOODBYE_SECONDS = 2.0
"""How long a node's goodbye may hold up its stop; three packets in a quarter of a second."""

# Trust

MAX_COHORT_FILE_BYTES = 512 * 1024
"""A file of the cohort's directory. The largest are the removals: a thousand, of 400 bytes
each at most."""

MAX_PASSWORD_FILE_BYTES = 4_096
"""A file with a password, which fits into a header of HTTP."""

MAX_TOKEN_FILE_BYTES = 4_096
"""A file with a join token, which has 134 characters at most, and white space."""

ISSUING_SECONDS = 60.0
"""How long the process that issues certificates may take: 0.3 s on a PC, some 3 s on the
smallest Raspberry Pi, and ten times that from an SD card that is busy with the start."""

MAX_KEY_NUMBER = 2**31 - 1
"""The number of a cohort's key: what an exchange, in which numbers have 32 bits, can tell."""

MAX_KEY_JUMP = 1_000
"""By how much the number of a key that is told may be above the own one: a rotation a day
for almost three years. Else one lie would use up the numbers that rotations need."""

MAX_OVERLAP_DAYS = 365
"""The longest overlap of a rotation: who wasn't there for a year joins again. Others can't
tell of a longer one either, for during an overlap no other one can begin."""

MAX_FORMER_KEYS = 16
"""Tags of keys that were rotated away without an overlap, kept so that none of them is taken
for the newer one: each stands for a machine that was stolen."""

ROTATION_TOLD_DAYS = 30
"""How long whoever refuses a node that rotated the key without an overlap is taken for one
that has the old key yet: for so long machines are switched on and joined again."""

MAX_REMOVALS = 1_000
"""Removed nodes that are remembered, as many as there can be nodes. All of them stand in
each exchange that has news of one; when there are more, the key should be rotated."""

MAX_REMOVAL_LEAD_MILLIS = 365 * 86_400_000
"""How far ahead of the own clock a removal may be that is told. A machine without a clock
may be weeks behind, and must not let the removed in; a later word is still possible."""

MAX_REFUSED_PEERS = 256
"""Addresses by which refusals are counted, some 200 bytes each; others count together."""

HANDSHAKE_SECONDS = 10.0
"""How long a TLS handshake may take: two round trips and some 50 ms of work on the
smallest machine. A connection without one holds 100 KB."""

SILENT_SECONDS = 2.0
"""How long a connection may be without a first byte of TLS. Clients send it as soon as
they are connected, and a packet that was lost once more after a second."""

MAX_HANDSHAKES = 48
MAX_KNOWN_HANDSHAKES = 16
"""Handshakes at a time on a listener, and those on top for addresses that nodes of the
cohort came from before: 6 MB of memory. Whoever comes then is turned away and tries
again, unless somebody silent makes room."""

MAX_KNOWN_ADDRESSES = 1_000
"""Addresses that are remembered for that: one for each node of a large cohort."""

# The bus

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""A message on the bus: as much as a request's body, which is what instances come in by."""

MAX_CLIENT_PACKET_BYTES = 16 * 1024
"""A packet that a peer sends to the embedded broker. Peers only subscribe there; the
largest is a last will of some hundred bytes."""

MAX_CLIENT_ID_LENGTH = 128
"""Characters of the name of a client of the broker: a node's id has 32."""

MAX_FILTERS = 32
"""Topic filters of one connection to the embedded broker; nodes use one."""

MAX_FILTER_LENGTH = 512
"""Characters of a topic filter: the prefix has 100, an id 36 to 64."""

MAX_BUS_CONNECTIONS = 64
"""Connections to the embedded broker at a time. In a cohort of 1,000 nodes some ten
subscribe to each; at 0.4 MB each the bound is what a small machine can bear."""

MAX_BUS_CONNECTIONS_OF_A_NODE = 4
"""The same of one node: its link, the one before that is still to break, and somebody
who looks on."""

MAX_KEEPALIVE_SECONDS = 600
"""The longest silence that a client of the broker may announce; nodes announce a minute."""

BUS_KEEPALIVE_SECONDS = 60
"""After so long without a message a broker is asked for a sign of life."""

BUS_CHECK_SECONDS = 5.0
"""How often a connection is looked at whether that is due."""

MAX_BUS_BACKLOG_BYTES = 1024 * 1024
"""What may wait for one subscriber before messages to it are dropped: two seconds and a
half of the rate the bus is made for. What is missed is fetched later, compressed."""

MAX_BUS_WAITING = 4_096
MAX_BUS_WAITING_BYTES = 4 * 1024 * 1024
"""Messages that wait to be published, some seconds of work for a small machine; beyond
that they are dropped."""

BUS_GOODBYE_SECONDS = 2.0
"""How long the last messages of a bus that ends may take to leave."""

FIRST_RECONNECT_SECONDS = 0.5
LONGEST_RECONNECT_SECONDS = 30.0
"""After so long a broker that was lost is tried again, and after up to twice as long each
time; a node that is back also makes itself known by connecting."""

STEADY_LINK_SECONDS = 10.0
"""A connection that lasted so long was a good one: the next try follows soon."""

PACKETS_PER_TURN = 64
"""Packets of one connection that are read before others have a turn, some milliseconds."""

KAFKA_FETCH_BYTES = 1024 * 1024
"""Records that are fetched from Kafka at once, which with what is made of them take some
4 MB. A first record that is larger comes alone."""

MAX_INFLATED_BYTES = 8 * 1024 * 1024
"""What the records of a compressed batch have when it is inflated, and those of all that
are taken apart at once. Senders' clients take a megabyte at most; but 6 KB can become 200
MB, and a fetched megabyte some gigabytes."""

KAFKA_FETCHED_RECORDS = 10_000
"""Records that are taken of one answer of a broker: events of 800 bytes, of which what is
inflated has as many. Each takes some 200 bytes beside what is in it, and there can be a
million that have nothing in them."""

KAFKA_ANSWER_BYTES = 128 * 1024 * 1024
"""An answer of a broker. None has reason to say as much, but for a batch of records where it
is told to take such; what poses as a broker can announce two gigabytes."""

KAFKA_FETCH_SECONDS = 5.0
"""How long Kafka waits with its answer for a first record to come."""

KAFKA_BATCH_BYTES = 256 * 1024
"""Events that are sent to Kafka at once, where they are several; brokers take a megabyte."""

KAFKA_ITERATIONS = range(4_096, 100_001)
"""How often a password is hashed to log in to Kafka: there it can be 4,096 to 16,384 times,
some 10 ms. With fewer whoever poses as a broker could find it out, and with what a number
can tell it would take hours."""

KAFKA_ANSWER_SECONDS = 15.0
"""How long Kafka may take to answer: three times what it waits with its answer."""

KAFKA_SEND_SECONDS = 30.0
"""How long events may wait for Kafka, the time of a broker's restart, before their sender
is told that it is away."""

LONGEST_READY_SECONDS = 5.0
"""The longest pause before a broker that answers, but isn't ready, is asked again: after
its start that takes seconds, and whoever can't send meanwhile waits."""

KAFKA_READY_SECONDS = 10.0
"""How long brokers that answer may take at first until they are told as not ready: new ones
have to make the topic of committed offsets, and new topics have no leaders at once."""

KAFKA_COMMIT_SECONDS = 5.0
"""How often Kafka is told what is dealt with. It is told for those who look on; what
counts after a restart is kept with what came of the records."""

KAFKA_PASSED_OVER = 1_000
"""Records of the node's own, or that can't be used, after which its place among them is
kept although nothing is to be dealt with: so many are passed over again after a restart."""

KAFKA_PRODUCERS = 100
"""Numbers of its own as a producer that a member remembers, to know what it sent. It gets
another one after each failure to send, and has read what it sent long before so many."""

KAFKA_METADATA_SECONDS = 60.0
"""How often Kafka is asked for partitions that are new. Those that moved are noticed at
once."""

GUEST_SECONDS = 5.0
"""A new member of another cohort is announced after a random part of this, so that of
several nodes that hear of it at once one is nearly always first."""

TICK_SECONDS = 1.0
"""How often a node looks whether something is due."""

EXCHANGE_SECONDS = 20.0
"""How often a node speaks with another one, chosen at random: six messages a minute,
however large the cohort is. What the bus lost is noticed so soon in a small cohort."""

COMPARE_SECONDS = 600.0
COMPARED_ORIGINS = 3
"""How often, and with how many origins chosen at random, a member compares digests. A
scan of 100,000 instances takes some 0.1 s; what it finds was lost by a fault, not by the
bus, for gaps are noticed at once."""

# Federation

FEDERATION_SECONDS = 5.0
"""How long the members may take for one question to the whole cohort; who is slower is
left out and named. People wait so long, and a search of a store of millions on a small
machine is done."""

FAIR_SECONDS = 1.0
"""A member that was given less time than this isn't to blame for not answering."""

TOLERATED_MEMBER_FAILURES = 3
"""After so many failures in a row a member isn't asked for a while; one may be a lost
packet or a restart."""

FIRST_MEMBER_PAUSE_SECONDS = 1.0
LONGEST_MEMBER_PAUSE_SECONDS = 60.0
"""How long a member that failed isn't asked, twice as long after each try. What the tries
cost is one question's deadline a minute."""

CALLS_OF_A_MEMBER = 8
"""Questions that one member is asked at a time: as many as there are connections to a
node. The others wait for their turn, within their time."""

FEDERATED_SEARCHES = 4
"""Questions of lists that the whole cohort is asked at a time; a page of a thousand
entities from each of ten members is 30 MB."""

SHARE_ALLOWANCE = 20
"""Instances that a member is asked for beyond its share of a page: how unevenly some ten
of each are spread by chance. It also keeps short pages from being asked for twice."""

PAGE_ALLOWANCE = 20
"""Instances that a genuine member is asked for beyond what is wanted, to see by them whether
it puts them in order at all, and whether those at the end have the same place."""

MAX_UNPAGED_INSTANCES = 5_000
"""Instances that are taken of a genuine member that can't page or filter as it is asked, and
looked at here: some 12 MB, and two seconds on a small machine. Nobody pages so far."""

MAX_WALK_QUESTIONS = 100
"""Questions of one walk over the whole cohort, of which each member only knows a part; some
milliseconds each, so that they fit into ``FEDERATION_SECONDS``. Who would be asked more is
named."""

MAX_WALK_LEVELS = 100
"""How many relationships away a genuine member is asked for what is around an entity, where
all that can be reached is wanted and it can't be asked for that: farther than anything is."""

MERGED_IN_THE_LOOP = 500
"""Instances whose answers are merged in the event loop, where their order has to be read
from them, some tens of milliseconds; more are handed to a thread."""

LATENCY_SAMPLES = 64
"""Answers of a member whose times are remembered for its statistics."""

HISTORY_PAGE_EVENTS = 200
"""Events that are read at once for somebody who missed them: half a megabyte."""

# Telling people of the cohort

SKEW_TOLD_SECONDS = 60.0
"""From which difference on people are told of a clock that is wrong: one that somebody sets
is seconds off at most, and one that nobody sets costs searches of the past their meaning."""

MAX_SKEW_TRIP_SECONDS = 1.0
"""Clocks are compared by exchanges that took no longer: how far they are apart is only
known to half of that, and after a break the first one takes seconds in one direction."""

LOSS_TOLD_SECONDS = 5.0
"""How long a node is gone before the audit log says so: one that is started anew is back
within that."""

LOSS_PAUSE_SECONDS = 60.0
"""How long the audit log says nothing of a node's next loss: a loose cable would fill it."""

KEPT_NODES_SECONDS = 600.0
"""How often it is looked whether where other nodes are is to be written down anew."""

MAX_KEPT_NODES_BYTES = 4 * 1024 * 1024
"""The file of other nodes: as many as are remembered, of 1 KB each, four times over."""

MET_AT_START = 8
"""Nodes known from before that a node speaks with when it starts; they tell the rest."""

KAFKA_SENT_SAVED_EVENTS = 500
KAFKA_SENT_SAVED_SECONDS = 5.0
"""How far a server got with the topics is remembered after so many events or so long:
with each it would double what is written to the disk. After a crash as many are sent, or
applied, once more."""

CLAIM_ANSWER_SECONDS = 60.0
"""How often a server that registers with this one's collection id again is answered by this
one's own registration: seldom enough for two that both do so, and often enough for members
to know the right address most of the time."""

MAX_KAFKA_WAITING = 4_096
"""Registrations, types and errors that wait for the brokers beside the outbox: all types of
a release and then some; what is left out is told again at the next start or request."""

KAFKA_TYPES_LEAD_SECONDS = 1.0
"""How long instances wait after new types: genuine servers read the two topics side by
side, within a second of the sending, and drop an instance whose type they don't know."""

KAFKA_PAUSE_SECONDS = 0.05
"""How long events wait after others were sent, so that those of many changes go together:
one event alone takes as long to be sent as the change that it tells of. Genuine servers
send theirs within a second."""

KAFKA_STATES_PAGE = 200
"""Instances that are read at a time when all are sent, some 0.5 MB of events."""

KAFKA_LEAVE_SECONDS = 5.0
"""How long a server that leaves waits for the brokers to have its word: longer than they
take to choose another leader, and short enough for whoever waits for the command."""

MAX_BOOT_FILE_BYTES = 65_536
"""A configuration with everything that can be said is a tenth of it; what is larger on a
boot partition is some other file by that name."""

MAX_KEPT_BACKUPS = 9_999
"""A backup a day for 27 years; more is a slip."""
