"""The mesh between processes, of which one is killed in the middle of sending."""

import asyncio
import sys
from pathlib import Path

from edgenode.bus.base import Address
from tests.bus.client import until
from tests.bus.mosquitto import free_port
from tests.bus.test_mesh import PREFIX, Mesh, Node, mesh
from tests.conftest import ROOT


async def started(
    it: Mesh, node_id: str, port: int, of: Node
) -> asyncio.subprocess.Process:
    assert it.authority is not None
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bus.node", node_id, str(port)),
        *(str(it.authority.path), str(it.authority.issue(node_id))),
        *(of.node_id, str(of.port)),
        cwd=ROOT,
    )


async def test_a_node_that_is_killed_while_it_sends(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        one, watcher = it.node("n1"), it.node("n3")
        await watcher.linked(one)
        port = free_port()
        one.bus.link({"n2": (Address("127.0.0.1", port),)})
        for life in range(2):
            process = await started(it, "n2", port, one)
            try:
                one.listener.changes.clear()
                one.listener.messages.clear()
                await one.listener.until(lambda: ("n2", True) in one.listener.changes)
                await one.listener.until(lambda: len(one.listener.messages) >= 100)
                heard = one.listener.payloads(f"{PREFIX}instances/m")
                first = int(heard[0])
                assert heard == [b"%d" % (first + place) for place in range(len(heard))]
                await until(lambda: one.bus.statistics().peers == 2)
            finally:
                process.kill()
                await process.wait()
            # Both of its connections are missed, and the others are told of it.
            await one.listener.until(
                lambda: one.listener.changes.count(("n2", False)) == 2
            )
            await watcher.has_heard(life + 1, "lost/n2")
        assert one.bus.statistics().reconnects == 1
        assert it.refusals == []
