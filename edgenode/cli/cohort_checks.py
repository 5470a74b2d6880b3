"""What the self-check looks at of the cohort: its files, the certificate, its ports, time."""

import errno
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from edgenode.cli.findings import Finding, Verdict
from edgenode.clock import EpochMillis
from edgenode.config import HostPort, KafkaCohortConfig, NodeConfig

CERTIFICATE_SLACK_MILLIS = 30 * 86_400_000
"""A certificate is renewed years before its end: one so near to it shows that it can't be."""

FLOOR_SLACK_MILLIS = 60_000
"""By how much the node's time may be ahead of the clock: it is corrected now and then."""


def cohort_findings(config: NodeConfig, now: EpochMillis) -> Iterator[Finding]:
    """All of it; of the clock alone where the node takes part in no cohort at all.

    Args:
        config: The node's.
        now: What the clock says.
    """
    yield clock_floor(config.data_directory, now)
    settings = config.cohort
    if settings.mode == "open":
        yield Finding(
            "cohort",
            Verdict.WARN,
            f"cohort {settings.name} is open: anybody on the network may join it, and "
            "read and change everything",
            'set cohort.mode = "keyed"',
        )
    elif settings.mode != "none":
        yield cohort_files(config.data_directory)
        yield certificate(config.data_directory, now)
    if config.kafka_cohort is not None:
        yield kafka_client()
        yield kafka_files(config.kafka_cohort)
    its_own = has_running_node(config.data_directory)
    for setting, place in cohort_places(config):
        check = _PORT_CHECKS[setting]
        yield cohort_port(check, setting, place, is_running=its_own)


def has_running_node(directory: Path) -> bool:
    """Whether a node has the data directory, and so the ports; nothing is made here."""
    from edgenode.repository.lock import LOCK_FILE, DirectoryInUseError, locked

    try:
        if (directory / LOCK_FILE).exists():
            with locked(directory):
                return False
    except DirectoryInUseError:
        return True
    except OSError:  # it isn't this user's
        return False
    return False


_PORT_CHECKS = {
    "cohort.listen": "members' port",
    "cohort.bus_listen": "bus port",
    "kafka_cohort.listen": "platforms' port",
}


def cohort_places(config: NodeConfig) -> Iterator[tuple[str, HostPort]]:
    """Where the node listens for other nodes and for platforms, by setting."""
    settings = config.cohort
    if settings.mode != "none":
        yield "cohort.listen", settings.listen
        if settings.bus is None:
            yield "cohort.bus_listen", settings.bus_listen
    if config.kafka_cohort is not None:
        yield "kafka_cohort.listen", config.kafka_cohort.listen


def kafka_client() -> Finding:
    """Whether the optional packages that speak with Kafka are there."""
    from edgenode.bus.opening import INSTALL_KAFKA, KafkaMissingError, require_kafka

    check = "kafka client"
    try:
        require_kafka()
    except KafkaMissingError as error:
        return Finding(check, Verdict.FAIL, str(error), INSTALL_KAFKA)
    return Finding(check, Verdict.OK, "installed")


def kafka_files(settings: KafkaCohortConfig) -> Finding:
    """Whether the files that the settings of a Kafka cohort name can be used."""
    from edgenode.security.platforms import UnusableFileError

    check = "kafka cohort"
    for key in (
        "broker_password_file",
        "broker_ca_file",
        "certificate_file",
        "key_file",
        "ca_file",
        "password_file",
    ):
        path: Path | None = getattr(settings, key)
        try:
            if path is not None:
                path.open("rb").close()
        except OSError as error:
            return Finding(
                check,
                Verdict.FAIL,
                f"{path} can't be read ({error.strerror})",
                f"set kafka_cohort.{key} to a file that the node's user may read",
            )
    try:
        _use_kafka_files(settings)
    except UnusableFileError as error:
        mend = "name another one in the table [kafka_cohort]"
        return Finding(check, Verdict.FAIL, str(error), mend)
    everywhere = ", ".join(str(net) for net in settings.admit if not net.prefixlen)
    if everywhere and settings.user is None:
        return Finding(
            check,
            Verdict.WARN,
            f"{everywhere} lets in anybody, to read and change everything",
            "set kafka_cohort.admit to the addresses of the platforms alone",
        )
    return Finding(check, Verdict.OK, f"{settings.name}, by {settings.transport}")


def _use_kafka_files(settings: KafkaCohortConfig) -> None:
    """Do with the files what the node does.

    Raises:
        UnusableFileError: One of them can't be used.
    """
    from edgenode.security.platforms import client_context, read_login, server_context

    if settings.certificate_file is not None and settings.key_file is not None:
        server_context(settings.certificate_file, settings.key_file)
    for ca_file in (settings.ca_file, settings.broker_ca_file):
        client_context(ca_file)
    for user, password in (
        (settings.user, settings.password_file),
        (settings.broker_user, settings.broker_password_file),
    ):
        if user is not None and password is not None:
            read_login(user, password)


def cohort_files(data_directory: Path) -> Finding:
    """Whether the cohort's files can be read, by this user alone."""
    from edgenode.security.directory import CohortDirectory, DamagedCohortError

    check = "cohort"
    directory = CohortDirectory(data_directory)
    try:
        cohort = directory.load()
        files = sorted(directory.path.iterdir()) if directory.path.is_dir() else []
        for path in (directory.path, *files):
            if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
                return Finding(
                    check,
                    Verdict.FAIL,
                    f"other users may read {path}: whoever has the key is let in",
                    f"chmod -R go= {directory.path}; if somebody may have read it: "
                    "edgenode cohort rotate --overlap 0",
                )
    except DamagedCohortError as error:
        return Finding(check, Verdict.FAIL, f"{error.path}: {error.why}", error.mend)
    except OSError as error:
        return Finding(
            check,
            Verdict.FAIL,
            f"{error.filename} can't be read ({error.strerror})",
            "run it as the node's user",
        )
    if cohort is None:
        return Finding(check, Verdict.OK, "none yet; the node makes one when it starts")
    key = cohort.key
    return Finding(check, Verdict.OK, f"{key.name} ({key.tag}), for this user alone")


def certificate(data_directory: Path, now: EpochMillis) -> Finding:
    """Until when the node can show who it is."""
    from edgenode.security.directory import CohortDirectory
    from edgenode.security.identity import read_identity

    check = "certificate"
    directory = CohortDirectory(data_directory).path
    mend = "start the node again: it makes another one"
    try:
        identity = read_identity(directory)
    except OSError as error:
        return Finding(
            check,
            Verdict.FAIL,
            f"{error.filename} can't be read ({error.strerror})",
            "run it as the node's user",
        )
    if identity is None:
        return Finding(check, Verdict.OK, "none yet; the node makes one when it starts")
    found = f"of node {identity.node_id}, until {_day(identity.not_after)}"
    if identity.not_after <= now:
        return Finding(check, Verdict.FAIL, found, f"{mend}; check the clock, too")
    if identity.not_after - now < CERTIFICATE_SLACK_MILLIS:
        return Finding(check, Verdict.WARN, found, mend)
    return Finding(check, Verdict.OK, found)


def cohort_port(
    check: str, setting: str, place: HostPort, *, is_running: bool
) -> Finding:
    """Whether an address for other nodes is free, or the running node's own."""
    from edgenode.security.listening import bound

    try:
        bound(place.host, place.port).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE and is_running:
            return Finding(check, Verdict.OK, f"this node listens at {place}")
        mend = f"set {setting} to an address of this machine"
        if error.errno == errno.EADDRINUSE:
            mend = f"stop what uses the port, or set {setting}"
        found = f"{place} can't be used ({error.strerror})"
        return Finding(check, Verdict.FAIL, found, mend)
    return Finding(check, Verdict.OK, f"{place} is free")


def clock_floor(data_directory: Path, now: EpochMillis) -> Finding:
    """Whether the clock is behind the time that the node has reached already."""
    from edgenode.security.clock_floor import CLOCK_FILE, kept_floor

    check = "clock floor"
    floor = kept_floor(data_directory / CLOCK_FILE)
    if not floor:
        return Finding(check, Verdict.OK, "none is kept yet")
    if floor <= now + FLOOR_SLACK_MILLIS:
        return Finding(
            check, Verdict.OK, f"the node tells no time before {_moment(floor)}"
        )
    return Finding(
        check,
        Verdict.WARN,
        f"the clock is behind {_moment(floor)}, before which the node tells no time: "
        "it goes on from there until the clock is as far",
        "set the clock; if that time was wrong, stop the node and remove "
        f"{data_directory / CLOCK_FILE}",
    )


def _day(at: EpochMillis) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"


def _moment(at: EpochMillis) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
