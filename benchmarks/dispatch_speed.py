"""Dispatch, parse, unparse, solve and render of one request, with 10 to 100,000 classes known.

Run: ``python benchmarks/dispatch_speed.py``. The extra classes have wordings of their own, made of 3,000
words; the requests are those of the shipped classes, served by the tools of the bundled cassette.
"""

import asyncio
import json
import random
import tempfile
import time
from pathlib import Path

from sandbox_speed import bare_fork_ms
from toolmint.assembly.demo import arrivals_of, demo_session, recorded_maker, run_stream
from toolmint.assembly.session import Session
from toolmint.embedded import cassette_path
from toolmint.embedded.classes import CLASSES

SIZES = (10, 1_000, 100_000)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def extra_class(rng: random.Random, words: list[str]) -> list[str]:
    """Return three requests of a made-up class: fixed wording with two slots."""
    wording = [rng.choice(words) for _ in range(rng.randint(8, 20))]
    return [
        " ".join([*wording[:5], str(rng.randrange(99)), *wording[5:], rng.choice(words)])
        for _ in range(3)
    ]


def milliseconds(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 3),
        "p99_ms": round(ordered[int(0.99 * len(ordered))] * 1000, 3),
    }


async def measure(client: Session, size: int) -> dict[str, object]:
    classes = (await client.solver.server()).classes
    rng = random.Random(5)
    words = ["".join(rng.choice(LETTERS) for _ in range(rng.randint(3, 9))) for _ in range(3000)]
    while len(classes) < size:
        for text in extra_class(rng, words):
            classes.learn(f"extra-{len(classes)}", text)
    requests = [CLASSES[name](rng) for _ in range(100) for name in CLASSES]
    ranking: list[float] = []
    for one in requests:
        started = time.perf_counter()
        classes.rank(one.input, most=3, least=0.0)
        ranking.append(time.perf_counter() - started)
    paced: list[float] = []
    for one in requests[:300]:
        await asyncio.sleep(0.01)
        started = time.perf_counter()
        await client.solve(one.input)
        paced.append(time.perf_counter() - started)
    whole: list[float] = []
    wrong = has_parser = 0
    for one in requests:
        started = time.perf_counter()
        found = await client.solve(one.input)
        whole.append(time.perf_counter() - started)
        wrong += found.answer != one.target
        has_parser += bool(found.served and found.served.tier == "code")

    async def worker(part: int) -> None:
        for one in requests[part::4]:
            await client.solve(one.input)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for part in range(4):
            group.create_task(worker(part))
    rate = len(requests) / (time.perf_counter() - started)
    return {
        "classes": len(classes),
        "dispatch": milliseconds(ranking),
        "paced_request": milliseconds(paced),
        "request": milliseconds(whole),
        "requests_per_second": round(rate),
        "code": f"{has_parser} of {len(requests)}",
        "wrong": wrong,
    }


async def main() -> None:
    print(json.dumps({"bare_fork_ms": round(bare_fork_ms(), 3)}))
    arrivals = arrivals_of(150)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "tools.db"
        maker = recorded_maker(cassette_path())
        async with demo_session(arrivals, maker, lambda _: None, store) as client:
            async for _ in run_stream(client, arrivals):
                pass
            client.solver.without_strong()
            for size in SIZES:
                print(json.dumps(await measure(client, size)))


if __name__ == "__main__":
    asyncio.run(main())
