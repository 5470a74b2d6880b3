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

MAX_INDEX_BACKLOG = 500
"""Changes whose index rows are still to be written. Measured: writing them 100 at a time
costs 9 % more bytes than 500 at a time; 500 take about 0.1 s and 3 MB of memory."""

QUIET_SECONDS = 5.0
"""So long after the last change the writer tidies up."""

QUIET_INDEX_BACKLOG = 50
"""From this many changes on a quiet moment is used to write their index rows; fewer wait
for company, because a handful costs nearly as many pages as fifty."""

MAX_LOST_BACKLOG = 4 * MAX_INDEX_BACKLOG
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

MAX_OUTBOX_EVENTS = 100_000
"""Events kept for members that can't be reached, some 10 MB. A member that missed more
learns of them when it asks for the instances."""

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
