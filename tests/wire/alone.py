"""Listens on all addresses of a network namespace of its own, and asks on each of them.

Prints each way that led to an answer.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.wire.nodes import Authority, Gate, asker, member_listener


def _ip(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["ip", *arguments],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def _link_local() -> str:
    """A link-local address on a pair of cables, with its scope."""
    _ip("link", "set", "lo", "up")
    _ip("link", "add", "one", "type", "veth", "peer", "name", "two")
    _ip("link", "set", "one", "up")
    _ip("link", "set", "two", "up")
    _ip("address", "add", "fe80::1/64", "dev", "one", "nodad")
    links: list[dict[str, Any]] = json.loads(_ip("-j", "address", "show", "dev", "one"))
    assert any(info["local"] == "fe80::1" for info in links[0]["addr_info"])
    return "fe80::1%one"


async def main(path: Path) -> None:
    scoped = await asyncio.to_thread(_link_local)
    authority = Authority("cohort")
    node, other = authority.node(path), authority.node(path)
    gate = Gate()
    async with member_listener(node.server(), gate, host="[::]") as port:
        ways = {
            "127.0.0.1": [("127.0.0.1", port)],
            "::1": [("::1", port)],
            "scoped": [(scoped, port)],
            # One that nobody answers at comes first.
            "late": [("fe80::dead%two", port), (scoped, port)],
        }
        for name, addresses in ways.items():
            async with asker(other.client()) as http:
                assert await http.identify(addresses) == node.node_id
            print(name)  # noqa: T201
    assert gate.refusals == []


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
