"""What many scopes cost: look-ups a second with 10 and with 10,000 scopes, and bytes a scope.

Run with ``python -m benchmarks.scopes``. A look-up is what each request does before it passes on: its
tool server is found, and asked. Nothing is served over HTTP, so that the difference shows.
"""

import argparse
import asyncio
import gc
import tempfile
import time
import tracemalloc
from pathlib import Path

from toolmint.core.namespace import Namespace
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.lifecycle import ServingPolicy
from toolmint.serving.servers import Storage, ToolServers
from toolmint.store.sql import SqlStore

TEXT = "How many of the 12 apples are red?"


async def rates(servers: ToolServers, scopes: int, lookups: int) -> tuple[float, float]:
    """Return scopes opened a second, and look-ups a second over all of them in turn."""
    spaces = [Namespace("acme", f"{number:012x}") for number in range(scopes)]
    begun = time.perf_counter()
    for space in spaces:
        await servers.of(space)
    opened = time.perf_counter()
    for number in range(lookups):
        server = await servers.of(spaces[number % scopes])
        await server.lookup(TEXT)
    return scopes / (opened - begun), lookups / (time.perf_counter() - opened)


async def main(scopes: int, lookups: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore.open(Path(folder) / "tools.db")
        storage = Storage(store, store.live, store.traffic, store.traffic)
        async with ForkServer() as sandbox:
            for number in (10, scopes):
                servers = ToolServers(storage, sandbox, ServingPolicy())
                await servers.refresh()
                gc.collect()
                tracemalloc.start()
                before, _ = tracemalloc.get_traced_memory()
                await rates(servers, number, 0)
                gc.collect()
                size = (tracemalloc.get_traced_memory()[0] - before) / number
                tracemalloc.stop()
                servers = ToolServers(storage, sandbox, ServingPolicy())
                await servers.refresh()
                opened, looked = await rates(servers, number, lookups)
                began = time.perf_counter()
                await servers.refresh()
                refreshed = time.perf_counter() - began
                print(
                    f"{number:6,} scopes: {looked:9,.0f} look-ups a second, {opened:7,.0f} opened a "
                    f"second, {size:6,.0f} bytes each, {1000 * refreshed:.2f} ms a refresh"
                )
        store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scopes", type=int, default=10_000)
    parser.add_argument("--lookups", type=int, default=100_000)
    given = parser.parse_args()
    asyncio.run(main(given.scopes, given.lookups))
