"""What first weights that copy do to the shipped decoder's learning, beside weights by chance.

    python benchmarks/copying.py [--steps 120]

Both decoders learn the same lessons of one call in the same order, by the recipe of the trio that ships.
"""

import argparse
import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from toolwright.embedded import trio_path
from toolwright.training import lessons
from toolwright.training.glpft import train
from toolwright.training.lessons import Course
from toolwright.training.recipes import Recipe, shipped
from toolwright.training.samples import Sample
from toolwright.training.sft import TOKENIZER

SHOWN = 8
"""Rows of the table."""


def taught(steps: int, recipe: Recipe) -> list[Sample]:
    """Give the lessons of so many steps."""
    course = Course(single=steps * recipe.batch, short=0, usual=0, home=0)
    with Progress() as progress:
        task = progress.add_task("lessons", total=course.size)
        return list(
            lessons.samples(
                course, trio_path() / TOKENIZER, recipe.context,
                tell=lambda done: progress.update(task, completed=done),
            )
        )  # fmt: skip


def curve(samples: list[Sample], recipe: Recipe) -> dict[int, float]:
    """Give the loss at the steps that a training tells."""
    with tempfile.TemporaryDirectory() as folder:
        train(samples, recipe, trio_path() / TOKENIZER, Path(folder))
        told = json.loads((Path(folder) / recipe.whole.name / "curve.json").read_text("utf-8"))
    return {int(one["step"]): float(one["loss"]) for one in told if "loss" in one}


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--steps", type=int, default=120)
    recipe = shipped()
    shape = recipe.architecture
    assert shape is not None
    samples = taught(words.parse_args().steps, recipe)
    curves = [
        curve(samples, recipe.model_copy(
            update={"architecture": shape.model_copy(update={"copying": copying})}))
        for copying in (True, False)
    ]  # fmt: skip
    table = Table("step", "first weights copy", "by chance", title="Loss a token")
    steps = sorted(curves[0].keys() & curves[1].keys())
    for step in steps[:: -max(1, len(steps) // SHOWN)][::-1]:
        table.add_row(str(step), *(f"{one[step]:.3f}" for one in curves))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
