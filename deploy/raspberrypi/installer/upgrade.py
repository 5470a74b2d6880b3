"""From one version to another, and back where the other one fails.

From before another version takes the place of the one that runs, a file says which one that
was. It is gone when the new one was well for a while. A machine that loses its power in
between settles the matter at its next start, by ``edgenode-trial.service``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .releases import Releases
from .service import FailedServiceError, Service
from .stores import ChangedSinceError, bring_back

Tell = Callable[[str], None]


class WentBackError(Exception):
    """The new version failed; the one before runs again."""


class CannotGoBackError(Exception):
    """Going back would lose what was stored since; the new version goes on."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What an upgrade works on.

    Attributes:
        releases: The versions that are there.
        service: What runs them.
        state: The node's data.
    """

    releases: Releases
    service: Service
    state: Path


def switch(machine: Machine, name: str, tell: Tell) -> None:
    """Have another version run, which is installed already.

    Args:
        machine: The machine.
        name: The version.
        tell: Told of each step.

    Raises:
        WentBackError: It failed, and the version before runs again.
        CannotGoBackError: Stores have changes that the version can't read that is to
            run: this one, or the one before after this one failed.
        FailedServiceError: It failed, and there is none to go back to, or that one
            fails, too.
    """
    releases, service = machine.releases, machine.service
    before = releases.current
    if before == name and service.is_running():
        tell(f"{name} runs already")
        return
    was_ready = service.is_running() and service.is_ready()
    if service.is_running():
        tell(f"stopping {before}")
        service.stop()
    if before is not None and before != name:
        # From here on a power cut leaves what says where to go back to.
        releases.begin_trial(before)
    try:
        _turn(machine, name)
    except ChangedSinceError as error:
        releases.end_trial()
        service.start()
        raise CannotGoBackError(str(error)) from error
    tell(f"starting {name}")
    _settle(machine, tell, ready=was_ready)


def settle(machine: Machine, tell: Tell) -> None:
    """End a trial that was cut short.

    Raises:
        WentBackError: As for a switch; so are the others.
        CannotGoBackError: So.
        FailedServiceError: So.
    """
    if machine.releases.before_trial is not None:
        _settle(machine, tell, ready=False)


def _settle(machine: Machine, tell: Tell, *, ready: bool) -> None:
    releases, service = machine.releases, machine.service
    before = releases.before_trial
    if before == releases.current:
        before = (
            None  # cut short before the link was turned, or after it was turned back
        )
    try:
        service.start()
        service.watch(ready=ready)
    except FailedServiceError as error:
        if before is None:
            raise
        tell(f"it fails: {error}")
        _go_back(machine, before, error, tell)
    releases.end_trial()


def _go_back(
    machine: Machine, before: str, error: FailedServiceError, tell: Tell
) -> None:
    releases, service = machine.releases, machine.service
    failed = releases.current
    service.stop()
    try:
        _turn(machine, before)
    except ChangedSinceError as changed:
        releases.end_trial()
        service.start()
        raise CannotGoBackError(f"{failed} fails, but {changed}") from error
    tell(f"going back to {before}")
    releases.end_trial()
    service.start()
    raise WentBackError(f"{failed} fails; {before} runs again") from error


def _turn(machine: Machine, name: str) -> None:
    """Have another version be the one that is started, with stores that it can read.

    Raises:
        ChangedSinceError: They have changes that it can't read; nothing was changed.
    """
    bring_back(machine.state, machine.releases.schema(name))
    machine.releases.turn(name)
