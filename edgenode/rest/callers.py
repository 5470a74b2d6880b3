"""Who asks, and who may ask for what."""

from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

from aiohttp import hdrs, web

from edgenode.rest.refusals import RefusalError


@dataclass(frozen=True, slots=True)
class Caller:
    """Another node of the cohort.

    Attributes:
        node_id: As its certificate says; empty where the cohort is open.
        address: Where it calls from.
    """

    node_id: str
    address: str

    @property
    def who(self) -> str:
        """What tells it apart from others as well as can be."""
        return self.node_id or self.address


CALLER = web.RequestKey("caller", Caller)
"""Who asks, in requests that came in by the listener for members."""


class Audience(Enum):
    """Whom an operation is for."""

    EVERYBODY = auto()
    """The users of this node, and other nodes."""
    USERS = auto()
    """Whoever reaches the listener for users."""
    OWN_MACHINE = auto()
    """Programs on the node's own machine."""
    NODES = auto()
    """Other nodes; nobody else learns that it is there."""


def check_audience(request: web.BaseRequest, audience: Audience) -> None:
    """Let those pass whom an operation is for.

    Raises:
        RefusalError: It is for others.
    """
    if CALLER in request:
        if audience in (Audience.USERS, Audience.OWN_MACHINE):
            raise RefusalError(HTTPStatus.FORBIDDEN, "this isn't done for other nodes")
    elif audience is Audience.OWN_MACHINE:
        _check_machine(request)


def _check_machine(request: web.BaseRequest) -> None:
    """Let programs on this machine pass, and nobody else."""
    if hdrs.ORIGIN in request.headers:
        raise RefusalError(HTTPStatus.FORBIDDEN, "web pages aren't served here")
    forwarded = {hdrs.FORWARDED, hdrs.X_FORWARDED_FOR} & request.headers.keys()
    if forwarded or not _is_here(request):
        raise RefusalError(
            HTTPStatus.FORBIDDEN,
            "this is done on the node's own machine only",
            mend="run the command there",
        )


def _is_here(request: web.BaseRequest) -> bool:
    if request.transport is None:
        return False
    peer = request.transport.get_extra_info("peername")
    own = request.transport.get_extra_info("sockname")
    address = ip_address(peer[0].partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    # Whoever calls the node's own address comes from it.
    return address.is_loopback or peer[0] == own[0]
