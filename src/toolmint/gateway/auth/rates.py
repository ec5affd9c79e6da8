"""Rates by the minute: what requests use is taken from buckets that all gateways of a store share."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from toolmint.core.errors import StoreError, ToolmintError, aboundary
from toolmint.core.rates import (
    Bucket,
    RateChange,
    RateGrant,
    RateKind,
    RateRequest,
    RateStore,
    refilled,
    taken,
)
from toolmint.gateway.http_errors import internal_error

_POLL_SECONDS = 0.25
"""How often a request that waits asks again, where nobody here gave anything back."""
_MOST_AHEAD = 64
_MOST_CHANGES = 50_000


@dataclass
class _Ahead:
    """Requests of a rate that this gateway has taken ahead of need, and may let pass at once.

    ``closed``: until this time of the loop nothing is left anywhere. One request at a time asks for more.
    """

    rate: int
    left: int = 0
    closed: float = 0.0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rates:
    """Takes parts of rates for requests.

    Requests are taken a second's worth at a time, so that not each of them asks the store. While the store
    is away each gateway keeps buckets of its own.

    Args:
        store: decides over all gateways.
        clock: seconds, for the buckets of its own.
    """

    def __init__(self, store: RateStore, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._ahead: dict[str, _Ahead] = {}
        self._own: dict[tuple[str, RateKind], Bucket] = {}
        self._reserved: dict[str, int] = {}
        self._asks: list[tuple[RateRequest, asyncio.Future[RateGrant]]] = []
        self._changes: list[RateChange] = []
        self._freed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def request(self, key: str, rate: int) -> float:
        """Take one request; return 0, or the seconds after which another try may help."""
        ahead = self._ahead.get(key)
        if ahead is None or ahead.rate != rate:
            ahead = self._ahead[key] = _Ahead(rate)
        if ahead.left == 0:
            async with ahead.asking:
                if ahead.left == 0 and (wait := await self._more(key, ahead)):
                    return wait
        ahead.left -= 1
        return 0.0

    async def _more(self, key: str, ahead: _Ahead) -> float:
        """Take requests ahead; return 0, or the seconds to wait where none is left."""
        now = asyncio.get_running_loop().time()
        if ahead.closed > now:
            return ahead.closed - now
        second = min(_MOST_AHEAD, -(-ahead.rate // 60))
        grant = await self._ask(RateRequest(key, "requests", ahead.rate, second, partly=True))
        ahead.left += grant.amount
        if not grant.amount:
            ahead.closed = now + grant.wait
        return grant.wait

    async def reserve_tokens(self, key: str, rate: int, amount: int, seconds: float) -> float:
        """Take tokens that a request may use, a minute's worth at most, also more than is left.

        Args:
            key: its id.
            rate: tokens a minute.
            amount: of tokens.
            seconds: to wait at most for what other requests of the key give back here.

        Returns:
            0 where they are taken; else the seconds after which another try may help.
        """
        asked = RateRequest(key, "tokens", rate, min(max(1, amount), rate))
        grant = await self._ask(asked)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not grant.amount and self._reserved.get(key):
                    self._freed.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_POLL_SECONDS):
                            await self._freed.wait()
                    grant = await self._ask(asked)
        if not grant.amount:
            return grant.wait
        self._reserved[key] = self._reserved.get(key, 0) + 1
        return 0.0

    def release_tokens(self, key: str, rate: int, amount: int, used: int) -> None:
        """End a reservation of an amount of tokens, of which so much was used."""
        left = self._reserved.get(key, 0) - 1
        if left > 0:
            self._reserved[key] = left
        else:
            self._reserved.pop(key, None)
        back = min(max(1, amount), rate) - used
        own = self._own.get((key, "tokens"))
        if own is not None:
            self._own[key, "tokens"] = own._replace(left=own.left + back)
        if back:
            self._change(RateChange(key, "tokens", back))
        self._freed.set()

    async def flush(self) -> None:
        """Write what has been given back. While the store is away it waits."""
        changes, self._changes = self._changes, []
        if changes:
            with contextlib.suppress(StoreError):
                await self._exchange([], changes)

    async def close(self) -> None:
        """Return to the store what was taken ahead."""
        for key, ahead in self._ahead.items():
            if ahead.left:
                self._change(RateChange(key, "requests", ahead.left))
        self._ahead.clear()
        await self.flush()

    def forget(self, known: set[str]) -> None:
        """Forget what is kept here of keys that are gone."""
        for key in self._ahead.keys() - known:
            del self._ahead[key]
        for place in [place for place in self._own if place[0] not in known]:
            del self._own[place]

    def _change(self, change: RateChange) -> None:
        self._changes.append(change)
        del self._changes[:-_MOST_CHANGES]  # a bucket refills by itself where one is lost

    async def _ask(self, request: RateRequest) -> RateGrant:
        """Return what the store grants; those that ask at once share a transaction."""
        done: asyncio.Future[RateGrant] = asyncio.get_running_loop().create_future()
        self._asks.append((request, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="rates")
        return await done

    async def _work(self) -> None:
        while self._asks:
            asks, self._asks = self._asks, []
            changes, self._changes = self._changes, []
            wanted = [request for request, _ in asks]
            try:
                grants = await aboundary(self._decide(wanted, changes), internal_error)
            except ToolmintError as fault:
                for _, done in asks:
                    if not done.done():
                        done.set_exception(fault)
                continue
            for (request, done), grant in zip(asks, grants, strict=True):
                if not done.done():
                    done.set_result(grant)
                elif grant.amount:  # its client has gone meanwhile
                    self._change(RateChange(request.key, request.kind, grant.amount))

    async def _decide(
        self, asked: list[RateRequest], changes: list[RateChange]
    ) -> Sequence[RateGrant]:
        try:
            grants = await self._exchange(asked, changes)
        except StoreError:
            return [self._by_memory(one) for one in asked]
        for one in asked:
            self._own.pop((one.key, one.kind), None)
        return grants

    async def _exchange(
        self, asked: list[RateRequest], changes: list[RateChange]
    ) -> Sequence[RateGrant]:
        try:
            return await self._store.take_rates(asked, changes)
        except StoreError:
            self._changes = [*changes, *self._changes]
            raise

    def _by_memory(self, asked: RateRequest) -> RateGrant:
        place = asked.key, asked.kind
        bucket = refilled(self._own.get(place), asked.rate, self._clock())
        self._own[place], grant = taken(bucket, asked)
        return grant
