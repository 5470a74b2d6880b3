"""The command that installs, upgrades and removes."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .layout import UNITS, USER, Layout
from .parts import HERE, Parts, UnusablePartsError, parts_of
from .releases import FailedInstallationError, Releases
from .service import WELL_SECONDS, FailedServiceError, SystemdService
from .system import OVERLAID, writable_root
from .upgrade import CannotGoBackError, Machine, WentBackError, settle, switch

OK, REFUSED, WENT_BACK = 0, 1, 5
PYTHONS = ((3, 11), (3, 13))


class RefusedError(Exception):
    """What stands in the way; ``mend`` says what would help."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


def main() -> int:
    """Do what the command line says; returns the exit code."""
    arguments = _parser().parse_args()
    os.umask(0o022)  # what is installed is for the service's user, too; no secret is
    try:
        _do(arguments, Layout())
    except RefusedError as error:
        return _complain(REFUSED, str(error), error.mend)
    except UnusablePartsError as error:
        return _complain(REFUSED, str(error), "name one with --from")
    except FailedInstallationError as error:
        mend = "what runs goes on as it was; without a network use a bundle"
        return _complain(REFUSED, str(error), mend)
    except WentBackError as error:
        return _complain(WENT_BACK, str(error), "the lines above say why")
    except CannotGoBackError as error:
        mend = (
            "the version that can read them was started again; to go back all the same, "
            "install the older one on a card of its own and restore a backup there"
        )
        return _complain(WENT_BACK, str(error), mend)
    except FailedServiceError as error:
        return _complain(REFUSED, str(error), "journalctl --unit edgenode says more")
    return OK


def _do(arguments: argparse.Namespace, layout: Layout) -> None:
    _check_machine(runs=not arguments.prepare)
    with writable_root():
        if arguments.prepare:
            prepare(layout, parts_of(arguments.source, kafka=arguments.kafka))
        elif arguments.remove:
            remove(layout, purge=arguments.purge)
        elif arguments.back:
            go_back(layout, arguments.watch)
        elif arguments.settle:
            settle(_machine(layout, arguments.watch), _tell)
        else:
            parts = parts_of(arguments.source, kafka=arguments.kafka)
            install(layout, parts, arguments.watch)


def install(layout: Layout, parts: Parts, watch_seconds: float) -> None:
    """Install a version, and have it run."""
    machine = _machine(layout, watch_seconds)
    _add(layout, machine.releases, parts)
    switch(machine, parts.name, _tell)
    for name in machine.releases.tidy():
        _tell(f"removed {name}")


def _add(layout: Layout, releases: Releases, parts: Parts) -> None:
    _tell(f"installing {parts.name}")
    releases.add(parts)
    _make_user(layout)
    layout.command.parent.mkdir(parents=True, exist_ok=True)
    layout.command.unlink(missing_ok=True)
    layout.command.symlink_to(layout.current / "bin/edgenode")


def prepare(layout: Layout, parts: Parts) -> None:
    """Install a version that something else starts, such as an image's first start."""
    machine = _machine(layout, WELL_SECONDS)
    _add(layout, machine.releases, parts)
    machine.releases.turn(parts.name)
    machine.service.place()


def go_back(layout: Layout, watch_seconds: float) -> None:
    """Have the version run that ran before."""
    machine = _machine(layout, watch_seconds)
    current = machine.releases.current
    others = [each for each in machine.releases.names() if each != current]
    if not others:
        raise RefusedError("there is no other version", "install one")
    switch(machine, others[0], _tell)


def remove(layout: Layout, *, purge: bool) -> None:
    """Take everything away but the data and settings; with ``purge`` those, too.

    Drop-ins of the units stay: whoever made them takes them away.
    """
    service = SystemdService(layout, WELL_SECONDS)
    service.disable()
    for unit in UNITS:
        (layout.units / unit).unlink(missing_ok=True)
    service.reload()
    shutil.rmtree(layout.current.parent, ignore_errors=True)
    layout.command.unlink(missing_ok=True)
    if not purge:
        _tell(f"removed; data is still in {layout.state}")
        return
    for directory in (layout.state, layout.machine):
        shutil.rmtree(directory, ignore_errors=True)
    for path in layout.settings:
        path.unlink(missing_ok=True)
    if layout.users.exists():
        layout.users.unlink()
        _run("userdel", USER)
    _tell("removed, with all data")


def _machine(layout: Layout, watch_seconds: float) -> Machine:
    return Machine(
        Releases(layout), SystemdService(layout, watch_seconds), layout.state
    )


def _make_user(layout: Layout) -> None:
    layout.users.parent.mkdir(parents=True, exist_ok=True)
    layout.users.write_text(f'u {USER} - "edgenode" {layout.state}\n')
    _run("systemd-sysusers", str(layout.users))


def _check_machine(*, runs: bool) -> None:
    if os.geteuid() != 0:
        raise RefusedError("only root installs a service", "write sudo before it")
    if runs and not Path("/run/systemd/system").is_dir():
        raise RefusedError(
            "this machine isn't run by systemd", "start the node with make run"
        )
    if OVERLAID.is_dir():
        raise RefusedError(
            "what is written to this machine's root is gone at its next start",
            "remove edgenode.overlay from cmdline.txt on the boot partition, and start it again",
        )
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        raise RefusedError(
            f"Python {sys.version.split()[0]} isn't one that edgenode is tested with",
            "Debian 12 or 13, and Raspberry Pi OS of these, have one",
        )
    if sys.maxsize < 2**32:
        raise RefusedError("this system has 32 bits", "install one with 64 bits")
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise RefusedError(
            f"{error.name} is missing", "apt-get install python3-venv"
        ) from error


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"{' '.join(command)}: {done.stderr.strip()}", "see there")


def _tell(what: str) -> None:
    print(f"edgenode: {what}", flush=True)


def _complain(code: int, what: str, mend: str) -> int:
    print(f"edgenode: {what}\n  mend: {mend}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install",
        description="Install edgenode as a service of this machine, or upgrade it. Where "
        "a new version fails, the one before runs again (exit code 5).",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        default=HERE.parents[2],
        metavar="DIRECTORY",
        help="a checkout or a bundle; by default the one that this command is in",
    )
    parser.add_argument(
        "--kafka", action="store_true", help="with what a cohort over Kafka needs"
    )
    parser.add_argument(
        "--back", action="store_true", help="have the version run that ran before"
    )
    parser.add_argument(
        "--prepare",
        action="store_true",
        help="install and don't start: in an image, or before the node has its settings",
    )
    parser.add_argument(
        "--settle", action="store_true", help="end an upgrade that was cut short"
    )
    parser.add_argument(
        "--watch",
        type=float,
        default=WELL_SECONDS,
        metavar="SECONDS",
        help=f"how long a new version has to be well; {WELL_SECONDS:.0f} by default",
    )
    parser.add_argument(
        "--remove", action="store_true", help="take it away; data and settings stay"
    )
    parser.add_argument(
        "--purge", action="store_true", help="with --remove: data and settings, too"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
