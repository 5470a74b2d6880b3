"""Commands about the cohort that this machine's node is in.

They change what stands in the data directory, so they work without a running node; one
that runs takes up a rotated key at once, and other changes when it is started again.
"""

import os
import pwd
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from edgenode.cli import members, platforms
from edgenode.cli.outcome import CommandError, ExitCode, mend_of
from edgenode.cli.output import Output, warn
from edgenode.clock import EpochMillis, FlooredClock, SystemClock
from edgenode.config import NodeConfig, load_config
from edgenode.limits import MAX_OVERLAP_DAYS

if TYPE_CHECKING:  # what takes long to load, and other commands don't need
    from edgenode.security.cohorts import Cohort
    from edgenode.security.directory import CohortDirectory
    from edgenode.security.keys import CohortKey

T = TypeVar("T")

DEFAULT_OVERLAP_DAYS = 7

_MODES = {
    "none": "the configuration has cohort.mode = none: the node takes part in no cohort",
    "open": "the configuration has cohort.mode = open: the node uses no key",
}


def create(arguments: Namespace, output: Output) -> None:
    """Make a cohort, and show the token that other machines join with."""
    from edgenode.security.directory import first_cohort
    from edgenode.security.keys import is_cohort_name

    config, directory = _opened(arguments)
    name = arguments.name or config.cohort.name
    if not is_cohort_name(name):
        raise CommandError(
            ExitCode.USAGE,
            f"{name!r} is no name of a cohort",
            "use letters, digits, dot, underscore and hyphen, 63 at most",
        )
    if not arguments.replace:
        before = _loaded(directory)
        if before is not None:
            raise CommandError(
                ExitCode.REFUSED,
                f"this machine is in {_called(before.key)} already",
                "'edgenode cohort token' shows its token; --replace leaves it for a new "
                "one",
            )
    left = _Left.found(directory)
    made = _written(directory, lambda: first_cohort(directory, name))
    if left is not None:
        left.tell(config)
        if not output.as_json:
            left.report(output)
    _tell_token(config, made, f"{_called(made.key)} is made", output)


def join(arguments: Namespace, output: Output) -> None:
    """Join the cohort that a token is of, and leave the one before."""
    from edgenode.security.cohorts import Cohort

    config, directory = _opened(arguments)
    key = _given(arguments)
    if config.cohort.mode in _MODES:
        raise CommandError(
            ExitCode.REFUSED,
            f"{_MODES[config.cohort.mode]}, so joining one would change nothing",
            'set cohort.mode = "keyed", then join again',
        )
    before = _loaded_or_damaged(directory)
    if before is not None and key == before.previous:
        raise CommandError(
            ExitCode.REFUSED,
            f"this is an old token of {_called(before.key)}: its key was rotated",
            "'edgenode cohort token' shows the token that holds now",
        )
    if before is not None and key.tag in before.former:
        raise CommandError(
            ExitCode.REFUSED,
            f"this is an old token of {_called(before.key)}: its key was rotated away "
            "here without an overlap, to keep out whoever took it",
            "on each other machine run 'edgenode cohort join TOKEN' with the token that "
            "'edgenode cohort token' shows here; to go back to the old key all the same, "
            "run 'edgenode cohort leave' first",
        )
    is_new = before is None or key != before.key
    left = _Left.found(directory) if is_new else None
    if is_new:
        joined = Cohort(key=key, number=0) if before is None else before.joined(key)
        _written(directory, lambda: directory.save(joined))
    restart = is_new and _is_running(config)
    if left is not None:
        left.tell(config)
    if output.as_json:
        output.json(
            {
                "name": key.name,
                "tag": key.tag,
                "isNew": is_new,
                "left": None if left is None else left.told(),
                "restartNeeded": restart,
            }
        )
        return
    if left is not None:
        left.report(output, key)
    output.line(f"joined {_called(key)}" if is_new else f"in {_called(key)} already")
    _tell_state(config, restart, output)


def token(arguments: Namespace, output: Output) -> None:
    """Show the token that other machines join with."""
    config, directory = _opened(arguments)
    _warn_of_running(config, _loaded(directory))
    key = _present(config, directory).key
    if output.as_json:
        output.json({"name": key.name, "tag": key.tag, "token": key.token})
        return
    output.line(key.token)


def leave(arguments: Namespace, output: Output) -> None:
    """Leave the cohort; the machine keeps its node id."""
    config, directory = _opened(arguments)
    left = _Left.found(directory)
    if left is None and not directory.cohort_path.exists():
        raise _in_none()
    _written(directory, directory.leave)
    restart = _is_running(config)
    if left is not None:
        left.tell(config)
    if output.as_json:
        told = {"name": None, "tag": None} if left is None else left.told()
        output.json({**told, "restartNeeded": restart})
        return
    if left is None:
        output.line("left the cohort")
    else:
        left.report(output)
    if config.cohort.mode == "keyed":
        output.line(
            "the node makes a cohort of its own when it starts, unless another one is "
            'joined before or cohort.mode is "none"'
        )
    _tell_state(config, restart, output)


def rotate(arguments: Namespace, output: Output) -> None:
    """Give the cohort a new key; the old one is good for an overlap."""
    from edgenode.security.cohorts import RotationError
    from edgenode.security.keys import CohortKey

    config, directory = _opened(arguments)
    cohort = _present(config, directory)
    now = _now(config)
    key = CohortKey.create(cohort.key.name, os.urandom)
    try:
        rotated = cohort.rotated(key, now, arguments.overlap)
    except RotationError as error:
        raise CommandError(
            ExitCode.REFUSED,
            str(error),
            "without one: edgenode cohort rotate --overlap 0",
        ) from error
    _written(directory, lambda: directory.save(rotated))
    what = f"{_called(key)} has a new key, number {rotated.number}"
    if not output.as_json:
        output.line(
            "members that are met within the overlap learn it by themselves"
            if rotated.previous
            else "no other machine is told: each has to join again"
        )
    _tell_token(
        config, rotated, what, output, restart=not _is_taken_up(config, rotated)
    )


def show(arguments: Namespace, output: Output) -> None:
    """Show the cohort and this machine's id in it."""
    from edgenode.codec.beans import iso_time
    from edgenode.security.identity import read_identity

    config, directory = _opened(arguments)
    _warn_of_running(config, _loaded(directory))
    cohort = _present(config, directory)
    try:
        identity = read_identity(directory.path)
    except OSError as error:
        raise _unusable(directory, error) from error
    now = _now(config)
    overlap = iso_time(cohort.overlap_ends) if len(cohort.trusted(now)) > 1 else None
    node_id = None if identity is None else identity.node_id
    if output.as_json:
        output.json(
            {
                "name": cohort.key.name,
                "tag": cohort.key.tag,
                "nodeId": node_id,
                "keyNumber": cohort.number,
                "overlapEnds": overlap,
            }
        )
        return
    output.table(
        ("", ""),
        (
            ("name", cohort.key.name),
            ("tag", cohort.key.tag),
            ("node id", node_id or "made when the node starts"),
            ("key number", str(cohort.number or "not told yet by a member")),
            ("overlap ends", overlap or "there is none"),
        ),
    )


class _Left:
    """A cohort that is left, and whether the others in it hear of that."""

    def __init__(self, cohort: "Cohort", node_id: str, *, has_others: bool) -> None:
        self._cohort = cohort
        self._node_id = node_id
        self._has_others = has_others
        self._are_told = False

    @classmethod
    def found(cls, directory: "CohortDirectory") -> "_Left | None":
        """The cohort that the machine is in yet; None where there is none to be read."""
        from edgenode.security.identity import read_identity

        cohort = _loaded_or_damaged(directory)
        if cohort is None:
            return None
        identity = None
        with suppress(OSError):  # what is damaged can be left, too
            identity = read_identity(directory.path)
        node_id = "NODE" if identity is None else identity.node_id
        return cls(cohort, node_id, has_others=directory.knew_others(cohort))

    def tell(self, config: NodeConfig) -> None:
        """Have the node tell the others, if it runs."""
        from edgenode.cli.client import local_client

        if not _is_running(config):
            return
        path, body = "/edgenode/cohort/admin/leave", {"cohort": self._cohort.id}
        try:
            answer = local_client(config).call("POST", path, body)
        except CommandError:
            return  # it is in another cohort, or too busy to answer
        if isinstance(answer, dict):
            self._has_others = answer.get("others", 0) > 0
            self._are_told = answer.get("toldNodes", 0) > 0

    def told(self) -> dict[str, object]:
        """The same for programs; ``othersTold`` is null where there are no others."""
        key = self._cohort.key
        told = self._are_told if self._has_others else None
        return {"name": key.name, "tag": key.tag, "othersTold": told}

    def report(self, output: Output, joined: "CohortKey | None" = None) -> None:
        """Say what was left, and what is to be done elsewhere."""
        output.line(f"left {_called(self._cohort.key)}")
        if self._are_told:
            output.line(
                "the others are told: this machine's servers are no members there"
            )
        elif self._has_others:
            # Others may have the rotated key already: they let it in as who it was.
            may_be_same = joined is not None and joined.name == self._cohort.key.name
            output.line(
                "nobody was told: the others see this machine's servers as lost. "
                + ("If this isn't the same cohort with a rotated key, " * may_be_same)
                + f"run 'edgenode cohort remove {self._node_id}' on one of them; before "
                "this machine joins them again, 'edgenode cohort readmit'"
            )


def _opened(arguments: Namespace) -> "tuple[NodeConfig, CohortDirectory]":
    from edgenode.security.directory import CohortDirectory

    config = load_config(arguments.config)
    _check_user(config.data_directory)
    return config, CohortDirectory(config.data_directory)


def _now(config: NodeConfig) -> EpochMillis:
    """The time as the node tells it."""
    from edgenode.security.clock_floor import CLOCK_FILE, kept_floor

    floor = kept_floor(config.data_directory / CLOCK_FILE)
    return FlooredClock(SystemClock(), floor).now()


def _check_user(directory: Path) -> None:
    """Check that the node could read what is written here."""
    try:
        owner = directory.stat().st_uid
    except OSError:  # it isn't there yet, or will be told of when it is used
        return
    if owner == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    raise CommandError(
        ExitCode.REFUSED,
        f"{directory} belongs to user {name}",
        f"run it as that user: sudo -u {name} edgenode cohort ...",
    )


def _loaded(directory: "CohortDirectory") -> "Cohort | None":
    from edgenode.security.directory import DamagedCohortError

    try:
        return directory.load()
    except DamagedCohortError as error:
        raise CommandError(
            ExitCode.REFUSED,
            f"{error.path} can't be used ({error.why})",
            f"{error.mend}; 'edgenode cohort create --replace' makes a new cohort",
        ) from error


def _loaded_or_damaged(directory: "CohortDirectory") -> "Cohort | None":
    """The cohort; None also where it is damaged and will be replaced."""
    from edgenode.security.directory import DamagedCohortError

    try:
        return directory.load()
    except DamagedCohortError:
        return None


def _present(config: NodeConfig, directory: "CohortDirectory") -> "Cohort":
    cohort = _loaded(directory)
    if cohort is None and config.cohort.mode == "open":
        raise CommandError(
            ExitCode.REFUSED,
            f"cohort {config.cohort.name} is open: it has no key, and needs no token",
            'set cohort.mode = "keyed" for one with a key',
        )
    if cohort is None:
        raise _in_none()
    return cohort


def _warn_of_running(config: NodeConfig, cohort: "Cohort | None") -> None:
    """Say on standard error where the node that runs is in another cohort yet."""
    from edgenode.cli.client import local_client
    from edgenode.cli.cohort_checks import has_running_node
    from edgenode.cli.members import running_cohort

    if not has_running_node(config.data_directory):
        return
    running = running_cohort(local_client(config))
    if running is None or (cohort is not None and running.tag == cohort.key.tag):
        return
    then = "in none" if cohort is None else f"in {_called(cohort.key)}"
    warn(
        f"the node that runs is in cohort {running.name} ({running.tag}) until it is "
        f"started again; by its files it is {then}"
    )


def _in_none() -> CommandError:
    return CommandError(
        ExitCode.REFUSED,
        "this machine is in no cohort",
        "'edgenode cohort create' makes one, 'edgenode cohort join' joins one, and so "
        "does a node when it starts",
    )


def _given(arguments: Namespace) -> "CohortKey":
    from edgenode.limits import MAX_TOKEN_FILE_BYTES
    from edgenode.security.directory import read_token_file
    from edgenode.security.keys import CohortKey, InvalidTokenError

    mend = "copy what 'edgenode cohort token' shows on a machine of the cohort"
    if (arguments.token is None) == (arguments.file is None):
        raise CommandError(
            ExitCode.USAGE, "name a token or a file with one", f"{mend}; - reads it"
        )
    try:
        if arguments.file is None:
            text = arguments.token
            if text == "-":
                text = sys.stdin.read(MAX_TOKEN_FILE_BYTES)
            return CohortKey.from_token(text)
        key = read_token_file(arguments.file)
    except (InvalidTokenError, UnicodeDecodeError) as error:
        raise CommandError(ExitCode.REFUSED, str(error), mend) from error
    except OSError as error:
        raise CommandError(
            ExitCode.REFUSED,
            f"{arguments.file} can't be read ({error.strerror or error})",
            "name a file with a token alone that you may read",
        ) from error
    if key is None:
        raise CommandError(ExitCode.REFUSED, f"there is no {arguments.file}", mend)
    return key


def _written(directory: "CohortDirectory", write: Callable[[], T]) -> T:
    try:
        return write()
    except OSError as error:
        raise _unusable(directory, error) from error


def _unusable(directory: "CohortDirectory", error: OSError) -> CommandError:
    return CommandError(
        ExitCode.REFUSED,
        f"{error.filename or directory.path} can't be used ({error.strerror or error})",
        mend_of(error),
    )


def _is_running(config: NodeConfig) -> bool:
    """Whether a node has the data directory."""
    from edgenode.repository.lock import DirectoryInUseError, locked

    try:
        with locked(config.data_directory):
            return False
    except DirectoryInUseError:
        return True


def _is_taken_up(config: NodeConfig, cohort: "Cohort") -> bool:
    """Have a running node use the key that is kept now; whether none has another."""
    from edgenode.cli.client import local_client

    if not _is_running(config):
        return True
    try:
        told = local_client(config).call("POST", "/edgenode/cohort/admin/reload")
    except CommandError:
        return False
    # By its tag: the node that answers may be one with another data directory.
    return isinstance(told, dict) and told.get("tag") == cohort.key.tag


def _tell_token(
    config: NodeConfig,
    cohort: "Cohort",
    what: str,
    output: Output,
    *,
    restart: bool | None = None,
) -> None:
    if restart is None:
        restart = _is_running(config)
    if output.as_json:
        output.json(
            {
                "name": cohort.key.name,
                "tag": cohort.key.tag,
                "keyNumber": cohort.number,
                "token": cohort.key.token,
                "restartNeeded": restart,
            }
        )
        return
    output.line(f"{what}. The next machine joins it with")
    output.line(f"  edgenode cohort join {cohort.key.token}")
    output.line(
        "Whoever has this token is let in, and can let in others: keep it secret."
    )
    _tell_state(config, restart, output)


def _tell_state(config: NodeConfig, restart: bool, output: Output) -> None:
    if config.cohort.mode in _MODES:
        output.line(_MODES[config.cohort.mode])
    if restart:
        output.line("a node is running here: start it again for this to take hold")


def _called(key: "CohortKey") -> str:
    return f"cohort {key.name} ({key.tag})"


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days <= MAX_OVERLAP_DAYS:
        raise ArgumentTypeError(
            f"{text!r} is no number of days up to {MAX_OVERLAP_DAYS}"
        )
    return days


def add_commands(commands: Any, common: ArgumentParser) -> None:
    """Add these commands to the parser."""
    about = "Make, join and leave a cohort, rotate its key, see to its members."
    actions = commands.add_parser(
        "cohort", help=about, description=about
    ).add_subparsers(required=True, metavar="ACTION")
    parsers = {
        perform.__name__: members.add_action(actions, common, perform)
        for perform in (create, join, token, leave, rotate, show)
    }
    members.add_actions(actions, common)
    platforms.add_actions(actions, common)
    parsers["create"].add_argument(
        "name", nargs="?", help="what it is called; cohort.name by default"
    )
    parsers["create"].add_argument(
        "--replace", action="store_true", help="leave the cohort that the machine is in"
    )
    parsers["join"].add_argument(
        "token", nargs="?", metavar="TOKEN", help="the token; - reads it from the input"
    )
    parsers["join"].add_argument(
        "--file", type=Path, metavar="FILE", help="a file with the token"
    )
    parsers["rotate"].add_argument(
        "--overlap",
        type=_days,
        default=DEFAULT_OVERLAP_DAYS,
        metavar="DAYS",
        help=f"how long the old key is good, {DEFAULT_OVERLAP_DAYS} by default; 0 keeps "
        "out whoever took the old key, and each other machine has to join again",
    )
