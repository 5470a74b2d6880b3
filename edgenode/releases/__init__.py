"""Egeria's releases: the one place that knows how they differ."""

from edgenode.releases.egeria_4_2 import EGERIA_4_2
from edgenode.releases.egeria_6_1 import EGERIA_6_1
from edgenode.releases.release import Release

RELEASES = {release.name: release for release in (EGERIA_4_2, EGERIA_6_1)}
SERVED = EGERIA_4_2
"""The release whose wire this version of the node serves."""

__all__ = ["EGERIA_4_2", "EGERIA_6_1", "RELEASES", "SERVED", "Release"]
