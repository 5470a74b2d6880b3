"""Try the built image on emulated machines, and keep what came of it.

python -m tests.image [IMAGE] [trial ...]
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.harness import ROOT
from bench.namespaces import Network
from tests.image.machines import Lab, missing
from tests.image.transcript import Transcript
from tests.image.trials import TRIALS

DOCUMENT = ROOT / "docs" / "image-test.md"
IMAGE = ROOT / "build" / "edgenode.img"


def main() -> int:
    """Do what the command line says; returns the exit code."""
    arguments = _parser().parse_args()
    image: Path = arguments.image
    if (reason := _reason(image)) is not None:
        print(f"edgenode: {reason}", file=sys.stderr)
        return 1
    transcript = Transcript()
    packed = image.with_name(f"{image.name}.zst")
    if packed.exists():
        size = packed.stat().st_size / 1e6
        transcript.check(
            f"compressed, the image has {size:.0f} MB, at most 250", size <= 250
        )
    with (
        TemporaryDirectory(dir=image.parent, prefix=".test-") as name,
        Network() as network,
    ):
        lab = Lab(network, image, Path(name))
        for each in arguments.trials or TRIALS:
            title, trial = TRIALS[each]
            with transcript.trial(title):
                trial(lab, transcript)
    transcript.tell(f"{len(transcript.failed)} of the above have failed")
    if not arguments.trials:
        transcript.write(DOCUMENT)
    return 1 if transcript.failed else 0


def _reason(image: Path) -> str | None:
    """Why it can't be tried."""
    if os.geteuid() != 0:
        return "only root makes networks and machines: write sudo before it"
    if lacking := missing():
        return f"install {' '.join(lacking)}"
    if not image.is_file():
        return f"there is no {image}: make image"
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make image-test", description=__doc__)
    parser.add_argument("--image", type=Path, default=IMAGE)
    parser.add_argument(
        "trials", nargs="*", choices=[*TRIALS, []], help="some of them; all by default"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
