"""A plain HTTP client for tests: it sends what the test says, and hides nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

READ_LIMIT = 64 * 1024 * 1024
"""How much of an answer is taken in one piece; far more than any has."""

JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Reply:
    """One response."""

    status: int
    headers: Mapping[str, str]
    text: bytes

    @property
    def body(self) -> Any:
        """The decoded JSON."""
        return json.loads(self.text)


class Connection:
    """One connection, for as many requests as the server lets pass over it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, text: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(text)
        await self._writer.drain()

    async def reply(self, *, to_head: bool = False) -> Reply:
        """Read one response."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode().rstrip("\r\n").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (field.partition(":") for field in fields)
        }
        status = int(line.split(" ", 2)[1])
        if to_head or status < 200:
            return Reply(status, headers, b"")
        assert "transfer-encoding" not in headers, "answers tell their length"
        length = int(headers.get("content-length", 0))
        return Reply(status, headers, await self._reader.readexactly(length))

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str | None = JSON_TYPE,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request; a body that isn't bytes is sent as JSON."""
        if body is None:
            text, content_type = None, None
        else:
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.send(
            request_text(method, path, text, content_type=content_type, headers=headers)
        )
        return await self.reply(to_head=method == "HEAD")

    async def is_closed(self) -> bool:
        """Whether the server ends the connection; waits for it."""
        return await self._reader.read() == b""


@dataclass(frozen=True)
class Client:
    """Talks to one port of this machine."""

    port: int

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """A connection of its own."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, limit=READ_LIMIT
        )
        try:
            yield Connection(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str | None = JSON_TYPE,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request over a connection of its own."""
        async with self.connected() as connection:
            return await connection.request(
                method, path, body, content_type=content_type, headers=headers
            )

    async def get(self, path: str) -> Reply:
        """Send a GET."""
        return await self.request("GET", path)

    async def post(self, path: str, body: Any) -> Reply:
        """Send a POST with JSON."""
        return await self.request("POST", path, body)


def request_text(
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    content_type: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")
