"""The command that a machine runs at each start, before the node."""

import os
import pwd
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Output

if TYPE_CHECKING:
    from edgenode.first_boot import Owner

BOOT_DIRECTORY = Path("/boot/firmware")
SETTINGS_DIRECTORY = Path("/var/lib/edgenode-machine")
STATE_DIRECTORY = Path("/var/lib/edgenode")


def first_boot(arguments: Namespace, output: Output) -> None:
    """Take edgenode.toml and machine.toml from a card's boot partition to their places."""
    from edgenode.first_boot import REPORT, Places, apply, mistake_of

    places = Places(
        boot=arguments.boot,
        settings=arguments.settings,
        state=arguments.state,
        owner=None if arguments.owner is None else _owner(arguments.owner),
    )
    try:
        taken = apply(places)
    except OSError as error:
        mistake = mistake_of(error)
        what = f"{mistake.where} {mistake.what}"
        raise CommandError(ExitCode.REFUSED, what, mistake.mend) from error
    if output.as_json:
        output.json({"taken": list(taken)})
        return
    for each in taken:
        output.line(each)
    if taken:
        output.line(f"That stands in {arguments.boot / REPORT}, too.")


def _owner(name: str) -> "Owner":
    from edgenode.first_boot import Owner

    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise CommandError(
            ExitCode.USAGE,
            f"there is no user {name}",
            f"adduser --system --group {name}",
        ) from error
    if os.geteuid() != 0:
        raise CommandError(
            ExitCode.REFUSED, "only root gives files to others", "run it as root"
        )
    return Owner(found.pw_uid, found.pw_gid)


def add_commands(commands: Any, common: ArgumentParser) -> None:
    """Add the command to the parser."""
    about = first_boot.__doc__
    parser: ArgumentParser = commands.add_parser(
        "first-boot", parents=[common], help=about, description=about
    )
    for option, default, what in (
        ("--boot", BOOT_DIRECTORY, "where the boot partition is mounted"),
        ("--settings", SETTINGS_DIRECTORY, "where the settings go"),
        ("--state", STATE_DIRECTORY, "the directory of the node's data"),
    ):
        parser.add_argument(
            option,
            type=Path,
            metavar="DIRECTORY",
            default=default,
            help=f"{what}; {default} by default",
        )
    parser.add_argument(
        "--owner",
        metavar="USER",
        help="who runs the node; whoever runs this by default",
    )
    parser.set_defaults(perform=first_boot)
