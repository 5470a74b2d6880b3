"""An upgrade may lose its power at any step: the next start settles it."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.raspberrypi.installer.layout import Layout
from deploy.raspberrypi.installer.releases import Releases
from deploy.raspberrypi.installer.service import FailedServiceError
from deploy.raspberrypi.installer.upgrade import (
    CannotGoBackError,
    Machine,
    WentBackError,
    settle,
    switch,
)
from edgenode.repository.migrations import newest_version
from tests.systemd.test_stores import PowerCutError, set_schema

OLD, NEW = "old", "new"
SCHEMA = f"lib/python3.11/site-packages/edgenode/repository/schema/{newest_version():03}_x.sql"
SYNCS = 5
"""How often an upgrade that fails writes what it did to the disk."""


class FakeService:
    """Runs whatever version is the current one, if that isn't a broken one."""

    def __init__(self, releases: Releases, broken: str | None) -> None:
        self._releases = releases
        self._broken = broken
        self.runs: str | None = None

    def is_running(self) -> bool:
        return self.runs is not None

    def stop(self) -> None:
        self.runs = None

    def is_ready(self) -> bool:
        return self.is_running()

    def place(self) -> None:
        pass

    def start(self) -> None:
        self.runs = self._releases.current
        if self.runs == self._broken:
            raise FailedServiceError("broken on purpose")

    def watch(self, *, ready: bool) -> None:
        pass


def tell(what: str) -> None:
    """Nobody listens."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A machine with two versions, of which the old one is the current one."""
    layout = Layout(tmp_path)
    for name in (OLD, NEW):
        schema = layout.releases / name / SCHEMA
        schema.parent.mkdir(parents=True)
        schema.touch()
    Releases(layout).turn(OLD)
    return layout


def started(layout: Layout, broken: str | None) -> tuple[Machine, FakeService]:
    """The machine once it has started, and systemd with it what it starts."""
    service = FakeService(Releases(layout), broken)
    service.runs = Releases(layout).current
    return Machine(Releases(layout), service, layout.state), service


@pytest.mark.parametrize("cut", range(1, SYNCS + 1))
def test_a_version_that_fails_never_stays_after_a_power_cut(
    layout: Layout, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = 0

    def sync() -> None:
        nonlocal syncs
        syncs += 1
        if syncs == cut:
            raise PowerCutError

    machine, _ = started(layout, NEW)
    with monkeypatch.context() as patch:
        patch.setattr(os, "sync", sync)
        with pytest.raises(PowerCutError):
            switch(machine, NEW, tell)
    machine, service = started(layout, NEW)
    with suppress(WentBackError):
        settle(machine, tell)
    assert service.runs == machine.releases.current == OLD
    assert machine.releases.before_trial is None


def test_an_upgrade_that_fails_is_cut_at_each_of_its_steps(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[None] = []
    machine, _ = started(layout, NEW)
    monkeypatch.setattr(os, "sync", lambda: syncs.append(None))
    with pytest.raises(WentBackError):
        switch(machine, NEW, tell)
    assert len(syncs) == SYNCS


def test_one_that_was_not_turned_yet_has_nothing_to_go_back_from(
    layout: Layout,
) -> None:
    machine, _ = started(layout, OLD)
    machine.releases.begin_trial(OLD)
    with pytest.raises(FailedServiceError):
        settle(machine, tell)
    assert machine.releases.current == OLD


def test_a_switch_that_is_refused_leaves_no_trial(layout: Layout) -> None:
    store = layout.state / "servers/attic/metadata.db"
    store.parent.mkdir(parents=True)
    set_schema(store, newest_version() + 1)
    machine, service = started(layout, None)
    with pytest.raises(CannotGoBackError):
        switch(machine, NEW, tell)
    assert service.runs == machine.releases.current == OLD
    assert machine.releases.before_trial is None
