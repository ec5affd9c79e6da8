"""Do one thing for each of many, side by side; the first fault ends all."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


async def each(
    action: Callable[[A], Awaitable[B]], items: Iterable[A], *, most: int = 8
) -> list[B]:
    """Give the results in the order of the items, running at most ``most`` at once."""
    slots = asyncio.Semaphore(most)

    async def one(item: A) -> B:
        async with slots:
            return await action(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from faults
    return [task.result() for task in tasks]
