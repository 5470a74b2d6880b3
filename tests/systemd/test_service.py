"""The units, run by real systemd on a machine of namespaces."""

from http import HTTPStatus

import pytest

from tests.systemd.machine import Machine, until

SERVICE = "edgenode.service"
URL = "http://127.0.0.1:9443"
ASK = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=30).status)
except urllib.error.HTTPError as error:
    print(error.status)
"""
pytestmark = pytest.mark.usefixtures("installed")


def health(machine: Machine) -> str:
    """The status of the node's answer; nothing where there is none."""
    return machine.run("/usr/bin/python3", "-c", ASK, f"{URL}/health/ready").out.strip()


def test_it_answers_once_it_counts_as_started(installed: Machine) -> None:
    installed.does("systemctl", "restart", SERVICE)
    assert health(installed) == str(HTTPStatus.OK.value)
    assert installed.shows(SERVICE, "ActiveState") == "active"
    assert installed.shows(SERVICE, "NotifyAccess") == "main"


def test_what_it_stands_on_is_looked_at_before_each_start(installed: Machine) -> None:
    log = installed.log(SERVICE)
    found = {line.partition(" ")[0] for line in log.splitlines()}
    assert found >= {"rights", "space", "disk", "clock", "port", "python"}


def test_it_has_a_user_of_its_own_and_keeps_its_data_to_itself(
    installed: Machine,
) -> None:
    main = installed.shows(SERVICE, "MainPID")
    assert installed.does("stat", "--format=%U", f"/proc/{main}").strip() == "edgenode"
    shown = installed.does("stat", "--format=%U %a", "/var/lib/edgenode")
    assert shown.strip() == "edgenode 700"
    readable = installed.run("runuser", "-u", "nobody", "--", "ls", "/var/lib/edgenode")
    assert readable.code != 0


def test_it_never_takes_all_of_the_memory(installed: Machine) -> None:
    for bound in ("MemoryHigh", "MemoryMax"):
        assert installed.shows(SERVICE, bound).isdigit()


def test_people_ask_it_by_its_command(installed: Machine) -> None:
    added = installed.does("edgenode", "add", "Glossary", "qualifiedName=on a machine")
    assert "on a machine" in installed.does("edgenode", "get", added.strip())


def test_its_cohort_is_made_within_what_the_unit_allows(installed: Machine) -> None:
    environ = ["env", "STATE_DIRECTORY=/var/lib/edgenode"]
    command = ["runuser", "-u", "edgenode", "--", *environ, "edgenode", "cohort"]
    token = installed.does(*command, "token")
    assert token.strip()
    assert "machine" in installed.does("edgenode", "cohort", "members")


def test_one_that_stands_still_is_started_again(installed: Machine) -> None:
    drop_in = installed.root / "run/systemd/system/edgenode.service.d/quick.conf"
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nWatchdogSec=2\nRestartSec=0\n")
    installed.does("systemctl", "daemon-reload")
    installed.does("systemctl", "restart", SERVICE)
    main = installed.shows(SERVICE, "MainPID")
    installed.does("kill", "-STOP", main)
    until(lambda: installed.shows(SERVICE, "MainPID") not in (main, "0"))
    until(lambda: health(installed) == str(HTTPStatus.OK.value))
    assert "Watchdog timeout" in installed.log(SERVICE)
    drop_in.unlink()
    installed.does("systemctl", "daemon-reload")


def test_a_kill_is_made_good(installed: Machine) -> None:
    main = installed.shows(SERVICE, "MainPID")
    added = installed.does("edgenode", "add", "Glossary", "qualifiedName=before a kill")
    installed.does("kill", "-KILL", main)
    until(lambda: installed.shows(SERVICE, "MainPID") not in (main, "0"))
    until(lambda: health(installed) == str(HTTPStatus.OK.value))
    assert added.strip() in installed.does("edgenode", "get", added.strip())


def test_a_wrong_configuration_is_told_and_not_tried_for_ever(
    installed: Machine,
) -> None:
    settings = installed.root / "etc/default/edgenode"
    settings.write_text("EDGENODE_LISTEN=here\n")
    started = installed.run("systemctl", "restart", SERVICE)
    assert started.code != 0
    assert installed.shows(SERVICE, "ActiveState") == "failed"
    assert "EDGENODE_LISTEN: 'here' is no address" in installed.log(SERVICE)
    settings.unlink()
    installed.does("systemctl", "restart", SERVICE)


def test_backups_are_made_by_the_timers_service(installed: Machine) -> None:
    installed.does("edgenode", "add", "Glossary", "qualifiedName=backed up")
    installed.does("systemctl", "start", "edgenode-backup.service")
    assert installed.shows("edgenode-backup.service", "Result") == "success"
    assert "bytes, checked" in installed.log("edgenode-backup.service")
    timer = installed.shows("edgenode-backup.timer", "ActiveState")
    assert timer == "active"
