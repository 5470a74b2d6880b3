"""TLS between nodes: certificates on both sides, and a node id for each connection.

Each handshake of a client's context ends in a check of the peer's node id, so that
nobody connects to a removed node, whatever library makes the connection. Whoever listens
asks for the id itself: a removed node that knocks is told that it was. There are no
sessions to resume: each connection has a whole handshake.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from edgenode.security.certificates import InvalidCertificateError, node_id_of
from edgenode.security.identity import IdentityFiles

IsRemoved = Callable[[str], bool]


class RemovedPeerError(ssl.SSLCertVerificationError):
    """The peer has a good certificate, but was removed from the cohort."""


class Credentials:
    """What this node shows to others, and whose certificates it takes.

    After a rotation, a renewal or the end of an overlap ``refresh`` puts the new files
    to use, for all handshakes from then on. Connections that are there stay; closing
    them is for who holds them.
    """

    def __init__(self, files: IdentityFiles, is_removed: IsRemoved) -> None:
        self._files = files
        self._is_removed = is_removed
        self._server = self._loaded(ssl.PROTOCOL_TLS_SERVER)
        self._client = self._loaded(ssl.PROTOCOL_TLS_CLIENT)

    @classmethod
    async def opened(cls, files: IdentityFiles, is_removed: IsRemoved) -> "Credentials":
        """The credentials that stand in files.

        Args:
            files: Key and certificates, which are there and good.
            is_removed: Whether a node isn't let in, by its id; see ``Trust``.

        Raises:
            OSError: The files can't be used.
        """
        return await asyncio.to_thread(cls, files, is_removed)

    async def refresh(self) -> None:
        """Use the files as they are now.

        Raises:
            OSError: They can't be used; the former hold.
        """
        self._server, self._client = await asyncio.to_thread(
            lambda: (
                self._loaded(ssl.PROTOCOL_TLS_SERVER),
                self._loaded(ssl.PROTOCOL_TLS_CLIENT),
            )
        )

    def server_context(self) -> ssl.SSLContext:
        """For one connection of a peer; ask for it again for the next one."""
        return self._server

    def client_context(self) -> ssl.SSLContext:
        """For one connection to a peer; ask for it again for the next one."""
        return self._client

    def _loaded(self, side: int) -> "_Context":
        context = _Context(side)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        if side == ssl.PROTOCOL_TLS_SERVER:
            context.num_tickets = 0
        else:
            context.is_removed = self._is_removed
            context.sslobject_class = _CheckedObject
            context.sslsocket_class = _CheckedSocket
        context.load_cert_chain(self._files.certificate, self._files.key, password="")
        context.load_verify_locations(self._files.authorities)
        return context


def peer_node_id(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> str:
    """The id of the node at the other end, once the handshake is done.

    Raises:
        InvalidCertificateError: There is none, or the connection broke.
    """
    try:
        certificate = ssl_object.getpeercert(binary_form=True)
    except ValueError:  # before the handshake, and after a failure
        certificate = None
    if certificate is None:
        raise InvalidCertificateError("the peer showed no certificate")
    return node_id_of(certificate)


class _Context(ssl.SSLContext):
    """A context whose connections are checked when their handshake is done."""

    is_removed: IsRemoved


def _check(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> None:
    try:
        node_id = peer_node_id(ssl_object)
    except InvalidCertificateError as error:
        raise ssl.SSLCertVerificationError(1, str(error)) from error
    if cast("_Context", ssl_object.context).is_removed(node_id):
        raise RemovedPeerError(1, f"node {node_id} was removed from the cohort")


class _CheckedObject(ssl.SSLObject):
    def do_handshake(self) -> None:
        super().do_handshake()
        _check(self)


class _CheckedSocket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        _check(self)
