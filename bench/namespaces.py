"""Local networks of many hosts on one machine, out of network namespaces.

Each host is a namespace of its own, joined by virtual cables to bridges in one more
namespace, the hub. Nothing of the machine's own network is touched, nothing has a name
outside: a namespace lasts as long as the process that holds it, and the holders end
with the program that started them, however that ends. Hosts have names and share the
file system but for an empty /run of their own.

    with Network() as network:
        lan = network.lan()
        one, other = network.host(lan), network.host(lan)
        one.run("ping", "-c1", other.address(lan))

It takes root, or a kernel on which users may make namespaces. There is no delay and no
loss; what it has is cut cables, networks that fall apart, and no multicast.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

START_SECONDS = 30.0
END_SECONDS = 10.0

_READY = b"ready\n"

# In front of the id of this process and a command. The kernel kills the command when this
# process ends; if it ended before the kernel was told so, the shell notices.
_ENDING_WITH_US = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("sh", "-c", 'test "$PPID" = "$0" && exec "$@"'),
)


class NamespacesError(Exception):
    """Namespaces can't be made here, or a command in one failed; the text says why."""


@dataclass(frozen=True, slots=True)
class Lan:
    """One local network: a bridge.

    Attributes:
        number: Which one; its networks are 10.77.<number>.0/24 and fd77:0:0:<number>::/64.
        four: Whether its hosts have IPv4 addresses.
        six: Whether they have IPv6 at all, with link-local addresses.
        routed_six: Whether they have other IPv6 addresses, too.
    """

    number: int
    four: bool
    six: bool
    routed_six: bool

    @property
    def bridge(self) -> str:
        """The name of its bridge in the hub."""
        return f"lan{self.number}"


class _Namespace:
    """A network namespace, and the processes in it."""

    def __init__(self, creation: list[str], name: str = "hub") -> None:
        """``creation`` is the command in front of the one that holds the namespace."""
        script = (
            f"mount -t tmpfs none /run && echo {name} > /proc/sys/kernel/hostname && "
            "ip link set lo up && echo ready && exec cat"
        )
        # The holder ends with the pipe to it: when this program ends, in any way.
        self._holder = subprocess.Popen(
            [*creation, "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.entry: list[str] = []
        self._processes: list[subprocess.Popen[Any]] = []
        if _stream(self._holder.stdout).readline() != _READY:
            told = _stream(self._holder.stderr).read().decode(errors="replace").strip()
            self.close()
            raise NamespacesError(f"there can be no network namespaces here: {told}")
        user = ["-U", "--preserve-credentials"] if os.geteuid() else []
        self.entry = [
            "nsenter",
            "-t",
            str(self.pid),
            *user,
            "-n",
            "-m",
            "-u",
            f"-w{Path.cwd()}",
        ]

    @property
    def pid(self) -> int:
        """The process that holds the namespace."""
        return self._holder.pid

    def run(self, *command: str, given: str = "") -> str:
        """Run a command to its end; what it printed.

        Raises:
            NamespacesError: It failed.
        """
        done = subprocess.run(
            [*self.entry, *command],
            input=given,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        if done.returncode:
            reason = f"{' '.join(command)}: {done.stderr.strip()}\n{given}"
            raise NamespacesError(reason.strip())
        return done.stdout

    def configure(self, *lines: str) -> None:
        """Have ip(8) do several things, each without the name of the command in front."""
        self.run("ip", "-batch", "-", given="\n".join(lines) + "\n")

    def popen(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program; it is ended when the network is, unless it ended before.

        Its id is the program's own, so that signals reach it. The thread that starts it
        must go on: the kernel kills the program with it.
        """
        started = subprocess.Popen(
            [*self.entry, *_ENDING_WITH_US, str(os.getpid()), *command],
            env=None if environment is None else dict(environment),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
        self._processes.append(started)
        return started

    def close(self) -> None:
        """End the programs, politely first, and let go of the namespace."""
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
        for process in [*self._processes, self._holder]:
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Host(_Namespace):
    """A machine on one or several local networks; its interfaces are eth0, eth1, ..."""

    def __init__(
        self, creation: list[str], hub: _Namespace, number: int, name: str
    ) -> None:
        super().__init__(creation, name)
        self._hub = hub
        self._number = number
        self._ports = 0
        self._set("net.ipv6.conf.default.accept_dad", 0)  # addresses are usable at once

    def plug(self, lan: Lan, at: int | None = None) -> str:
        """Connect the host to a network; the name of the new interface.

        Args:
            lan: The network.
            at: The number of the interface, where it was there before.
        """
        if at is None:
            at = self._ports
            self._ports += 1
        interface = f"eth{at}"
        self._hub.configure(
            f"link add {self.port(at)} type veth peer name {interface} netns {self.pid}",
            f"link set {self.port(at)} master {lan.bridge} up",
        )
        if not lan.six:
            self._set(f"net.ipv6.conf.{interface}.disable_ipv6", 1)
        commands = [f"link set {interface} up"]
        if lan.four:
            commands.append(f"addr add {self.address(lan)}/24 dev {interface}")
        if lan.routed_six:
            address = self.address(lan, six=True)
            commands.append(f"addr add {address}/64 dev {interface} nodad")
        self.configure(*commands)
        return interface

    def unplug(self, at: int = 0) -> None:
        """Take an interface out of the machine, for good."""
        self._hub.configure(f"link del {self.port(at)}")

    def down(self, at: int = 0) -> None:
        """Pull the cable of an interface: it stays, with its addresses."""
        self._hub.configure(f"link set {self.port(at)} down")

    def up(self, at: int = 0) -> None:
        """Put the cable of an interface back."""
        self._hub.configure(f"link set {self.port(at)} up")

    def block_multicast(self, at: int = 0) -> None:
        """Let no multicast through to this host, as some access points do.

        IPv6 needs multicast to find neighbours, so only IPv4 goes on.
        """
        self._hub.run(
            "bridge", "link", "set", "dev", self.port(at), "mcast_flood", "off"
        )

    def address(self, lan: Lan, *, six: bool = False) -> str:
        """The host's address on a network."""
        if six:
            return str(IPv6Address(f"fd77:0:0:{lan.number:x}::{self._number:x}"))
        return f"10.77.{lan.number}.{self._number}"

    def port(self, at: int = 0) -> str:
        """The other end of an interface's cable, in the hub."""
        return f"h{self._number}p{at}"

    def _set(self, name: str, value: int) -> None:
        path = "/proc/sys/" + name.replace(".", "/")
        self.run("sh", "-c", f"if [ -e {path} ]; then echo {value} > {path}; fi")


class Network:
    """The hub with its local networks, and the hosts; to be entered with ``with``."""

    def __init__(self) -> None:
        self._closing = ExitStack()
        self._hub: _Namespace | None = None
        self._lans = 0
        self._hosts = 0

    def __enter__(self) -> Self:
        user = ["--user", "--map-root-user"] if os.geteuid() else []
        try:
            self._hub = _Namespace(["unshare", *user, "--net", "--mount", "--uts"])
        except FileNotFoundError as error:
            raise NamespacesError(f"{error.filename} is not installed") from error
        self._closing.callback(self._hub.close)
        # The hub itself takes no part in the networks.
        path = "/proc/sys/net/ipv6/conf/default/disable_ipv6"
        self._hub.run("sh", "-c", f"if [ -e {path} ]; then echo 1 > {path}; fi")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.close()

    @property
    def hub(self) -> _Namespace:
        """The namespace of the bridges.

        Raises:
            NamespacesError: The network hasn't been entered.
        """
        if self._hub is None:
            raise NamespacesError("the network is not there yet: enter it first")
        return self._hub

    def lan(
        self, *, four: bool = True, six: bool = True, routed_six: bool = True
    ) -> Lan:
        """Make a local network; without ``routed_six`` with link-local IPv6 only."""
        self._lans += 1
        made = Lan(self._lans, four, six, six and routed_six)
        self._add_bridge(made.bridge)
        return made

    def host(self, *lans: Lan, name: str = "") -> Host:
        """Make a host that is connected to these networks.

        Args:
            lans: The networks.
            name: What the host is called, of letters, digits and hyphens.
        """
        self._hosts += 1
        enter = self.hub.entry if os.geteuid() else []
        creation = [*enter, "unshare", "--net", "--mount", "--uts"]
        made = Host(creation, self.hub, self._hosts, name or f"host{self._hosts}")
        self._closing.callback(made.close)
        for lan in lans:
            made.plug(lan)
        return made

    def cut(self, lan: Lan, hosts: Iterable[Host]) -> None:
        """Keep hosts apart from the rest of a network; among them it goes on.

        All their cables must be on this network. They notice nothing.
        """
        apart = f"{lan.bridge}x"
        if apart not in self.hub.run("ip", "-o", "link", "show", "type", "bridge"):
            self._add_bridge(apart)
        self.hub.configure(
            *(f"link set {host.port()} master {apart}" for host in hosts)
        )

    def heal(self, lan: Lan, hosts: Iterable[Host]) -> None:
        """Join hosts that were cut off to the rest again."""
        self.hub.configure(
            *(f"link set {host.port()} master {lan.bridge}" for host in hosts)
        )

    def _add_bridge(self, name: str) -> None:
        # Without snooping multicast goes everywhere, as with a simple switch.
        self.hub.configure(
            f"link add {name} type bridge mcast_snooping 0 forward_delay 0",
            f"link set {name} up",
        )


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise NamespacesError("the process was started without this pipe")
    return stream
