"""The root file system: Debian's packages, the files of this directory, and the node."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from .tools import ImageError, run

HERE = Path(__file__).resolve().parent
FILES = HERE / "files"
PREFERENCES = FILES / "etc/apt/preferences.d"
SUITE = "trixie"
PYTHON = "3.13"
"""The suite's own."""

BACKPORTS = f"{SUITE}-backports"
SECURITY = f"{SUITE}-security"
COMPONENTS = "main non-free-firmware"

ENABLED = (
    "edgenode-prepare.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "avahi-daemon.service",
    "ssh.service",
)
MASKED = (
    # Without a network nobody waits for one.
    "systemd-networkd-wait-online.service",
    # Asks people at the console.
    "systemd-firstboot.service",
    # What changes the system, which is read-only.
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "wpa_supplicant.service",
    # Keys are made where they can be written, and only if somebody may log in.
    "sshd-keygen.service",
    "ssh.socket",
)

UNUSED = (
    "usr/share/doc/*",
    "usr/share/man/*",
    "usr/share/info/*",
    "usr/share/locale/*",
    "usr/share/lintian/*",
)
"""Nobody reads them there; licences stay."""


_PYC_FLAGS, _CHECKED, _UNCHECKED = 4, 3, 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a root file system is made of.

    Attributes:
        bundle: The node and all its packages, for its machine and Python.
        mirror: Where Debian's packages come from.
        security: Where their security updates do.
        token: A file with the token of the cohort whose members all of its nodes are;
            None for none.
        epoch: What files were changed at, in seconds, at the latest.
    """

    bundle: Path
    mirror: str
    security: str
    token: Path | None
    epoch: int


def mirror(label: str, option: str) -> str:
    """Where this machine has packages from.

    Args:
        label: What their source calls itself: Debian, Debian-Security.
        option: What tells it otherwise.

    Raises:
        ImageError: It can't be told.
    """
    listed = run(
        ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages",
         f"Label: {label}"]
    )  # fmt: skip
    if not listed.split():
        raise ImageError(
            f"it isn't known where the packages of {label} are",
            f"name it with {option} URL",
        )
    return listed.split()[0]


def packages() -> list[str]:
    """The names of the packages."""
    lines = (HERE / "packages.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def make_root(wanted: Wanted, target: Path) -> None:
    """Make one.

    Args:
        wanted: What of.
        target: A tar file.

    Raises:
        ImageError: A package can't be had or installed.
    """
    sources = [
        f"deb {wanted.mirror} {suite} {COMPONENTS}"
        for suite in (SUITE, f"{SUITE}-updates", BACKPORTS)
    ]
    sources.append(f"deb {wanted.security} {SECURITY} {COMPONENTS}")
    hooks = [
        # Before packages are chosen.
        f'--setup-hook=mkdir -p "$1"/etc/apt && cp -r {_quoted(PREFERENCES)} "$1"/etc/apt/',
        # Before they are configured: the initial RAM disk is made then.
        # Whatever a checkout's modes are, daemons may read them.
        f"--essential-hook=tar --create --directory={_quoted(FILES)} --sort=name "
        f"--owner=0 --group=0 --mode=u=rwX,go=rX --mtime=@{wanted.epoch} . | "
        'tar --extract --preserve-permissions --directory="$1"',
        f'--customize-hook=cp -r {_quoted(wanted.bundle)} "$1"/bundle',
        '--customize-hook=chroot "$1" /bundle/deploy/raspberrypi/install --prepare',
        '--customize-hook=rm -r "$1"/bundle',
        f'--customize-hook=chroot "$1" systemctl --quiet enable {" ".join(ENABLED)}',
        f'--customize-hook=chroot "$1" systemctl --quiet mask {" ".join(MASKED)}',
        *_state(wanted.token),
        '--customize-hook=: >"$1"/etc/machine-id; mkdir -p "$1"/var/lib/dbus; '
        'ln -sf /etc/machine-id "$1"/var/lib/dbus/machine-id',
        '--customize-hook=rm -rf "$1"/etc/apt/sources.list* "$1"/etc/ssh/ssh_host_* '
        '"$1"/etc/hostname "$1"/var/log/* "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*',
        '--customize-hook=rm -f "$1"/etc/resolv.conf; '
        'ln -s ../run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf',
    ]
    command = [
        "mmdebstrap", "--mode=root", "--architectures=arm64", "--variant=minbase",
        f"--include={','.join(packages())}",
        *(f"--dpkgopt=path-exclude=/{each}" for each in UNUSED),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=force-confold",
        *hooks, SUITE, str(target), *sources,
    ]  # fmt: skip
    # It unpacks beside the target, where there is room.
    environ = {"SOURCE_DATE_EPOCH": str(wanted.epoch), "TMPDIR": str(target.parent)}
    run([*command], environ)


def trust_compiled(root: Path) -> None:
    """Have Python use what was compiled without looking at the source: nobody changes it.

    Args:
        root: The root file system, unpacked.
    """
    for path in root.rglob("*.pyc"):
        content = bytearray(path.read_bytes())
        # Of PEP 552: bit 0 tells that it has the source's digest, bit 1 to compare it.
        if content[_PYC_FLAGS] == _CHECKED:
            content[_PYC_FLAGS] = _UNCHECKED
            status = path.stat()
            path.write_bytes(content)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _state(token: Path | None) -> list[str]:
    """Who is the node's user is known in there alone."""
    made = [
        '--customize-hook=chroot "$1" install -d -m 700 -o edgenode -g edgenode '
        "/var/lib/edgenode",
        '--customize-hook=install -d -m 755 "$1"/var/lib/edgenode-machine',
    ]
    if token is not None:
        made += [
            f'--customize-hook=install -m 600 {_quoted(token)} "$1"/var/lib/edgenode/join-token',
            '--customize-hook=chroot "$1" chown edgenode:edgenode /var/lib/edgenode/join-token',
        ]
    return made


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
