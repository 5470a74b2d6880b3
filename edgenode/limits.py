"""Every bound on what users and peers can grow, each with its reason."""

# Requests

MAX_BODY_BYTES = 4 * 1024 * 1024
"""A request's body. A thousand typical entities in one call are 2.5 MB; parsing more
would hold the event loop of a small machine for more than a tenth of a second."""

LARGE_BODY_BYTES = 64 * 1024
"""From this size on a body is decoded off the event loop (about 1 ms of work here)."""

# Audit

MAX_AUDIT_RECORDS = 1_000
"""Audit records kept in memory for reports (about 0.5 MB); the log has them all."""

# Search patterns

MAX_PATTERN_LENGTH = 100_000
"""A search pattern's characters. Callers quote whole property values, which are texts of
some pages at most."""

MAX_REGEX_LENGTH = 4_000
"""The characters of a pattern that is more than quoted text. Compiling this many takes
about 50 ms; people write some dozens."""

MAX_PATTERN_DEPTH = 50
"""How deep the groups of a pattern nest; keeps the recursion of its parser small."""

MAX_COMPILED_PATTERNS = 64
"""Compiled expressions kept for the next search (some 10 KB each)."""
