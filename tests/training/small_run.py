"""A run small enough for a test: forty trajectories, a decoder of some thousand weights."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from toolmint.core.task import Trajectory
from toolmint.training.recipes import Adapter, Architecture, Recipe, Stage, small
from toolmint.training.samples import Sample, sample_of
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_tasks
from toolmint.world.players import Reference, play_task
from toolmint.world.shape import Shape


async def _runs(count: int) -> list[Trajectory]:
    shape = Shape.of(longest=2, impossible=0, broken=0, flaky=0)
    return [
        (await play_task(task, Reference(task)))[0]
        for task in make_tasks("train", count, shape=shape)
    ]


def runs(count: int = 40) -> list[Trajectory]:
    """Return runs, also where an event loop is running already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(_runs(count))).result()


def samples(tokenizer: Path) -> list[Sample]:
    found = runs()
    if not tokenizer.is_file():
        Tokenizer.train(found, 600).save(tokenizer)
    loaded = Tokenizer.load(tokenizer)
    return [sample_of(run, loaded, 1024) for run in found]


def recipe(method: str = "single", adapter: Adapter | None = None) -> Recipe:
    plain = small()
    whole = Stage(name="backbone", roles=plain.global_stage.roles, learning_rate=3e-3, epochs=4)
    return plain.model_copy(
        update={
            "method": method,
            "global_stage": whole,
            "batch": 10,
            "context": 1024,
            "save_steps": 2,
            "adapter": adapter,
            "architecture": Architecture(width=32, layers=1, heads=2, inner=64),
        }
    )
