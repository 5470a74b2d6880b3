"""The ``edgenode`` command."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from edgenode import __version__
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Output, harmless
from edgenode.config import ConfigError

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "run": ("run", "check-config"),
    "query": ("status", "types", "find", "get", "history"),
    "related": ("related",),
    "change": ("add", "link", "classify", "delete"),
    "archive": ("archive",),
    "backup": ("backup", "restore"),
    "cohort": ("cohort",),
    "doctor": ("doctor",),
    "first_boot": ("first-boot",),
}
"""The commands that each module has. Only what is asked for is loaded: what a node has
loaded takes memory as long as it runs."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _open_missing_streams()
    words = sys.argv[1:] if argv is None else argv
    arguments = parser(words[0] if words else None).parse_args(words)
    try:
        _check_texts(arguments)
        arguments.perform(arguments, Output(as_json=arguments.json))
        sys.stdout.flush()
    except ConfigError as error:
        for mistake in error.mistakes:
            _complain(str(mistake))
        return ExitCode.CONFIGURATION
    except CommandError as error:
        _complain(error.message, error.mend)
        return error.code
    except BrokenPipeError:  # the reader of our output has seen enough
        _forget_output()
        return ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except OSError as error:  # all other files are seen to where they are used
        _complain(f"the answer can't be written ({error.strerror})")
        _forget_output()
        return ExitCode.REFUSED
    return ExitCode.OK


def _open_missing_streams() -> None:
    """Let output go nowhere where whoever called us closed it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - to the end


def _forget_output() -> None:
    """Keep Python from trying once more at its end what can't be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check_texts(arguments: argparse.Namespace) -> None:
    """Check that what was typed is text; names of files may be anything."""
    for value in vars(arguments).values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not _is_text(text):
                raise CommandError(
                    ExitCode.USAGE, f"{text!r} isn't UTF-8", "type it as UTF-8 text"
                )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _complain(message: str, mend: str = "") -> None:
    sys.stderr.write(f"edgenode: {harmless(message)}\n")
    if mend:
        sys.stderr.write(f"  mend: {harmless(mend)}\n")


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """What reads the command line.

    Args:
        command: The one command that it has to know; all where that isn't known.
    """
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, metavar="FILE", help="configuration")
    common.add_argument("--url", help="address of the node, such as http://pi:9443")
    common.add_argument("--server", help="name of the server on the node")
    common.add_argument("--user", help="user to act as; you by default")
    common.add_argument("--json", action="store_true", help="JSON for machines")
    whole = argparse.ArgumentParser(
        prog="edgenode", description="An open metadata server for small machines."
    )
    whole.add_argument("--version", action="version", version=__version__)
    commands: Any = whole.add_subparsers(required=True, metavar="COMMAND")
    asked = [module for module, names in COMMANDS.items() if command in names]
    for module in asked or COMMANDS:
        import_module(f"edgenode.cli.{module}").add_commands(commands, common)
    return whole
