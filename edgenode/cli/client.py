"""Calls a running node over its API, as any other client does."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from getpass import getuser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.codec.json import dumps, loads
from edgenode.config import NodeConfig, load_config
from edgenode.errors import BadRequestError
from edgenode.limits import ARCHIVE_CHUNK_BYTES

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

TIMEOUT_SECONDS = 60.0


class NodeClient:
    """One node, one of its servers, one user."""

    def __init__(self, url: str, server: str, user: str) -> None:
        self.url = url.rstrip("/")
        self.server = server
        self.user = user
        self._host, self._port = _address(self.url)

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
            f"/servers/{segment(self.server)}/open-metadata/repository-services"
            f"/users/{segment(self.user)}"
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
            raise _refused(status, answer)
        return answer

    def fetch(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Send one request; gives the HTTP status and the answer's bytes.

        Raises:
            CommandError: The node can't be reached.
        """
        from http.client import HTTPException

        connection = self._connection(TIMEOUT_SECONDS)
        content = None if body is None else dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException, UnicodeError) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    @contextmanager
    def node_service(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Iterable[bytes] | None = None,
        size: int = 0,
    ) -> Iterator["Stream"]:
        """Call one of the node's own services on the server; its answer is a stream.

        Args:
            method: The HTTP method.
            path: The path below the server's.
            query: The query parameters.
            body: What to send, in pieces.
            size: How many bytes that is.

        Raises:
            CommandError: The node can't be reached, or refused.
        """
        from http.client import HTTPException

        where = f"/edgenode/servers/{segment(self.server)}{path}?{urlencode(query)}"
        headers = {} if body is None else {"Content-Length": str(size)}
        # However long it takes: a node that dies closes its connections.
        with closing(self._connection(None)) as connection:
            try:
                try:
                    connection.request(method, where, body, headers)
                except ConnectionError:
                    # It may have refused before it had everything: then it says why.
                    if connection.sock is None:
                        raise
                response = connection.getresponse()
                status, text = response.status, b""
                if status != 200:
                    text = response.read()
            except (OSError, HTTPException, UnicodeError) as error:
                raise self._unreachable(error) from error
            if status != 200:
                raise self._refused_service(status, _json_or_none(text))
            with closing(response):
                yield Stream(self.url, response)

    def _connection(self, timeout: float | None) -> "HTTPConnection":
        # Imported here: it takes longer to load than --help to be printed.
        from http.client import HTTPConnection

        return HTTPConnection(self._host, self._port, timeout=timeout)

    def _unreachable(self, error: Exception) -> CommandError:
        if isinstance(error, ConnectionResetError):
            return CommandError(
                ExitCode.UNREACHABLE,
                f"whatever is at {self.url} hung up ({error})",
                "name the port of node.listen with --url: those of cohort.listen and "
                "cohort.bus_listen speak TLS, with other nodes only",
            )
        return CommandError(
            ExitCode.UNREACHABLE,
            f"no node answers at {self.url} ({error})",
            "start one with 'edgenode run', or name another with --url",
        )

    def _refused_service(self, status: int, answer: Any) -> CommandError:
        if isinstance(answer, dict) and answer.get("message"):
            return _refused(status, answer)
        return CommandError(
            ExitCode.UNREACHABLE,
            f"{self.url} answers, but is no edgenode of this version (HTTP {status})",
            "check --url and the node's listen setting",
        )


class Stream:
    """An answer that is read while the node is still making it."""

    def __init__(self, url: str, response: "HTTPResponse") -> None:
        self._url = url
        self._response = response

    def header(self, name: str) -> int:
        """A number that the answer's head has; 0 where it is missing."""
        return int(self._response.headers.get(name) or 0)

    def pieces(self) -> Iterator[bytes]:
        """The body.

        Raises:
            CommandError: It broke off.
        """
        from http.client import HTTPException

        left = self.header("Content-Length")
        try:
            while piece := self._response.read(ARCHIVE_CHUNK_BYTES):
                left -= len(piece)
                yield piece
        except (OSError, HTTPException) as error:
            raise self._broken_off() from error
        if left > 0:
            raise self._broken_off()

    def lines(self) -> Iterator[dict[str, Any]]:
        """The body's lines, each a JSON object.

        Raises:
            CommandError: It broke off.
        """
        from http.client import HTTPException

        try:
            for line in self._response:
                yield loads(line)
        except (OSError, HTTPException, BadRequestError) as error:
            raise self._broken_off() from error

    def outcome(self, progress: Any) -> dict[str, Any]:
        """Follow something long to its end; ``progress`` is told done and total.

        Raises:
            CommandError: It failed, or broke off.
        """
        for line in self.lines():
            if "error" in line:
                error = line["error"]
                raise CommandError(ExitCode.REFUSED, error["message"], error["mend"])
            if "done" not in line:
                return line
            progress(line["done"], line["total"])
        raise self._broken_off()

    def _broken_off(self) -> CommandError:
        return CommandError(
            ExitCode.UNREACHABLE,
            f"the node at {self._url} broke off",
            "see its log, start it again and repeat the command",
        )


def node_client(arguments: Namespace, config: NodeConfig | None = None) -> NodeClient:
    """The node and server that a command line means."""
    config = config or load_config(arguments.config)
    return NodeClient(
        arguments.url or _own_url(config),
        arguments.server or config.servers[0].name,
        arguments.user or _user(),
    )


def local_client(config: NodeConfig) -> NodeClient:
    """The node of this machine."""
    return NodeClient(_own_url(config), config.servers[0].name, _user())


def _own_url(config: NodeConfig) -> str:
    host = f"[{config.host}]" if ":" in config.host else config.host
    return f"http://{host}:{config.port}"


def _address(url: str) -> tuple[str, int]:
    """Host and port of a node's URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        parts, host, port = urlsplit(""), None, 0
    is_whole = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme != "http" or not host or " " in host or not is_whole:
        raise CommandError(
            ExitCode.USAGE,
            f"{url!r} is no address of a node",
            "write --url http://HOST:PORT",
        )
    return host, port


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def _user() -> str:
    try:
        return getuser()
    except (OSError, KeyError):  # a user id without an account, as in containers
        return "edgenode"


def _json_or_none(text: bytes) -> Any:
    try:
        return loads(text)
    except BadRequestError:
        return None


def _refused(status: int, answer: Any) -> CommandError:
    told: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    return CommandError(
        ExitCode.REFUSED,
        told.get("exceptionErrorMessage")
        or told.get("message")
        or f"{told.get('error', 'refused')} (HTTP {status})",
        told.get("exceptionUserAction") or told.get("mend") or "",
        told,
    )
