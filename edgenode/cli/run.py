"""Commands that start a node and check its configuration."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from errno import EADDRINUSE
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edgenode.cli.cohort_checks import cohort_places
from edgenode.cli.outcome import FREE_SPACE, CommandError, ExitCode
from edgenode.cli.output import Output
from edgenode.config import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    CohortConfig,
    ConfigError,
    EventRule,
    KafkaCohortConfig,
    NodeConfig,
    default_server_name,
    load_config,
)
from edgenode.errors import EdgeNodeError, StoreFullError, is_disk_full
from edgenode.hosts import is_loopback

if TYPE_CHECKING:
    from edgenode.node import RunningNode
    from edgenode.node.cohort import NodeCohort

DEFAULT_URL = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"


def run(arguments: Namespace, output: Output) -> None:
    """Run the node until it is told to stop."""
    # Imported here: the other commands shall not wait for the server's parts to load.
    import asyncio

    from edgenode.bus.opening import INSTALL_KAFKA, KafkaMissingError
    from edgenode.node import run_node
    from edgenode.node.highway import CohortNameTakenError
    from edgenode.repository.lock import DirectoryInUseError
    from edgenode.security.directory import DamagedCohortError
    from edgenode.security.platforms import UnusableFileError

    config = load_config(arguments.config)
    try:
        asyncio.run(run_node(config, lambda node: _hints(config, node, output)))
    except DirectoryInUseError as error:
        raise CommandError(ExitCode.ALREADY_RUNNING, str(error)) from error
    except DamagedCohortError as error:
        raise CommandError(
            ExitCode.REFUSED, f"{error.path} can't be used ({error.why})", error.mend
        ) from error
    except StoreFullError as error:
        raise CommandError(ExitCode.REFUSED, str(error), FREE_SPACE) from error
    except KafkaMissingError as error:
        mend = f"{INSTALL_KAFKA}; or leave the table [kafka_cohort] out"
        raise CommandError(ExitCode.CONFIGURATION, str(error), mend) from error
    except CohortNameTakenError as error:
        mend = (
            "the cohort of nodes gets another name by 'edgenode cohort create NAME "
            "--replace', whose token its other machines join with"
        )
        raise CommandError(ExitCode.CONFIGURATION, str(error), mend) from error
    except UnusableFileError as error:
        mend = "name one that the node's user can use in the table [kafka_cohort]"
        raise CommandError(ExitCode.CONFIGURATION, str(error), mend) from error
    except EdgeNodeError as error:  # a store that this edgenode can't use
        raise CommandError(
            ExitCode.REFUSED, str(error), "'edgenode doctor' looks at the disk"
        ) from error
    except OSError as error:
        raise _cannot_start(config, error) from error


def _cannot_start(config: NodeConfig, error: OSError) -> CommandError:
    if is_disk_full(error):
        place = error.filename or config.data_directory
        return CommandError(
            ExitCode.REFUSED, f"{place} can't be used ({error.strerror})", FREE_SPACE
        )
    if error.filename is not None:
        return CommandError(
            ExitCode.REFUSED,
            f"{error.filename} can't be used ({error.strerror})",
            "let the node's user write there, or set data_directory",
        )
    setting, place = _unusable_place(config)
    mend = f"set {setting} to an address of this machine"
    if error.errno == EADDRINUSE:
        mend = f"stop what uses the port, or set {setting} in the configuration"
    return CommandError(
        ExitCode.REFUSED, f"can't listen on {place} ({error.strerror})", mend
    )


def _unusable_place(config: NodeConfig) -> tuple[str, str]:
    """Which address can't be listened on, now that one can't: its setting and itself."""
    from edgenode.security.listening import bound

    for setting, place in cohort_places(config):
        try:
            bound(place.host, place.port).close()
        except OSError:
            return setting, str(place)
    return "listen", _address(config, config.port)


def _address(config: NodeConfig, port: int) -> str:
    return f"[{config.host}]:{port}" if ":" in config.host else f"{config.host}:{port}"


def _hints(config: NodeConfig, node: "RunningNode", output: Output) -> None:
    """Tell a person what is there now, and what to try next."""
    server = config.servers[0].name
    url = f"http://{_address(config, node.port)}"
    cohort = node.cohort
    if output.as_json:
        told: dict[str, object] = {
            "url": url,
            "servers": [each.name for each in config.servers],
        }
        if cohort is not None:
            told["cohort"] = cohort.cohort.key.name
            told["node"] = cohort.node.info.node_id
        if config.kafka_cohort is not None:
            told["kafkaCohort"] = config.kafka_cohort.name
        output.json(told)
        return
    base = f"{url}/servers/{server}/open-metadata/repository-services/users/me"
    command = _command()
    # What the other terminal can't know by itself.
    options = f" --url {url}" if url != DEFAULT_URL else ""
    default = default_server_name(config.data_directory)
    options += f" --server {server}" if server != default else ""
    in_cohort = "" if cohort is None else _cohort_hint(cohort, command)
    if config.kafka_cohort is not None:
        in_cohort += (
            f"it is in cohort '{config.kafka_cohort.name}' of platforms; '{command} "
            "cohort platforms' shows who else is\n"
        )
    output.line(
        f"edgenode serves {', '.join(each.name for each in config.servers)} at {url}\n"
        f"data is in {config.data_directory}\n"
        f"{in_cohort}"
        "Try, in another terminal:\n"
        f"  {command} add Glossary qualifiedName=demo displayName=Demo{options}\n"
        f"  {command} find Glossary{options}\n"
        f"  {command} types GlossaryTerm{options}\n"
        f"  curl {base}/types/typedef/name/GlossaryTerm\n"
        "Stop it with Ctrl-C."
    )


def _cohort_hint(cohort: "NodeCohort", command: str) -> str:
    """One line of the cohort; the token itself isn't for logs."""
    name = cohort.cohort.key.name
    if cohort.cohort.is_open:
        return (
            f"WARNING: cohort '{name}' is open: anybody on the network may join it, and "
            "read and change everything\n"
        )
    if not cohort.is_new:
        return (
            f"it is in cohort '{name}'; '{command} cohort members' shows who else is\n"
        )
    return (
        f"it has made cohort '{name}'; the next machine joins it with "
        f"'edgenode cohort join TOKEN', and '{command} cohort token' shows the token\n"
    )


def _command() -> str:
    """How this program is called from the directory that it was called from."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{sys.executable} -m edgenode"
    return called.name if which(called.name) else str(called)


def check_config(arguments: Namespace, output: Output) -> None:
    """Check the configuration and show what holds."""
    try:
        config = load_config(arguments.config)
    except ConfigError as error:
        if output.as_json:
            mistakes = [
                {"where": mistake.where, "what": mistake.what, "mend": mistake.mend}
                for mistake in error.mistakes
            ]
            output.json({"ok": False, "mistakes": mistakes})
        raise
    settings = {
        "configuration": str(config.source or "defaults"),
        "listen": _address(config, config.port),
        "data_directory": str(config.data_directory),
        "log_format": config.log_format,
        "log_level": config.log_level,
        "servers": ", ".join(
            f"{server.name} (release {server.release})" for server in config.servers
        ),
    }
    settings |= _cohort_settings(config.cohort)
    if config.kafka_cohort is not None:
        settings |= _kafka_settings(config.kafka_cohort)
    doubts = list(_doubts(config))
    if output.as_json:
        output.json({"ok": True, "settings": settings, "warnings": doubts})
        return
    output.table(("setting", "value"), settings.items())
    for doubt in doubts:
        output.line(f"warning: {doubt}")
    output.line(
        "the configuration can be used" if doubts else "the configuration is good"
    )


def _doubts(config: NodeConfig) -> Iterator[str]:
    """What may be a slip: it names something that isn't here, and may be yet."""
    from edgenode.discovery.links import missing_interfaces

    rules: dict[str, EventRule] = {}
    if config.cohort.mode != "none":
        for name in missing_interfaces(config.cohort.interfaces):
            yield f"cohort.interfaces: there is no interface {name} now"
        rules |= _rules("cohort", config.cohort)
    if config.kafka_cohort is not None:
        rules |= _rules("kafka_cohort", config.kafka_cohort)
        yield from _doubts_of_places(config.kafka_cohort)
    if any(rule.types for rule in rules.values()):
        from edgenode.releases import SERVED
        from edgenode.releases.shipped_types import load_release_types

        known = load_release_types(SERVED)
        for setting, rule in rules.items():
            for name in rule.types:
                if known.type_def(name) is None:
                    yield (
                        f"{setting}_types: release {SERVED.name} has no type {name}; "
                        "unless an archive brings it, the rule goes without it"
                    )


def _doubts_of_places(cohort: KafkaCohortConfig) -> Iterator[str]:
    """Places that nobody reaches who is admitted; with a proxy here this machine is."""
    from edgenode.security.platforms import Admission

    admission = Admission(cohort.admit)
    if admission.admits("127.0.0.1") or admission.admits("::1"):
        return
    told = cohort.told_address(cohort.listen.port)
    for setting, place, host in (
        ("listen", str(cohort.listen), cohort.listen.host),
        ("address", told, urlsplit(told).hostname or ""),
    ):
        if is_loopback(host):
            yield (
                f"kafka_cohort.{setting} = {place} is for programs of this machine, which "
                "admit doesn't have: platforms can't ask there"
            )


def _rules(
    table: str, cohort: CohortConfig | KafkaCohortConfig
) -> dict[str, EventRule]:
    """The exchange rules of a cohort, by setting."""
    return {
        f"{table}.events_to_send": cohort.events_to_send,
        f"{table}.events_to_save": cohort.events_to_save,
        f"{table}.events_to_process": cohort.events_to_process,
    }


def _shown_rules(
    table: str, cohort: CohortConfig | KafkaCohortConfig
) -> dict[str, str]:
    return {
        setting: " ".join([each.rule.name, *each.types])
        for setting, each in _rules(table, cohort).items()
    }


def _cohort_settings(cohort: CohortConfig) -> dict[str, str]:
    """What holds of the cohort; one that is joined has a name of its own."""
    if cohort.mode == "none":
        return {"cohort.mode": cohort.mode}
    bus = {"cohort.bus": "embedded", "cohort.bus_listen": str(cohort.bus_listen)}
    if cohort.bus is not None:
        scheme = "mqtts" if cohort.bus.is_encrypted else "mqtt"
        bus = {"cohort.bus": f"{scheme}://{cohort.bus.address}"}
    return {
        "cohort.mode": cohort.mode,
        "cohort.name": cohort.name,
        "cohort.listen": str(cohort.listen),
        "cohort.peers": ", ".join(map(str, cohort.peers)) or "none",
        "cohort.discovery": str(cohort.discovery).lower(),
        "cohort.interfaces": ", ".join(cohort.interfaces) or "all",
        **bus,
        **_shown_rules("cohort", cohort),
    }


def _kafka_settings(cohort: KafkaCohortConfig) -> dict[str, str]:
    """What holds of the cohort of platforms; passwords stand in files."""
    login = {
        "kafka_cohort.broker_user": cohort.broker_user,
        "kafka_cohort.user": cohort.user,
    }
    return {
        "kafka_cohort.name": cohort.name,
        "kafka_cohort.brokers": ", ".join(map(str, cohort.brokers)),
        "kafka_cohort.topic_root": cohort.topic_root,
        "kafka_cohort.topics": cohort.topics,
        "kafka_cohort.security_protocol": cohort.security_protocol,
        "kafka_cohort.transport": cohort.transport,
        "kafka_cohort.listen": str(cohort.listen),
        "kafka_cohort.address": cohort.told_address(cohort.listen.port),
        "kafka_cohort.admit": ", ".join(map(str, cohort.admit)),
        **{name: user for name, user in login.items() if user is not None},
        **_shown_rules("kafka_cohort", cohort),
    }


def add_commands(commands: Any, common: ArgumentParser) -> None:
    """Add these commands to the parser."""
    for name, perform in (("run", run), ("check-config", check_config)):
        parser: ArgumentParser = commands.add_parser(
            name, parents=[common], help=perform.__doc__, description=perform.__doc__
        )
        parser.set_defaults(perform=perform)
