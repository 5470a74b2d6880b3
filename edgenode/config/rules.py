"""Reads which events of a cohort are sent, kept and looked at."""

from edgenode.config.model import EventRule
from edgenode.config.source import Source, Table
from edgenode.events.exchange import OpenMetadataExchangeRule

_Rule = OpenMetadataExchangeRule
_RULES_OF_TYPES = (_Rule.SELECTED_TYPES, _Rule.DESELECTED_TYPES)


def read_rule(source: Source, name: str, table: Table, key: str) -> EventRule:
    """A rule and its types, with what is wrong in them taken down.

    Args:
        source: The configuration.
        name: The table's name.
        table: The table.
        key: Which of the rules; its types stand in another key.
    """
    value, of_types = table.get(key, _Rule.ALL.name), f"{key}_types"
    allowed = [
        each.name
        for each in _Rule
        if each is not _Rule.LEARNED_TYPES or key == "events_to_save"
    ]
    if not isinstance(value, str) or value not in allowed:
        mend = f"use {' or '.join(allowed)}"
        source.wrong(name, key, f"{value!r} is no rule here", mend)
        return EventRule()
    rule, types = OpenMetadataExchangeRule[value], _types(source, name, table, of_types)
    if rule in _RULES_OF_TYPES and not types:
        mend = f'write {of_types} = ["GlossaryTerm"]'
        source.wrong(name, key, f"{value} names no types", mend)
    if rule not in _RULES_OF_TYPES and of_types in table:
        source.wrong(
            name,
            of_types,
            f"{of_types} says nothing for {value}",
            f'write {key} = "SELECTED_TYPES" or "DESELECTED_TYPES", or leave it out',
        )
    return EventRule(rule, types)


def _types(source: Source, name: str, table: Table, key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if isinstance(value, list) and all(
        isinstance(each, str) and each for each in value
    ):
        return tuple(value)
    source.wrong(
        name,
        key,
        f"{value!r} is no list of types",
        f'write {key} = ["GlossaryTerm"]; "edgenode types" shows their names',
    )
    return ()
