"""How fast the measures are: static scoring at the size of the whole test, worlds, proofs, retrieval.

Run: ``python benchmarks/measures_speed.py [DATA]``. Without DATA or TOOLMINT_DATA only ToolWorld is measured.
"""

import json
import sys
import time
from pathlib import Path

from toolmint.assembly.settings import load_settings
from toolmint.core.messages import ToolSpec
from toolmint.core.task import Step
from toolmint.evaluation.compat import score_compat
from toolmint.evaluation.static_steps import StepPair, gold_of, read_step, scored_steps
from toolmint.evaluation.strict import score_strict
from toolmint.roles.toolbench import decode_conversation, utterances_of_step
from toolmint.tools.retrieve import Retriever
from toolmint.world.generate import make_tasks
from toolmint.world.prover import prove
from toolmint.world.state import WorldState

STEPS = 1547


def step_text(step: Step) -> str:
    """Write a step as the official code does: ``kind: text</s>`` each turn, hints and results left out."""
    said = [one for one in utterances_of_step(step) if one[0] not in {"user", "observation"}]
    return "".join(f"{kind}: {text}</s>" for kind, text in said)


def static(data: Path) -> None:
    """Score 1,547 steps: the real ones, each predicted by the next step's text of its kind."""
    items = json.loads(
        (data / "toolbench/static_out_of_domain_first120.json").read_text(encoding="utf-8")
    )
    found = [
        (number, trajectory, step)
        for number, trajectory in enumerate(map(decode_conversation, items))
        for step in scored_steps(trajectory)
    ]
    texts = [step_text(step) for _, _, step in found]
    lines = [
        (
            number,
            tuple(tool.name for tool in trajectory.task.tools),
            gold_of(step),
            texts[(place + 3) % len(texts)],
        )
        for place, (number, trajectory, step) in enumerate(found)
    ]
    lines = (lines * (STEPS // len(lines) + 1))[:STEPS]
    start = time.perf_counter()
    pairs = [StepPair(number, tools, gold, read_step(text)) for number, tools, gold, text in lines]
    score_compat(pairs)
    compat = time.perf_counter()
    score_strict(pairs)
    strict = time.perf_counter()
    took = f"compat {compat - start:.3f} s, strict with 1,000 resamples {strict - compat:.3f} s"
    print(f"{len(pairs)} steps: {took}")


def world(count: int = 10_000) -> None:
    """Make and prove tasks."""
    start = time.perf_counter()
    tasks = list(make_tasks("train", count))
    made = time.perf_counter()
    print(f"{count:,} tasks made and proved: {made - start:.1f} s")
    again = sum(
        (
            prove(
                task.goals, task.world_tools(), WorldState(task.records, task.deeds), task.dead
            ).calls
            is not None
        )
        == task.solvable
        for task in tasks
    )
    print(f"proved anew: {again:,} as they claim, {time.perf_counter() - made:.1f} s")


def retrieval(data: Path) -> None:
    """Print the recall of the needed tools among 4,076."""
    specs: list[ToolSpec] = []
    for line in (data / "seal_tools/tool.jsonl").read_text(encoding="utf-8").strip().split("\n"):
        one = json.loads(line)
        fields = {
            name: {"description": about["description"]} for name, about in one["parameters"].items()
        }
        document = {"name": one["api_name"], "description": one["api_description"]}
        specs.append(ToolSpec.model_validate(document | {"parameters": {"properties": fields}}))
    start = time.perf_counter()
    retriever = Retriever(specs)
    built = time.perf_counter()
    queries = [
        json.loads(line)
        for line in (data / "seal_tools/dev.jsonl").read_text(encoding="utf-8").strip().split("\n")
    ]
    recalls: dict[int, list[float]] = {1: [], 5: [], 10: []}
    for one in queries:
        gold = {call["api"] for call in one["calling"]}
        ranked = [found.spec.name for found in retriever.rank(one["query"], 10)]
        for most, values in recalls.items():
            values.append(len(gold & set(ranked[:most])) / len(gold))
    took = (time.perf_counter() - built) / len(queries)
    figures = ", ".join(
        f"recall@{most} {sum(values) / len(values):.1%}" for most, values in recalls.items()
    )
    print(f"retrieval, {len(specs):,} tools, {len(queries)} queries: {figures}")
    print(f"index {built - start:.2f} s, a query {1000 * took:.2f} ms")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else load_settings().data
    if folder is not None:
        static(folder)
        retrieval(folder)
    world()
