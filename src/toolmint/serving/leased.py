"""Runs an action under a lease that is prolonged while it runs."""

import asyncio
import contextlib
from collections.abc import Awaitable

from toolmint.core.errors import StoreError
from toolmint.core.store import Lease
from toolmint.core.traffic import LiveStore


async def while_leased(
    live: LiveStore, lease: Lease, seconds: float, work: Awaitable[None]
) -> None:
    """Run an action while its lease is prolonged; losing the lease cancels it.

    A process that stalls (a suspended machine, a full disk) loses its lease to another one. It must not go
    on then, or two tools of one class would be stored.

    Raises:
        StoreError: the lease lapsed.
    """
    doing = asyncio.ensure_future(work)
    lost = False

    async def prolong() -> None:
        nonlocal lost
        while True:
            await asyncio.sleep(seconds / 3)
            if not await live.renew(lease, seconds):
                lost = True
                doing.cancel()

    heart = asyncio.create_task(prolong())
    try:
        await doing
    except asyncio.CancelledError:
        if not lost:
            raise
        raise StoreError(f"the lease {lease.name!r} lapsed", code="lease-lost") from None
    finally:
        heart.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await heart
