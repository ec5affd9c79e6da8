"""The same from asynchronous code: every method has a twin with the prefix `a`."""

from pathlib import Path

from toolmint import Toolmint


async def answers(store: Path, requests: list[str]) -> list[str | None]:
    async with Toolmint(store=store) as client:
        one = await client.asolve("Convert 3 miles to km.")
        rest = [result.answer async for result in client.aapply(requests, concurrency=4)]
        return [one.answer, *rest]
