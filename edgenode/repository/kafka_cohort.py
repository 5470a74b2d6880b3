"""How a server is in a cohort over Kafka: who else is in it, and how far events got.

What members say of themselves is stored as it is; the cohort reads it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple, Protocol, TypeVar

from edgenode.clock import EpochMillis
from edgenode.events.streams import Position
from edgenode.repository import members
from edgenode.repository.connections import Connection
from edgenode.repository.statements import load

_SQL = load("kafka_cohort")

T = TypeVar("T")


class Standing(NamedTuple):
    """A server's place in a cohort over Kafka.

    Attributes:
        name: The cohort's.
        server_id: By which topics know the server; empty where the file was put back,
            maybe on another machine: two servers mustn't have the same one.
        registration_time: When it registered; None before it has.
        sent: Up to which place its events are on the topics; None before the first.
    """

    name: str
    server_id: str
    registration_time: EpochMillis | None
    sent: Position | None


class TopicPlace(NamedTuple):
    """The offset of the next record of a partition that is to be applied.

    ``topic_id`` tells the topic from a later one of its name; empty where it isn't known.
    """

    topic: str
    partition: int
    next_offset: int
    topic_id: str


def standing(connection: Connection) -> Standing | None:
    """The server's place; None where it is in no such cohort."""
    row = connection.execute(_SQL["standing"]).fetchone()
    if row is None:
        return None
    name, server_id, registered, incarnation, sequence = row
    sent = None if incarnation is None else Position(incarnation, sequence)
    return Standing(name, server_id, registered, sent)


class KafkaCohortChange:
    """What a change may do to it; used inside the change."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def enter(self, name: str, new_server_id: str) -> Standing:
        """Be in a cohort; the former one, if it is another, is forgotten."""
        known = standing(self._connection)
        if known is None or known.name != name:
            self.leave()
            self._connection.execute(_SQL["enter"], (name, new_server_id))
            return Standing(name, new_server_id, None, None)
        if known.server_id:
            return known
        self._connection.execute(_SQL["rename"], (new_server_id,))
        return known._replace(server_id=new_server_id)

    def leave(self) -> None:
        """Forget the cohort and its members, but that these were members."""
        for collection_id in member_documents(self._connection):
            self.remove_member(collection_id)
        self._connection.execute(_SQL["forget_told"])
        self._connection.execute(_SQL["forget_positions"])
        self._connection.execute(_SQL["leave"])

    def save_registration_time(self, time: EpochMillis | None) -> None:
        """Remember when the server registered, or that it isn't any more."""
        self._connection.execute(_SQL["registered"], (time,))

    def save_sent(self, place: Position) -> None:
        """Remember that the events up to a place are on the topics."""
        self._connection.execute(_SQL["sent"], place_of(place))

    def save_member(self, collection_id: str, document: bytes) -> None:
        """Store how a member registered, in place of what was known."""
        self._connection.execute(_SQL["save_member"], (collection_id, document))

    def remove_member(self, collection_id: str) -> None:
        """Forget a member, but not that it was one."""
        self._connection.execute(_SQL["remove_member"], (collection_id,))
        members.remember_origin(self._connection, collection_id)

    def save_told(self, told: Iterable[str], untold: Iterable[str]) -> None:
        """Remember of whom all was told, and of whom not any more."""
        self._connection.executemany(_SQL["remove_told"], [(each,) for each in untold])
        self._connection.executemany(_SQL["save_told"], [(each,) for each in told])

    def save_places(self, places: Iterable[TopicPlace]) -> None:
        """Remember up to where records are applied."""
        self._connection.executemany(_SQL["save_position"], places)


def forget_server_id(connection: Connection) -> None:
    """Have the server be known by another id where the file is used next."""
    connection.execute(_SQL["rename"], ("",))


def place_of(place: Position) -> tuple[str, int]:
    """A place as it is stored."""
    return place.incarnation, place.sequence


def member_documents(connection: Connection) -> dict[str, bytes]:
    """What the members said when they registered, by collection id."""
    return {key: bytes(text) for key, text in connection.execute(_SQL["members"])}


def told(connection: Connection) -> frozenset[str]:
    """The members of another cohort of whom all was told."""
    return frozenset(key for (key,) in connection.execute(_SQL["told"]))


def places(connection: Connection) -> list[TopicPlace]:
    """Up to where records are applied."""
    return [TopicPlace(*row) for row in connection.execute(_SQL["positions"])]


class ChangeRunner(Protocol):
    """Runs a change of what is remembered; it is durable when it returns."""

    def __call__(self, work: Callable[[KafkaCohortChange], T], /) -> Awaitable[T]:
        """Run it, for what it returns."""
        ...


class KafkaCohortStore:
    """What the cohort remembers, for use in the event loop."""

    def __init__(
        self,
        point: Callable[[], Connection],
        change: ChangeRunner,
    ) -> None:
        """Take what reads and what writes.

        Args:
            point: The connection for point reads.
            change: Runs changes.
        """
        self._point = point
        self._change = change

    @property
    def standing(self) -> Standing | None:
        """The server's place; None where it is in no such cohort."""
        return standing(self._point())

    @property
    def members(self) -> Mapping[str, bytes]:
        """What the members said when they registered, by collection id."""
        return member_documents(self._point())

    @property
    def told(self) -> frozenset[str]:
        """The members of another cohort of whom all that is stored was told."""
        return told(self._point())

    @property
    def places(self) -> list[TopicPlace]:
        """Up to where records are applied."""
        return places(self._point())

    async def enter(self, name: str, new_server_id: str) -> Standing:
        """Be in a cohort; the former one, if it is another, is forgotten."""
        return await self._change(lambda change: change.enter(name, new_server_id))

    async def save_registration_time(self, time: EpochMillis | None) -> None:
        """Remember when the server registered, or that it isn't any more."""
        await self._change(lambda change: change.save_registration_time(time))

    async def save_sent(self, place: Position) -> None:
        """Remember that the events up to a place are on the topics."""
        await self._change(lambda change: change.save_sent(place))

    async def save_member(self, collection_id: str, document: bytes) -> None:
        """Store how a member registered, in place of what was known."""
        await self._change(lambda change: change.save_member(collection_id, document))

    async def remove_member(self, collection_id: str) -> None:
        """Forget a member, but not that it was one."""
        await self._change(lambda change: change.remove_member(collection_id))

    async def save_told(
        self, told: Iterable[str] = (), untold: Iterable[str] = ()
    ) -> None:
        """Remember of whom all was told, and of whom not any more."""
        some, others = list(told), list(untold)
        await self._change(lambda change: change.save_told(some, others))

    async def save_places(self, at: Iterable[TopicPlace]) -> None:
        """Remember up to where records are applied."""
        found = list(at)
        await self._change(lambda change: change.save_places(found))
