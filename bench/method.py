"""A REST method that is measured, and how its requests choose among what is loaded.

A method makes its request from a target and a number, so that each request asks for
something else and the same number asks the same of every server.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.target import Request, Target

Make = Callable[[Target, int], Request]


@dataclass(frozen=True, slots=True)
class Method:
    """One row of the report.

    Attributes:
        name: The operation's name, and what is special about the request.
        request: Makes the request of a number.
        changes: Whether it changes something: then each number is asked once only.
        keep: The name under which the answers are kept for later requests.
        measured: False for a step that only prepares the next ones.
    """

    name: str
    request: Make
    changes: bool = False
    keep: str | None = None
    measured: bool = True


def one_of(guids: list[str], number: int) -> str:
    """One of the guids, far from the previous one."""
    return guids[number * 7919 % len(guids)]


def a_term(target: Target, number: int) -> str:
    """The guid of some term."""
    return one_of(target.terms, number)


def a_category(target: Target, number: int) -> str:
    """The guid of some category; the first ones have the most terms."""
    return one_of(target.categories, number)


def a_relationship(target: Target, number: int) -> str:
    """The guid of some relationship."""
    return one_of(target.relationships, number)
