"""One contract, and the ways to keep it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.federation.members import AskedCollection, FederationMembers
from edgenode.federation.relayed import relayed
from tests.contract.cohorts import (
    HOMES,
    Cohort,
    GenuineCaller,
    JsonCaller,
    LoopbackCaller,
    UnorderedCaller,
    UnpagedCaller,
    cohort,
    enterprise_of,
    member,
    registration_of,
    remote_of,
    served,
)
from tests.wire.serving import hosted, serving


@pytest.fixture(
    params=[
        "local",
        "remote",
        "remote in JSON",
        "genuine",
        "relayed",
        "enterprise",
        "enterprise over REST",
    ]
)
async def collection(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[AskedCollection]:
    """A collection with nothing in it."""
    clock, kind = SystemClock(), request.param
    home, other, _ = HOMES
    async with (
        member(home, tmp_path / "one.db", clock) as one,
        member(other, tmp_path / "other.db", clock) as two,
        served([one, two], clock) as client,
    ):
        match kind:
            case "local":
                yield one.collection
            case "remote":
                yield remote_of(home, client)
            case "remote in JSON":
                yield remote_of(home, client, JsonCaller)
            case "genuine":
                yield remote_of(home, client, GenuineCaller)
            case "relayed":
                asked = FederationMembers(lambda _: remote_of(home, client), clock)
                asked.update([registration_of(home)])
                passing = hosted(
                    relayed(home.id, asked, two.collection), clock, name=str(home.name)
                )
                async with serving(clock, {str(home.name): passing}) as bridge:
                    yield remote_of(home, bridge)
            case "enterprise":
                yield enterprise_of(one, {other: two.collection}, clock)[0]
            case _:
                yield enterprise_of(one, {other: remote_of(other, client)}, clock)[0]


@pytest.fixture(
    params=[
        None,
        LoopbackCaller,
        JsonCaller,
        GenuineCaller,
        UnorderedCaller,
        UnpagedCaller,
    ]
)
async def three(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Cohort]:
    """A cohort of three, joined directly, by REST, and by REST as with genuine members."""
    async with cohort(tmp_path, over=request.param) as joined:
        yield joined
