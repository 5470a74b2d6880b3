"""The composition root: opens every part top down and closes them in reverse."""

from edgenode.node.running import RunningNode, run_node, running_node
from edgenode.node.servers import store_path

__all__ = ["RunningNode", "run_node", "running_node", "store_path"]
