"""Commands that load and export open metadata archives."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from edgenode.cli.client import NodeClient, node_client
from edgenode.cli.files import arriving, opened
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.output import Count, Output
from edgenode.limits import ARCHIVE_CHUNK_BYTES

_SHOWN_REFUSALS = 10
_KINDS = ("entities", "relationships", "classifications")

JsonObject = dict[str, Any]


def load(arguments: Namespace, output: Output) -> None:
    """Load archives; what is there already stays as it is."""
    client = node_client(arguments)
    for path in arguments.files:
        opened(path).close()  # a wrong name is told before anything is loaded
    reports: list[JsonObject] = []
    told: JsonObject = {"archives": reports}
    try:
        for path in arguments.files:
            report = _load(path, client, output)
            reports.append({"file": str(path)} | report)
    except CommandError as error:
        told["error"] = {"message": error.message, "mend": error.mend}
        raise
    finally:
        if output.as_json:
            output.json(told)
        else:
            for report in reports:
                _show(report, output)
    refused = sum(report["refused"] for report in reports)
    if refused:
        raise CommandError(
            ExitCode.REFUSED,
            f"{refused} elements were not loaded",
            "see the reasons; load first what the archives depend on, then these again",
        )


def _load(path: Path, client: NodeClient, output: Output) -> JsonObject:
    query = {"userId": client.user}
    try:
        with opened(path) as file, output.progress() as progress:
            size = path.stat().st_size
            body = _pieces(file, size, progress.stage(f"{path.name}: sent", bytes))
            with client.node_service("POST", "/archive", query, body, size) as stream:
                loaded = progress.stage(f"{path.name}: loaded", int)
                report: JsonObject = stream.outcome(loaded)["report"]
                return report
    except KeyboardInterrupt:
        raise CommandError(
            ExitCode.INTERRUPTED,
            f"{path} may be loaded in part",
            "run the same command again: what is there already stays",
        ) from None
    except CommandError as error:
        raise CommandError(
            error.code, f"{path}: {error.message}", error.mend
        ) from error


def _pieces(file: BinaryIO, size: int, sent: Count) -> Iterator[bytes]:
    done = 0
    while piece := file.read(ARCHIVE_CHUNK_BYTES):
        yield piece
        done += len(piece)
        sent(done, size)


def _show(report: JsonObject, output: Output) -> None:
    version = report["archiveVersion"]
    types = report["types"]
    output.table(
        ("", "added", "changed", "already there", "refused"),
        (
            ("types", *_texts(types, "added", "changed", "unchanged", "refused")),
            *(
                (kind, saved, "", unchanged, refused)
                for kind in _KINDS
                for saved, unchanged, refused in (
                    _texts(report[kind], "saved", "unchanged", "refused"),
                )
            ),
        ),
        title=f"{report['archiveName']}{f' {version}' if version else ''}",
    )
    if report["refused"]:
        _show_refusals(report, output)


def _texts(counts: Mapping[str, int], *names: str) -> tuple[str, ...]:
    return tuple(str(counts[name]) for name in names)


def _show_refusals(report: JsonObject, output: Output) -> None:
    shown = report["refusals"][:_SHOWN_REFUSALS]
    output.table(
        ("not loaded", "reason"),
        ((refusal["where"], refusal["reason"]) for refusal in shown),
    )
    if report["refused"] > len(shown):
        output.line(f"and {report['refused'] - len(shown)} more; --json lists them")
    for guid in report["dependsOnArchives"]:
        output.line(f"depends on the archive {guid}")


def export(arguments: Namespace, output: Output) -> None:
    """Write what a server holds to an archive."""
    client = node_client(arguments)
    query = {"kind": arguments.kind, "userId": client.user}
    if arguments.name:
        query["name"] = arguments.name
    with (
        arriving(arguments.file) as file,
        output.progress() as progress,
        client.node_service("GET", "/archive", query) as stream,
    ):
        written = progress.stage("elements", int)
        total, lines, size = stream.header("Edgenode-Instances"), 0, 0
        for piece in stream.pieces():
            file.write(piece)
            size += len(piece)
            lines += piece.count(b"\n")  # each element stands on one of its own
            written(min(lines, total), total)
        file.flush()
        counts = _counted(Path(file.name))
    told = {"file": str(arguments.file), "bytes": size, "elements": counts}
    if output.as_json:
        output.json(told)
        return
    output.table(("", "written"), ((kind, str(n)) for kind, n in counts.items()))
    output.line(f"{arguments.file}: {size} bytes")


def _counted(path: Path) -> dict[str, int]:
    """Read an archive again, to be sure of it; gives how many elements each list has."""
    # Imported here: the other commands shall not wait for the server's parts to load.
    from edgenode.archives.model import Section
    from edgenode.archives.reader import ArchiveReader
    from edgenode.codec.codec import Codec
    from edgenode.errors import ArchiveError
    from edgenode.releases import SERVED

    try:
        with ArchiveReader.open(path, Codec(SERVED)) as archive:
            return {each.value: archive.counts.get(each, 0) for each in Section}
    except ArchiveError as error:
        raise CommandError(
            ExitCode.UNWELL,
            f"what the node sent is no sound archive ({error})",
            "see the node's log, then run 'edgenode doctor'",
        ) from error


def add_commands(commands: Any, common: ArgumentParser) -> None:
    """Add these commands to the parser."""
    about = "Load and export open metadata archives."
    archive = commands.add_parser("archive", help=about, description=about)
    actions = archive.add_subparsers(required=True, metavar="ACTION")
    parser = actions.add_parser(
        "load", parents=[common], help=load.__doc__, description=load.__doc__
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.set_defaults(perform=load)
    parser = actions.add_parser(
        "export", parents=[common], help=export.__doc__, description=export.__doc__
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--name", help="what the archive calls itself")
    parser.add_argument(
        "--kind",
        choices=("backup", "export"),
        default="backup",
        help="backup: all instances, deleted ones too, to come back as they were; "
        "export: current instances, for other servers to refer to",
    )
    parser.set_defaults(perform=export)
