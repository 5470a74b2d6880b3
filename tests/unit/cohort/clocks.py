"""A clock that stands still until it is told."""

import asyncio
import heapq
from dataclasses import dataclass, field
from itertools import count


@dataclass
class FakeClock:
    """Tells the time it was set to; sleepers wake when it is moved."""

    seconds: float = 1_000_000.0
    wall_offset: float = 0.0
    _sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(
        default_factory=list
    )
    _numbers: "count[int]" = field(default_factory=count)

    def now(self) -> int:
        return int((self.seconds + self.wall_offset) * 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(
            self._sleepers, (self.seconds + seconds, next(self._numbers), future)
        )
        await future

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody sleeps."""
        return any(not future.done() for _, _, future in self._sleepers)

    def advance(self, seconds: float) -> None:
        """Move on, and wake whoever waited for that."""
        self.seconds += seconds
        while self._sleepers and self._sleepers[0][0] <= self.seconds:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)
