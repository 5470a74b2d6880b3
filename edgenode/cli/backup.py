"""Commands that copy a server's file, in use or not, and bring a copy back."""

import os
import shutil
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edgenode.cli.client import NodeClient, node_client
from edgenode.cli.files import arriving, writable
from edgenode.cli.outcome import CommandError, ExitCode, mend_of
from edgenode.cli.output import Output
from edgenode.clock import SystemClock
from edgenode.config import NodeConfig, load_config
from edgenode.errors import EdgeNodeError
from edgenode.limits import MAX_KEPT_BACKUPS

JsonObject = dict[str, Any]


def backup(arguments: Namespace, output: Output) -> None:
    """Copy a server's file, in use or not; the copy is checked.

    A running node makes the copy. Where none answers and --url names none, the file is
    copied from the data directory, which is kept from any node meanwhile.
    """
    config = load_config(arguments.config)
    target = None if arguments.file is None else writable(arguments.file)
    asked = {} if arguments.keep is None else {"keep": str(arguments.keep)}
    if arguments.if_changed:
        asked["ifChanged"] = "true"
    if target is not None and (asked or arguments.all):
        raise CommandError(
            ExitCode.USAGE,
            "--keep, --if-changed and --all are about the servers' own backups",
            "leave FILE out, or these",
        )
    if not arguments.all:
        made = _backed_up(arguments, config, target, asked, output)
        output.json(made) if output.as_json else output.line(_line(made))
        return
    all_made: list[JsonObject] = []
    failures: list[CommandError] = []
    for server in config.servers:
        of_server = Namespace(**vars(arguments) | {"server": server.name})
        try:
            all_made.append(_backed_up(of_server, config, None, asked, output))
        except CommandError as error:  # the others get theirs all the same
            failures.append(error)
        else:
            if not output.as_json:
                output.line(_line(all_made[-1]))
    if output.as_json:
        output.json(all_made)
    if failures:
        raise failures[0]


def _line(made: JsonObject) -> str:
    what = "checked" if made.get("isNew", True) else "checked; nothing changed since"
    return f"{made['file']}: {made['bytes']} bytes, {what}"


def _backed_up(
    arguments: Namespace,
    config: NodeConfig,
    target: Path | None,
    asked: dict[str, str],
    output: Output,
) -> JsonObject:
    """One server's backup, by the node or, where none answers, from its file."""
    try:
        client = node_client(arguments, config)
        return _from_node(client, target, asked, output)
    except CommandError as error:
        if error.code is not ExitCode.UNREACHABLE or arguments.url:
            raise
        path = _store(config, arguments.server)
        if not path.is_file():
            raise CommandError(
                error.code, f"{error.message}, and there is no {path}", error.mend
            ) from error
        if _is_read_only(path):
            return _from_read_only(path, target, arguments, output)
        with _to_ourselves(config):
            return _from_file(path, target, arguments, output)


def _from_node(
    client: NodeClient, target: Path | None, asked: dict[str, str], output: Output
) -> JsonObject:
    with output.progress() as progress:
        if target is None:
            with client.node_service("POST", "/backups", asked) as stream:
                made: JsonObject = stream.outcome(progress.stage("pages", int))[
                    "backup"
                ]
            return made
        # Imported here: the other commands shall not wait for the server's parts.
        from edgenode.repository.backup import check

        with (
            client.node_service("POST", "/backups/download", {}) as stream,
            arriving(target) as file,
        ):
            taken = progress.stage("taken", bytes)
            size = 0
            for piece in stream.pieces():
                file.write(piece)
                size += len(piece)
                taken(size, stream.header("Content-Length"))
            file.flush()
            try:
                version = check(Path(file.name))
            except EdgeNodeError as error:
                raise CommandError(
                    ExitCode.UNWELL, str(error), "see the node's log"
                ) from error
    return {"file": str(target), "bytes": size, "schemaVersion": version}


def _from_file(
    path: Path, target: Path | None, arguments: Namespace, output: Output
) -> JsonObject:
    from edgenode.repository.backup import save_backup
    from edgenode.repository.retention import BackupRules, save_among_backups

    rules = BackupRules(arguments.keep, arguments.if_changed)
    try:
        with output.progress() as progress:
            pages = progress.stage("pages", int)
            if target is None:
                now = SystemClock().now()
                made = save_among_backups(path, now, rules, pages)
            else:
                made = save_backup(path, target, pages)
    except EdgeNodeError as error:
        raise CommandError(
            ExitCode.REFUSED,
            str(error),
            "see that you may read and write there, and that there is room",
        ) from error
    return {
        "file": str(made.path),
        "bytes": made.size,
        "schemaVersion": made.schema_version,
        "isNew": made.is_new,
    }


def _is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _from_read_only(
    path: Path, target: Path | None, arguments: Namespace, output: Output
) -> JsonObject:
    """Copy from a file system that takes no writes, where no node can run either.

    SQLite could not read the write-ahead log there, so both files are copied first.
    """
    if target is None:
        raise CommandError(
            ExitCode.REFUSED,
            f"{path.parent} can't be written: its file system is read-only",
            "name a file on another disk: edgenode backup FILE",
        )
    with _told_of_disk(target), TemporaryDirectory(dir=target.parent) as directory:
        for part in (path, path.with_name(path.name + "-wal")):
            if part.exists():
                shutil.copyfile(part, Path(directory) / part.name)
        return _from_file(Path(directory) / path.name, target, arguments, output)


@contextmanager
def _told_of_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CommandError(
            ExitCode.REFUSED,
            f"{path} can't be written ({error.strerror})",
            "see that you may write there, and that there is room",
        ) from error


def restore(arguments: Namespace, output: Output) -> None:
    """Put a backup in the place of a server's file, which is kept aside.

    With --alone and no file, what is there is gone on with: nothing is restored.
    """
    from edgenode.repository.backup import is_restoring, newest_usable
    from edgenode.repository.backup import restore as put_back

    config = load_config(arguments.config)
    path = _store(config, arguments.server)
    with _to_ourselves(config):
        if (
            arguments.alone
            and arguments.file is None
            and (path.exists() or is_restoring(path))
        ):
            _go_on_alone(path, output)
            return
        chosen = arguments.file or newest_usable(path)
        if chosen is None:
            raise CommandError(
                ExitCode.REFUSED,
                f"there is no usable backup in {path.parent / 'backups'}",
                "name the file to restore from",
            )
        try:
            done = put_back(chosen, path, SystemClock().now(), alone=arguments.alone)
        except OSError as error:
            raise CommandError(
                ExitCode.REFUSED,
                f"{path} can't be written ({error.strerror})",
                "run it as the user who runs the node, and see that there is room",
            ) from error
        except EdgeNodeError as error:
            raise CommandError(
                ExitCode.REFUSED,
                str(error),
                "nothing was changed; restore from another backup",
            ) from error
    if output.as_json:
        aside = None if done.set_aside is None else str(done.set_aside)
        output.json({"file": str(path), "from": str(chosen), "setAside": aside})
        return
    output.line(f"{path} is restored from {chosen}")
    if done.set_aside is not None:
        output.line(f"what was there before is kept as {done.set_aside}")


def _go_on_alone(path: Path, output: Output) -> None:
    """Keep what was restored last: the newest backup may be older than that."""
    from edgenode.repository.backup import UncleanStoreError, go_on_alone

    try:
        did_wait = go_on_alone(path)
    except UncleanStoreError as error:
        raise CommandError(
            ExitCode.REFUSED,
            str(error),
            "start the node, stop it, then do it again",
        ) from error
    except (OSError, EdgeNodeError) as error:
        raise CommandError(
            ExitCode.REFUSED,
            f"{path} can't be used ({error})",
            "name a backup to restore: edgenode restore FILE --alone",
        ) from error
    if not did_wait:
        raise CommandError(
            ExitCode.REFUSED,
            f"{path} waits for no other member; nothing was changed",
            "to restore a backup name it: edgenode restore FILE --alone",
        )
    if output.as_json:
        output.json({"file": str(path), "from": None, "setAside": None})
        return
    output.line(f"{path} waits for no other member any more; nothing was restored")


def _store(config: NodeConfig, server: str | None) -> Path:
    from edgenode.node import store_path

    names = [each.name for each in config.servers]
    if server is not None and server not in names:
        raise CommandError(
            ExitCode.CONFIGURATION,
            f"the configuration has no server {server}",
            f"name one of {', '.join(names)}, or another configuration with --config",
        )
    return store_path(config.data_directory, server or names[0])


@contextmanager
def _to_ourselves(config: NodeConfig) -> Iterator[None]:
    """Keep nodes from the data directory meanwhile."""
    from edgenode.repository.lock import DirectoryInUseError, locked

    try:
        with locked(config.data_directory):
            yield
    except DirectoryInUseError as error:
        holder = (
            f"process {error.process_id}" if error.process_id else "another process"
        )
        raise CommandError(
            ExitCode.ALREADY_RUNNING,
            f"{error.directory} is in use by {holder}",
            "stop the node for a restore; for a backup name its address with --url",
        ) from error
    except OSError as error:
        raise CommandError(
            ExitCode.REFUSED,
            f"{error.filename or config.data_directory} can't be used"
            f" ({error.strerror})",
            mend_of(error),
        ) from error


def number(text: str) -> int:
    """How many backups stay."""
    value = int(text)
    if not 1 <= value <= MAX_KEPT_BACKUPS:
        raise ArgumentTypeError(f"a number from 1 to {MAX_KEPT_BACKUPS} is needed")
    return value


def add_commands(commands: Any, common: ArgumentParser) -> None:
    """Add these commands to the parser."""
    for name, perform, what in (
        ("backup", backup, "where the copy goes; the server's backups by default"),
        ("restore", restore, "the backup; the server's newest usable one by default"),
    ):
        about = (perform.__doc__ or "").partition("\n")[0]
        parser: ArgumentParser = commands.add_parser(
            name, parents=[common], help=about, description=about
        )
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help=what)
        parser.set_defaults(perform=perform)
        if perform is backup:
            parser.add_argument(
                "--keep",
                type=number,
                metavar="N",
                help="afterwards only the newest N of the server's backups stay",
            )
            parser.add_argument(
                "--if-changed",
                action="store_true",
                help="make none where nothing has changed since the newest",
            )
            parser.add_argument(
                "--all", action="store_true", help="back up every server of the node"
            )
        if perform is restore:
            parser.add_argument(
                "--alone",
                action="store_true",
                help="wait for no other member of the cohort, as all are gone for good: "
                "newer states that one of them holds after all give way to the backup's. "
                "Without FILE nothing is restored: the file that is there, which was "
                "restored before, waits no more",
            )
