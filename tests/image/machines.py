"""Emulated machines that run the image, and the network that they are on."""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bench.members import until
from bench.namespaces import Host, Lan, Network

MIB = 1024 * 1024
BOOT_AT = "4M"
"""Where the boot partition begins in the image."""

READY = "edgenode READY"
USER = "root"
BOOT_SECONDS = 400.0
"""Some four times what a start takes here."""

COMMAND_SECONDS = 900.0
POLL_SECONDS = 0.2

INSERT_SECONDS = 30.0

QEMU = "qemu-system-aarch64"
NBDKIT = "nbdkit"
PROGRAMS = {
    QEMU: "qemu-system-arm",
    NBDKIT: "nbdkit",
    "mcopy": "mtools",
    "dnsmasq": "dnsmasq-base",
    "ssh": "openssh-client",
    "ip": "iproute2",
}
"""What takes part, and Debian's packages of it."""


class GuestError(Exception):
    """A machine doesn't do what it should; the text has the end of its console."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str


@dataclass(frozen=True, slots=True)
class Start:
    """How a machine is switched on.

    Attributes:
        memory: How much it has, in MiB.
        since: What its clock says then, by ISO 8601; the true time by default.
        words: What stands in cmdline.txt besides.
        is_locked: Whether its card can be read only.
    """

    memory: int = 768
    since: str = "utc"
    words: str = ""
    is_locked: bool = False


class Lab:
    """A network with a desk, at which somebody sits who gives addresses and asks the machines.

    Attributes:
        desk: The desk's machine.
        work: Where cards and other files are, until the end.
    """

    def __init__(self, network: Network, image: Path, work: Path) -> None:
        self._network = network
        self._image = image
        self._lan: Lan = network.lan()
        self.desk: Host = network.host(self._lan, name="desk")
        self.work = work
        self._key = work / "key"
        self._count = 0
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", self._key],
            check=True,
        )
        self.public_key = self._key.with_suffix(".pub").read_text().strip()
        for name in ("vmlinuz", "initrd.img", "cmdline.txt"):
            subprocess.run(
                ["mcopy", "-n", "-i", f"{image}@@{BOOT_AT}", f"::{name}", work / name],
                check=True,
            )
        prefix = self.desk.address(self._lan).rpartition(".")[0]
        self._prefix = prefix
        self.desk.popen(
            "dnsmasq", "--keep-in-foreground", "--port=0", "--interface=eth0",
            f"--dhcp-range={prefix}.100,{prefix}.199,12h", "--no-ping", "--user=root",
            f"--dhcp-leasefile={work / 'leases'}", "--conf-file=/dev/null",
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def card(self, **boot_files: str) -> Iterator["Guest"]:
        """A machine with a fresh card, which lets the desk in; switched off at the end.

        Args:
            boot_files: What is written on its boot partition, by name; "_" stands for ".".
        """
        letting_in = f'ssh_key = "{self.public_key}"\n'
        guest = self._guest({"machine_toml": letting_in} | boot_files)
        try:
            yield guest
        finally:
            guest.cut_power()

    def _guest(self, boot_files: Mapping[str, str]) -> "Guest":
        self._count += 1
        number = self._count
        card = self.work / f"card{number}.img"
        subprocess.run(["cp", "--sparse=always", self._image, card], check=True)
        with card.open("r+b") as grown:
            grown.truncate(4 * 1024 * MIB)
        tap = f"tap{number}"
        self._network.hub.configure(
            f"tuntap add dev {tap} mode tap",
            f"link set {tap} master {self._lan.bridge} up",
        )
        guest = Guest(self, number, card, tap)
        for name, text in boot_files.items():
            guest.put(name.replace("_", "."), text)
        return guest

    def insert(self, guest: "Guest", start: Start) -> subprocess.Popen[bytes]:
        """Have a program be a machine's card, until it is ended.

        It has what it is told in memory (its own, or a file that nobody else sees) until it
        is told to keep it, so that the rest is lost with it as on a card without power.
        """
        ready = guest.card.with_suffix(".ready")
        ready.unlink(missing_ok=True)
        guest.socket.unlink(missing_ok=True)
        card = self._network.hub.popen(
            NBDKIT, "--foreground", f"--unix={guest.socket}", f"--pidfile={ready}",
            *(["--readonly"] if start.is_locked else []),
            "--filter=cache", "file", str(guest.card), "cache=writeback",
            environment={**os.environ, "TMPDIR": str(self.work)},
        )  # fmt: skip
        until(ready.exists, "the card can be read", INSERT_SECONDS)
        return card

    def start(self, guest: "Guest", start: Start) -> subprocess.Popen[bytes]:
        """Have the emulator run a machine."""
        # As the Pi's firmware would say it, but for a console that the emulator has.
        line = (self.work / "cmdline.txt").read_text().strip()
        return self._network.hub.popen(
            QEMU, "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", str(start.memory),
            "-accel", "tcg,thread=multi,tb-size=256", "-display", "none", "-nodefaults",
            "-no-reboot", "-rtc", f"base={start.since}", "-serial", f"file:{guest.console}",
            "-kernel", str(self.work / "vmlinuz"),
            "-initrd", str(self.work / "initrd.img"),
            "-append", f"{line} {start.words} console=ttyAMA0",
            "-drive", f"if=none,id=card,file=nbd:unix:{guest.socket},format=raw,cache=writeback"
            f",readonly={'on' if start.is_locked else 'off'}",
            "-device", "virtio-blk-device,drive=card",
            "-netdev", f"tap,id=net,ifname={guest.tap},script=no,downscript=no",
            "-device", f"virtio-net-device,netdev=net,mac={guest.mac}",
            "-device", "virtio-rng-device",
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def address(self, mac: str) -> str | None:
        """What address a machine was given."""
        leases = self.work / "leases"
        if not leases.exists():
            return None
        for line in leases.read_text().splitlines():
            _, owner, address, *_ = line.split()
            if owner == mac:
                return address
        return None

    def ssh(self, address: str, *command: str) -> list[str]:
        """The command line that runs a command on a machine, from the desk."""
        options = ["-i", str(self._key), "-o", "BatchMode=yes", "-o", "ConnectTimeout=20",
                   "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                   "-o", "LogLevel=ERROR"]  # fmt: skip
        remote = [f"{USER}@{address}", shlex.join(command)]  # a shell there reads it
        return [*self.desk.entry, "ssh", *options, *remote]


class Guest:
    """A machine, with its card and its cable, that runs or doesn't.

    Attributes:
        card: The image that is its card.
        socket: Where the program is reached that is the card while it is switched on.
        console: What it has said on its serial console.
        tap: Its cable's end in the network's hub.
        mac: Its address on the cable.
    """

    def __init__(self, lab: Lab, number: int, card: Path, tap: str) -> None:
        self._lab = lab
        self._processes: list[subprocess.Popen[bytes]] = []
        self.card = card
        self.socket = card.with_suffix(".socket")
        self.console = card.with_suffix(".console")
        self.tap = tap
        self.mac = f"52:54:00:77:00:{number:02x}"

    def put(self, name: str, text: str) -> None:
        """Write a file to its boot partition while it is switched off."""
        copy = ["mcopy", "-o", "-i", f"{self.card}@@{BOOT_AT}", "-", f"::{name}"]
        subprocess.run(copy, input=text, text=True, check=True)

    def found(self, name: str) -> str:
        """What a file on its boot partition says, read while it is switched off."""
        show = ["mtype", "-i", f"{self.card}@@{BOOT_AT}", f"::{name}"]
        return subprocess.run(
            show, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def boot(self, start: Start = Start(), says: str = READY) -> float:
        """Switch it on, and wait until it says that the node is ready.

        Args:
            start: How.
            says: What is waited for instead.

        Returns:
            How long that took, in seconds.
        """
        self.console.unlink(missing_ok=True)
        began = time.monotonic()
        self._processes = [self._lab.insert(self, start)]
        self._processes.append(self._lab.start(self, start))
        while says not in self.said():
            if (
                time.monotonic() > began + BOOT_SECONDS
                or self._processes[-1].poll() is not None
            ):
                raise GuestError(f"it doesn't get ready:\n{self.said()[-4000:]}")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def said(self) -> str:
        """All that it has said on its console since it was switched on."""
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def cut_power(self) -> None:
        """End it at once."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        self._processes = []

    def shut_down(self) -> None:
        """Have it end by itself."""
        self.run("systemctl", "poweroff")
        self._processes[-1].wait(BOOT_SECONDS)
        self.cut_power()

    @property
    def address(self) -> str:
        """Where it is reached."""
        found = self._lab.address(self.mac)
        if found is None:
            raise GuestError("it was given no address")
        return found

    def run(self, *command: str, given: str | None = None) -> Ended:
        """Run a command there to its end, as root."""
        done = subprocess.run(
            self._lab.ssh(self.address, *command),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout + done.stderr)

    def does(self, *command: str, given: str | None = None) -> str:
        """What a command prints there that has to succeed."""
        ended = self.run(*command, given=given)
        if ended.code:
            raise GuestError(f"{' '.join(command)}: {ended.code}\n{ended.out}")
        return ended.out

    def pipe(
        self, *command: str, to: BinaryIO | None = None, given: BinaryIO | None = None
    ) -> None:
        """Run a command there that has to succeed, whose output or input is a file here."""
        done = subprocess.run(
            self._lab.ssh(self.address, *command),
            stdin=subprocess.DEVNULL if given is None else given,
            stdout=subprocess.DEVNULL if to is None else to,
            stderr=subprocess.PIPE,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode:
            raise GuestError(f"{' '.join(command)}: {done.stderr.decode()}")

    def send(self, directory: Path, target: str) -> None:
        """Copy a directory to it."""
        packed = subprocess.Popen(
            ["tar", "--create", f"--directory={directory}", "."], stdout=subprocess.PIPE
        )
        unpack = f"mkdir -p {target} && tar --extract --directory={target}"
        done = subprocess.run(
            self._lab.ssh(self.address, "sh", "-c", unpack), stdin=packed.stdout, check=False,
            capture_output=True, timeout=COMMAND_SECONDS,
        )  # fmt: skip
        if packed.wait() or done.returncode:
            raise GuestError(f"{directory} can't be copied: {done.stderr.decode()}")


def missing() -> list[str]:
    """Debian's packages that aren't there and have to be."""
    return sorted({PROGRAMS[each] for each in PROGRAMS if shutil.which(each) is None})
