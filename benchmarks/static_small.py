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
from collections.abc import Callable
from pathlib import Path

from rich.progress import Progress

from glpft_tasks import reference_runs
from toolwright.agent.policy import Sampling, Team
from toolwright.assembly.uri import TRIO, model_of
from toolwright.cli.eval_toolbench_command import show
from toolwright.core.task import Trajectory
from toolwright.embedded import trio_path
from toolwright.evaluation.compat import score_compat
from toolwright.evaluation.floors import FLOORS, predictions
from toolwright.evaluation.static_run import predict
from toolwright.evaluation.static_steps import scored_steps
from toolwright.evaluation.strict import score_strict
from toolwright.roles.marked import Marked
from toolwright.training.export import export
from toolwright.training.glpft import train
from toolwright.training.readers import read_file, seal_documents
from toolwright.training.recipes import EVERY, Recipe, Stage
from toolwright.training.samples import Sample, sample_of
from toolwright.training.sft import TOKENIZER, load_model
from toolwright.training.tokenizer import Words

DATA = Path(__file__).parents[2] / "shared" / "data"
STATIC = Path("toolbench/static_out_of_domain_first120.json")
SHOWN = Path("toolbench/umi_train_example/raw_data/raw_data_stage_2.json")
CONTEXT = 6144
"""Three times the context that it was trained with; its positions turn slowly enough for that."""
TIMES_SHOWN, OWN, OWN_SEED = 4, 300, 3_000_000


def base(folder: Path) -> Path:
    """Give the shipped decoder with a longer context, and with replies that are held to nothing."""
    model = load_model(trio_path()).float()
    model.config.max_position_embeddings = CONTEXT
    model.config.held_replies = False
    model.save_pretrained(str(folder))
    shutil.copy(trio_path() / TOKENIZER, folder / TOKENIZER)
    return folder


def lessons(data: Path) -> list[Trajectory]:
    """Give everything that is learnt from; the few trajectories of the test's own kind several times."""
    documents = seal_documents(data / "seal_tools" / "tool.jsonl")
    return [
        *read_file(data / "api_bank" / "lv3-train.json"),
        *read_file(data / "seal_tools" / "dev.jsonl", documents),
        *(list(read_file(data / SHOWN)) * TIMES_SHOWN),
        *reference_runs("train", OWN, OWN_SEED),
    ]


def unknown(runs: list[Trajectory], data: Path) -> list[Trajectory]:
    """Give the runs whose task the test does not have."""
    asked = {run.task.input.strip() for run in read_file(data / STATIC)}
    return [run for run in runs if run.task.input.strip() not in asked]


def learnt(out: Path, data: Path, epochs: float) -> Path:
    """Train, export, and give the model's folder."""
    words = Words.load(trio_path() / TOKENIZER)
    samples: list[Sample] = [sample_of(run, words, CONTEXT) for run in unknown(lessons(data), data)]
    print(
        f"{len(samples)} samples, {sum(len(one.ids) for one in samples):,} tokens, {epochs:g} times"
    )
    recipe = Recipe(
        whole=Stage(name="backbone", roles=EVERY, learning_rate=7e-4, epochs=epochs, warmup=0.05),
        local=(), method="single", batch=8, context=CONTEXT, optimizer="muon", save_steps=100,
    )  # fmt: skip
    train(samples, recipe, trio_path() / TOKENIZER, out, base=base(out / "base"))
    folder = out / "backbone"
    export(folder, folder / "decoder.onnx")
    return folder


async def measured(models: list[str], runs: list[Trajectory]) -> None:
    """Let the models predict every step, side by side, and print both tables with the floors."""
    pairs = {name: predictions(runs, one) for name, one in FLOORS.items()}
    steps = sum(len(scored_steps(run)) for run in runs)

    async def play(name: str, advance: Callable[[], None]) -> None:
        model = model_of(name)
        team = Team(model, model, model, family=Marked(), sampling=Sampling(max_tokens=256))
        pairs[name], _, faults = await predict(team, runs, advance)
        print(f"{name}: {len(faults)} of {steps} steps failed; {'; '.join(faults[:2])}")

    with Progress() as progress:
        bars = {name: progress.add_task(name, total=steps) for name in models}
        await asyncio.gather(
            *(play(name, lambda bar=bar: progress.advance(bar)) for name, bar in bars.items())
        )
    show({name: (score_compat(some), score_strict(some)) for name, some in pairs.items()})


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--out", type=Path, required=True)
    words.add_argument("--data", type=Path, default=DATA)
    words.add_argument("--epochs", type=float, default=3.0)
    given = words.parse_args()
    data: Path = given.data
    given.out.mkdir(parents=True, exist_ok=True)
    folder = learnt(given.out, data, given.epochs)
    asyncio.run(measured([TRIO, f"onnx:{folder}"], list(read_file(data / STATIC))))


if __name__ == "__main__":
    main()
