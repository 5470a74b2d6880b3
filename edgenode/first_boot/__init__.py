"""Takes what an operator has written on a card's boot partition, and puts it in its place.

The partition is one that any computer can write, so that a card can be prepared where it
was flashed. Two files may be there: ``edgenode.toml``, the node's configuration as anywhere
else, and ``machine.toml``, what the machine itself is told. Both are checked as a whole
before anything is changed, then put in their places, and wiped where they were: they may
have secrets in them. What is wrong is written back beside them, for people to read.
"""

from edgenode.first_boot.applying import MISTAKES, REPORT, apply, mistake_of
from edgenode.first_boot.given import CONFIGURATION, MACHINE, Places
from edgenode.first_boot.machine import MachineConfig, read_machine
from edgenode.security.private_files import Owner

__all__ = [
    "CONFIGURATION",
    "MACHINE",
    "MISTAKES",
    "REPORT",
    "MachineConfig",
    "Owner",
    "Places",
    "apply",
    "mistake_of",
    "read_machine",
]
