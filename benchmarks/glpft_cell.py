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
from toolwright.agent.policy import Sampling, Team
from toolwright.agent.search import Dfsdt, React, Search
from toolwright.assembly.uri import model_of
from toolwright.core.messages import Frozen
from toolwright.core.model import Model
from toolwright.evaluation.compat import score_compat
from toolwright.evaluation.live import Played, run_world
from toolwright.evaluation.static_run import predict
from toolwright.roles.marked import Marked
from toolwright.roles.view import AgentRole
from toolwright.training.export import export
from toolwright.training.glpft import train
from toolwright.training.recipes import EVERY, Method, Recipe, Stage
from toolwright.training.samples import IGNORED, Sample, sample_of
from toolwright.training.sft import load_model
from toolwright.training.tokenizer import Words
from toolwright.world.generate import make_tasks
from toolwright.world.tools import Split

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
        """Give the folder's name."""
        kept = "" if self.reuse else "-without-reuse"
        passes = "" if self.budget == "compute" else "-equal-epochs"
        return f"{self.method}{kept}{passes}-{self.size}-{self.seed}"


def recipe_of(cell: Cell) -> Recipe:
    """Give the paper's shape of stages: 2 passes for the backbone, then 1, 1 and 2."""
    one = {"single": 6.0 if cell.budget == "compute" else 2.0}.get(cell.method, 2.0)
    twice = 1 if cell.reuse else 2  # each half is read twice as often, for the same compute
    whole = Stage(name="backbone", roles=EVERY, learning_rate=5e-4, epochs=one * twice)
    rate = 5e-4 if cell.method == "multi" else 2e-4
    passes = {"planner": 1.0, "caller": 1.0, "summarizer": 2.0}
    local = tuple(
        Stage(name=role, roles=(role,), learning_rate=rate, warmup=0.05,
              epochs=2.0 if cell.method == "multi" else passes[role] * twice)
        for role in EVERY
    )  # fmt: skip
    return Recipe(
        method=cell.method, whole=whole, local=local, batch=10, context=CONTEXT, seed=cell.seed,
        reuse=cell.reuse, save_steps=10_000, held=True,
    )  # fmt: skip


def parts(folder: Path, cell: Cell) -> dict[AgentRole, Path]:
    """Give each role's model."""
    return {role: folder / ("backbone" if cell.method == "single" else role) for role in EVERY}


def role_losses(model: Path, samples: list[Sample]) -> dict[str, float]:
    """Give a model's mean loss a token on each role's words."""
    decoder: Any = load_model(model).eval()
    found: dict[str, float] = {}
    with torch.inference_mode():
        for role in EVERY:
            total = count = 0.0
            for sample in samples:
                labels = torch.tensor(sample.labels({role}))[1:]
                logits = decoder(input_ids=torch.tensor([list(sample.ids)])).logits[0, :-1]
                total += float(torch.nn.functional.cross_entropy(
                    logits.float(), labels, ignore_index=IGNORED, reduction="sum"))  # fmt: skip
                count += int((labels != IGNORED).sum())
            found[role] = total / max(1.0, count)
    return found


def team_of(folder: Path, cell: Cell) -> Team:
    """Give the trained team on the embedded runtime."""
    models: dict[Path, Model] = {}
    for part in set(parts(folder, cell).values()):
        export(part, part / GRAPH)
        models[part] = model_of(f"onnx:{part}")
    planner, caller, summarizer = (models[parts(folder, cell)[role]] for role in EVERY)
    return Team(planner, caller, summarizer, family=Marked(), sampling=Sampling(max_tokens=256))


async def play(team: Team, split: Split, cell: Cell, search: Search) -> list[Played]:
    tasks = list(make_tasks(split, cell.tasks, HELD_OUT_SEED))
    return await run_world(tasks, lambda _: team, search, concurrency=1)


async def static(team: Team, split: Split, cell: Cell) -> dict[str, float | None]:
    """Score teacher-forced steps on reference runs, by the official metrics."""
    runs = await asyncio.to_thread(reference_runs, split, cell.static, HELD_OUT_SEED + 5000)
    pairs, _, _ = await predict(team, runs, lambda: None)
    found = score_compat(pairs)
    return {"plan_acc": found.plan_acc, "act_em": found.act_em, "hallucination": found.hallucination,
            "arg_f1": found.arg_f1, "rouge_l": found.rouge_l}  # fmt: skip


async def measured(folder: Path, cell: Cell) -> dict[str, Any]:
    team = team_of(folder, cell)
    found: dict[str, Any] = {}
    sides: tuple[Split, ...] = ("unseen",) if cell.scaling else ("train", "unseen")
    for side in sides:
        played = await play(team, side, cell, React(max_steps=16))
        if cell.scaling:
            return {side: {"react": [one.model_dump(mode="json") for one in played]}}
        searched = (
            await play(team, side, cell, Dfsdt(width=2, max_steps=16, queries=60))
            if cell.seed == 0
            else []
        )
        found[side] = {
            "static": await static(team, side, cell),
            "react": [one.model_dump(mode="json") for one in played],
            "dfsdt": [one.model_dump(mode="json") for one in searched],
            "step_ms": 1000 * statistics.median(one.seconds / one.steps for one in played if one.steps),
        }  # fmt: skip
    return found


def main() -> None:
    cell = Cell.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder, base = Path(sys.argv[2]), Path(cell.base)
    if (folder / "cell.json").is_file():
        return
    words = Words.load(base / "tokenizer.json")
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
        "cell": cell.model_dump(), "card": card.model_dump(mode="json"), "seconds": seconds,
        "tokens": read, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "storage": storage, "losses": stages, **asyncio.run(measured(folder, cell)),
    }  # fmt: skip
    part = folder / "cell.part"
    part.write_text(json.dumps(body), encoding="utf-8")
    part.replace(folder / "cell.json")


if __name__ == "__main__":
    main()
