"""ToolWorld's training runs, told in plain English, with short tasks and few tools."""

import asyncio
from random import Random

from toolmint.core.task import Trajectory
from toolmint.training.curriculum import FIRST_SEED
from toolmint.training.retold import retold_run
from toolmint.world.generate import make_task
from toolmint.world.players import Reference, play_task
from toolmint.world.shape import Shape

_SHAPE = Shape(longest=3, distractor_categories=1)


def told_world_runs(random: Random) -> list[Trajectory]:
    """Return one run of ToolWorld's training tools, told anew; its tools have other names each time."""
    seed = FIRST_SEED + random.randrange(1_000_000)
    task = make_task("train", seed, _SHAPE, edition=seed)
    run, _ = asyncio.run(play_task(task, Reference(task)))
    told = retold_run(run, random)
    return [told] if told is not None else []
