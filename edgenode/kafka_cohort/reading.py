"""What a server does with instances that were read from other members as questions.

Genuine members tell of an instance when it changes, and never again: what was there before
a server joined is only heard of when it is asked for. So whoever reads an instance that
isn't stored here has its home asked to send it, as genuine members do, if it is one that
is kept.
"""

from dataclasses import replace

from edgenode.clock import Clock
from edgenode.events import outbound
from edgenode.events.exchange import ExchangeRules
from edgenode.events.model import InstanceEvent
from edgenode.instances.model import InstanceHeader, Relationship
from edgenode.limits import ASKED_INSTANCE_SECONDS, MAX_ASKED_INSTANCES
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.registry import TypeRegistry


class Reading:
    """Decides what follows from an instance that was read."""

    def __init__(
        self, repository: SqliteRepository, types: TypeRegistry, clock: Clock
    ) -> None:
        self._repository = repository
        self._types = types
        self._clock = clock
        self._asked: dict[str, float] = {}

    def learned(self, rules: ExchangeRules, header: InstanceHeader) -> ExchangeRules:
        """The rules from now on: where types are learned, the instance's is."""
        guid = None if header.type is None else header.type.type_def_guid
        if guid is None or self._types.type_def_by_guid(guid) is None:
            return rules
        return replace(rules, save=rules.save.learned(guid))

    def request(
        self, rules: ExchangeRules, header: InstanceHeader
    ) -> InstanceEvent | None:
        """What to ask the instance's home for; None where it needn't be asked."""
        known, guid, home = header.type, header.guid, header.metadata_collection_id
        if known is None or guid is None or home is None or not rules.saves(header):
            return None
        is_relationship = isinstance(header, Relationship)
        if is_relationship:
            is_stored = self._repository.relationship(guid) is not None
        else:
            entity = self._repository.entity(guid)
            is_stored = entity is not None and not entity.is_proxy
        if is_stored or self._was_asked_lately(guid):
            return None
        build = (
            outbound.refresh_relationship_requested
            if is_relationship
            else outbound.refresh_entity_requested
        )
        return build(guid, str(known.type_def_guid), str(known.type_def_name), home)

    def _was_asked_lately(self, guid: str) -> bool:
        now = self._clock.monotonic()
        asked_at = self._asked.get(guid)
        if asked_at is not None and now < asked_at + ASKED_INSTANCE_SECONDS:
            return True
        if len(self._asked) >= MAX_ASKED_INSTANCES:
            self._asked.clear()
        self._asked[guid] = now
        return False
