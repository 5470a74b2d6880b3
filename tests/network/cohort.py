"""A cohort of real nodes on the hosts of a network."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TypeVar

from bench.glossary import REFERENCEABLE, TERM, text
from bench.members import Answer, Calls, MemberNode, until
from bench.namespaces import Host, Lan, Network
from bench.target import add_entity
from edgenode.security.keys import CohortKey

NAME = "home"
PATIENCE = 45.0
"""Seconds until something that should happen is said to have failed."""

LOG_LINES = 60
PAGE = 1000
NEWEST = 200

Found = TypeVar("Found")
Holdings = dict[str, int]
"""The versions of entities, by GUID."""


def term(name: str) -> object:
    """The body of the request that adds a term."""
    values = {"displayName": text(name), "qualifiedName": text(name)}
    return add_entity(TERM, values).body


def add_term(calls: Calls, name: str) -> str:
    """Add a term; its GUID."""
    added = calls.repository("POST", "/instances/entity", term(name)).json
    return str(added["entity"]["guid"])


class Cohort:
    """The nodes of one cohort on one network, and how they are watched."""

    def __init__(self, network: Network, directory: Path) -> None:
        self.network = network
        self.directory = directory
        self.key = CohortKey.create(NAME, os.urandom)
        self.nodes: list[MemberNode] = []
        self.hosts: dict[str, Host] = {}
        self._numbers = count(1)

    # nodes

    def make(
        self,
        name: str,
        host: Host,
        *,
        is_known: bool = True,
        log_level: str = "info",
        key: CohortKey | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> MemberNode:
        """A node whose only configuration is a file with the token, by default.

        Args:
            name: What its server is called.
            host: Where it runs.
            is_known: Whether it is one of those that ``nodes`` names.
            log_level: The least serious lines of its log.
            key: Another cohort's.
            settings: What is configured of the cohort.
        """
        token_file = self.directory / f"{name}.token"
        token_file.write_text((key or self.key).token + "\n")
        node = MemberNode(
            host,
            self.directory / name,
            name,
            cohort={"join_file": str(token_file), **(settings or {})},
            log_level=log_level,
        )
        self.hosts[name] = host
        if is_known:
            self.nodes.append(node)
        return node

    def add(
        self,
        name: str,
        host: Host,
        *,
        is_known: bool = True,
        key: CohortKey | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> MemberNode:
        """Make a node and start it."""
        node = self.make(name, host, is_known=is_known, key=key, settings=settings)
        node.start()
        return node

    def host_of(self, node: MemberNode) -> Host:
        """Where a node runs."""
        return self.hosts[node.name]

    def add_all(
        self, lan: Lan, *names: str, settings: Mapping[str, object] | None = None
    ) -> list[MemberNode]:
        """Start nodes on hosts of their own, and wait until they are a cohort."""
        hosts = [self.network.host(lan) for _ in names]
        nodes = [
            self.add(name, host, settings=settings)
            for name, host in zip(names, hosts, strict=True)
        ]
        self.know_each_other()
        return nodes

    def close(self) -> None:
        """End all nodes; of a test that failed, show what they logged."""
        for node in self.nodes:
            node.close()
            print(f"\n== {node.name}")  # noqa: T201 - shown when a test failed
            for line in node.log()[-LOG_LINES:]:
                parts = (str(line.get(key, "")) for key in LOG_KEYS)
                print(" ".join(parts)[:400])  # noqa: T201

    # waiting

    def until(
        self, holds: Callable[[], Found], what: str, seconds: float = PATIENCE
    ) -> Found:
        """Wait until something is so."""
        return until(holds, what, seconds)

    def are_up(self, nodes: Iterable[MemberNode] | None = None) -> None:
        """Wait until nodes answer."""
        for node in self.nodes if nodes is None else nodes:
            self.until(node.is_up, f"{node.name} answers")

    def know_each_other(self, nodes: Sequence[MemberNode] | None = None) -> None:
        """Wait until each has registered with each, and each answers for all."""
        nodes = self.nodes if nodes is None else nodes
        self.are_up(nodes)
        for node in nodes:
            others = {other.collection_id for other in nodes} - {node.collection_id}
            self.until(
                lambda node=node, others=others: others <= set(node.members(NAME)),  # type: ignore[misc]
                f"{node.name} knows all others",
            )
        for node in nodes:
            others = {other.collection_id for other in nodes}
            self.until(
                lambda node=node, others=others: not ask_all(node).missing & others,  # type: ignore[misc]
                f"{node.name} reaches all",
            )

    def are_equal(self, nodes: Sequence[MemberNode] | None = None) -> Holdings:
        """Wait until all hold the same; what that is."""
        first, *others = self.nodes if nodes is None else nodes

        def same() -> list[Holdings]:
            wanted = holdings(first)
            is_same = all(holdings(each) == wanted for each in others)
            return [wanted] if is_same else []

        return self.until(same, "all hold the same")[0]

    def hold(self, wanted: Iterable[str]) -> None:
        """Wait until all nodes hold some entities."""
        wanted = set(wanted)
        for node in self.nodes:
            self.until(
                lambda node=node: wanted <= holdings(node).keys(),  # type: ignore[misc]
                f"{node.name} holds what was added",
            )

    # changing

    def add_terms(self, node: MemberNode, number: int) -> list[str]:
        """Add terms, none of which any other is like; their GUIDs."""
        with node.calls() as calls:
            return [
                add_term(calls, f"{node.name} {next(self._numbers)}")
                for _ in range(number)
            ]


LOG_KEYS = ("time", "level", "logger", "message", "exception")


def holdings(node: MemberNode) -> Holdings:
    """All entities that a node holds itself, with their versions."""
    found: Holdings = {}
    with node.calls() as calls:
        while True:
            body = {
                "class": "EntityFindRequest",
                "typeGUID": REFERENCEABLE.guid,
                "sequencingOrder": "GUID",
                "offset": len(found),
                "pageSize": PAGE,
            }
            answer = calls.repository("POST", "/instances/entities", body).json
            page = answer.get("entities") or ()
            for entity in page:
                found[entity["guid"]] = entity["version"]
            if len(page) < PAGE:
                return found


def ask_all(node: MemberNode, seconds: float | None = None) -> Answer:
    """What is newest in the whole cohort, as one node is answered."""
    body = {
        "class": "EntityFindRequest",
        "typeGUID": REFERENCEABLE.guid,
        "sequencingOrder": "CREATION_DATE_RECENT",
        "pageSize": NEWEST,
    }
    headers = {} if seconds is None else {"Edgenode-Cohort-Seconds": str(seconds)}
    return node.repository("POST", "/enterprise/instances/entities", body, headers)


def guids(answer: Answer) -> set[str]:
    """The entities of an answer."""
    return {each["guid"] for each in answer.json.get("entities") or ()}


def has_refused(node: MemberNode, address: str, reason: str) -> bool:
    """Whether a node logged and counted that it refused somebody at an address."""
    wanted = f" {address} is refused ({reason}"
    is_logged = any(wanted in str(line.get("message")) for line in node.log())
    return is_logged and node.figure("edgenode_refusals_total", reason=reason) > 0


def is_complete(node: MemberNode) -> bool:
    """Whether all members that a node knows have a part in its answers."""
    return not ask_all(node).missing
