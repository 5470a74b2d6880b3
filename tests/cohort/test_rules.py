"""What is sent, looked at and kept follows the exchange rules."""

from pathlib import Path
from random import Random

import pytest

from edgenode.events.exchange import (
    ExchangeRule,
    ExchangeRules,
    OpenMetadataExchangeRule,
)
from tests.cohort.simulation import SimulatedNode, World
from tests.cohort.test_simulated import USER, add_term
from tests.model.house import properties

Rule = OpenMetadataExchangeRule
TERM = "0db3e6ec-f5ef-4d75-ae38-b7ee6fd6ec0a"
GLOSSARY = "36f66863-9726-4b41-97ee-714fd0dc6fe4"
TERMS = frozenset({TERM})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, Random(7))  # noqa: S311


async def add_both(node: SimulatedNode) -> None:
    await add_term(node, "t")
    await node.collection.add_entity(
        USER, GLOSSARY, properties(qualifiedName="g"), None, None
    )


async def held(node: SimulatedNode) -> set[str]:
    return {
        "term" if TERM in text else "glossary"
        for _, _, text in (await node.holdings()).values()
    }


@pytest.mark.parametrize("which", ["send", "process", "save"])
@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (ExchangeRule(Rule.ALL), {"term", "glossary"}),
        (ExchangeRule(Rule.SELECTED_TYPES, TERMS), {"term"}),
        (ExchangeRule(Rule.DESELECTED_TYPES, TERMS), {"glossary"}),
        (ExchangeRule(Rule.JUST_TYPEDEFS), set()),
        (ExchangeRule(Rule.REGISTRATION_ONLY), set()),
    ],
    ids=lambda value: value.rule.name if isinstance(value, ExchangeRule) else "",
)
async def test_a_rule_lets_pass_what_it_says(
    world: World, which: str, rule: ExchangeRule, kept: set[str]
) -> None:
    sender = ExchangeRules(send=rule) if which == "send" else ExchangeRules()
    taker = ExchangeRules()
    if which == "process":
        taker = ExchangeRules(process=rule)
    if which == "save":
        taker = ExchangeRules(save=rule)
    async with (
        world.node("a", rules=sender) as one,
        world.node("b", peers=["a"], rules=taker) as other,
    ):
        await world.settle()
        await add_both(one)
        await world.settle()
        assert await held(other) == kept


@pytest.mark.parametrize("which", ["send", "process", "save"])
async def test_who_comes_later_is_held_to_the_rules(world: World, which: str) -> None:
    rule = ExchangeRule(Rule.SELECTED_TYPES, TERMS)
    sender = ExchangeRules(send=rule) if which == "send" else ExchangeRules()
    taker = ExchangeRules(process=rule) if which == "process" else ExchangeRules()
    taker = ExchangeRules(save=rule) if which == "save" else taker
    async with world.node("a", rules=sender) as one:
        await add_both(one)
        async with world.node("b", peers=["a"], rules=taker) as other:
            await world.settle()
            assert await held(other) == {"term"}
            for follower in other.member.followers().values():
                follower.compare()
            await world.settle()
            assert await held(other) == {"term"}


async def test_types_are_learned_by_reading(world: World) -> None:
    rules = ExchangeRules(save=ExchangeRule(Rule.LEARNED_TYPES))
    async with (
        world.node("a") as one,
        world.node("b", peers=["a"], rules=rules) as other,
    ):
        await world.settle()
        await add_both(one)
        await world.settle()
        assert await held(other) == set()
        term = await add_term(one, "read")
        other.member.was_read(term)
        await world.settle()
        assert await held(other) == {"term"}
        assert len(await other.holdings()) == 2
        await add_term(one, "later")
        await world.settle()
        assert len(await other.holdings()) == 3
