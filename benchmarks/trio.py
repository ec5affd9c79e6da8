"""The bundled trio: executed success on seen and unseen tools, faults of form, pace, grammar, size.

    python benchmarks/trio.py [--count 60] [--torch] [--trio FOLDER]

Success and counts are exact and repeatable. ``--torch`` lets the torch backend write the same replies too,
``--trio`` takes another one, as `toolmint train bundled` makes it, in place of the bundled one.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.agent.react import ReACT
from toolmint.assembly.uri import model_of
from toolmint.core.messages import ToolSpec
from toolmint.core.model import Model, ModelRequest, ModelResponse, Usage
from toolmint.core.task import Trajectory
from toolmint.embedded import trio_path
from toolmint.evaluation.benchmark import Row
from toolmint.evaluation.runner import RunConfig, run
from toolmint.evaluation.toolworld import PlayerSolver, ToolWorld
from toolmint.models.codec import TokenizerFile
from toolmint.models.grammar import CallGrammars
from toolmint.models.scripted import ObservedModel
from toolmint.roles.marked import Marked
from toolmint.world.generate import make_tasks
from toolmint.world.tools import Split

FIRST_TASK_SEED = 0  # training took seeds from 1,000,000 on
MAX_TOKENS = 256  # of a reply; no reply of the reference has more
BAD = frozenset({"tool-not-found", "tool-arguments", "no-call"})


class Free:
    """A model that is asked without tools, which takes the grammar away."""

    def __init__(self, model: Model) -> None:
        self.name, self._model = model.name, model

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Ask without them."""
        none: tuple[ToolSpec, ...] = ()
        return await self._model.complete(request.model_copy(update={"tools": none}))


async def play(split: Split, count: int, observed: ObservedModel) -> tuple[ToolWorld, list[Row]]:
    policy = ThreeRolePolicy(
        observed, observed, observed, family=Marked(), sampling=Sampling(max_tokens=MAX_TOKENS)
    )
    benchmark = ToolWorld(list(make_tasks(split, count, FIRST_TASK_SEED)))
    solver = PlayerSolver(lambda _: policy, ReACT(max_steps=16))
    config = RunConfig(concurrency=1, trajectories=True)
    with Progress() as progress:
        bar = progress.add_task(f"{split} tools", total=count)
        rows = await run(
            benchmark,
            solver,
            config=config,
            observe=lambda state: progress.update(bar, completed=state.done),
        )
    return benchmark, rows


def bad_calls(runs: Sequence[Trajectory]) -> tuple[int, int]:
    results = [result for run in runs for step in run.steps for result in step.results]
    return sum(result.failure in BAD for result in results), len(results)


def pace(rows: Sequence[Row]) -> float:
    steps = [(row.seconds, row.measures.get("steps", 0)) for row in rows]
    return statistics.median(seconds / count for seconds, count in steps if count)


async def again(trio: Path, observed: ObservedModel) -> tuple[int, int, float, float]:
    """Let torch write what the exported graph wrote: how many differ, of how many, both paces."""
    torch_model = model_of(f"local:{trio}")
    exchanges = observed.exchanges[:150]
    differ, begun = 0, time.perf_counter()
    for request, reply in exchanges:
        differ += (await torch_model.complete(request)).content != reply.content
    seconds = time.perf_counter() - begun
    tokens = sum(reply.usage.output_tokens for _, reply in exchanges)
    return (
        differ,
        len(exchanges),
        tokens / seconds,
        tokens / sum(reply.seconds for _, reply in exchanges),
    )


def grammar_cost(trio: Path, observed: ObservedModel) -> tuple[float, float, float]:
    """Return the milliseconds that a grammar takes to begin, and for a picked token, and the share forced."""
    codec = TokenizerFile(trio)
    config: dict[str, Any] = json.loads((trio / "config.json").read_text(encoding="utf-8"))
    grammars = CallGrammars(
        codec.text, config["eos_token_id"], config["vocab_size"], copy_constraint=True
    )
    begun = free = 0.0
    replies = picked = forced = 0
    for request, reply in observed.exchanges:
        started = time.perf_counter()
        guide = grammars.guide(request)
        begun += time.perf_counter() - started
        if guide is None:
            continue
        replies += 1
        ids = codec.encode(reply.content)
        started = time.perf_counter()
        place = len(guide.forced())
        forced += place
        while place < len(ids):
            guide.allowed()
            follow = len(guide.take(ids[place]))
            place, picked, forced = place + 1 + follow, picked + 1, forced + follow
        free += time.perf_counter() - started
    return 1000 * begun / replies, 1000 * free / picked, forced / (picked + forced)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--torch", action="store_true")
    parser.add_argument("--trio", type=Path, default=trio_path())
    given = parser.parse_args()
    table = Table(
        "tools",
        "grammar",
        "pass",
        "solvable",
        "impossible",
        "bad calls",
        "step, median",
        "tokens a second",
        title="The trio on ToolWorld: executed (%)",
    )
    last: ObservedModel | None = None
    kinds: tuple[tuple[Split, bool], ...] = (("train", False), ("unseen", False), ("unseen", True))
    for split, free in kinds:
        model = model_of(f"onnx:{given.trio}")
        observed = ObservedModel(Free(model) if free else model)
        benchmark, rows = await play(split, given.count, observed)
        bad, calls = bad_calls([row.trajectory for row in rows if row.trajectory is not None])
        cells = benchmark.summary(rows).sections[0].lines[0].cells
        used = sum((row.usage for row in rows), start=Usage())
        seconds = sum(row.seconds for row in rows)
        table.add_row(
            "seen" if split == "train" else "unseen",
            "none" if free else "yes",
            str(cells["passed"]),
            str(cells["solvable"]),
            str(cells["impossible"]),
            f"{bad} of {calls}",
            f"{1000 * pace(rows):.0f} ms",
            f"{used.output_tokens / seconds:.0f}",
        )
        last = observed if not free else last
        cached = used.cached_tokens / max(1, used.input_tokens)
        print(
            f"{split}: {cells['passed']} % passed, {bad} of {calls} calls without form; "
            f"{cached:.1%} of prompt tokens came from kept caches",
            flush=True,
        )
    Console(width=150).print(table)
    if last is not None:
        begin, token, share = grammar_cost(given.trio, last)
        print(
            f"a grammar: {begin:.2f} ms a reply to begin, {token:.3f} ms a token that is picked; "
            f"{share:.0%} of the tokens were forced, at no reading of the model"
        )
    size = sum(one.stat().st_size for one in given.trio.iterdir())
    print(f"in the package: {size / 1e6:.1f} MB")
    if given.torch and last is not None:
        differ, exchanges, torch_pace, pace_here = await again(given.trio, last)
        print(
            f"torch writes {differ} of {exchanges} replies otherwise; tokens a second: {torch_pace:.0f} "
            f"with torch, {pace_here:.0f} exported"
        )


if __name__ == "__main__":
    asyncio.run(main())
