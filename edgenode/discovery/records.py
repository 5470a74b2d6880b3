"""What a node announces of itself on the local network, and how others read it.

Everybody on the network can announce anything, so reading is strict: what is written
differently than a node writes it comes from none. Keys that are not known are passed
over, which lets later versions say more.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edgenode.errors import EdgeNodeError
from edgenode.limits import MAX_ANNOUNCED_NAME, MAX_TXT_BYTES

PROTOCOL = 1
"""The version of what nodes say to each other, which their announcements tell."""

SERVICE_TYPE = "_edgenode._tcp.local."
"""The service under which nodes are announced; the instance's name is the node id."""

_NODE_ID_LENGTH = 32
_NODE_ID = re.compile(r"[0-9a-f]{32}")
_TAG = re.compile(r"[0-9a-f]{16}")
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")
_LAST_PORT = 65_535


class AnnouncementError(EdgeNodeError):
    """An announcement is none of a node's."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One node, as it announces itself.

    Attributes:
        node_id: Which node.
        tag: The tag of its cohort.
        name: Its name for people.
        rest_port: The port of its REST API for members.
        bus_port: The port of its broker; 0 where it embeds none.
        protocol: The version of what nodes say to each other. Of nodes with another
            one than this node's, ``name`` and ``bus_port`` are not read.
    """

    node_id: str
    tag: str
    name: str
    rest_port: int
    bus_port: int = 0
    protocol: int = PROTOCOL


def instance_name(node_id: str) -> str:
    """The full name of a node's service."""
    return f"{node_id}.{SERVICE_TYPE}"


def node_id_of(instance: str) -> str | None:
    """The node that a service's full name stands for; None where it is no node's."""
    node_id = instance[:_NODE_ID_LENGTH]
    named = _NODE_ID.fullmatch(node_id) and instance == instance_name(node_id)
    return node_id if named else None


def txt_record(announcement: Announcement) -> bytes:
    """The announcement but for node id and REST port, which stand in other records."""
    strings = [f"v={announcement.protocol}", f"c={announcement.tag}"]
    if name := _announced_name(announcement.name):
        strings.append(f"n={name}")
    if announcement.bus_port:
        strings.append(f"b={announcement.bus_port}")
    encoded = [string.encode() for string in strings]
    return b"".join(bytes([len(string)]) + string for string in encoded)


def read_announcement(instance: str, rest_port: int, txt: bytes) -> Announcement:
    """Put an announcement together from its records.

    Args:
        instance: The full name of the service.
        rest_port: The port in its SRV record.
        txt: Its TXT record.

    Raises:
        AnnouncementError: It is not as a node makes it.
    """
    node_id = node_id_of(instance)
    if node_id is None:
        raise AnnouncementError("the instance's name is no node id")
    if not 0 < rest_port <= _LAST_PORT:
        raise AnnouncementError("it has no port")
    values = _values(txt)
    protocol = _number(values, "v")
    tag = values.get("c", "")
    if not _TAG.fullmatch(tag):
        raise AnnouncementError("it has no tag")
    if protocol != PROTOCOL:
        return Announcement(node_id, tag, "", rest_port, 0, protocol)
    name = values.get("n", "")
    if name != _announced_name(name):
        raise AnnouncementError("its name can't be shown")
    bus_port = _number(values, "b") if "b" in values else 0
    return Announcement(node_id, tag, name, rest_port, bus_port, protocol)


def _announced_name(name: str) -> str:
    """As much of a name as is announced: it is shown to people, and to terminals."""
    printable = "".join(character for character in name if character.isprintable())
    return printable[:MAX_ANNOUNCED_NAME].strip()


def _number(values: dict[str, str], key: str) -> int:
    text = values.get(key, "")
    if not _NUMBER.fullmatch(text) or int(text) > _LAST_PORT:
        raise AnnouncementError(f"its {key} is no such number")
    return int(text)


def _values(txt: bytes) -> dict[str, str]:
    """The strings of a TXT record by key; of several with one key the first counts."""
    if len(txt) > MAX_TXT_BYTES:
        raise AnnouncementError("its TXT record is too long")
    values: dict[str, str] = {}
    try:
        for string in _strings(txt):
            key, _, value = string.partition(b"=")
            values.setdefault(key.decode(), value.decode())
    except UnicodeDecodeError as error:
        raise AnnouncementError("its TXT record is no text") from error
    return values


def _strings(txt: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(txt):
        end = at + 1 + txt[at]
        if end > len(txt):
            raise AnnouncementError("its TXT record is cut off")
        yield txt[at + 1 : end]
        at = end
