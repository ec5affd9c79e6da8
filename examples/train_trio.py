"""Train a tiny planner, caller and summarizer with GLPFT (alpha-UMi), from trajectories to a card.

    python examples/train_trio.py                   # less than a minute on two cores
    python examples/train_trio.py --model FOLDER    # begins with a base model and its tokenizer.json

A decoder of some thousand random weights learns nothing useful here; the example shows the steps.
Trajectories come from ToolWorld, played by a scripted player, so no endpoint is needed. Stage 1 trains one
backbone on whole trajectories; stage 2 continues three copies, each on the spans of its own role.
Needs: pip install 'toolmint[train]'
"""

import argparse
import tempfile
from pathlib import Path

from toolmint import Trajectory, run_sync
from toolmint.training.glpft import train
from toolmint.training.recipes import Architecture, small
from toolmint.training.samples import sample_of
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_tasks
from toolmint.world.players import Reference, play_task
from toolmint.world.shape import Shape

CONTEXT = 1024


async def trajectories(count: int) -> list[Trajectory]:
    """Return runs of a scripted player on short tasks."""
    shape = Shape.of(longest=2, impossible=0, broken=0, flaky=0)
    tasks = make_tasks("train", count, shape=shape)
    return [(await play_task(task, Reference(task)))[0] for task in tasks]


def main() -> None:
    """Make samples, train the trio, and print how the loss of each stage fell."""
    options = argparse.ArgumentParser(description="Train a tiny trio.")
    options.add_argument(
        "--model", type=Path, help="a base model with its tokenizer.json [random weights]"
    )
    options.add_argument("--epochs", type=float, default=2, help="of the first stage [2]")
    given = options.parse_args()
    runs = run_sync(trajectories(24))
    plain = small(epochs=given.epochs)
    recipe = plain.model_copy(
        update={
            "global_stage": plain.global_stage.model_copy(update={"learning_rate": 3e-3}),
            "batch": 8,
            "context": CONTEXT,
            "architecture": Architecture(width=32, layers=1, heads=2, inner=64),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        base: Path | None = given.model
        tokenizer = (base or Path(folder)) / "tokenizer.json"
        if base is None:
            Tokenizer.train(runs, 600).save(tokenizer)
        words = Tokenizer.load(tokenizer)
        samples = [sample_of(run, words, CONTEXT) for run in runs]
        print(f"{len(runs)} trajectories, {sum(len(one.ids) for one in samples)} tokens")
        card = train(samples, recipe, tokenizer, Path(folder) / "trio", base=base)
    for stage in card.stages:
        print(
            f"{stage.name}: {stage.steps} steps, loss {stage.first_loss:.2f} to {stage.last_loss:.2f}"
        )
    print(f"{card.seconds:.0f} s")


if __name__ == "__main__":
    main()
