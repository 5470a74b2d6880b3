"""Pages in a browser on the same machine don't get in."""

import pytest

from edgenode.clock import SystemClock
from tests.wire.serving import serving

ORIGIN = "/open-metadata/platform-services/users/me/server-platform/origin"


async def status_of(*headers: str) -> int:
    lines = [f"GET {ORIGIN} HTTP/1.1", *headers, "", ""]
    async with serving(SystemClock(), {}) as client, client.connected() as connection:
        await connection.send("\r\n".join(lines).encode())
        return (await connection.reply()).status


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:9443", "localhost:9443", "LOCALHOST", "[::1]:9443", "127.1.2.3"],
)
async def test_whoever_asks_this_machine_is_answered(host: str) -> None:
    assert await status_of(f"Host: {host}") == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:9443",
        "localhost.evil.example",
        "192.0.2.1",
        "127.0.0.1.evil.example",
    ],
)
async def test_a_name_that_was_made_to_point_here_is_refused(host: str) -> None:
    assert await status_of(f"Host: {host}") == 421


@pytest.mark.parametrize("site", ["cross-site", "same-site", "whatever"])
async def test_pages_from_elsewhere_are_refused(site: str) -> None:
    assert await status_of("Host: localhost", f"Sec-Fetch-Site: {site}") == 403


@pytest.mark.parametrize("site", ["none", "same-origin"])
async def test_what_a_person_types_is_answered(site: str) -> None:
    assert await status_of("Host: localhost", f"Sec-Fetch-Site: {site}") == 200
