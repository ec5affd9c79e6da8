"""What first weights that copy do to the shipped decoder's learning, beside weights by chance.

    python benchmarks/copying.py [--steps 120]

Both decoders learn the same samples of one call in the same order, by the recipe of the trio that ships.
"""

import argparse
import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from toolmint.embedded import trio_path
from toolmint.training import curriculum as runs
from toolmint.training.curriculum import Curriculum
from toolmint.training.decoder import TOKENIZER_FILE
from toolmint.training.glpft import train
from toolmint.training.recipes import Recipe, bundled
from toolmint.training.samples import Sample

SHOWN = 8
"""Rows of the table."""


def taught(steps: int, recipe: Recipe) -> list[Sample]:
    """Return the samples of so many steps."""
    curriculum = Curriculum(single=steps * recipe.batch, short=0, usual=0, in_domain=0)
    with Progress() as progress:
        task = progress.add_task("samples", total=curriculum.size)
        return list(
            runs.curriculum_samples(
                curriculum,
                trio_path() / TOKENIZER_FILE,
                recipe.context,
                notify=lambda done: progress.update(task, completed=done),
            )
        )


def curve(samples: list[Sample], recipe: Recipe) -> dict[int, float]:
    """Return the loss at the steps that a training tells."""
    with tempfile.TemporaryDirectory() as folder:
        train(samples, recipe, trio_path() / TOKENIZER_FILE, Path(folder))
        log = json.loads(
            (Path(folder) / recipe.global_stage.name / "curve.json").read_text("utf-8")
        )
    return {int(one["step"]): float(one["loss"]) for one in log if "loss" in one}


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--steps", type=int, default=120)
    recipe = bundled()
    shape = recipe.architecture
    assert shape is not None
    samples = taught(words.parse_args().steps, recipe)
    curves = [
        curve(
            samples,
            recipe.model_copy(
                update={"architecture": shape.model_copy(update={"induction_init": copying})}
            ),
        )
        for copying in (True, False)
    ]
    table = Table("step", "first weights copy", "by chance", title="Loss a token")
    steps = sorted(curves[0].keys() & curves[1].keys())
    for step in steps[:: -max(1, len(steps) // SHOWN)][::-1]:
        table.add_row(str(step), *(f"{one[step]:.3f}" for one in curves))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
