"""Types that a platform is asked for, by whom they are believed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from edgenode.bus.topics import OmrsTopic, topic_names
from edgenode.collection.received import Outcome
from edgenode.connectors.repository import remote_connection
from edgenode.events import outbound
from edgenode.events.wrapping import EventBuilder, originator_of
from tests.egeria.harness.broker import Broker
from tests.egeria.reader import put
from tests.egeria.test_kafka_standing import CODEC, HUB, HUB_ID, Onlooker, node
from tests.model.house import remote_entity
from tests.unit.typedefs.samples import entity_def

KIND = entity_def("Gadget")


@asynccontextmanager
async def platform(collection_id: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A platform that knows one type; gives its root, and what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path.rpartition("/")[2])
        if asked[-1] == "metadata-collection-id":
            told: dict[str, Any] = {"metadataCollectionId": collection_id}
        else:
            told = {"typeDef": CODEC.to_object(KIND)}
        return web.json_response({"relatedHTTPCode": 200} | told)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}", asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("is_another", [False, True])
async def test_a_type_is_taken_from_who_is_registered_alone(
    kafka: Broker, tmp_path: Path, *, is_another: bool
) -> None:
    cohort = uuid4().hex
    names = topic_names("egeria", cohort, dedicated=True)
    told = remote_entity(metadata_collection_id=HUB_ID, metadata_collection_name="hub")
    assert told.type is not None
    kind = replace(told.type, type_def_guid=KIND.guid, type_def_name=KIND.name)
    section = outbound.created(replace(told, type=kind))
    onlooker = Onlooker({})
    async with (
        platform(str(uuid4()) if is_another else HUB_ID) as (root, asked),
        node(tmp_path, cohort, kafka.address) as (_, member),
    ):
        connection = remote_connection(f"{root}/servers/hub")
        hub = replace(HUB, repository_connection=connection)
        build = EventBuilder(originator_of(hub))
        await onlooker.until(lambda: member.statistics().connected_since)
        for topic, event in (
            (OmrsTopic.REGISTRATION, build.registered(hub, 1, again=False)),
            (OmrsTopic.INSTANCES, build.event(section, 1)),
        ):
            await put(kafka.address, names[topic], CODEC.encode_event(event))
            await onlooker.until(lambda: member.remote)
        if is_another:
            await onlooker.until(lambda: member.outcomes[Outcome.REFUSED])
            assert set(asked) == {"metadata-collection-id"}
            assert member.outcomes[Outcome.SAVED] == 0
        else:
            await onlooker.until(lambda: member.outcomes[Outcome.SAVED])
            assert "Gadget" in asked
