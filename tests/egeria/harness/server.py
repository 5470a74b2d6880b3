"""Servers of a genuine platform, configured as members of a cohort over Kafka."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.egeria.harness.calls import USER
from tests.egeria.harness.member import Member
from tests.egeria.harness.platform import Platform

TOPIC_ROOT = "egeria"
MAX_SEARCH_RESULTS = 50
REPOSITORY = "conformance-suite-workbenches/repository-workbench/repositories"


@dataclass(frozen=True, slots=True)
class Server(Member):
    """A server of a platform, which need not run.

    Attributes:
        platform: Where it is.
        name: Unique there.
    """

    platform: Platform
    name: str

    @property
    def root(self) -> str:
        """The platform's URL."""
        return self.platform.url

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """Ask the admin services about it; ``path`` is below the server's own."""
        root = f"/open-metadata/admin-services/users/{USER}/servers/{self.name}"
        return self.platform.call(method, f"{root}/{path}", body)

    def load_at_start(self, collection_id: str, archive: Path) -> None:
        """Configure it as the home of what is in an archive, and to load that."""
        config = self.admin("GET", "configuration")["omagserverConfig"]
        repository = config["repositoryServicesConfig"]["localRepositoryConfig"]
        repository["metadataCollectionId"] = collection_id
        self.admin("POST", "configuration", config)
        self.admin("POST", "open-metadata-archives/file", str(archive).encode())

    def start(self) -> None:
        """Start it as configured; it connects to its cohorts."""
        self.admin("POST", "instance")

    def stop(self) -> None:
        """Stop it; its configuration and registrations stay."""
        self.admin("DELETE", "instance")


def metadata_server(platform: Platform, name: str, cohort: str, brokers: str) -> Server:
    """Configure a server with a repository in memory, its own and the whole cohort's.

    Args:
        platform: Where it will run; must run already.
        name: Of the server.
        cohort: The cohort that it joins when it is started.
        brokers: Kafka's address, as in ``bootstrap.servers``.
    """
    server = Server(platform, name)
    _configure(server, cohort, brokers)
    server.admin("POST", "local-repository/mode/in-memory-repository")
    # The access to the whole cohort's metadata comes with the services that need it. A
    # workbench is the only one here; without it, what it brought stays.
    server.admin("POST", REPOSITORY, repository_workbench("none"))
    config = server.admin("GET", "configuration")["omagserverConfig"]
    del config["conformanceSuiteConfig"]
    config["localServerType"] = "Open Metadata and Governance Server"
    server.admin("POST", "configuration", config)
    return server


def conformance_server(
    platform: Platform, name: str, cohort: str, brokers: str
) -> Server:
    """Configure a server that tests another member of a cohort.

    A workbench has to be configured before it is started.
    """
    server = Server(platform, name)
    _configure(server, cohort, brokers)
    return server


def repository_workbench(
    under_test: str, page_size: int = MAX_SEARCH_RESULTS
) -> dict[str, Any]:
    """The workbench's configuration for a member.

    Args:
        under_test: The member's server name.
        page_size: The most that a search is to find; of each type as many instances and
            some more are made.
    """
    return {
        "class": "RepositoryConformanceWorkbenchConfig",
        "tutRepositoryServerName": under_test,
        "maxSearchResults": page_size,
    }


def performance_workbench(
    under_test: str, instances: int, skipped: Sequence[str]
) -> dict[str, Any]:
    """The configuration of the workbench that measures a member.

    Args:
        under_test: The member's server name.
        instances: How many of each type it makes.
        skipped: The names of the profiles that it leaves out.
    """
    return {
        "class": "RepositoryPerformanceWorkbenchConfig",
        "tutRepositoryServerName": under_test,
        "maxSearchResults": MAX_SEARCH_RESULTS,
        "instancesPerType": instances,
        "waitBetweenScenarios": 0,
        "profilesToSkip": list(skipped),
    }


def _configure(server: Server, cohort: str, brokers: str) -> None:
    client = {"bootstrap.servers": brokers}
    url = quote(server.platform.url, safe="")
    server.admin("POST", f"server-url-root?url={url}")
    server.admin(
        "POST",
        f"event-bus?topicURLRoot={TOPIC_ROOT}",
        {"producer": client, "consumer": client},
    )
    server.admin("POST", f"cohorts/{cohort}")


@contextmanager
def started(*servers: Server) -> Iterator[None]:
    """Servers that run until the end of the block."""
    with ExitStack() as stack:
        for server in servers:
            server.start()
            stack.callback(server.stop)
        yield
