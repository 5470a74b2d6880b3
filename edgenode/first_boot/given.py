"""What stands on the boot partition, checked as a whole before anything is changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from os.path import realpath  # unlike Path.resolve() it takes links in a circle
from pathlib import Path

from edgenode.bus.opening import INSTALL_KAFKA, KafkaMissingError, require_kafka
from edgenode.config import ConfigError, Mistake, NodeConfig, load_config
from edgenode.config.lines import lines_of_keys
from edgenode.first_boot.machine import MachineConfig, read_machine
from edgenode.limits import MAX_BOOT_FILE_BYTES
from edgenode.security.directory import CohortDirectory, DamagedCohortError
from edgenode.security.keys import CohortKey
from edgenode.security.private_files import Owner, read_bounded

CONFIGURATION = "edgenode.toml"
MACHINE = "machine.toml"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are.

    Attributes:
        boot: The boot partition.
        settings: The directory for what a machine and its node are told. It is not the
            node's: whoever broke into that could otherwise let himself in as anybody.
        state: The node's own directory.
        owner: Who runs the node; None for whoever runs this.
    """

    boot: Path
    settings: Path
    state: Path
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What stands on the boot partition, checked.

    Attributes:
        files: The files that are there.
        configuration: The node's configuration as it was written; None where there is none.
        machine: What the machine is told.
        is_member: Whether the node is in the cohort already whose token the machine is told.
    """

    files: tuple[Path, ...]
    configuration: bytes | None
    machine: MachineConfig
    is_member: bool


def read_given(places: Places) -> Given:
    """What is there.

    Raises:
        ConfigError: All that is wrong, in both files.
        OSError: Something can't be read.
    """
    configuration = _content(places.boot / CONFIGURATION)
    told = _content(places.boot / MACHINE)
    mistakes = list(_misnamed(places.boot))
    config, machine = None, MachineConfig()
    if configuration is not None:
        try:
            config = load_config(
                places.boot / CONFIGURATION, {"STATE_DIRECTORY": str(places.state)}
            )
            mistakes += _beyond_service(config, configuration, places)
        except ConfigError as error:
            mistakes += error.mistakes
    if told is not None:
        try:
            machine = read_machine(places.boot / MACHINE, _text(told))
        except ConfigError as error:
            mistakes += error.mistakes
    is_member = False
    if machine.join_token is not None and told is not None:
        try:
            is_member = _is_member(
                CohortKey.from_token(machine.join_token),
                _where(MACHINE, _text(told), "join_token"),
                _config_before(places) if configuration is None else config,
                places,
            )
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(tuple(mistakes))
    files = [
        places.boot / name
        for name, content in ((CONFIGURATION, configuration), (MACHINE, told))
        if content is not None
    ]
    return Given(tuple(files), configuration, machine, is_member)


def _misnamed(boot: Path) -> Iterator[Mistake]:
    """Files that an editor has given another ending, which many computers don't show."""
    for name in (CONFIGURATION, MACHINE):
        if (boot / f"{name}.txt").exists():
            what = f"is called so, and would be read as {name}"
            mend = f"have names shown whole, and call it {name}, or remove it"
            yield Mistake(f"{name}.txt", what, mend)


def _config_before(places: Places) -> NodeConfig | None:
    """The configuration that was taken before, if it can still be used."""
    path = places.settings / CONFIGURATION
    if not path.exists():
        return None
    try:
        return load_config(path, {"STATE_DIRECTORY": str(places.state)})
    except ConfigError:
        return None


def _is_member(
    key: CohortKey, where: str, config: NodeConfig | None, places: Places
) -> bool:
    """Whether the node is in the cohort already that it is to join.

    Raises:
        ConfigError: It can't join at its start.
    """
    mode = "keyed" if config is None else config.cohort.mode
    if mode != "keyed":
        what = f"join_token is for a cohort with a key, and cohort.mode is {mode!r}"
        mend = f"leave one of the two out; the mode stands in {CONFIGURATION}"
        raise ConfigError((Mistake(where, what, mend),))
    data = places.state if config is None else config.data_directory
    try:
        cohort = CohortDirectory(data).load()
    except DamagedCohortError as error:
        what = (
            f"it can't be told which cohort the node is in: {error.path} ({error.why})"
        )
        raise ConfigError((Mistake(where, what, error.mend),)) from error
    if cohort is None:
        return False
    # A key that was rotated is taken as the node does that finds it at its start.
    if key in (cohort.key, cohort.previous):
        return True
    what = (
        "join_token isn't a key of the cohort that the node is in, "
        f"{cohort.key.name} ({cohort.key.tag})"
    )
    mend = (
        "leave join_token out; for another cohort log in, and as the node's user run "
        "'edgenode cohort join'"
    )
    raise ConfigError((Mistake(where, what, mend),))


def _beyond_service(
    config: NodeConfig, content: bytes, places: Places
) -> Iterator[Mistake]:
    """What a node could do that somebody starts, but not one that is this service."""
    path, text = places.boot / CONFIGURATION, _text(content)
    directory = config.data_directory
    if not Path(realpath(directory)).is_relative_to(realpath(places.state)):
        yield Mistake(
            _where(path, text, "node", "data_directory"),
            f"the service may write below {places.state} alone, not to {directory}",
            f"leave data_directory out, and mount the other disk at {places.state}",
        )
    if config.kafka_cohort is not None:
        try:
            require_kafka()
        except KafkaMissingError as error:
            yield Mistake(
                _where(path, text, "kafka_cohort"),
                str(error),
                f"{INSTALL_KAFKA}; or leave the table [kafka_cohort] out",
            )


def _where(path: str | Path, text: str, table: str, key: str | None = None) -> str:
    line = lines_of_keys(text).get((table, 0, key))
    return f"{path}:{line}" if line else str(path)


def _content(path: Path) -> bytes | None:
    """What stands in a file; None where there is none.

    Raises:
        ConfigError: It is no file that can be given.
        OSError: It can't be read.
    """
    try:
        return read_bounded(path, MAX_BOOT_FILE_BYTES)
    except IsADirectoryError as error:
        what, mend = "is a directory", "put a file in its place, or remove it"
        raise ConfigError((Mistake(path.name, what, mend),)) from error
    except OSError as error:
        if error.errno is not None:
            raise
        mend = "it is much shorter; copy it once more"
        mistake = Mistake(path.name, f"has more than {MAX_BOOT_FILE_BYTES} bytes", mend)
        raise ConfigError((mistake,)) from error


def _text(content: bytes) -> str:
    """A file's text, with line ends as in any file that is opened as text."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        mistake = Mistake(MACHINE, "isn't UTF-8", "save the file as UTF-8")
        raise ConfigError((mistake,)) from error
