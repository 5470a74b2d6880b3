"""Where everything is on a machine."""

from dataclasses import dataclass
from pathlib import Path

USER = "edgenode"
SERVICE = "edgenode.service"
TIMER = "edgenode-backup.timer"
TRIAL = "edgenode-trial.service"
UNITS = (SERVICE, "edgenode-backup.service", TIMER, TRIAL)
"""All that are installed; an image has others, whose names begin so, too."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of a machine.

    Attributes:
        root: The machine's root directory; another one for tests.
    """

    root: Path = Path("/")

    @property
    def releases(self) -> Path:
        """A directory for each version."""
        return self.root / "opt/edgenode/releases"

    @property
    def current(self) -> Path:
        """The link to the one that runs."""
        return self.root / "opt/edgenode/current"

    @property
    def trial(self) -> Path:
        """Names the version before the one that is on trial."""
        return self.root / "opt/edgenode/trial"

    @property
    def units(self) -> Path:
        """Where systemd finds the units that are installed by hand."""
        return self.root / "etc/systemd/system"

    @property
    def users(self) -> Path:
        """What systemd is told about the service's user."""
        return self.root / "etc/sysusers.d/edgenode.conf"

    @property
    def command(self) -> Path:
        """The link by which people call the command."""
        return self.root / "usr/local/bin/edgenode"

    @property
    def state(self) -> Path:
        """The node's data."""
        return self.root / "var/lib/edgenode"

    @property
    def settings(self) -> tuple[Path, ...]:
        """Files with settings, which only a removal with all data takes away."""
        return (*self.environments, self.root / "etc/edgenode.toml")

    @property
    def environments(self) -> tuple[Path, ...]:
        """Files with the service's variables; those of the last win."""
        return (self.machine / "environment", self.root / "etc/default/edgenode")

    @property
    def machine(self) -> Path:
        """What "edgenode first-boot" took from a card's boot partition."""
        return self.root / "var/lib/edgenode-machine"
