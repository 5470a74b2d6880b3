"""Announcing this node by multicast DNS, and seeing the others; the only user of zeroconf.

zeroconf is imported when discovery begins to run, because it takes 5 MB.

One announcement goes out on all interfaces, with the addresses of all: that is how the
library works, and two responders in one process would only answer each other's
questions. Whoever reads it tries first what is on a network of its own.

How much is sent: at the start and after each change of the interfaces three packets for
the announcement and four questions; then one announcement each ``ANNOUNCE_SECONDS``. The
library asks again for nodes when three quarters of an hour have gone by without it.
"""

import asyncio
import logging
import random
import socket
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
)
from typing import TYPE_CHECKING

from edgenode.clock import Clock, SystemClock
from edgenode.discovery.links import Link, LinkWatch, usable_links
from edgenode.discovery.records import (
    SERVICE_TYPE,
    Announcement,
    AnnouncementError,
    instance_name,
    node_id_of,
    read_announcement,
    txt_record,
)
from edgenode.discovery.sightings import Place, SightingListener, Sightings, tell
from edgenode.limits import (
    ANNOUNCE_SECONDS,
    GOODBYE_SECONDS,
    INTERFACE_POLL_SECONDS,
    INTERFACE_SETTLE_SECONDS,
    MAX_ANNOUNCED_ADDRESSES,
    MAX_RESOLVED_NODES,
    RESOLVE_SECONDS,
)

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

log = logging.getLogger(__name__)


class MdnsDiscovery:
    """Announces this node and watches for others, as long as it runs.

    Attributes:
        sightings: What was seen so far.
        malformed: How many announcements were none of a node's.
    """

    def __init__(
        self,
        announcement: Announcement,
        *,
        tags: Collection[str] = (),
        interfaces: Collection[str] = (),
        poll_seconds: float = INTERFACE_POLL_SECONDS,
        announce_seconds: float = ANNOUNCE_SECONDS,
        clock: Clock | None = None,
    ) -> None:
        """Take what is to be announced.

        Args:
            announcement: This node's.
            tags: The cohort's tags beside the one in it.
            interfaces: The names of those to be used; all where there are none.
            poll_seconds: How often the interfaces are looked at.
            announce_seconds: How often the node announces itself unasked.
            clock: Tells how old sightings are.
        """
        self._announcement = announcement
        self._interfaces = frozenset(interfaces)
        self._poll_seconds = poll_seconds
        self._announce_seconds = announce_seconds
        self._clock = clock or SystemClock()
        self.sightings = Sightings(announcement, tags)
        self.malformed = 0

    async def run(self, listener: SightingListener) -> None:
        """Announce and watch until cancelled; then say goodbye.

        That there is no network, or none yet, is no failure; where multicast DNS isn't
        possible at all it is tried again and again.
        """
        from zeroconf import Error

        while True:
            try:
                await self._run_once(listener)
            except* (OSError, Error) as failed:
                reasons = ", ".join(map(str, failed.exceptions))
                log.warning("multicast DNS isn't possible here for now: %s", reasons)
                await asyncio.sleep(self._poll_seconds)

    async def _run_once(self, listener: SightingListener) -> None:
        """Announce and watch until it must be begun anew.

        zeroconf tells sockets apart by their addresses. It would go on with those of an
        interface that was taken out and plugged in again, which are of no more use.
        """
        with LinkWatch() as watch:
            async with (
                _responder() as responder,
                _finder(self, listener, responder.zeroconf) as finder,
            ):
                presence = _Presence(self._announcement, responder)
                while True:
                    links = usable_links(self._interfaces)
                    if _have_moved(finder.links, links):
                        return
                    if links != finder.links:
                        finder.links = links
                        await presence.move(links)
                        await finder.ask()
                        await presence.introduce()
                    elif presence.age() >= self._announce_seconds:
                        presence.announce()
                        self._remind(listener)
                    for change in self.sightings.forget_old(self._clock.monotonic()):
                        tell(listener, change)
                    await self._pause(watch, presence)

    def _remind(self, listener: SightingListener) -> None:
        """Tell of all nodes again: of many at once some may have been passed over."""
        changes = self.sightings.told()
        random.shuffle(changes)  # so that it isn't always the same ones
        for change in changes:
            tell(listener, change)

    async def _pause(self, watch: LinkWatch, presence: "_Presence") -> None:
        """Until the interfaces changed, or it is time to look or to announce."""
        rest = max(self._announce_seconds - presence.age(), 0.0)
        with suppress(TimeoutError):
            async with asyncio.timeout(min(self._poll_seconds, rest)):
                await watch.changed()
            await asyncio.sleep(INTERFACE_SETTLE_SECONDS)
            watch.forget()

    def received(
        self,
        info: "AsyncServiceInfo",
        links: Sequence[Link],
        listener: SightingListener,
    ) -> None:
        """Take in an announcement with all its records."""
        try:
            announcement = read_announcement(
                info.name, info.port or 0, info.text or b""
            )
        except AnnouncementError as error:
            self.malformed += 1
            log.debug("%s: %s", info.name, error)
            return
        seen = places(info.parsed_scoped_addresses(), links)
        now = self._clock.monotonic()
        for change in self.sightings.saw(announcement, seen, now):
            tell(listener, change)


class _Presence:
    """This node's announcement, wherever the node is on a network."""

    def __init__(self, announcement: Announcement, responder: "AsyncZeroconf") -> None:
        self._announcement = announcement
        self._responder = responder
        self._announced: AsyncServiceInfo | None = None
        self._is_registered = False
        self._since = 0.0

    def age(self) -> float:
        """Seconds since the node announced itself."""
        return asyncio.get_running_loop().time() - self._since

    def announce(self) -> None:
        """Send the announcement, if there is one."""
        self._since = asyncio.get_running_loop().time()
        if self._announced is not None:
            zeroconf = self._responder.zeroconf
            packet = zeroconf.generate_service_broadcast(self._announced, None)
            zeroconf.async_send(packet)

    async def move(self, links: Sequence[Link]) -> None:
        """Be on these interfaces, with their addresses."""
        self._since = asyncio.get_running_loop().time()
        if addresses := announced_addresses(links):
            self._announced = _service(self._announcement, addresses)
            if self._is_registered:  # new sockets announce what is registered
                self._responder.zeroconf.registry.async_update(self._announced)
        hosts = [host for link in links for host in socket_addresses(link)]
        await self._responder.async_update_interfaces(hosts)

    async def introduce(self) -> None:
        """Announce the node, more than once because packets get lost."""
        if self._announced is None:
            return
        if self._is_registered:
            sending = await self._responder.async_update_service(self._announced)
        else:
            # The name has a node id in it, so nobody else has it: there is no need to
            # ask around for a second whether it is free.
            sending = await self._responder.async_register_service(
                self._announced, cooperating_responders=True
            )
            self._is_registered = True
        await sending


class _Finder:
    """Asks for the nodes on the network and takes in what is answered."""

    def __init__(
        self,
        discovery: MdnsDiscovery,
        listener: SightingListener,
        zeroconf: "Zeroconf",
        group: asyncio.TaskGroup,
    ) -> None:
        self._discovery = discovery
        self._listener = listener
        self._zeroconf = zeroconf
        self._group = group
        self._browser: AsyncServiceBrowser | None = None
        self._resolving: set[str] = set()
        self.links: tuple[Link, ...] = ()

    async def ask(self) -> None:
        """Ask for all nodes, anew where it was done before."""
        from zeroconf.asyncio import AsyncServiceBrowser

        await self.stop()
        handlers = [self._changed]
        self._browser = AsyncServiceBrowser(self._zeroconf, SERVICE_TYPE, handlers)

    async def stop(self) -> None:
        """Ask no more."""
        if self._browser is not None:
            await self._browser.async_cancel()
            self._browser = None

    def _changed(
        self,
        zeroconf: "Zeroconf",
        service_type: str,
        name: str,
        state_change: "ServiceStateChange",
    ) -> None:
        """Called by zeroconf for each node that is new, changed or says goodbye."""
        from zeroconf import ServiceStateChange
        from zeroconf.asyncio import AsyncServiceInfo

        node_id = node_id_of(name)
        if node_id is None:
            self._discovery.malformed += 1
        elif state_change is ServiceStateChange.Removed:
            self._discovery.sightings.left(node_id)
        else:
            info = AsyncServiceInfo(service_type, name)
            if info.load_from_cache(zeroconf):
                self._discovery.received(info, self.links, self._listener)
            elif len(self._resolving) < MAX_RESOLVED_NODES:
                self._resolving.add(name)
                self._group.create_task(self._resolve(info), name=f"resolve {name}")

    async def _resolve(self, info: "AsyncServiceInfo") -> None:
        try:
            if await info.async_request(self._zeroconf, RESOLVE_SECONDS * 1000):
                self._discovery.received(info, self.links, self._listener)
        finally:
            self._resolving.discard(info.name)


@asynccontextmanager
async def _finder(
    discovery: MdnsDiscovery, listener: SightingListener, zeroconf: "Zeroconf"
) -> AsyncIterator[_Finder]:
    async with asyncio.TaskGroup() as group:
        finder = _Finder(discovery, listener, zeroconf, group)
        try:
            yield finder
        finally:
            await finder.stop()


@asynccontextmanager
async def _responder() -> "AsyncIterator[AsyncZeroconf]":
    """The machinery of zeroconf, on no interface yet; says goodbye when it is closed."""
    from zeroconf import IPVersion
    from zeroconf.asyncio import AsyncZeroconf

    # What it warns of are sockets of interfaces that come and go.
    logging.getLogger("zeroconf").setLevel(logging.ERROR)
    version = IPVersion.All if _has_ipv6() else IPVersion.V4Only
    responder = AsyncZeroconf(interfaces=[], ip_version=version)
    try:
        yield responder
    finally:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await responder.async_close()
        finally:
            responder.zeroconf.close()  # its sockets, also where it took too long


def _has_ipv6() -> bool:
    """Whether the kernel knows IPv6 at all."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


def _service(announcement: Announcement, addresses: list[str]) -> "AsyncServiceInfo":
    from zeroconf.asyncio import AsyncServiceInfo

    return AsyncServiceInfo(
        SERVICE_TYPE,
        instance_name(announcement.node_id),
        port=announcement.rest_port,
        properties=txt_record(announcement),
        # A name of its own: the host's belongs to the host's own responder.
        server=f"{announcement.node_id}.local.",
        parsed_addresses=addresses,
    )


def _have_moved(former: Sequence[Link], links: Sequence[Link]) -> bool:
    """Whether an address of a former interface is now that of another one."""
    at = {address.ip: link.index for link in former for address in link.addresses}
    return any(
        at.get(address.ip, link.index) != link.index
        for link in links
        for address in link.addresses
    )


def socket_addresses(link: Link) -> list[str]:
    """The addresses to send from on an interface: one of each family.

    Of IPv6 it is the link-local one, which doesn't change with the network's prefix.
    """
    four = [a.ip for a in link.addresses if isinstance(a, IPv4Interface)]
    six = [a.ip for a in link.addresses if isinstance(a, IPv6Interface)]
    six.sort(key=lambda address: not address.is_link_local)
    return [str(address) for address in (*four[:1], *six[:1])]


def announced_addresses(links: Sequence[Link]) -> list[str]:
    """The addresses of a node in its announcement.

    Where they are too many each interface first gets those that are sent from.
    """
    first = [host for link in links for host in socket_addresses(link)]
    rest = [str(address.ip) for link in links for address in link.addresses]
    return list(dict.fromkeys([*first, *rest]))[:MAX_ANNOUNCED_ADDRESSES]


def places(hosts: Sequence[str], links: Sequence[Link]) -> list[Place]:
    """The places that a node's addresses are, seen from this machine.

    Left out is what leads nowhere else: this machine's own addresses (bridges of virtual
    machines and containers have the same ones everywhere), and addresses of no host.

    Args:
        hosts: As received; link-local ones with the number of an interface as scope.
        links: The interfaces of this machine.
    """
    own = {address.ip for link in links for address in link.addresses}
    found: list[Place] = []
    for host in sorted(hosts):
        address = ip_address(host)
        plain = ip_address(address.packed)
        if plain in own or not _is_of_a_host(plain):
            continue
        if isinstance(address, IPv6Address) and address.is_link_local:
            found.extend(_scoped(str(plain), address.scope_id, links))
        else:
            found.append(Place(str(plain), _interface_to(plain, links)))
    return found


def _is_of_a_host(address: IPv4Address | IPv6Address) -> bool:
    return not (
        address.is_multicast
        or address.is_unspecified
        or address.is_loopback
        or address.is_reserved
    )


def _scoped(host: str, scope: str | None, links: Sequence[Link]) -> list[Place]:
    """A link-local address on each interface, first where it was heard of.

    zeroconf remembers one interface for an address, and a node says the addresses of
    all its interfaces on each: the right one may be another.
    """
    ordered = sorted(links, key=lambda link: str(link.index) != scope)
    return [Place(f"{host}%{link.name}", link.name) for link in ordered]


def _interface_to(address: IPv4Address | IPv6Address, links: Sequence[Link]) -> str:
    for link in links:
        if any(address in network.network for network in link.addresses):
            return link.name
    return ""
