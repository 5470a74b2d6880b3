"""While a disk fails every operation of the API is answered: reads as ever, writes not."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import apsw
import pytest

from edgenode.errors import OMRSError, StoreFullError, StoreUnavailableError
from edgenode.releases import SERVED
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.registry import TypeRegistry
from tests.crash.apsw_driver import connect_over
from tests.crash.faulty import Fault, FaultyVFS
from tests.model.house import CODEC, SetClock
from tests.wire.test_captures import (
    CAPTURES,
    REPLAYED,
    compared,
    needs_captures,
    replaying,
)

ANSWERED = sorted(
    name
    for name in REPLAYED
    if CAPTURES[name].status == 200
    and CAPTURES[name].answer.get("relatedHTTPCode", 200) == 200
)
"""The captured requests that succeed."""

FAULTS = [
    ("grow", apsw.FullError, StoreFullError),
    ("sync", apsw.IOError, StoreUnavailableError),
    ("write", apsw.ReadOnlyError, StoreUnavailableError),
]


@pytest.fixture(scope="module")
def registry() -> TypeRegistry:
    return load_release_types(SERVED)


@pytest.fixture
def fault() -> Iterator[Fault]:
    made = Fault()
    vfs = FaultyVFS("faulty", made)
    yield made
    vfs.unregister()


@needs_captures
@pytest.mark.parametrize(("operation", "error", "told"), FAULTS)
async def test_writes_are_refused_and_reads_go_on(
    operation: str,
    error: type[apsw.Error],
    told: type[OMRSError],
    tmp_path: Path,
    fault: Fault,
    registry: TypeRegistry,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused = []
    for name in ANSWERED:
        capture = CAPTURES[name]
        request = (capture.method, capture.path, capture.body)
        async with (
            opened(tmp_path / f"{name}.db") as repository,
            replaying(capture, repository, registry) as client,
        ):
            await repository.flush()
            fault.begins(operation, error)
            reply = await client.request(*request)
            assert reply.status == 200
            if fault.hits:
                refused.append(name)
                answer = reply.body
                assert answer["class"] == capture.answer["class"]
                assert answer["exceptionErrorMessageId"] == told.message_id
                assert answer["relatedHTTPCode"] == told.related_http_code
                assert answer["exceptionClassName"].endswith(told.exception_class_name)
                fault.passes()
                reply = await client.request(*request)
            assert compared(reply.body) == compared(capture.answer)
            # Closing finds the disk as it is.
        fault.passes()
    with capsys.disabled():
        print(  # noqa: T201 - the counts are asked for
            f"\n{error.__name__} at {operation}: {len(refused)} writes refused, "
            f"{len(ANSWERED) - len(refused)} reads answered"
        )
    assert min(len(refused), len(ANSWERED) - len(refused)) > 25


def opened(path: Path) -> AbstractAsyncContextManager[SqliteRepository]:
    return SqliteRepository.opened(
        path, CODEC, SetClock(), name="mds", connect=connect_over("faulty")
    )
