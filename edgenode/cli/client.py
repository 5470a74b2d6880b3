"""Calls a running node over its API, as any other client does."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.codec.json import dumps, loads
from edgenode.errors import BadRequestError

if TYPE_CHECKING:
    from http.client import HTTPConnection

TIMEOUT_SECONDS = 60.0


class NodeClient:
    """One node, one of its servers, one user."""

    def __init__(self, url: str, server: str, user: str) -> None:
        self.url = url.rstrip("/")
        self.server = server
        self.user = user

    def repository(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Call a repository operation and return its answer.

        Raises:
            CommandError: The node can't be reached, or the server refused.
        """
        base = (
            f"/servers/{quote(self.server, safe='')}/open-metadata/repository-services"
            f"/users/{quote(self.user, safe='')}"
        )
        suffix = f"?{urlencode(query)}" if query else ""
        return self.call(method, base + path + suffix, body)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call any JSON operation and return its answer.

        Raises:
            CommandError: The node can't be reached, or the server refused.
        """
        status, text = self.fetch(method, path, body)
        try:
            answer = loads(text)
        except BadRequestError as error:
            raise CommandError(
                ExitCode.UNREACHABLE,
                f"{self.url} answers, but not as a metadata server (HTTP {status})",
                "check --url and the node's listen setting",
            ) from error
        code = (
            answer.get("relatedHTTPCode", status) if isinstance(answer, dict) else 200
        )
        if code != 200:
            raise CommandError(
                ExitCode.REFUSED,
                answer.get("exceptionErrorMessage")
                or answer.get("message")
                or f"{answer.get('error', 'refused')} (HTTP {status})",
                answer.get("exceptionUserAction", ""),
            )
        return answer

    def fetch(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Send one request; gives the HTTP status and the answer's bytes.

        Raises:
            CommandError: The node can't be reached.
        """
        from http.client import HTTPException

        connection = self.connect()
        content = None if body is None else dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException) as error:
            raise self.unreachable(error) from error
        finally:
            connection.close()

    def connect(self) -> "HTTPConnection":
        """A connection to the node, for what ``fetch`` can't do."""
        # Imported here: it takes longer to load than --help to be printed.
        from http.client import HTTPConnection

        parts = urlsplit(self.url)
        return HTTPConnection(
            parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS
        )

    def unreachable(self, error: Exception) -> CommandError:
        """The error that says the node doesn't answer."""
        return CommandError(
            ExitCode.UNREACHABLE,
            f"no node answers at {self.url} ({error})",
            "start one with 'edgenode run', or name another with --url",
        )
