"""The static test with a small model that is trained for it: the shipped trio, taught from files that may be
learnt from.

    python benchmarks/static_small.py --out FOLDER [--data DIR] [--epochs 3]

The shipped decoder (4.5 M weights) goes on with a longer context on API-Bank's level 3, Seal-Tools' queries,
the 20 training trajectories that alpha-UMi's authors show, and runs of ToolWorld; nothing of the test is
learnt. It and the shipped one are then measured step by step, floors beside them; a reply has at most 256
tokens. A training that was broken off goes on.
"""

import argparse
import asyncio
import shutil
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from glpft_tasks import reference_runs
from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.assembly.settings import load_settings
from toolmint.assembly.uri import TRIO, model_of
from toolmint.cli.report_table import table_of
from toolmint.core.task import Trajectory
from toolmint.embedded import trio_path
from toolmint.evaluation.report import Report, merge_reports
from toolmint.evaluation.runner import RunConfig, run
from toolmint.evaluation.toolbench import StaticToolBench, StepSolver
from toolmint.roles.marked import Marked
from toolmint.training.decoder import TOKENIZER_FILE, load_model
from toolmint.training.export import export
from toolmint.training.glpft import train
from toolmint.training.readers import read_file, seal_documents
from toolmint.training.recipes import Recipe, Stage
from toolmint.training.samples import TRAINED_ROLES, Sample, sample_of
from toolmint.training.tokenizer import Tokenizer

STATIC = Path("toolbench/static_out_of_domain_first120.json")
SHOWN = Path("toolbench/umi_train_example/raw_data/raw_data_stage_2.json")
CONTEXT = 6144
"""Three times the context that it was trained with; its positions turn slowly enough for that."""
TIMES_SHOWN, OWN, OWN_SEED = 4, 300, 3_000_000


def base(folder: Path) -> Path:
    """Return the shipped decoder with a longer context, and with replies that are held to nothing."""
    model = load_model(trio_path()).float()
    model.config.max_position_embeddings = CONTEXT
    model.config.copy_constraint = False
    model.save_pretrained(str(folder))
    shutil.copy(trio_path() / TOKENIZER_FILE, folder / TOKENIZER_FILE)
    return folder


def curriculum(data: Path) -> list[Trajectory]:
    """Return everything that is learnt from; the few trajectories of the test's own kind several times."""
    documents = seal_documents(data / "seal_tools" / "tool.jsonl")
    return [
        *read_file(data / "api_bank" / "lv3-train.json"),
        *read_file(data / "seal_tools" / "dev.jsonl", documents),
        *(list(read_file(data / SHOWN)) * TIMES_SHOWN),
        *reference_runs("train", OWN, OWN_SEED),
    ]


def unknown(runs: list[Trajectory], data: Path) -> list[Trajectory]:
    """Return the runs whose task the test does not have."""
    parsed = {run.task.input.strip() for run in read_file(data / STATIC)}
    return [run for run in runs if run.task.input.strip() not in parsed]


def learnt(out: Path, data: Path, epochs: float) -> Path:
    """Train, export, and give the model's folder."""
    words = Tokenizer.load(trio_path() / TOKENIZER_FILE)
    samples: list[Sample] = [
        sample_of(run, words, CONTEXT) for run in unknown(curriculum(data), data)
    ]
    print(
        f"{len(samples)} samples, {sum(len(one.ids) for one in samples):,} tokens, {epochs:g} times"
    )
    recipe = Recipe(
        global_stage=Stage(
            name="backbone", roles=TRAINED_ROLES, learning_rate=7e-4, epochs=epochs, warmup=0.05
        ),
        local_stages=(),
        method="single",
        batch=8,
        context=CONTEXT,
        optimizer="muon",
        save_steps=100,
    )
    train(samples, recipe, trio_path() / TOKENIZER_FILE, out, base=base(out / "base"))
    folder = out / "backbone"
    export(folder, folder / "decoder.onnx")
    return folder


async def measured(models: list[str], runs: list[Trajectory]) -> None:
    """Let the models predict every step, side by side, and print both tables with the floors."""

    async def play(place: int, name: str, progress: Progress) -> Report:
        model = model_of(name)
        policy = ThreeRolePolicy(
            model, model, model, family=Marked(), sampling=Sampling(max_tokens=256)
        )
        steps = StaticToolBench(runs, floors=place == 0)
        bar = progress.add_task(name, total=len(steps.items))
        config = RunConfig(name=name, concurrency=1)
        rows = await run(
            steps,
            StepSolver(policy),
            config=config,
            observe=lambda state: progress.update(bar, completed=state.done),
        )
        print(f"{name}: {sum(row.error is not None for row in rows)} of {len(rows)} steps failed")
        return steps.summary(rows)

    with Progress() as progress:
        reports = await asyncio.gather(
            *(play(place, name, progress) for place, name in enumerate(models))
        )
    for section in merge_reports(reports).sections:
        Console().print(table_of(section))


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--out", type=Path, required=True)
    named = load_settings().data
    words.add_argument("--data", type=Path, default=named, required=named is None)
    words.add_argument("--epochs", type=float, default=3.0)
    given = words.parse_args()
    data: Path = given.data
    given.out.mkdir(parents=True, exist_ok=True)
    folder = learnt(given.out, data, given.epochs)
    asyncio.run(measured([TRIO, f"onnx:{folder}"], list(read_file(data / STATIC))))


if __name__ == "__main__":
    main()
