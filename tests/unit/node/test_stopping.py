"""A node that stops leaves nothing open, however soon that is."""

from pathlib import Path

import pytest

from edgenode.config import NodeConfig, load_config
from edgenode.node import running_node
from edgenode.security.listening import bound


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    settings = tmp_path / "edgenode.toml"
    settings.write_text(
        f"""
        [node]
        listen = "127.0.0.1:0"
        data_directory = "{tmp_path / "data"}"
        [cohort]
        listen = "127.0.0.1:0"
        bus_listen = "127.0.0.1:0"
        discovery = false
        """,
        encoding="utf-8",
    )
    return load_config(settings, {})


async def test_a_node_that_stops_at_once_gives_its_addresses_back(
    config: NodeConfig,
) -> None:
    async with running_node(config) as node:
        assert node.cohort is not None
        info = node.cohort.node.info
    for port in (node.port, info.rest_port, info.bus_port):
        bound("127.0.0.1", port).close()
