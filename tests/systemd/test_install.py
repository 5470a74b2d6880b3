"""Installing, upgrading, going back and removing, on machines run by real systemd."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.raspberrypi.installer.layout import UNITS
from tests.conftest import ROOT
from tests.systemd.conftest import INSTALL, WATCHED
from tests.systemd.machine import Ended, Machine, Memory, machine, until
from tests.systemd.test_service import SERVICE, health
from tests.systemd.versions import BROKEN, READY, make_newer

OK, REFUSED, WENT_BACK = 0, 1, 5
DYING = """\
    async def die() -> None:
        import pathlib
        while not pathlib.Path("/tmp/die").exists():
            await asyncio.sleep(0.1)
        os._exit(9)

    dying = asyncio.create_task(die())  # noqa: RUF006
"""
"""Where a version dies when it is told to. Its /tmp is its own."""


@pytest.fixture
def bare(machines: Memory) -> Iterator[Machine]:
    """A machine on which nothing was installed."""
    with machine(machines) as running:
        yield running


@pytest.fixture
def old(installation: str, machines: Memory) -> Iterator[Machine]:
    """One on which this version is installed."""
    with machine(machines, below=installation) as running:
        running.does("systemctl", "start", SERVICE)
        yield running


def install(on: Machine, bundle: Path, *more: str) -> Ended:
    return on.run(str(bundle / INSTALL), *WATCHED, *more)


@pytest.fixture(scope="session")
def newer(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Makes bundles of versions to come, which do as they are told."""

    def make(version: str, *edits: tuple[str, str]) -> Path:
        return make_newer(bundle, tmp_path_factory.mktemp("newer"), version, *edits)

    return make


def version(on: Machine) -> str:
    """Which version runs."""
    return on.does("readlink", "/opt/edgenode/current").strip().split("/")[-1]


def add(on: Machine, name: str) -> str:
    return on.does("edgenode", "add", "Glossary", f"qualifiedName={name}").strip()


def has(on: Machine, guid: str) -> bool:
    return on.run("edgenode", "get", guid).code == OK


def test_what_is_installed_runs_and_installing_it_again_changes_nothing(
    old: Machine, bundle: Path
) -> None:
    assert health(old) == "200"
    process = old.shows(SERVICE, "MainPID")
    again = install(old, bundle)
    assert (again.code, "runs already" in again.out) == (OK, True)
    assert old.shows(SERVICE, "MainPID") == process
    for unit in (SERVICE, "edgenode-backup.timer", "edgenode-trial.service"):
        assert old.does("systemctl", "is-enabled", unit).strip() == "enabled"


def test_an_upgrade_keeps_the_data_and_the_version_before(
    old: Machine, newer: Callable[..., Path]
) -> None:
    before, guid = version(old), add(old, "before")
    upgraded = install(old, newer("0.2.0"))
    assert upgraded.code == OK, upgraded.err
    assert version(old).startswith("0.2.0-")
    assert has(old, guid)
    kept = {each.name for each in (old.root / "opt/edgenode/releases").iterdir()}
    assert kept == {before, version(old)}
    assert not (old.root / "opt/edgenode/trial").exists()


def test_who_goes_back_at_once_has_everything(
    old: Machine, newer: Callable[..., Path]
) -> None:
    before, guid = version(old), add(old, "before")
    assert install(old, newer("0.2.0")).code == OK
    back = install(old, ROOT, "--back")
    assert back.code == OK, back.err
    assert version(old) == before
    assert has(old, guid)
    assert health(old) == "200"


def test_who_would_lose_something_does_not_go_back(
    old: Machine, newer: Callable[..., Path]
) -> None:
    assert install(old, newer("0.2.0")).code == OK
    guid = add(old, "after")
    back = install(old, ROOT, "--back")
    assert back.code == WENT_BACK
    assert "has changes that were stored since" in back.err
    assert version(old).startswith("0.2.0-")
    assert has(old, guid)


def test_a_version_that_does_not_start_gives_way_to_the_one_before(
    old: Machine, newer: Callable[..., Path]
) -> None:
    before, guid = version(old), add(old, "before")
    upgraded = install(old, newer("0.2.0", BROKEN))
    assert upgraded.code == WENT_BACK
    assert "broken on purpose" in upgraded.out
    assert f"{before} runs again" in upgraded.err
    assert version(old) == before
    assert health(old) == "200"
    assert has(old, guid)
    store = old.root / "var/lib/edgenode/servers" / "machine"
    assert len(list(store.glob("metadata.db.version-*"))) == 1  # the newer one's


def test_a_version_that_dies_on_trial_with_changes_is_kept(
    old: Machine, newer: Callable[..., Path]
) -> None:
    bundle = newer("0.2.0", (READY, DYING + READY))
    before = add(old, "before")
    command = [str(bundle / INSTALL), "--watch", "30"]
    until(lambda: health(old) == "200")
    upgrading = old.begin(*command)
    until(lambda: version(old).startswith("0.2.0-") and health(old) == "200")
    after = add(old, "after")
    (old.root / "proc" / old.shows(SERVICE, "MainPID") / "root/tmp/die").touch()
    _, err = upgrading.communicate(timeout=300)
    assert upgrading.returncode == WENT_BACK
    assert "has changes that were stored since" in err
    until(lambda: health(old) == "200")
    assert version(old).startswith("0.2.0-")
    assert has(old, before)
    assert has(old, after)


def test_a_trial_that_was_cut_short_is_settled_at_the_next_start(
    old: Machine, newer: Callable[..., Path]
) -> None:
    before, guid = version(old), add(old, "before")
    upgrading = old.begin(str(newer("0.2.0", BROKEN) / INSTALL), "--watch", "60")
    until(lambda: (old.root / "opt/edgenode/trial").exists())
    upgrading.kill()
    upgrading.communicate()
    old.run("systemctl", "start", "edgenode-trial.service")
    assert version(old) == before
    assert health(old) == "200"
    assert has(old, guid)
    assert not (old.root / "opt/edgenode/trial").exists()


def test_what_is_not_whole_is_not_installed(
    old: Machine, bundle: Path, tmp_path: Path
) -> None:
    process, before = old.shows(SERVICE, "MainPID"), version(old)
    broken = tmp_path / "broken"
    shutil.copytree(bundle, broken)
    next((broken / "wheels").glob("aiohttp-*.whl")).unlink()
    with (broken / "requirements/run.txt").open("a") as requirements:
        requirements.write("# another version\n")
    refused = install(old, broken)
    assert refused.code == REFUSED
    assert "aiohttp" in refused.err
    assert "mend:" in refused.err
    assert (old.shows(SERVICE, "MainPID"), version(old)) == (process, before)
    assert len(list((old.root / "opt/edgenode/releases").iterdir())) == 1


def test_a_removal_leaves_the_data_and_a_purge_nothing(
    old: Machine, bundle: Path
) -> None:
    guid = add(old, "kept")
    assert install(old, bundle, "--remove").code == OK
    assert not (old.root / "opt/edgenode").exists()
    assert not list((old.root / "etc/systemd/system").glob("edgenode*"))
    assert old.run("edgenode", "status").code != OK
    assert install(old, bundle).code == OK
    assert has(old, guid)
    assert install(old, bundle, "--remove", "--purge").code == OK
    assert not (old.root / "var/lib/edgenode").exists()
    assert old.run("id", "edgenode").code != OK


def test_a_removal_leaves_what_was_not_installed(old: Machine, bundle: Path) -> None:
    units = old.root / "etc/systemd/system"
    (units / "edgenode.service.d").mkdir()  # as "systemctl edit edgenode" does
    drop_in = units / "edgenode.service.d/override.conf"
    drop_in.write_text("[Service]\nIPAddressDeny=any\n")
    others = units / "edgenode-prepare.service"  # the image's
    others.touch()
    removed = install(old, bundle, "--remove", "--purge")
    assert (removed.code, removed.err) == (OK, "")
    assert {each.name for each in units.glob("edgenode*")} == {
        "edgenode.service.d",
        "edgenode-prepare.service",
    }
    assert drop_in.is_file()


def test_all_units_that_are_installed_are_removed() -> None:
    found = {each.name for each in (ROOT / "systemd").glob("edgenode*.*")}
    assert found == set(UNITS)


def test_who_installs_may_have_any_umask(bare: Machine, bundle: Path) -> None:
    bare.does("cp", "-r", str(bundle), "/opt/bundle")
    bare.does("chmod", "-R", "go=", "/opt/bundle")  # such a one has made it, too
    script = 'umask 077; exec "$0" "$@"'
    bare.does("sh", "-c", script, f"/opt/bundle/{INSTALL}", *WATCHED)
    assert health(bare) == "200"
    bare.does("runuser", "-u", "nobody", "--", "edgenode", "status")
    shown = bare.does("stat", "--format=%a", "/var/lib/edgenode")
    assert shown.strip() == "700"


@pytest.mark.parametrize(
    "value", ["127.0.0.1:9555", '"127.0.0.1:9555"', "'127.0.0.1:9555' "]
)
def test_settings_hold_through_an_upgrade(
    old: Machine, newer: Callable[..., Path], value: str
) -> None:
    (old.root / "etc/default/edgenode").write_text(f"EDGENODE_LISTEN={value}\n")
    old.does("systemctl", "restart", SERVICE)
    assert install(old, newer("0.2.0")).code == OK
    shown = old.does("edgenode", "status", "--url", "http://127.0.0.1:9555", "--json")
    assert json.loads(shown)


def test_settings_that_cannot_be_used_are_told_before_anything_stops(
    old: Machine, newer: Callable[..., Path]
) -> None:
    before, process = version(old), old.shows(SERVICE, "MainPID")
    (old.root / "etc/default/edgenode").write_text("EDGENODE_LISTEN=here\n")
    refused = install(old, newer("0.2.0"))
    assert refused.code == REFUSED
    assert "EDGENODE_LISTEN: 'here' is no address" in refused.err
    assert "Traceback" not in refused.err
    assert (version(old), old.shows(SERVICE, "MainPID")) == (before, process)


def test_only_root_installs(bare: Machine, bundle: Path) -> None:
    shutil.copytree(bundle / "deploy", bare.root / "opt/deploy")
    refused = bare.run(
        "runuser", "-u", "nobody", "--", "/opt/deploy/raspberrypi/install"
    )
    assert refused.code == REFUSED
    assert "write sudo before it" in refused.err
