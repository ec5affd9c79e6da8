"""Rates by the minute; what requests at work may still use is reserved."""

import asyncio
import contextlib
from collections.abc import Callable


class RateLimit:
    """A rate a minute: it holds a minute's worth, refills steadily, and may be overdrawn by one request.

    Args:
        rate: a minute.
        clock: seconds.
    """

    def __init__(self, rate: int, clock: Callable[[], float]) -> None:
        self.rate, self._clock = rate, clock
        self._left, self._at = float(rate), clock()
        self._reserved = 0
        self._freed = asyncio.Event()

    def wait(self) -> float:
        """Return the seconds until something may be taken; 0: now. What is reserved does not count."""
        now = self._clock()
        self._left = min(float(self.rate), self._left + (now - self._at) * self.rate / 60)
        self._at = now
        return 0.0 if self._left >= 1 else (1 - self._left) * 60 / self.rate

    def take(self, amount: float) -> None:
        """Take an amount, also more than is left."""
        self._left -= amount

    async def reserve(self, amount: int, seconds: float) -> float:
        """Reserve an amount, also more than is left; wait for what other requests give back.

        Args:
            amount: more than a minute's worth is reserved as that.
            seconds: to wait at most.

        Returns:
            0 where it is reserved; else the seconds after which another try may help.
        """
        if (wait := self._try(amount)) is not None:
            return wait
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    self._freed.clear()
                    await self._freed.wait()
                    if (wait := self._try(amount)) is not None:
                        return wait
        return 1.0

    def _try(self, amount: int) -> float | None:
        """Reserve an amount; return the seconds to wait where none is left, None where it is reserved."""
        if wait := self.wait():
            return wait
        if self._left - self._reserved < 1:
            return None
        self._reserved += self._whole(amount)
        return 0.0

    def give_back(self, amount: int, used: int) -> None:
        """End a reservation of an amount, of which so much was used."""
        self._reserved -= self._whole(amount)
        self.take(used)
        self._freed.set()

    def _whole(self, amount: int) -> int:
        return min(amount, self.rate)
