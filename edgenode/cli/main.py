"""The ``edgenode`` command."""

import argparse
import os
import sys
from collections.abc import Sequence
from getpass import getuser
from pathlib import Path
from typing import Any

from edgenode import __version__
from edgenode.cli import query, run
from edgenode.cli.client import NodeClient
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Output
from edgenode.config import ConfigError, NodeConfig, load_config


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        config = load_config(arguments.config)
        arguments.perform(arguments, _client(arguments, config), _output(arguments))
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
        return 130  # what shells expect of a command that SIGINT ended
    return ExitCode.OK


def _complain(message: str, mend: str = "") -> None:
    sys.stderr.write(f"edgenode: {message}\n")
    if mend:
        sys.stderr.write(f"  mend: {mend}\n")


def _client(arguments: argparse.Namespace, config: NodeConfig) -> NodeClient:
    host = f"[{config.host}]" if ":" in config.host else config.host
    return NodeClient(
        arguments.url or f"http://{host}:{config.port}",
        arguments.server or config.servers[0].name,
        arguments.user or _user(),
    )


def _output(arguments: argparse.Namespace) -> Output:
    return Output(as_json=arguments.json)


def _user() -> str:
    try:
        return getuser()
    except (OSError, KeyError):  # a user id without an account, as in containers
        return "edgenode"


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
    for module in (run, query):
        module.add_commands(commands, common)
    return parser
