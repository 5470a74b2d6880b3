"""Whether a store can do its work, and its figures for monitoring."""

import shutil
from pathlib import Path

from edgenode.limits import LOW_DISK_BYTES
from edgenode.observability.health import Check, Health
from edgenode.observability.metrics import Metric, histogram_samples
from edgenode.repository.sqlite import SqliteRepository


def store_health(repository: SqliteRepository, path: Path) -> Health:
    """Look at a store without waiting for its disk."""
    return Health((_writes(repository), _space(path), _opening(repository)))


def _writes(repository: SqliteRepository) -> Check:
    figures = repository.statistics()
    if figures.last_commit_failed:
        return Check(
            "writes",
            ok=False,
            detail=f"the disk refused the last of {figures.failed_commits} commits",
            mend="run 'edgenode doctor' and look at the disk",
        )
    return Check("writes", ok=True, detail=f"{figures.commits} commits")


def _space(path: Path) -> Check:
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        return Check(
            "space", ok=False, detail=str(error), mend="look at the disk and its mount"
        )
    detail = f"{free // 1_000_000} MB free"
    if free < LOW_DISK_BYTES:
        return Check("space", ok=False, detail=detail, mend="free some disk space")
    return Check("space", ok=True, detail=detail)


def _opening(repository: SqliteRepository) -> Check:
    report = repository.report
    damage = repository.statistics().damage
    if damage is not None:
        return Check(
            "file",
            ok=False,
            detail=f"{report.path} is damaged: {damage}",
            mend="make sure of a backup, then restart: the file is checked and set aside",
        )
    if report.set_aside is None:
        return Check("file", ok=True, detail=str(report.path))
    backup = report.newest_backup
    mend = (
        f"edgenode restore {backup}"
        if backup
        else "there is no backup; load the archives again"
    )
    if not report.is_new:  # only the log was damaged
        mend = f"look whether the last changes are there; if too many aren't: {mend}"
    return Check(
        "file",
        ok=False,
        detail=f"{report.damage}; the damaged file is kept as {report.set_aside}",
        mend=mend,
    )


def store_metrics(server: str, repository: SqliteRepository) -> tuple[Metric, ...]:
    """A store's figures since it was opened."""
    label = {"server": server}
    figures = repository.statistics()
    samples = (
        (
            "queue_depth",
            "gauge",
            "Changes that wait for the writer.",
            figures.queue_depth,
        ),
        ("changes_total", "counter", "Changes run.", figures.changes),
        ("commits_total", "counter", "Commits on the disk.", figures.commits),
        (
            "failed_commits_total",
            "counter",
            "Commits the disk refused.",
            figures.failed_commits,
        ),
        ("checkpoints_total", "counter", "Checkpoints.", figures.checkpoints),
        ("wal_bytes", "gauge", "Size of the write-ahead log.", figures.wal_bytes),
        (
            "index_backlog",
            "gauge",
            "Changes not yet in the index.",
            figures.index_backlog,
        ),
    )
    families = tuple(
        Metric(f"edgenode_store_{name}", kind, text, ((label, value),))
        for name, kind, text, value in samples
    )
    commits = Metric(
        "edgenode_store_commit_seconds",
        "histogram",
        "Time that commits took.",
        histogram_samples(label, figures.commit_classes, figures.commit_seconds),
    )
    instances = tuple(
        (label | {"type": type_name}, float(count))
        for type_name, count in sorted(repository.counts().items())
    )
    current = Metric(
        "edgenode_instances", "gauge", "Current instances by type.", instances
    )
    return (*families, commits, current)
