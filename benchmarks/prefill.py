"""Prompt tokens that must be read a step: no cache, a cache for each role, and one that all roles share.

    python benchmarks/prefill.py [--data DIR] [--replies 60]

Counts are of the static ToolBench trajectories, each step with the gold history, in the shipped tokenizer.
Then the shipped trio plays ToolWorld with kept caches and without; how many replies differ is counted.
"""

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.agent.react import ReACT
from toolmint.assembly.settings import load_settings
from toolmint.assembly.uri import TRIO, model_of
from toolmint.core.task import Step, Trajectory
from toolmint.embedded import trio_path
from toolmint.models.codec import TokenizerFile
from toolmint.models.onnx import onnx_model
from toolmint.models.scripted import ObservedModel
from toolmint.roles.marked import Marked, call_text
from toolmint.roles.reading import Plan
from toolmint.roles.view import AgentRole, View
from toolmint.training.readers import read_file
from toolmint.world.generate import make_tasks
from toolmint.world.players import play_task

STATIC = Path("toolbench/static_out_of_domain_first120.json")


def turns(run: Trajectory) -> Iterator[tuple[AgentRole, str, str]]:
    """Yield role, prompt and reply of every turn that the test scores."""
    family, path = Marked(), run.path()
    for place, step in enumerate(path):
        if step.decision is None:
            continue
        view = View(run.task, path[:place], step.hints)
        plan = Plan(thought=step.thought, decision=step.decision)
        yield "planner", family.prompt("planner", view).text, step.thought
        if step.decision != "give_up":
            role: AgentRole = "caller" if step.decision == "call" else "summarizer"
            prompt = family.prompt(role, view._replace(plan=plan)).text
            yield role, prompt, reply_of(step, run)


def reply_of(step: Step, run: Trajectory) -> str:
    return step.answer or "".join(call_text(call, run.task.tools) for call in step.calls)


def common(one: list[int], other: list[int]) -> int:
    least = min(len(one), len(other))
    return next((at for at in range(least) if one[at] != other[at]), least)


def count(runs: list[Trajectory]) -> tuple[int, dict[str, int]]:
    """Return the steps, and the prompt tokens read by each kind of cache."""
    codec = TokenizerFile(trio_path())
    read = {"none": 0, "one a role": 0, "shared": 0}
    steps = 0
    for run in track(runs, "static trajectories"):
        last: dict[str, list[int]] = {}
        for role, prompt, reply in turns(run):
            ids = codec.encode(prompt)
            whole = ids + codec.encode(reply)
            read["none"] += len(ids)
            read["one a role"] += len(ids) - common(last.get(role, []), ids)
            read["shared"] += len(ids) - common(last.get("", []), ids)
            last[role] = last[""] = whole
            steps += role == "planner"
    return steps, read


async def differing(replies: int) -> tuple[int, int]:
    """Return how many replies a model without caches writes otherwise, and of how many."""
    kept = ObservedModel(model_of(TRIO))
    policy = ThreeRolePolicy(kept, kept, kept, family=Marked(), sampling=Sampling(max_tokens=160))
    for task in make_tasks("unseen", 30):
        await play_task(task, policy, ReACT(max_steps=16))
        if len(kept.exchanges) >= replies:
            break
    parsed = kept.exchanges[:replies]
    differ = 0
    for request, reply in track(parsed, "replies without caches"):
        fresh = await onnx_model(trio_path()).complete(request)
        differ += fresh.content != reply.content
    return differ, len(parsed)


async def main() -> None:
    words = argparse.ArgumentParser()
    data = load_settings().data
    words.add_argument("--data", type=Path, default=data, required=data is None)
    words.add_argument("--replies", type=int, default=60)
    given = words.parse_args()
    path: Path = given.data / STATIC
    if path.is_file():
        steps, read = count(list(read_file(path)))
        table = Table(
            "cache", "prompt tokens a step", "against none", title=f"{steps} static steps"
        )
        for kind, tokens in read.items():
            table.add_row(kind, f"{tokens / steps:.0f}", f"{read['none'] / tokens:.2f}")
        Console().print(table)
    differ, replies = await differing(given.replies)
    print(f"replies without caches that differ: {differ} of {replies}")


if __name__ == "__main__":
    asyncio.run(main())
