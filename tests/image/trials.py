"""What the image is tried with; each trial has cards of its own."""

import json
import random
import re
import subprocess
import time
from collections.abc import Callable, Mapping

from bench.members import until
from tests.image.bundles import make_bundles
from tests.image.machines import Guest, GuestError, Lab, Start
from tests.image.transcript import Transcript

MAX_READY_SECONDS = 90.0
MAX_IDLE_MIB = 64
SMALL_MIB = 256
MAX_IDLE_BYTES = 1024
"""Written in a minute."""

IDLE_SECONDS = 180
POWER_CUTS = 10
WAIT_SECONDS = 240.0

SERVICE = "edgenode.service"
LARGE = 100_000
"""The length of a text in a change, in characters, of which a few hundred fill a card's rest."""

REFUSED = "no node runs: the boot partition's files weren't taken"
LOCKED = "the card takes no more writes, so no node runs"
DAMAGED = "EDGENODE-AUDIT-0003"
STATE = "/var/lib/edgenode"
MACHINE = "/var/lib/edgenode-machine"
MEMORY = "/dev/shm"  # noqa: S108 - the guest's
RUN_AS_NODE = f"runuser -u edgenode -- env STATE_DIRECTORY={STATE}"
CONFIGURATION = '[node]\nlisten = "0.0.0.0:9443"\n'


def first_boot(lab: Lab, tell: Transcript) -> None:
    """A card with a file for the machine alone."""
    with lab.card() as guest:
        seconds = guest.boot()
        tell.tell(f"  READY on the console after {seconds:.0f} s")
        tell.check(f"at most {MAX_READY_SECONDS:.0f} s", seconds <= MAX_READY_SECONDS)
        answer = guest.does("python3", "-c", _GET, "http://127.0.0.1:9443/health/ready")
        tell.check(
            "it answers that it is ready", json.loads(answer)["status"] == "ready"
        )
        report = guest.does("cat", "/boot/firmware/edgenode-report.txt")
        tell.check("what was taken stands on the boot partition", "ssh" in report)
        gone = guest.run("test", "-e", "/boot/firmware/machine.toml").code
        tell.check("machine.toml is gone from it", gone != 0)
        _layout(guest, tell)
        _idle(guest, tell)
        guest.shut_down()
        tell.tell(f"  READY after {guest.boot():.0f} s at the second start")
        guest.shut_down()
        seconds = guest.boot(Start(memory=SMALL_MIB))
        tell.check(f"READY with {SMALL_MIB} MiB of memory, after {seconds:.0f} s", True)
        tell.tell("  " + guest.does("free", "--mebi").splitlines()[1])
        failed = guest.does("systemctl", "--failed", "--no-legend", "--plain").strip()
        tell.check(f"no unit has failed {failed}", not failed)


def _layout(guest: Guest, tell: Transcript) -> None:
    wrote = guest.run("touch", "/usr/here").code
    tell.check("the root file system is read-only", wrote != 0)
    size = int(guest.does("df", "--output=size", "--block-size=1M", "/").split()[-1])
    tell.check(f"it has grown to the card: {size} MiB", size > 3_000)
    shown = guest.does("swapon", "--show=NAME", "--noheadings")
    tell.check(f"swap is in compressed memory: {shown.strip()}", "/dev/zram0" in shown)
    journal = guest.run("test", "-e", "/var/log/journal").code
    tell.check("the journal is in memory", journal != 0)
    failed = guest.does("systemctl", "--failed", "--no-legend", "--plain").strip()
    tell.check(f"no unit has failed {failed}", not failed)
    open_ports = guest.does(
        "ss", "--listening", "--numeric", "--tcp", "--udp", "--no-header"
    )
    ports = sorted(
        {line.split()[4].rpartition(":")[2] for line in open_ports.splitlines()}
    )
    tell.tell(f"  ports that are listened on: {' '.join(ports)}")
    scored = guest.does(
        "systemd-analyze", "security", "--no-pager", SERVICE
    ).splitlines()[-1]
    tell.tell(f"  {scored.strip()}")


def _idle(guest: Guest, tell: Transcript) -> None:
    pid = guest.does(
        "systemctl", "show", "--property=MainPID", "--value", SERVICE
    ).strip()

    def written() -> int:
        return int(guest.does("grep", "^write_bytes", f"/proc/{pid}/io").split()[1])

    written()
    time.sleep(60)  # what comes after a start
    before = written()
    time.sleep(IDLE_SECONDS)
    per_minute = (written() - before) * 60 / IDLE_SECONDS
    status = guest.does("grep", "VmRSS", f"/proc/{pid}/status")
    rss = int(status.split()[1]) / 1024
    tell.check(f"idle, the node has {rss:.1f} MiB of memory", rss <= MAX_IDLE_MIB)
    tell.check(
        f"and writes {per_minute:.0f} bytes a minute", per_minute <= MAX_IDLE_BYTES
    )
    processor = guest.does("ps", "-o", "cputimes=", "-p", pid).strip()
    tell.tell(f"  processor time until then: {processor} s")


def mistakes(lab: Lab, tell: Transcript) -> None:
    """A new card whose machine.toml has one; then it is mended."""
    text = f'host_name = "Cellar"\nssh_key = "{lab.public_key}"\n'
    with lab.card(machine_toml=text) as guest:
        guest.boot(says=REFUSED)
        tell.check(f"it says: {REFUSED}", is_so=True)
        _until(lambda: "login:" in guest.said(), "it has started")
        guest.cut_power()
        told = guest.found("edgenode-mistakes.txt")
        tell.check("why stands on the boot partition", "machine.toml:1" in told)
        for line in told.splitlines():
            tell.tell(f"  {line}")
        guest.put("machine.toml", text.replace("Cellar", "cellar"))
        tell.tell(f"  mended there, it is READY after {guest.boot():.0f} s")
        name = guest.does("hostname").strip()
        tell.check(f"what it is told is taken: it is called {name}", name == "cellar")


def two_of_one_image(lab: Lab, tell: Transcript) -> None:
    """Two cards with the same file, and nothing about each other."""
    files = {"edgenode_toml": CONFIGURATION}
    with lab.card(**files) as one, lab.card(**files) as other:
        tell.tell(
            f"  one is ready after {one.boot():.0f} s, the other after {other.boot():.0f} s"
        )
        names = [each.does("hostname").strip() for each in (one, other)]
        tell.check(
            f"they have names of their own: {' '.join(names)}", len(set(names)) == 2
        )
        seconds = _until(
            lambda: all(
                name in one.does("edgenode", "cohort", "members") for name in names
            ),
            "the two know each other",
        )
        tell.check(
            f"they are one cohort, seen {seconds:.0f} s after the second start", True
        )
        added = one.does("edgenode", "add", "Glossary", "qualifiedName=of-one").strip()
        seconds = _until(
            lambda: other.run("edgenode", "get", added).code == 0,
            "the other knows what was added",
        )
        tell.check(
            f"what is added on one is known to the other, {seconds:.0f} s later", True
        )
        found = other.does("edgenode", "find", "Glossary", "--cohort")
        tell.check("and is in its answer to a federated query", added in found)
        for each in (one, other):
            for line in each.does("edgenode", "cohort", "members").splitlines():
                tell.tell(f"  {line}")


def power_cuts(lab: Lab, tell: Transcript) -> None:
    """The power goes while it writes."""
    known: list[str] = []
    chance = random.Random(6)  # noqa: S311 - when the power goes
    with lab.card(edgenode_toml=CONFIGURATION) as guest:
        guest.boot()
        for number in range(1, POWER_CUTS + 1):
            added = _write_until_cut(lab, guest, chance.uniform(3.0, 10.0))
            known += added
            seconds = guest.boot()
            lost = _lost(guest, known)
            check = guest.run(*RUN_AS_NODE.split(), "edgenode", "doctor")
            whole = re.search(r"^store +ok", check.out, re.MULTILINE)
            tell.check(
                f"cut {number}: {len(added)} changes were acknowledged, {len(known)} in all; "
                f"ready again after {seconds:.0f} s, {lost} lost, the store is whole",
                lost == 0 and whole and added,
            )


def _write_until_cut(lab: Lab, guest: Guest, seconds: float) -> list[str]:
    """Add things over REST from the desk; the guids of those that were acknowledged."""
    name = guest.does("hostname").strip()
    url = f"http://{guest.address}:9443/servers/{name}"
    writer = lab.desk.popen(
        "/usr/bin/python3", "-c", _WRITE, url, "10", stdout=subprocess.PIPE
    )
    try:
        writer.wait(seconds)
        raise GuestError("the writer has ended by itself")
    except subprocess.TimeoutExpired:
        guest.cut_power()
    writer.wait(WAIT_SECONDS)
    assert writer.stdout is not None
    return writer.stdout.read().decode().split()


def _lost(guest: Guest, known: list[str]) -> int:
    """How many of these it doesn't know."""
    name = guest.does("hostname").strip()
    url = f"http://127.0.0.1:9443/servers/{name}"
    return int(guest.does("python3", "-c", _COUNT, url, given="\n".join(known)))


def upgrades(lab: Lab, tell: Transcript) -> None:
    """To a version that works, and to one that doesn't."""
    bundles = make_bundles(lab.work)
    with lab.card() as guest:
        guest.boot()
        added = guest.does(
            "edgenode", "add", "Glossary", "qualifiedName=before"
        ).strip()
        first = guest.does("readlink", "/opt/edgenode/current").strip()
        for bundle, code, name in (
            (bundles.newer, 0, "newer"),
            (bundles.broken, 5, "broken"),
        ):
            guest.send(bundle, f"{MEMORY}/{name}")
            ended = guest.run(f"{MEMORY}/{name}/deploy/raspberrypi/install")
            for line in ended.out.splitlines():
                tell.tell(f"  {line}")
            tell.check(f"it ends with {code}", ended.code == code)
            guest.does("rm", "-r", f"{MEMORY}/{name}")
            now = guest.does("readlink", "/opt/edgenode/current").strip()
            tell.check(
                f"{now} runs",
                now != first and guest.run("edgenode", "status").code == 0,
            )
            tell.check(
                "what was added is there", guest.run("edgenode", "get", added).code == 0
            )
        wrote = guest.run("touch", "/usr/here").code
        tell.check("the root file system is read-only again", wrote != 0)
        guest.shut_down()
        tell.check(f"it is ready after {guest.boot():.0f} s at the next start", True)
        tell.check(
            "what was added is there", guest.run("edgenode", "get", added).code == 0
        )


def moved(lab: Lab, tell: Transcript) -> None:
    """To a card with a new image, as README says."""
    with lab.card() as old, lab.card() as new:
        old.boot()
        added = old.does("edgenode", "add", "Glossary", "qualifiedName=moved").strip()
        was = _node_id(old)
        old.does("systemctl", "stop", SERVICE)
        packed = lab.work / "moved.tar"
        directories = [STATE[1:], MACHINE[1:]]
        with packed.open("wb") as file:
            old.pipe("tar", "--create", "--directory=/", *directories, to=file)
        old.shut_down()
        new.boot()
        new.does("systemctl", "stop", SERVICE)
        new.does("find", STATE, "-mindepth", "1", "-delete")
        with packed.open("rb") as file:
            new.pipe("tar", "--extract", "--directory=/", given=file)
        new.shut_down()
        tell.tell(f"  the new card is ready after {new.boot():.0f} s")
        there = new.run("edgenode", "get", added).code == 0
        tell.check("what was added is there", there)
        tell.check("it is the same member of its cohort", _node_id(new) == was)


def _node_id(guest: Guest) -> object:
    return json.loads(guest.does("edgenode", "status", "--json"))["ready"]["cohort"][
        "nodeId"
    ]


def clock(lab: Lab, tell: Transcript) -> None:
    """A machine without a clock, whose time is wrong by decades."""
    with lab.card() as guest:
        guest.boot(Start(since="1970-01-01T00:00:10"))
        began = int(guest.does("date", "+%Y").strip())
        tell.check(f"switched on in 1970, it thinks that it is {began}", began >= 2026)
        added = guest.does("edgenode", "add", "Glossary", "qualifiedName=early").strip()
        guest.shut_down()
        guest.boot(Start(since="2056-01-01T00:00:00"))
        tell.tell("  then switched on in 2056")
        tell.check(
            "what was added is there", guest.run("edgenode", "get", added).code == 0
        )
        later = guest.run("edgenode", "add", "Glossary", "qualifiedName=late")
        tell.check("and it takes changes", later.code == 0)


def overlay(lab: Lab, tell: Transcript) -> None:
    """What is written to the system is gone at the next start."""
    with lab.card() as guest:
        guest.boot()
        guest.shut_down()
        guest.boot(Start(words="edgenode.overlay"))
        added = guest.does("edgenode", "add", "Glossary", "qualifiedName=kept").strip()
        wrote = guest.run("touch", "/usr/here").code
        tell.check("the system takes what is written", wrote == 0)
        guest.shut_down()
        guest.boot(Start(words="edgenode.overlay"))
        tell.check(
            "at the next start it is gone", guest.run("test", "-e", "/usr/here").code
        )
        tell.check(
            "what was added is there", guest.run("edgenode", "get", added).code == 0
        )


def worn_cards(lab: Lab, tell: Transcript) -> None:
    """A card that is full, that is damaged, and that takes no more writes."""
    with lab.card() as guest:
        guest.boot()
        added = guest.does("edgenode", "add", "Glossary", "qualifiedName=kept").strip()
        guest.does("systemctl", "start", "edgenode-backup.service")
        _full(guest, tell, added)
        _damaged(guest, tell, added)
        _locked(guest, tell, added)


def _full(guest: Guest, tell: Transcript, added: str) -> None:
    fill = f"{STATE}/fill"
    guest.does(
        *RUN_AS_NODE.split(),
        "sh",
        "-c",
        f"cat /dev/zero >{fill} 2>/dev/null; sync {fill}",
    )
    name = guest.does("hostname").strip()
    url = f"http://127.0.0.1:9443/servers/{name}"
    told = guest.does("python3", "-c", _WRITE, url, str(LARGE)).splitlines()
    known = [each for each in told if not each.startswith(_REFUSED)]
    tell.tell(f"  the card is full; {len(known)} changes still have room in the store")
    tell.check("then they are refused", told[-1].startswith(_REFUSED))
    tell.tell(f"  {told[-1]}")
    lost = _lost(guest, [added, *known])
    tell.check(f"of what was acknowledged {lost} can't be read", lost == 0)
    guest.does("rm", fill)
    again = guest.run("edgenode", "add", "Glossary", "qualifiedName=again")
    tell.check("with room again a change is taken", again.code == 0)


def _damaged(guest: Guest, tell: Transcript, added: str) -> None:
    guest.does("systemctl", "stop", SERVICE)
    store = f"{STATE}/servers/*/metadata.db"
    damage = (
        f"dd if=/dev/urandom of=$(echo {store}) bs=4096 seek=4 count=64 conv=notrunc"
    )
    guest.does("sh", "-c", damage)
    guest.run("systemctl", "start", SERVICE)
    log = guest.does(
        "journalctl", "--unit", SERVICE, "--output=cat", "--no-pager", "--lines=40"
    )
    told = [line for line in log.splitlines() if DAMAGED in line]
    tell.check("after damage to the store it is ready, and says what mends it", told)
    for line in told:
        tell.tell(f"  {line}")
    guest.does("systemctl", "stop", SERVICE)
    guest.does(*RUN_AS_NODE.split(), "edgenode", "restore")
    guest.does("systemctl", "start", SERVICE)
    there = guest.run("edgenode", "get", added).code == 0
    tell.check("with 'edgenode restore' what the backup had is there", there)


def _locked(guest: Guest, tell: Transcript, added: str) -> None:
    # What the kernel does when writes fail.
    guest.does("sh", "-c", "echo u > /proc/sysrq-trigger")
    _until(lambda: guest.run("touch", f"{STATE}/x").code, "nothing can be written")
    tell.tell("  the card takes no more writes")
    there = guest.run("edgenode", "get", added).code == 0
    tell.check("what was added can be read", there)
    refused = guest.run("edgenode", "add", "Glossary", "qualifiedName=refused")
    tell.check("a change is refused", refused.code != 0)
    for line in refused.out.strip().splitlines():
        tell.tell(f"  {line}")
    guest.cut_power()
    guest.boot()
    # So that its file system is as a card leaves it that fails in the middle of its work.
    guest.does("edgenode", "add", "Glossary", "qualifiedName=last")
    guest.cut_power()
    guest.boot(Start(is_locked=True), LOCKED)
    tell.check(f"at the next start it says: {LOCKED}", is_so=True)
    _until(lambda: guest.run("true").code == 0, "it lets the desk in")
    backup = ("edgenode", "backup", f"{MEMORY}/copy.db")
    copy = guest.run("env", f"STATE_DIRECTORY={STATE}", *backup)
    tell.check("what is stored can be copied", copy.code == 0)
    tell.tell(f"  {copy.out.strip()}")


def _until(is_so: Callable[[], object], what: str) -> float:
    """Wait for something; how long that took, in seconds."""
    began = time.monotonic()
    until(is_so, what, WAIT_SECONDS)
    return time.monotonic() - began


_GET = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"

_REFUSED = "refused: "
_WRITE = """
import json, sys, urllib.request
base = sys.argv[1] + "/open-metadata/repository-services/users/me"
with urllib.request.urlopen(base + "/types/typedef/name/Glossary", timeout=30) as answer:
    guid = json.load(answer)["typeDef"]["guid"]
body = {"class": "EntityCreateRequest", "entityTypeGUID": guid, "initialStatus": "ACTIVE",
        "initialProperties": {"class": "InstanceProperties", "instanceProperties": {
            "qualifiedName": {"class": "PrimitivePropertyValue",
                "instancePropertyCategory": "PRIMITIVE",
                "primitiveDefCategory": "OM_PRIMITIVE_TYPE_STRING", "primitiveValue": ""}}}}
value = body["initialProperties"]["instanceProperties"]["qualifiedName"]
number = 0
while True:
    number += 1
    value["primitiveValue"] = "%d " % number + "x" * int(sys.argv[2])
    request = urllib.request.Request(base + "/instances/entity", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            told = json.load(answer)
    except Exception:
        break
    if "entity" not in told:
        print("refused:", told["exceptionErrorMessage"])
        break
    print(told["entity"]["guid"], flush=True)
"""
"""Prints the guid of each change that was acknowledged, until one is refused or nobody answers."""

_COUNT = """
import sys, urllib.request
base = sys.argv[1] + "/open-metadata/repository-services/users/me/instances/entity/"
lost = 0
for guid in sys.stdin.read().split():
    try:
        urllib.request.urlopen(base + guid, timeout=60).read()
    except Exception:
        lost += 1
print(lost)
"""
"""Prints how many of the guids that it reads nobody knows."""

TRIALS: Mapping[str, tuple[str, Callable[[Lab, Transcript], None]]] = {
    "first": ("The first start", first_boot),
    "mistakes": ("A mistake on a new card", mistakes),
    "two": ("Two cards of one image, with the same file", two_of_one_image),
    "power": ("The power goes while it writes", power_cuts),
    "upgrade": ("An upgrade, and one that fails", upgrades),
    "moved": ("A new card for an old machine", moved),
    "clock": ("No clock", clock),
    "overlay": ("With the overlay", overlay),
    "card": ("Worn cards", worn_cards),
}
"""By the names that the command has for them."""
