"""What verification lets through: near misses answered, harmful mutants passed, right tools rejected.

Run: ``python benchmarks/verification_power.py [--mutants 60]``. Mutants are changes at one place of the two
right tools of each of the six shipped classes, by all operators of ``mutation`` in turns, each judged beside
the other right tool; one is harmful if it gives a wrong answer on 300 fresh requests. What guards a tool in
service is not in it: see ``guard_power``.
"""

import argparse
import asyncio
import json
import random
from pathlib import Path

from mutation import CHUNK, ask, is_wrong, mutants
from toolmint.embedded.classes import CLASSES
from toolmint.maker.each import each
from toolmint.maker.near_miss import NearMisses
from toolmint.maker.program import run_tool
from toolmint.maker.verification_input import VerificationInput
from toolmint.maker.verify import verify
from toolmint.sandbox.forkserver import ForkServer

REPLIES = Path(__file__).parent / "replies" / "embedded"
LAST = {"sorting": 2, "meetings": 2}


def source_of(name: str) -> tuple[str, str]:
    """Return a class's right tool and its independent second one."""
    mine = (REPLIES / f"{name}.{LAST.get(name, 1)}.py").read_text()
    return mine, (REPLIES / f"{name}.second.py").read_text()


class Bench:
    """Verification between two sandboxes, with counts of what passes."""

    def __init__(self, sandbox: ForkServer, other: ForkServer) -> None:
        self.sandbox, self.other = sandbox, other

    async def harmful(self, source: str, name: str) -> bool:
        """Return whether a tool gives a wrong answer on fresh requests."""
        rng = random.Random(99)
        requests = [CLASSES[name](rng) for _ in range(300)]
        for start in range(0, len(requests), CHUNK):
            part = requests[start : start + CHUNK]
            runs = await ask(self.sandbox, source, part)
            if any(is_wrong(*pair) for pair in zip(part, runs, strict=True)):
                return True
        return False

    def case(self, source: str, other: str, name: str, seed: int) -> VerificationInput:
        """Return what a making would be tried on."""
        rng = random.Random(seed)
        labelled = tuple(CLASSES[name](rng) for _ in range(10))
        unlabelled = tuple(CLASSES[name](rng).input for _ in range(100))
        return VerificationInput(
            source=source,
            labelled=labelled,
            unlabelled=unlabelled,
            second=other,
            near_misses=100,
            slowest=0.5,
        )

    async def passes(self, source: str, other: str, name: str, seed: int) -> bool:
        """Return whether no stage fails."""
        found = await verify(self.case(source, other, name, seed), self.sandbox, self.other)
        return all(one.verdict != "failed" for one in found)

    async def mutation(self, name: str, most: int) -> dict[str, int]:
        """Count harmful mutants of both right tools, and those that verification lets through."""
        total = {"mutants": 0, "harmful": 0, "harmful_passed": 0}
        for source, other in (source_of(name), source_of(name)[::-1]):
            chosen = [text for _, text in await mutants(self.sandbox, source, most)]
            bad = [text for text in chosen if await self.harmful(text, name)]
            total["mutants"] += len(chosen)
            total["harmful"] += len(bad)
            total["harmful_passed"] += sum([await self.passes(one, other, name, 3) for one in bad])
        return total

    async def near(self, name: str) -> dict[str, int]:
        """Try 300 near misses of requests that verification never saw."""
        source, _ = source_of(name)
        rng = random.Random(1234)
        requests = [CLASSES[name](rng).input for _ in range(40)]
        tried = await each(lambda text: run_tool(self.sandbox, source, text), requests)
        parsed = [(text, one.args) for text, one in zip(requests, tried, strict=True)]
        maker = NearMisses(parsed, seed=77)
        made = maker.make(300)
        found = await each(lambda miss: run_tool(self.sandbox, source, miss.text), made)
        answered = sum(
            one.answer is not None
            and (miss.where == "wording" or not maker.known.slots.suspect(miss.text, one.args))
            for miss, one in zip(made, found, strict=True)
        )
        return {"near_misses": len(made), "answered": answered}

    async def rejected(self, name: str, times: int) -> int:
        """Count how often the right tool is rejected over as many choices of demonstrations."""
        pair = source_of(name)
        return sum([not await self.passes(*pair, name, seed=100 + n) for n in range(times)])


async def main(most: int, times: int) -> None:
    async with ForkServer() as sandbox, ForkServer(hash_seed=1) as other:
        bench = Bench(sandbox, other)
        rows: list[dict[str, object]] = []
        for name in CLASSES:
            row: dict[str, object] = {"class": name, **await bench.near(name)}
            row |= await bench.mutation(name, most)
            row |= {"right_tried": times, "right_rejected": await bench.rejected(name, times)}
            rows.append(row)
            print(json.dumps(row), flush=True)
    total = {key: sum(int(str(row[key])) for row in rows) for key in rows[0] if key != "class"}
    print(json.dumps({"class": "all", **total}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutants", type=int, default=60)
    parser.add_argument("--times", type=int, default=10)
    given = parser.parse_args()
    asyncio.run(main(given.mutants, given.times))
