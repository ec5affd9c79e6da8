"""What verification lets through: near misses answered, harmful mutants passed, right tools rejected.

Run: ``python benchmarks/verification_power.py [--mutants 40]``. Mutants are one-edit changes of the two right
tools of each of the six classes (an operator, a constant, a comparison, a condition, a call, a lost
statement), each judged beside the other right tool; one is harmful if it gives a wrong answer on 300 fresh
requests. Mutation reads source in the sandbox, like everything that reads made code.
"""

import argparse
import asyncio
import json
import random
from pathlib import Path

from toolmint.core.sandbox import FunctionCall, RunLimits, SandboxRun
from toolmint.embedded.classes import CLASSES
from toolmint.maker.each import each
from toolmint.maker.near_miss import NearMisses
from toolmint.maker.program import run_tool
from toolmint.maker.verification_input import VerificationInput
from toolmint.maker.verify import verify
from toolmint.sandbox.forkserver import ForkServer

REPLIES = Path(__file__).parent / "replies" / "embedded"
LAST = {"sorting": 2, "meetings": 2}
MUTATOR = """
import ast, copy
SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.FloorDiv,
         ast.FloorDiv: ast.Mod, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
         ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
         ast.And: ast.Or, ast.Or: ast.And}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list", "reversed": "list",
         "reverse": "sort", "index": "count"}
def edits(node):
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPS:
        yield "op", SWAPS[type(node.op)]()
    if isinstance(node, ast.Compare):
        for n, op in enumerate(node.ops):
            if type(op) in SWAPS:
                yield "ops", [*node.ops[:n], SWAPS[type(op)](), *node.ops[n + 1:]]
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield "value", node.value + 1
        yield "value", node.value - 1
    if isinstance(node, ast.Name) and node.id in NAMES:
        yield "id", NAMES[node.id]
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield "attr", NAMES[node.attr]
    if isinstance(node, ast.If):
        yield "test", ast.UnaryOp(ast.Not(), node.test)
        yield "test", ast.Constant(False)
    if isinstance(node, (ast.IfExp, ast.While)):
        yield "test", ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.Slice) and node.lower is None:
        yield "lower", ast.Constant(1)
    if isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.Add, ast.Mult)):
        yield "left", node.right
    if isinstance(node, ast.Call) and len(node.args) == 2:
        yield "args", node.args[::-1]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
        yield "slice", ast.BinOp(node.slice, ast.Sub(), ast.Constant(1))
    if isinstance(node, (ast.FunctionDef, ast.For, ast.If)):
        for n, line in enumerate(node.body):
            if not isinstance(line, ast.Return) and len(node.body) > 1:
                yield "body", [*node.body[:n], ast.Pass(), *node.body[n + 1:]]
def mutants(source):
    whole = ast.unparse(ast.parse(source))
    found = []
    count = sum(1 for _ in ast.walk(ast.parse(source)))
    for number in range(count):
        k = 0
        while True:
            tree = ast.parse(source)
            node = list(ast.walk(tree))[number]
            options = list(edits(node))
            if k >= len(options):
                break
            name, value = options[k]
            setattr(node, name, value)
            text = ast.unparse(ast.fix_missing_locations(tree))
            if text != whole:
                found.append(text)
            k += 1
    return found
"""


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

        async def wrong(number: int) -> bool:
            one = requests[number]
            found = await run_tool(self.sandbox, source, one.input, RunLimits(seconds=0.5))
            return found.answer is not None and found.answer != one.target

        for start in range(0, len(requests), 30):
            if any(await each(wrong, range(start, start + 30))):
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
            run = SandboxRun(
                source=MUTATOR,
                calls=(FunctionCall(function="mutants", arguments=(source,)),),
                limits=RunLimits(seconds=20),
            )
            found = (await self.sandbox.run(run)).value[0]
            every = sorted({str(text) for text in found}) if isinstance(found, list) else []
            chosen = random.Random(1).sample(every, min(most, len(every)))
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
