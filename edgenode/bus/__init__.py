"""The event bus: how events of a cohort get from node to node."""
