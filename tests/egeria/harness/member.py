"""A member of a cohort, genuine or not: both are asked the same way."""

from abc import ABC, abstractmethod
from typing import Any

from tests.egeria.harness.calls import CALL_SECONDS, USER, call


class Member(ABC):
    """A server with a repository."""

    name: str

    @property
    @abstractmethod
    def root(self) -> str:
        """The URL of the platform or node that it is on."""

    @property
    def url(self) -> str:
        """Its own URL; what a genuine member's registration says."""
        return f"{self.root}/servers/{self.name}"

    def omrs(
        self,
        method: str,
        path: str,
        body: object = None,
        timeout: float = CALL_SECONDS,
    ) -> Any:
        """Ask its repository services.

        Args:
            method: Of HTTP.
            path: Below the user's, such as ``types/all``; below ``enterprise/`` it is
                about the whole cohort's metadata.
            body: What is sent with it.
            timeout: Seconds.

        Raises:
            EgeriaError: It refused.
        """
        services = f"{self.url}/open-metadata/repository-services"
        return call(method, f"{services}/users/{USER}/{path}", body, timeout)

    @property
    def collection_id(self) -> str:
        """Its metadata collection's id."""
        answer = self.omrs("GET", "metadata-collection-id")
        return str(answer["metadataCollectionId"])

    def cohort_members(self, cohort: str) -> dict[str, Any]:
        """The registrations of the other members that it knows of, by server name."""
        path = f"metadata-highway/cohorts/{cohort}/remote-members"
        members = self.omrs("GET", path).get("cohortMembers") or []
        return {member["serverName"]: member for member in members}
