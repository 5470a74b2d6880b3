"""Puts what stands on the boot partition in its place, and wipes it there.

What is written, in this order, so that a power cut in between only means that all of it
is done again at the next start: the machine's settings, the token where the node looks for
it at its start, the node's configuration, the environment that names both; then the report;
last the files on the boot partition get names that say that they were taken, and are
overwritten and removed.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from errno import EISDIR, ENOENT
from pathlib import Path

from edgenode.config import ConfigError, Mistake
from edgenode.errors import is_disk_full
from edgenode.first_boot.given import (
    CONFIGURATION,
    MACHINE,
    Given,
    Places,
    read_given,
)
from edgenode.first_boot.machine import MachineConfig
from edgenode.first_boot.wifi import has_network, wpa_supplicant
from edgenode.security.keys import CohortKey
from edgenode.security.private_files import (
    Owner,
    make_private_directory,
    sync_directory,
    wipe,
    write_private,
)

MISTAKES = "edgenode-mistakes.txt"
REPORT = "edgenode-report.txt"
TAKEN = (f"{CONFIGURATION}.taken", f"{MACHINE}.taken")
"""What the files are called while they are overwritten, which a power cut may leave half done."""

JOIN_TOKEN = "join-token"  # noqa: S105 - the name of its file
ENVIRONMENT_FILE = "environment"
HOST_NAME_FILE = "hostname"
WIFI_FILE = "wpa_supplicant.conf"
SSH_KEYS_FILE = "authorized_keys"


def apply(places: Places) -> tuple[str, ...]:
    """Take what is on the boot partition, if there is anything.

    What an error says stands in a file there, too, if that can be written.

    Returns:
        What was taken, a sentence each, without secrets; nothing if nothing is there.

    Raises:
        ConfigError: Something in it can't be used, and nothing was changed.
        OSError: Something can't be read or written. What was put in its place already is
            put there again at the next time.
    """
    try:
        return _apply(places)
    except ConfigError as error:
        _tell_mistakes(error.mistakes, places)
        raise
    except OSError as error:
        _tell_mistakes((mistake_of(error),), places)
        raise


def _apply(places: Places) -> tuple[str, ...]:
    _check_boot(places.boot)
    given = read_given(places)
    taken: tuple[str, ...] = ()
    if given.files:
        taken = tuple(_put(given, places))
        _tell(places.boot / REPORT, taken)
    _wipe_taken(places.boot)  # of a time before, where the power failed
    for path in given.files:
        path.replace(path.with_name(f"{path.name}.taken"))
    sync_directory(places.boot)
    _wipe_taken(places.boot)
    return taken


def _wipe_taken(boot: Path) -> None:
    for name in TAKEN:
        if (boot / name).exists():
            (boot / MISTAKES).unlink(missing_ok=True)
            wipe(boot / name)


def _check_boot(boot: Path) -> None:
    """Look, before anything is changed, whether what was taken can be told there.

    Raises:
        OSError: It can't.
    """
    if not boot.is_dir():
        raise OSError(ENOENT, "there is no such directory", str(boot))
    for name in (MISTAKES, REPORT, *TAKEN):
        if (boot / name).is_dir():
            raise OSError(EISDIR, "it is a directory", str(boot / name))


def _put(given: Given, places: Places) -> Iterator[str]:
    machine = given.machine
    make_private_directory(places.settings.parent)
    places.settings.mkdir(mode=0o755, exist_ok=True)
    if machine.host_name is not None:
        _write(places.settings / HOST_NAME_FILE, f"{machine.host_name}\n", 0o644)
        yield f"The machine's name is {machine.host_name}."
    if machine.wifi_country is not None or machine.wifi_network is not None:
        yield _connect(machine, places.settings / WIFI_FILE)
    if machine.ssh_keys is not None:
        yield _let_in(machine.ssh_keys, places.settings / SSH_KEYS_FILE)
    if machine.join_token is not None:
        name = CohortKey.from_token(machine.join_token).name
        if given.is_member:
            yield f"The node is in cohort '{name}' already."
        else:
            _make_state(places)
            token = places.state / JOIN_TOKEN
            _write(token, machine.join_token, 0o600, places.owner)
            yield f"The node joins cohort '{name}' when it is started for the first time."
    configuration = places.settings / CONFIGURATION
    if given.configuration is not None:
        _write(configuration, given.configuration, 0o640, _group_of(places.owner))
        yield "The node has its configuration."
    variables = {"EDGENODE_COHORT_JOIN_FILE": str(places.state / JOIN_TOKEN)}
    if configuration.exists():
        variables["EDGENODE_CONFIG"] = str(configuration)
    _write(places.settings / ENVIRONMENT_FILE, _environment(variables), 0o644)


def _connect(machine: MachineConfig, path: Path) -> str:
    """Have the machine use a Wi-Fi network, or none; say so."""
    if machine.wifi_network == "":
        path.unlink(missing_ok=True)
        sync_directory(path.parent)
        return "The machine knows no Wi-Fi network any more."
    before = path.read_bytes() if path.exists() else b""
    settings = wpa_supplicant(machine, before)
    _write(path, settings, 0o600)
    known = "the network as before" if has_network(settings) else "no network"
    network = machine.wifi_network or known
    return f"Wi-Fi: {network}, by the rules of {machine.wifi_country}."


def _let_in(keys: tuple[str, ...], path: Path) -> str:
    """Have those who have these keys log in, and nobody else; say so."""
    if not keys:
        path.unlink(missing_ok=True)
        sync_directory(path.parent)
        return "Nobody may log in by ssh any more."
    _write(path, "".join(f"{key}\n" for key in keys), 0o600)
    return f"Whoever has one of {len(keys)} keys may log in by ssh."


def _make_state(places: Places) -> None:
    """Make the node's directory; that it stands in is none of the node's."""
    make_private_directory(places.state)
    if places.owner is not None:
        os.chown(places.state, places.owner.user_id, places.owner.group_id)
    places.state.chmod(0o700)


def _environment(variables: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _group_of(owner: Owner | None) -> Owner | None:
    """Its group may read what the node itself must not change."""
    return None if owner is None else Owner(os.geteuid(), owner.group_id)


def _write(
    path: Path, content: str | bytes, mode: int, owner: Owner | None = None
) -> None:
    content = content.encode() if isinstance(content, str) else content
    write_private(path, content, owner=owner, mode=mode)


def mistake_of(error: OSError) -> Mistake:
    """What people are told where the system refuses something."""
    mend = (
        "free space on it"
        if is_disk_full(error)
        else "put that right, or try another card"
    )
    return Mistake(
        str(error.filename or "the card"),
        f"can't be used ({error.strerror or error})",
        f"{mend}, then have 'edgenode first-boot' run again: an image does so at each start",
    )


def _tell_mistakes(mistakes: Iterable[Mistake], places: Places) -> None:
    """Write down what is wrong; whoever runs this hears of it in any case."""
    with suppress(OSError):
        _tell(places.boot / MISTAKES, map(str, mistakes))


def _tell(path: Path, lines: Iterable[str]) -> None:
    """A text for people, with the line ends that every computer's editor knows."""
    text = "".join(f"{line}\r\n" for line in lines)
    write_private(path, text.encode())
