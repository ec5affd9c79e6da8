"""One cell of the training experiments, in a process of its own: train by one method, then measure.

    python benchmarks/glpft_cell.py CELL.json FOLDER

Writes ``FOLDER/cell.json``; a folder that has it is not run again, one that was broken off goes on.
"""

import asyncio
import json
import resource
import statistics
import sys
from pathlib import Path
from typing import Any, Literal

import torch

from glpft_tasks import HELD_OUT_SEED, TRAIN_SEED, reference_runs
from toolmint.agent.dfsdt import DFSDT
from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.agent.react import ReACT
from toolmint.agent.tree import Search
from toolmint.assembly.uri import model_of
from toolmint.core.messages import Frozen
from toolmint.core.model import Model
from toolmint.evaluation.compat import score_compat
from toolmint.evaluation.runner import RunConfig, run
from toolmint.evaluation.toolbench import StaticToolBench, StepSolver
from toolmint.evaluation.toolworld import PlayerSolver, ToolWorld
from toolmint.roles.marked import Marked
from toolmint.roles.view import AgentRole
from toolmint.training.decoder import load_model
from toolmint.training.export import export
from toolmint.training.glpft import train
from toolmint.training.recipes import Method, Recipe, Stage
from toolmint.training.samples import IGNORED, TRAINED_ROLES, Sample, sample_of
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_tasks
from toolmint.world.tools import Split

CONTEXT = 2048
GRAPH = "decoder.onnx"
Budget = Literal["compute", "epochs"]


class Cell(Frozen):
    """What is trained and measured.

    ``budget``: one model has as many passes over the data as a trio's stages together (equal compute), or
    as many as each part of a trio (equal epochs).
    """

    method: Method
    reuse: bool = True
    budget: Budget = "compute"
    seed: int = 0
    size: int = 300
    tasks: int = 60
    static: int = 25
    base: str = ""
    scaling: bool = False

    @property
    def name(self) -> str:
        """Return the folder's name."""
        kept = "" if self.reuse else "-without-reuse"
        passes = "" if self.budget == "compute" else "-equal-epochs"
        return f"{self.method}{kept}{passes}-{self.size}-{self.seed}"


def recipe_of(cell: Cell) -> Recipe:
    """Return the paper's shape of stages: 2 passes for the backbone, then 1, 1 and 2."""
    one = {"single": 6.0 if cell.budget == "compute" else 2.0}.get(cell.method, 2.0)
    twice = 1 if cell.reuse else 2  # each half is read twice as often, for the same compute
    whole = Stage(name="backbone", roles=TRAINED_ROLES, learning_rate=5e-4, epochs=one * twice)
    rate = 5e-4 if cell.method == "multi" else 2e-4
    passes = {"planner": 1.0, "caller": 1.0, "summarizer": 2.0}
    local = tuple(
        Stage(
            name=role,
            roles=(role,),
            learning_rate=rate,
            warmup=0.05,
            epochs=2.0 if cell.method == "multi" else passes[role] * twice,
        )
        for role in TRAINED_ROLES
    )
    return Recipe(
        method=cell.method,
        global_stage=whole,
        local_stages=local,
        batch=10,
        context=CONTEXT,
        seed=cell.seed,
        reuse=cell.reuse,
        save_steps=10_000,
        copy_constraint=True,
    )


def parts(folder: Path, cell: Cell) -> dict[AgentRole, Path]:
    """Return each role's model."""
    return {
        role: folder / ("backbone" if cell.method == "single" else role) for role in TRAINED_ROLES
    }


def role_losses(model: Path, samples: list[Sample]) -> dict[str, float]:
    """Return a model's mean loss a token on each role's words."""
    decoder: Any = load_model(model).eval()
    found: dict[str, float] = {}
    with torch.inference_mode():
        for role in TRAINED_ROLES:
            total = count = 0.0
            for sample in samples:
                labels = torch.tensor(sample.labels({role}))[1:]
                logits = decoder(input_ids=torch.tensor([list(sample.ids)])).logits[0, :-1]
                total += float(
                    torch.nn.functional.cross_entropy(
                        logits.float(), labels, ignore_index=IGNORED, reduction="sum"
                    )
                )
                count += int((labels != IGNORED).sum())
            found[role] = total / max(1.0, count)
    return found


def policy_of_run(folder: Path, cell: Cell) -> ThreeRolePolicy:
    """Return the trained policy on the embedded runtime."""
    models: dict[Path, Model] = {}
    for part in set(parts(folder, cell).values()):
        export(part, part / GRAPH)
        models[part] = model_of(f"onnx:{part}")
    planner, caller, summarizer = (models[parts(folder, cell)[role]] for role in TRAINED_ROLES)
    return ThreeRolePolicy(
        planner, caller, summarizer, family=Marked(), sampling=Sampling(max_tokens=256)
    )


async def play(
    policy: ThreeRolePolicy, split: Split, cell: Cell, search: Search
) -> list[dict[str, Any]]:
    tasks = list(make_tasks(split, cell.tasks, HELD_OUT_SEED))
    solver = PlayerSolver(lambda _: policy, search)
    rows = await run(ToolWorld(tasks), solver, config=RunConfig(concurrency=1))
    return [
        {"task": row.id, "outcome": row.outcome, "passed": row.passed("passed")}
        | {"steps": row.measures.get("steps", 0), "seconds": row.seconds}
        | {"usage": row.usage.model_dump(mode="json")}
        for row in rows
    ]


async def static(policy: ThreeRolePolicy, split: Split, cell: Cell) -> dict[str, float | None]:
    """Score teacher-forced steps on reference runs, by the official metrics."""
    runs = await asyncio.to_thread(reference_runs, split, cell.static, HELD_OUT_SEED + 5000)
    steps = StaticToolBench(runs, floors=False)
    rows = await run(steps, StepSolver(policy), config=RunConfig(concurrency=1))
    found = score_compat(steps.pairs(rows))
    return {
        "plan_acc": found.plan_acc,
        "act_em": found.act_em,
        "hallucination": found.hallucination,
        "arg_f1": found.arg_f1,
        "rouge_l": found.rouge_l,
    }


async def measured(folder: Path, cell: Cell) -> dict[str, Any]:
    policy = policy_of_run(folder, cell)
    found: dict[str, Any] = {}
    sides: tuple[Split, ...] = ("unseen",) if cell.scaling else ("train", "unseen")
    for side in sides:
        played = await play(policy, side, cell, ReACT(max_steps=16))
        if cell.scaling:
            return {side: {"react": played}}
        searched = (
            await play(policy, side, cell, DFSDT(width=2, max_steps=16, queries=60))
            if cell.seed == 0
            else []
        )
        found[side] = {
            "static": await static(policy, side, cell),
            "react": played,
            "dfsdt": searched,
            "step_ms": 1000
            * statistics.median(one["seconds"] / one["steps"] for one in played if one["steps"]),
        }
    return found


def main() -> None:
    cell = Cell.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder, base = Path(sys.argv[2]), Path(cell.base)
    if (folder / "cell.json").is_file():
        return
    words = Tokenizer.load(base / "tokenizer.json")
    begin = TRAIN_SEED + 10_000 * cell.seed
    samples = [sample_of(run, words, CONTEXT) for run in reference_runs("train", cell.size, begin)]
    card = train(samples, recipe_of(cell), base / "tokenizer.json", folder, base=base)
    seconds = sum(stage.seconds for stage in card.stages)
    held_out = [
        sample_of(run, words, CONTEXT) for run in reference_runs("unseen", 40, HELD_OUT_SEED)
    ]
    stages = {one.name: role_losses(folder / one.name, held_out) for one in card.stages}
    storage = sum(
        (part / "model.safetensors").stat().st_size for part in set(parts(folder, cell).values())
    )
    read = sum(len(one.ids) for one in samples)
    body = {
        "cell": cell.model_dump(),
        "card": card.model_dump(mode="json"),
        "seconds": seconds,
        "tokens": read,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "storage": storage,
        "losses": stages,
        **asyncio.run(measured(folder, cell)),
    }
    part = folder / "cell.part"
    part.write_text(json.dumps(body), encoding="utf-8")
    part.replace(folder / "cell.json")


if __name__ == "__main__":
    main()
