"""What the emulated machine is upgraded with."""

from dataclasses import dataclass
from pathlib import Path

from deploy.raspberrypi.image.root import PYTHON
from tests.systemd.versions import BROKEN, make_bundle, make_newer


@dataclass(frozen=True, slots=True)
class Bundles:
    """What a machine is upgraded with.

    Attributes:
        newer: A version that works.
        broken: One that doesn't start.
    """

    newer: Path
    broken: Path


def make_bundles(work: Path) -> Bundles:
    """Make bundles for arm64, below a directory."""
    bundle = work / "bundle"
    make_bundle(bundle, "--machine", "aarch64", "--python", PYTHON)
    made = []
    for name, version, edits in (
        ("newer", "0.2.0", ()),
        ("broken", "0.3.0", (BROKEN,)),
    ):
        place = work / name
        place.mkdir()
        made.append(make_newer(bundle, place, version, *edits))
    return Bundles(*made)
