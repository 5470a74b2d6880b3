"""A machine for tests: this system's files and real systemd, in namespaces of its own.

Whatever is changed on it is written to memory; another machine may begin with that. Its network
is its own loopback interface. It takes root, and a kernel with overlay file systems.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

PROGRAMS = (
    "runuser",
    "unshare",
    "nsenter",
    "mount",
    "ip",
    "systemctl",
    "/lib/systemd/systemd",
)
BOOT_SECONDS = 60.0
SECONDS = 300.0
POLL_SECONDS = 0.1
PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BOOTED = ("running", "degraded")

_GROUPS = Path("/sys/fs/cgroup")

_ENTER = """\
set -eu
for group in "$@"; do echo $$ > "$group/cgroup.procs"; done
exec unshare --cgroup -- sh -c "$BOOT"
"""

# Nothing of the kernel's that all namespaces share can be written to, no unit of this
# machine's own is started, and what lies in /tmp is still there.
_BOOT = """\
set -eu
mkdir "$PLACE"
cd "$PLACE"
mkdir changes work root
mount -t overlay -o "lowerdir=$LOWER,upperdir=$PLACE/changes,workdir=$PLACE/work" machine root
cd "$PLACE/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd sys/fs/cgroup/memory
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
    mount -t cgroup -o memory cgroup sys/fs/cgroup/memory
fi
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/shm dev/pts dev/mqueue
ln -s pts/ptmx dev/ptmx
if [ "$LOWER" = / ]; then
    rm -rf etc/systemd/system/* etc/edgenode* etc/default/edgenode opt/edgenode
fi
mkdir -p etc/systemd/system
for unit in tmp.mount systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service \
    systemd-udevd.service systemd-modules-load.service systemd-sysctl.service; do
    ln -sf /dev/null "etc/systemd/system/$unit"
done
echo machine > etc/hostname
ip link set lo up
mkdir run/before
pivot_root . run/before
umount -l run/before
rmdir run/before
exec env -i container=edgenode-test /lib/systemd/systemd --system --unit=basic.target
"""


def missing() -> str | None:
    """Why there can be no such machine here; None if there can."""
    if os.geteuid() != 0:
        return "only root makes a machine of namespaces"
    for program in PROGRAMS:
        if shutil.which(program) is None:
            return f"there is no {program} (Debian's packages systemd, iproute2)"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "this kernel has no overlay file systems"
    return None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command on the machine ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that runs.

    Attributes:
        name: Its name among others.
        process: Its first process, as this system numbers it.
    """

    name: str
    process: int

    @property
    def root(self) -> Path:
        """Its root directory, as it is seen from here."""
        return Path(f"/proc/{self.process}/root")

    def begin(self, *command: str) -> subprocess.Popen[str]:
        """Start a command there."""
        spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root")
        return subprocess.Popen(
            ["nsenter", f"--target={self.process}", *spaces, "--wd", "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": PATH, "LANG": "C.UTF-8"},
        )

    def run(self, *command: str) -> Ended:
        """Run a command there to its end."""
        begun = self.begin(*command)
        out, err = begun.communicate(timeout=SECONDS)
        return Ended(begun.returncode, out, err)

    def does(self, *command: str) -> str:
        """What a command prints there that has to succeed."""
        ended = self.run(*command)
        assert ended.code == 0, f"{command}: {ended.code}\n{ended.out}{ended.err}"
        return ended.out

    def shows(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.does(
            "systemctl", "show", f"--property={name}", "--value", unit
        ).strip()

    def log(self, unit: str) -> str:
        """What a unit has said."""
        return self.does("journalctl", "--unit", unit, "--output=cat", "--no-pager")


@dataclass(frozen=True, slots=True)
class Memory:
    """Holds what is changed on machines; nobody else sees it.

    Attributes:
        process: Whoever is in its namespace.
        place: Where it is there; logs of the machines lie beside it.
    """

    process: int
    place: Path

    def reach(self, *command: str) -> list[str]:
        """A command that runs where this memory is seen."""
        return ["nsenter", f"--target={self.process}", "--mount", "--", *command]


@contextmanager
def memory(place: Path) -> Iterator[Memory]:
    """Have a memory for machines until the end of the block.

    Args:
        place: A directory, which is made.
    """
    place.mkdir()
    script = 'mount -t tmpfs -o mode=755 machines "$0" && echo && exec cat'
    command = ["unshare", "--mount", "--", "sh", "-c", script, str(place)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline()
        yield Memory(keeper.pid, place)
        # It reads nothing more when this block, or the tests, are at their end.


@contextmanager
def machine(
    of: Memory, *, below: str | None = None, keep: bool = False
) -> Iterator[Machine]:
    """Run one until the end of the block.

    Args:
        of: Where its changes are.
        below: The name of another machine, with whose changes this one begins.
        keep: Whether its changes stay for others.
    """
    name = f"edgenode-{uuid4().hex[:8]}"
    place = of.place / name
    lower = "/" if below is None else f"{of.place / below / 'changes'}:/"
    groups = [each / name for each in _hierarchies()]
    for group in groups:
        group.mkdir()
    spaces = ["--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--net"]
    start = ["unshare", *spaces, "--", "sh", "-c", _ENTER, "sh", *map(str, groups)]
    path = of.place.parent / f"{name}.log"
    with path.open("wb") as log:
        outer = subprocess.Popen(
            of.reach(*start),
            env=os.environ | {"BOOT": _BOOT, "PLACE": str(place), "LOWER": lower},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield _booted(name, outer, path)
    finally:
        outer.kill()  # its child goes with it, and with that all of the machine
        outer.wait()
        for group in groups:
            _remove(group)
        if not keep:
            subprocess.run(of.reach("rm", "-rf", str(place)), check=True)


def _booted(name: str, outer: subprocess.Popen[bytes], log: Path) -> Machine:
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    while not (found := children.read_text().split()):
        assert outer.poll() is None, log.read_text()
    running = Machine(name, int(found[0]))
    # Until it has changed its root, it has nothing to say.
    until(
        lambda: running.run("systemctl", "is-system-running").out.strip() in _BOOTED,
        log.read_text,
    )
    return running


def until(
    is_so: Callable[[], object],
    what: Callable[[], str] = str,
    seconds: float = BOOT_SECONDS,
) -> None:
    """Wait for something that other processes do."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"waited in vain: {what()}"
        time.sleep(POLL_SECONDS)


def _hierarchies() -> list[Path]:
    if (_GROUPS / "cgroup.controllers").exists():
        return [_GROUPS]
    return [
        _GROUPS / each for each in ("systemd", "memory") if (_GROUPS / each).is_dir()
    ]


def _remove(group: Path) -> None:
    """Remove a group, once the last process of the machine is gone."""

    def is_removed() -> bool:
        for directory, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):
                Path(directory).rmdir()
        return not group.exists()

    until(is_removed, lambda: f"{group} is still used")
