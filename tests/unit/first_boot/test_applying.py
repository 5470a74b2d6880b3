"""What stands on a boot partition is taken as a whole or not at all, and wiped there."""

import os
from collections.abc import Callable
from dataclasses import replace
from errno import EIO, ENOSPC
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edgenode.bus.opening import KafkaMissingError
from edgenode.config import ConfigError, load_config
from edgenode.first_boot import (
    CONFIGURATION,
    MACHINE,
    MISTAKES,
    REPORT,
    Owner,
    Places,
    apply,
    applying,
    given,
)
from edgenode.first_boot.applying import TAKEN
from edgenode.security.cohorts import Cohort
from edgenode.security.directory import CohortDirectory, read_token_file
from tests.unit.first_boot.test_machine import SSH_KEY, WHOLE
from tests.unit.security.samples import COHORT, FOREIGN_KEY, KEY, NEXT_KEY, NOW

NODE = b'# of the plant\r\n[[server]]\r\nname = "press-4"\r\n'


@pytest.fixture
def places(tmp_path: Path) -> Places:
    boot = tmp_path / "boot"
    boot.mkdir()
    return Places(boot, tmp_path / "lib" / "settings", tmp_path / "lib" / "state")


def lay(places: Places, node: bytes | None = NODE, machine: str | None = WHOLE) -> None:
    if node is not None:
        (places.boot / CONFIGURATION).write_bytes(node)
    if machine is not None:
        (places.boot / MACHINE).write_text(machine, encoding="utf-8")


def tree(places: Places) -> dict[str, bytes]:
    """All files but those on the boot partition."""
    root = places.settings.parent
    return {
        str(each.relative_to(root)): each.read_bytes()
        for each in sorted(root.rglob("*"))
        if each.is_file()
    }


def on_boot(places: Places) -> set[str]:
    return {each.name for each in places.boot.iterdir()}


def told(places: Places, name: str) -> str:
    return (places.boot / name).read_bytes().decode()


def modes(places: Places) -> dict[str, int]:
    root = places.settings.parent
    return {
        str(each.relative_to(root)): each.stat().st_mode & 0o777
        for each in root.rglob("*")
    }


def test_all_is_in_its_place_and_nothing_is_left_on_the_card(places: Places) -> None:
    lay(places)
    taken = apply(places)
    assert len(taken) == 5
    assert on_boot(places) == {REPORT}
    assert told(places, REPORT) == "".join(f"{line}\r\n" for line in taken)
    for secret in (KEY.token, "only for the plant"):
        assert secret not in told(places, REPORT)
    found = tree(places)
    assert found["settings/edgenode.toml"] == NODE
    assert found["settings/hostname"] == b"cellar\n"
    assert found["settings/authorized_keys"].decode() == f"{SSH_KEY}\n" * 2
    assert b"country=DE" in found["settings/wpa_supplicant.conf"]
    assert read_token_file(places.state / "join-token") == KEY
    assert modes(places) == {
        "settings": 0o755,
        "settings/edgenode.toml": 0o640,
        "settings/environment": 0o644,
        "settings/hostname": 0o644,
        "settings/authorized_keys": 0o600,
        "settings/wpa_supplicant.conf": 0o600,
        "state": 0o700,
        "state/join-token": 0o600,
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_the_node_may_read_its_configuration_and_own_its_token_alone(
    places: Places,
) -> None:
    lay(places)
    apply(replace(places, owner=Owner(user_id=1_234, group_id=1_235)))
    owners = {
        path: (status.st_uid, status.st_gid)
        for path in modes(places)
        if (status := (places.settings.parent / path).stat()).st_gid
    }
    assert owners == {
        "settings/edgenode.toml": (0, 1_235),
        "state": (1_234, 1_235),
        "state/join-token": (1_234, 1_235),
    }


@pytest.mark.parametrize("name", ["join-token.part", "join-token"])
def test_a_link_that_the_node_puts_there_changes_no_other_file(
    places: Places, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whoever broke into the node owns its directory, and is as quick as can be."""
    other = places.boot.parent / "shadow"
    other.write_bytes(b"root's")
    other.chmod(0o644)
    replace_file = Path.replace

    def put_link(link: Path) -> None:
        link.unlink(missing_ok=True)
        link.symlink_to(other)

    def replaced(path: Path, target: Path) -> None:
        replace_file(path, target)
        if target.name == "join-token":
            put_link(target)

    monkeypatch.setattr(Path, "replace", replaced)
    places.state.mkdir(parents=True)
    put_link(places.state / name)
    lay(places)
    owner = Owner(1_234, 1_235) if os.geteuid() == 0 else None
    apply(replace(places, owner=owner))
    status = other.stat()
    assert (status.st_uid, status.st_mode & 0o777) == (os.geteuid(), 0o644)
    assert other.read_bytes() == b"root's"


def test_the_node_finds_what_was_taken_by_the_environment(places: Places) -> None:
    lay(places)
    apply(places)
    lines = (places.settings / "environment").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    config = load_config(None, environment | {"STATE_DIRECTORY": str(places.state)})
    assert config.servers[0].name == "press-4"
    assert config.cohort.join_file == places.state / "join-token"


def test_where_nothing_is_there_nothing_is_done(places: Places) -> None:
    assert apply(places) == ()
    assert on_boot(places) == set()
    assert not places.settings.exists()


def test_later_files_change_what_they_speak_of_alone(places: Places) -> None:
    lay(places)
    apply(places)
    before = tree(places)
    lay(places, None, 'host_name = "attic"')
    assert apply(places) == ("The machine's name is attic.",)
    after = tree(places)
    assert after.pop("settings/hostname") == b"attic\n"
    del before["settings/hostname"]
    assert after == before


def test_another_country_leaves_the_network_as_it_is(places: Places) -> None:
    lay(places)
    apply(places)
    before = tree(places)
    lay(places, None, 'wifi_country = "US"')
    assert apply(places) == ("Wi-Fi: the network as before, by the rules of US.",)
    after = tree(places)
    wifi = "settings/wpa_supplicant.conf"
    assert after.pop(wifi) == before.pop(wifi).replace(b"=DE", b"=US")
    assert after == before


def test_a_country_without_a_network_is_told_as_such(places: Places) -> None:
    lay(places, None, 'wifi_country = "US"')
    assert apply(places) == ("Wi-Fi: no network, by the rules of US.",)


def test_an_empty_name_of_a_network_forgets_the_one_that_is_known(
    places: Places,
) -> None:
    lay(places)
    apply(places)
    before = tree(places)
    del before["settings/wpa_supplicant.conf"]
    for _ in range(2):
        lay(places, None, 'wifi_network = ""')
        assert apply(places) == ("The machine knows no Wi-Fi network any more.",)
        assert tree(places) == before


def test_an_empty_list_of_keys_has_nobody_log_in(places: Places) -> None:
    lay(places)
    apply(places)
    before = tree(places)
    del before["settings/authorized_keys"]
    for _ in range(2):
        lay(places, None, "ssh_key = []")
        assert apply(places) == ("Nobody may log in by ssh any more.",)
        assert tree(places) == before


@pytest.mark.parametrize(
    ("node", "machine", "where"),
    [
        (b"[[server]]\nname = 7\n", WHOLE, f"{CONFIGURATION}:2"),
        (NODE, 'host_name = "A"', f"{MACHINE}:1"),
        (b"\xff", None, CONFIGURATION),
        (b"node = " + b"[" * 5_000, None, f"{CONFIGURATION}:1"),
        (b'[cohort]\nmode = "none"\n', WHOLE, MACHINE),
        (b"#" * 100_000, None, CONFIGURATION),
    ],
    ids=["node", "machine", "no text", "deep", "no key wanted", "too large"],
)
def test_mistakes_are_written_back_and_nothing_is_changed(
    places: Places, node: bytes, machine: str | None, where: str
) -> None:
    lay(places, node, machine)
    with pytest.raises(ConfigError):
        apply(places)
    assert where in told(places, MISTAKES)
    assert "Mend: " in told(places, MISTAKES)
    assert told(places, MISTAKES).endswith("\r\n")
    assert (places.boot / CONFIGURATION).read_bytes() == node
    assert not places.settings.exists()
    lay(places)
    apply(places)
    assert on_boot(places) == {REPORT}


@pytest.mark.parametrize("name", [CONFIGURATION, MACHINE])
def test_a_directory_in_a_files_place_is_a_mistake(places: Places, name: str) -> None:
    (places.boot / name).mkdir()
    with pytest.raises(ConfigError, match=f"{name}: is a directory"):
        apply(places)
    assert f"{name}: is a directory" in told(places, MISTAKES)


@pytest.mark.parametrize("name", [CONFIGURATION, MACHINE])
def test_a_file_with_another_ending_is_a_mistake(places: Places, name: str) -> None:
    lay(places)
    (places.boot / name).rename(places.boot / f"{name}.txt")
    with pytest.raises(ConfigError, match=f"call it {name}"):
        apply(places)
    assert f"{name}.txt: is called so" in told(places, MISTAKES)
    assert not places.settings.exists()
    (places.boot / f"{name}.txt").rename(places.boot / name)
    apply(places)
    assert on_boot(places) == {REPORT}


@pytest.mark.parametrize("name", [MISTAKES, REPORT, *TAKEN])
def test_nothing_is_changed_where_nothing_can_be_told(
    places: Places, name: str
) -> None:
    lay(places)
    (places.boot / name).mkdir()
    with pytest.raises(OSError, match="it is a directory"):
        apply(places)
    assert not places.settings.exists()


def test_a_boot_partition_that_is_missing_is_an_error(places: Places) -> None:
    places.boot.rmdir()
    with pytest.raises(OSError, match="no such directory"):
        apply(places)


@pytest.mark.parametrize(
    ("error", "mend"), [(ENOSPC, "free space"), (EIO, "another card")]
)
def test_what_the_system_refuses_is_written_back(
    places: Places, monkeypatch: pytest.MonkeyPatch, error: int, mend: str
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(error, os.strerror(error), str(path))

    monkeypatch.setattr(applying, "wipe", refuse)
    lay(places)
    with pytest.raises(OSError, match=os.strerror(error)):
        apply(places)
    found = told(places, MISTAKES)
    assert f"{TAKEN[0]}: can't be used ({os.strerror(error)})" in found
    assert mend in found
    monkeypatch.undo()
    apply(places)
    assert on_boot(places) == {REPORT}


@pytest.mark.parametrize("machine", [WHOLE, 'host_name = "A"'], ids=["full", "wrong"])
def test_where_nothing_can_be_written_the_error_is_told_all_the_same(
    places: Places, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    def refuse(path: Path, content: bytes, **named: Any) -> None:
        raise OSError(ENOSPC, f"no room for {path.name}")

    monkeypatch.setattr(applying, "write_private", refuse)
    lay(places, machine=machine)
    wanted = "hostname" if machine == WHOLE else "host_name can't be used"
    with pytest.raises((ConfigError, OSError), match=wanted):
        apply(places)
    assert on_boot(places) == {CONFIGURATION, MACHINE}


JOIN = f'# for all\njoin_token = "{KEY.token}"\n'


@pytest.mark.parametrize(
    "cohort", [COHORT, COHORT.rotated(NEXT_KEY, NOW, 7)], ids=["current", "rotated"]
)
@pytest.mark.parametrize("below", ["", "disk"])
def test_a_node_that_is_in_the_cohort_joins_it_no_more(
    places: Places, cohort: Cohort, below: str
) -> None:
    node = f"[node]\ndata_directory = '{places.state / below}'\n".encode()
    lay(places, node, None)
    apply(places)
    CohortDirectory(places.state / below).save(cohort)
    before = tree(places)
    lay(places, None, JOIN)
    assert apply(places) == ("The node is in cohort 'home' already.",)
    assert tree(places) == before
    assert on_boot(places) == {REPORT}


@pytest.mark.parametrize("node", [NODE, None], ids=["new", "before"])
def test_a_token_of_another_cohort_is_a_mistake_where_the_node_is_in_one(
    places: Places, node: bytes | None
) -> None:
    lay(places, machine=None)
    apply(places)
    CohortDirectory(places.state).save(Cohort(key=FOREIGN_KEY))
    before = tree(places)
    lay(places, node, JOIN)
    with pytest.raises(ConfigError) as raised:
        apply(places)
    (found,) = raised.value.mistakes
    assert found.where == f"{MACHINE}:2"
    assert f"home ({FOREIGN_KEY.tag})" in found.what
    assert "log in, and as the node's user run 'edgenode cohort join'" in found.mend
    assert tree(places) == before
    assert KEY.token not in told(places, MISTAKES)
    CohortDirectory(places.state).leave()
    apply(places)
    assert read_token_file(places.state / "join-token") == KEY


def test_a_token_is_a_mistake_where_the_nodes_cohort_cannot_be_told(
    places: Places,
) -> None:
    directory = CohortDirectory(places.state)
    directory.save(COHORT)
    directory.cohort_path.write_text("{")
    lay(places, None, JOIN)
    with pytest.raises(ConfigError, match=r"cohort\.json.*edgenode cohort token"):
        apply(places)
    # Whoever mends the machine's other settings isn't kept from that.
    lay(places, None, 'host_name = "attic"')
    assert apply(places) == ("The machine's name is attic.",)


def test_a_token_is_a_mistake_where_the_node_was_told_to_use_none(
    places: Places,
) -> None:
    lay(places, b'[cohort]\nmode = "none"\n', None)
    apply(places)
    lay(places, None, JOIN)
    with pytest.raises(ConfigError, match=f"{MACHINE}:2.*'none'"):
        apply(places)
    lay(places, b"", JOIN)
    apply(places)
    assert read_token_file(places.state / "join-token") == KEY


def test_a_configuration_that_is_too_old_keeps_no_token_out(places: Places) -> None:
    places.settings.mkdir(parents=True)
    (places.settings / CONFIGURATION).write_text("[old]\n")
    lay(places, None, JOIN)
    apply(places)
    assert read_token_file(places.state / "join-token") == KEY


@pytest.mark.parametrize("below", ["", "/", "/disk", "/a/../b"])
def test_data_may_be_in_the_nodes_directory(places: Places, below: str) -> None:
    lay(places, f"[node]\ndata_directory = '{places.state}{below}'\n".encode())
    apply(places)
    assert on_boot(places) == {REPORT}


@pytest.mark.parametrize("where", ["/mnt/disk", "~/data", "STATE/../other", "STATE-2"])
@pytest.mark.parametrize("line", ["[node]\n{}\n", "# 1\nnode.{}", "[node]\r{}\r\n"])
def test_data_elsewhere_is_a_mistake_as_the_service_may_not_write_there(
    places: Places, where: str, line: str
) -> None:
    where = where.replace("STATE", str(places.state))
    setting = f"data_directory = '{where}'"
    lay(places, line.format(setting).encode())
    with pytest.raises(ConfigError) as raised:
        apply(places)
    (found,) = raised.value.mistakes
    assert found.where == f"{places.boot / CONFIGURATION}:2"
    assert f"mount the other disk at {places.state}" in found.mend
    assert on_boot(places) == {CONFIGURATION, MACHINE, MISTAKES}


KAFKA = b"""
[kafka_cohort]
name = "coco"
brokers = ["kafka.plant"]
admit = ["10.1.2.0/24"]
transport = "http"
"""


def test_a_cohort_on_kafka_is_a_mistake_where_its_packages_are_missing(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise KafkaMissingError("a cohort on Kafka needs aiokafka")

    monkeypatch.setattr(given, "require_kafka", missing)
    lay(places, KAFKA)
    with pytest.raises(ConfigError) as raised:
        apply(places)
    (found,) = raised.value.mistakes
    assert found.where == f"{places.boot / CONFIGURATION}:2"
    assert found.what == "a cohort on Kafka needs aiokafka"
    assert found.mend.startswith("make kafka")
    monkeypatch.setattr(given, "require_kafka", lambda: None)
    apply(places)
    assert on_boot(places) == {REPORT}


def test_lines_are_counted_in_a_file_from_windows_too(places: Places) -> None:
    lay(places, None, '# first\r\nwifi_country = "DE"\r\nhost_name = "A"\r\n')
    with pytest.raises(ConfigError, match=f"{MACHINE}:3"):
        apply(places)


def test_mistakes_of_both_files_are_told_together(places: Places) -> None:
    lay(places, b"[node]\nport = 1\n", "hostname = 1\n")
    with pytest.raises(ConfigError) as raised:
        apply(places)
    assert len(raised.value.mistakes) == 2
    assert len(told(places, MISTAKES).splitlines()) == 2


def test_the_content_is_overwritten_before_its_name_is_gone(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(places)
    wiped: dict[str, bytes] = {}
    unlink = Path.unlink

    def seen(path: Path, missing_ok: bool = False) -> None:
        if path.name in TAKEN:
            wiped[path.name] = path.read_bytes()
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", seen)
    apply(places)
    assert wiped == {
        TAKEN[0]: bytes(len(NODE)),
        TAKEN[1]: bytes(len(WHOLE) + 1),
    }


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_half_wiped_was_taken_already(places: Places, name: str) -> None:
    lay(places)
    apply(places)
    before = tree(places)
    (places.boot / name).write_bytes(bytes(512) + b"= 1\n")
    assert apply(places) == ()
    assert on_boot(places) == {REPORT}
    assert tree(places) == before


def test_what_is_half_wiped_hides_no_other_file(places: Places) -> None:
    (places.boot / TAKEN[0]).write_bytes(bytes(512) + b"= 1\n")
    lay(places, None, 'host_name = "attic"')
    assert apply(places) == ("The machine's name is attic.",)
    assert on_boot(places) == {REPORT}
    assert "settings/edgenode.toml" not in tree(places)


def test_a_file_that_never_reached_the_card_is_a_mistake(places: Places) -> None:
    """A card that is pulled out too early may hold a file's length but not its text."""
    lay(places, bytes(700), 'host_name = "attic"')
    with pytest.raises(ConfigError, match=CONFIGURATION):
        apply(places)
    assert tree(places) == {}


class PowerCutError(Exception):
    """The power is gone."""


def test_after_a_power_cut_anywhere_the_next_start_makes_it_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step that writes is the last one once."""
    steps = ("write_private", "sync_directory", "wipe", "make_private_directory")
    done = {name: getattr(applying, name) for name in steps}
    left = 0

    def counted(step: Callable[..., None], *arguments: Any, **named: Any) -> None:
        nonlocal left
        if left == 0:
            raise PowerCutError
        left -= 1
        step(*arguments, **named)

    for name, step in done.items():
        monkeypatch.setattr(applying, name, partial(counted, step))

    def places_of(number: int) -> Places:
        home = tmp_path / str(number)
        (home / "boot").mkdir(parents=True)
        return Places(home / "boot", home / "lib" / "s", home / "lib" / "state")

    cuts = 0
    wanted: dict[str, bytes] | None = None
    while wanted is None:
        places = places_of(cuts)
        lay(places)
        left = cuts
        try:
            apply(places)
        except PowerCutError:
            cuts += 1
            continue
        wanted = tree(places)
    assert cuts == 12
    for number in range(cuts):
        places = places_of(cuts + 1 + number)
        lay(places)
        left = number
        with pytest.raises(PowerCutError):
            apply(places)
        left = 1_000
        apply(places)
        found = tree(places)
        assert found.keys() == wanted.keys(), number
        for path in found.keys() - {"s/environment"}:  # which names directories
            assert found[path] == wanted[path], number
        assert on_boot(places) == {REPORT}, number
