"""What the image's own units and scripts do, on a machine whose files they are put among."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.raspberrypi.image.root import ENABLED, FILES
from edgenode.security.keys import CohortKey
from tests.systemd.conftest import INSTALL, WATCHED
from tests.systemd.machine import Machine, Memory, machine
from tests.systemd.test_service import SERVICE, health

PREPARE = "/usr/lib/edgenode/prepare"
BOOT = "/boot/firmware"
MACHINE = "/var/lib/edgenode-machine"
STATE = "/var/lib/edgenode"
IMAGES = CohortKey("cohort", bytes(range(32)))
"""Of the cohort whose key the image has."""

OTHER = CohortKey("plant", bytes(range(1, 33)))
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43

UNITS = sorted((FILES / "etc/systemd/system").glob("*.service"))


@pytest.fixture
def card(bundle: Path, machines: Memory) -> Iterator[Machine]:
    """A machine as the image is before its first start, with an empty boot partition."""
    with machine(machines) as made:
        assert made.run("cp", "-r", f"{FILES}/usr", f"{FILES}/etc", "/").code == 0
        made.does(str(bundle / INSTALL), "--prepare")
        made.does("install", "-d", "-m", "700", "-o", "edgenode", STATE)
        made.does("mkdir", "-p", MACHINE, "/var/lib/systemd", BOOT)
        made.does("mount", "-t", "tmpfs", "boot", BOOT)
        for place in ("/tmp", "/var/tmp"):  # noqa: S108 - in memory on the image
            made.does("mount", "--bind", place, place)
        token = made.root / STATE[1:] / "join-token"
        token.write_text(IMAGES.token)
        made.does("chown", "edgenode:", f"{STATE}/join-token")
        made.does("systemctl", "daemon-reload")
        made.does(
            "systemctl", "restart", "systemd-journald"
        )  # it is told to use memory
        yield made


def put(card: Machine, name: str, text: str) -> None:
    (card.root / BOOT[1:] / name).write_text(text)


def start(card: Machine) -> None:
    """Start what the image starts."""
    card.does("mount", "-o", "remount,ro", "boot", BOOT)
    card.does(PREPARE)
    card.does("systemctl", "start", SERVICE)


def start_again(card: Machine) -> None:
    """Start it as after a reboot."""
    card.does("mount", "-o", "remount,bind,rw", "/", "/")
    start(card)


def test_without_any_file_all_cards_are_one_cohort(card: Machine) -> None:
    start(card)
    assert health(card) == "200"
    assert IMAGES.tag in card.does("edgenode", "cohort", "members")
    assert card.run("test", "-e", f"{STATE}/join-token").code != 0
    name = card.does("hostname").strip()
    assert name.startswith("edgenode-")
    assert name in card.does("edgenode", "status")


def test_only_what_has_to_be_written_can_be(card: Machine) -> None:
    start(card)
    for place in ("/", "/etc", "/opt/edgenode", "/usr", "/var/lib", BOOT):
        assert card.run("touch", f"{place}/here").code != 0, place
    for place in (STATE, MACHINE, "/var/lib/systemd"):
        assert card.run("touch", f"{place}/here").code == 0, place


def test_what_stands_on_the_boot_partition_is_taken_once(card: Machine) -> None:
    told = {"host_name": "cellar", "join_token": OTHER.token, "ssh_key": SSH_KEY}
    put(
        card,
        "machine.toml",
        "".join(f"{k} = {json.dumps(v)}\n" for k, v in told.items()),
    )
    put(
        card,
        "edgenode.toml",
        '[node]\nlisten = "127.0.0.1:9555"\n',
    )
    start(card)
    assert card.does("hostname").strip() == "cellar"
    asked = ("edgenode", "cohort", "members", "--url", "http://127.0.0.1:9555")
    assert OTHER.tag in card.does(*asked)
    assert (
        card.does("stat", "--format=%U:%G %a", f"{MACHINE}/edgenode.toml")
        == "root:edgenode 640\n"
    )
    left = card.does("ls", BOOT).split()
    assert left == ["edgenode-report.txt"]
    assert SSH_KEY in card.does("cat", f"{MACHINE}/authorized_keys")
    assert (
        card.does("stat", "--format=%a", f"{MACHINE}/ssh_host_ed25519_key") == "600\n"
    )


def test_after_mistakes_a_node_that_never_ran_waits_for_their_mend(
    card: Machine,
) -> None:
    wrong = f'host_name = "not a name"\njoin_token = "{OTHER.token}"\n'
    put(card, "machine.toml", wrong)
    start(card)
    told = card.does("cat", f"{BOOT}/edgenode-mistakes.txt")
    assert "machine.toml:1" in told
    assert "host_name can't be used" in told
    assert card.run("systemctl", "is-active", SERVICE).code != 0
    on_screen = card.does("cat", "/run/issue.d/edgenode.issue")
    assert "no node runs: the boot partition's files weren't taken" in on_screen
    assert card.does("ls", STATE).split() == ["join-token"]

    card.does("mount", "-o", "remount,rw", "boot", BOOT)
    put(card, "machine.toml", wrong.replace("not a name", "cellar"))
    start_again(card)
    assert health(card) == "200"
    assert OTHER.tag in card.does("edgenode", "cohort", "members")


def test_after_mistakes_a_node_that_ran_goes_on_as_it_was(card: Machine) -> None:
    start(card)
    card.does("systemctl", "stop", SERVICE)
    card.does("mount", "-o", "remount,rw", "boot", BOOT)
    put(card, "machine.toml.txt", 'host_name = "cellar"\n')
    start_again(card)
    assert health(card) == "200"
    assert "call it machine.toml" in card.does("cat", f"{BOOT}/edgenode-mistakes.txt")


def test_a_second_start_leaves_everything_as_it_is(card: Machine) -> None:
    start(card)
    name, added = (
        card.does("hostname"),
        card.does("edgenode", "add", "Glossary", "qualifiedName=x"),
    )
    card.does("systemctl", "stop", SERVICE)
    start_again(card)
    assert card.does("hostname") == name
    assert card.run("edgenode", "get", added.strip()).code == 0


def test_an_upgrade_finds_the_system_writable_and_leaves_it_read_only(
    card: Machine, bundle: Path, tmp_path: Path
) -> None:
    start(card)
    newer = tmp_path / "newer"
    shutil.copytree(bundle, newer)
    with (newer / "systemd/edgenode.service").open("a") as unit:
        unit.write("# another version\n")
    before = card.does("readlink", "/opt/edgenode/current")
    card.does(str(newer / INSTALL), *WATCHED)
    assert card.does("readlink", "/opt/edgenode/current") != before
    assert health(card) == "200"
    assert card.run("touch", "/opt/edgenode/here").code != 0


def test_ready_is_told_with_the_machines_name(card: Machine) -> None:
    active = Path("/sys/class/tty/console/active").read_text().split()
    consoles = [card.root / "dev" / name for name in active]
    for console in consoles:
        console.touch()
    start(card)
    told = f"edgenode READY on {card.does('hostname').strip()}"
    assert told in (card.root / "run/issue.d/edgenode.issue").read_text()
    assert all(told in console.read_text() for console in consoles)


@pytest.mark.parametrize("unit", UNITS, ids=lambda each: each.name)
def test_units_are_understood(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(
        unit.read_text().replace("/usr/lib/edgenode", str(FILES / "usr/lib/edgenode"))
    )
    (tmp_path / SERVICE).write_text("[Service]\nExecStart=/bin/true\n")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in verified.stderr.splitlines() if unit.name in line]
    assert told == []


def test_all_of_its_units_are_enabled() -> None:
    installable = {each.name for each in UNITS if "[Install]" in each.read_text()}
    assert installable == {each for each in ENABLED if each.startswith("edgenode-")}
