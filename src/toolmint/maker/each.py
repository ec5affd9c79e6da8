"""Runs an action for many items concurrently; the first error cancels the rest."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

_A = TypeVar("_A")
_B = TypeVar("_B")


async def each(
    action: Callable[[_A], Awaitable[_B]], items: Iterable[_A], *, most: int = 8
) -> list[_B]:
    """Return the results in the order of the items, with at most ``most`` actions at once.

    Raises:
        Exception: the first error of an action itself, not an ``ExceptionGroup``, so that callers can
            catch the errors of this package.
    """
    slots = asyncio.Semaphore(most)

    async def one(item: _A) -> _B:
        async with slots:
            return await action(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from faults
    return [task.result() for task in tasks]
