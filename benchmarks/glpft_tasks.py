"""The reference runs that the training experiments learn from and are scored on."""

import asyncio

from toolmint.core.task import Trajectory
from toolmint.world.generate import make_tasks
from toolmint.world.players import Reference, play_task
from toolmint.world.tools import Split

TRAIN_SEED = 100_000
HELD_OUT_SEED = 20_000
"""Apart from each other, and from the seeds of the bundled trio's training data (1,000,000 and later)."""


def reference_runs(split: Split, count: int, seed: int) -> list[Trajectory]:
    """Return the reference's runs of some tasks."""

    async def runs() -> list[Trajectory]:
        return [
            (await play_task(task, Reference(task)))[0] for task in make_tasks(split, count, seed)
        ]

    return asyncio.run(runs())
