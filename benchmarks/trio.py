"""The shipped trio: executed success on seen and unseen tools, faults of form, pace, grammar, size.

    python benchmarks/trio.py [--count 60] [--torch] [--trio FOLDER]

Success and counts are exact and repeatable. ``--torch`` lets the torch backend write the same replies too,
``--trio`` takes another one, as `toolwright train shipped` makes it, in place of the shipped one.
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
from rich.progress import track
from rich.table import Table

from toolwright.agent.policy import Sampling, Team
from toolwright.agent.search import React
from toolwright.assembly.uri import model_of
from toolwright.cli.figures import interval
from toolwright.core.messages import ToolSpec
from toolwright.core.model import Model, ModelRequest, ModelResponse
from toolwright.core.task import Trajectory
from toolwright.embedded import trio_path
from toolwright.evaluation.live import Played, run_world, score
from toolwright.models.codec import TokenizerFile
from toolwright.models.grammar import CallGrammars
from toolwright.models.scripted import Overheard
from toolwright.roles.marked import Marked
from toolwright.world.generate import make_tasks
from toolwright.world.tools import Split

FIRST_SEED = 0  # training took seeds from 1,000,000 on
WORDS = 256  # of a reply; no reply of the reference has more
BAD = frozenset({"tool-not-found", "tool-arguments", "no-call"})


class Free:
    """A model that is asked without tools, which takes the grammar away."""

    def __init__(self, model: Model) -> None:
        self.name, self._model = model.name, model

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Ask without them."""
        none: tuple[ToolSpec, ...] = ()
        return await self._model.complete(request.model_copy(update={"tools": none}))


async def play(split: Split, count: int, heard: Overheard) -> tuple[list[Played], list[Trajectory]]:
    team = Team(heard, heard, heard, family=Marked(), sampling=Sampling(max_tokens=WORDS))
    runs: list[Trajectory] = []
    played: list[Played] = []
    for task in track(list(make_tasks(split, count, FIRST_SEED)), f"{split} tools"):
        played += await run_world(
            [task], lambda _: team, React(max_steps=16), done=lambda _a, _b, run: runs.append(run)
        )
    return played, runs


def bad_calls(runs: Sequence[Trajectory]) -> tuple[int, int]:
    results = [result for run in runs for step in run.steps for result in step.results]
    return sum(result.failure in BAD for result in results), len(results)


def pace(played: Sequence[Played]) -> float:
    return statistics.median(one.seconds / one.steps for one in played if one.steps)


async def again(trio: Path, heard: Overheard) -> tuple[int, int, float, float]:
    """Let torch write what the exported graph wrote: how many differ, of how many, both paces."""
    torch_model = model_of(f"local:{trio}")
    asked = heard.heard[:150]
    differ, begun = 0, time.perf_counter()
    for request, reply in asked:
        differ += (await torch_model.complete(request)).content != reply.content
    seconds = time.perf_counter() - begun
    tokens = sum(reply.usage.output_tokens for _, reply in asked)
    return differ, len(asked), tokens / seconds, tokens / sum(reply.seconds for _, reply in asked)


def grammar_cost(trio: Path, heard: Overheard) -> tuple[float, float, float]:
    """Give the milliseconds that a grammar takes to begin, and for a picked token, and the share forced."""
    codec = TokenizerFile(trio)
    config: dict[str, Any] = json.loads((trio / "config.json").read_text(encoding="utf-8"))
    grammars = CallGrammars(codec.text, config["eos_token_id"], config["vocab_size"], hold=True)
    begun = free = 0.0
    replies = picked = forced = 0
    for request, reply in heard.heard:
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
    words = argparse.ArgumentParser()
    words.add_argument("--count", type=int, default=60)
    words.add_argument("--torch", action="store_true")
    words.add_argument("--trio", type=Path, default=trio_path())
    given = words.parse_args()
    table = Table("tools", "grammar", "pass", "solvable", "impossible", "bad calls", "step, median",
                  "tokens a second", title="The trio on ToolWorld: executed (%)")  # fmt: skip
    last: Overheard | None = None
    kinds: tuple[tuple[Split, bool], ...] = (("train", False), ("unseen", False), ("unseen", True))
    for split, free in kinds:
        model = model_of(f"onnx:{given.trio}")
        heard = Overheard(Free(model) if free else model)
        played, runs = await play(split, given.count, heard)
        found, (bad, calls) = score(played), bad_calls(runs)
        table.add_row(
            "seen" if split == "train" else "unseen", "none" if free else "yes", interval(found.pass_rate),
            interval(found.pass_solvable), interval(found.pass_unsolvable), f"{bad} of {calls}",
            f"{1000 * pace(played):.0f} ms", f"{found.usage.output_tokens / found.seconds:.0f}",
        )  # fmt: skip
        last = heard if not free else last
        cached = found.usage.cached_tokens / max(1, found.usage.input_tokens)
        print(f"{split}: {interval(found.pass_rate)} % passed, {bad} of {calls} calls without form; "
              f"{cached:.1%} of prompt tokens came from kept caches", flush=True)  # fmt: skip
    Console(width=150).print(table)
    if last is not None:
        begin, token, share = grammar_cost(given.trio, last)
        print(f"a grammar: {begin:.2f} ms a reply to begin, {token:.3f} ms a token that is picked; "
              f"{share:.0%} of the tokens were forced, at no reading of the model")  # fmt: skip
    size = sum(one.stat().st_size for one in given.trio.iterdir())
    print(f"in the package: {size / 1e6:.1f} MB")
    if given.torch and last is not None:
        differ, asked, torch_pace, pace_here = await again(given.trio, last)
        print(f"torch writes {differ} of {asked} replies otherwise; tokens a second: {torch_pace:.0f} "
              f"with torch, {pace_here:.0f} exported")  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main())
