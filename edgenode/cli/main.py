"""The ``edgenode`` command."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgenode import __version__
from edgenode.cli import archive, backup, doctor, query, run
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Output, harmless
from edgenode.config import ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.perform(arguments, Output(as_json=arguments.json))
    except ConfigError as error:
        for mistake in error.mistakes:
            _complain(str(mistake))
        return ExitCode.CONFIGURATION
    except CommandError as error:
        _complain(error.message, error.mend)
        return error.code
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _complain(message: str, mend: str = "") -> None:
    sys.stderr.write(f"edgenode: {harmless(message)}\n")
    if mend:
        sys.stderr.write(f"  mend: {harmless(mend)}\n")


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, metavar="FILE", help="configuration")
    common.add_argument("--url", help="address of the node, such as http://pi:9443")
    common.add_argument("--server", help="name of the server on the node")
    common.add_argument("--user", help="user to act as; you by default")
    common.add_argument("--json", action="store_true", help="JSON for machines")
    parser = argparse.ArgumentParser(
        prog="edgenode", description="An open metadata server for small machines."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands: Any = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (run, query, archive, backup, doctor):
        module.add_commands(commands, common)
    return parser
