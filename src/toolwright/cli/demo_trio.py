"""The demo's last part: the shipped trio, with tools of its training and with others."""

import statistics
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from toolwright.cli.common import console, say
from toolwright.cli.figures import interval
from toolwright.core.errors import ConfigError

if TYPE_CHECKING:
    from toolwright.agent.policy import Policy
    from toolwright.core.task import Step, Trajectory
    from toolwright.world.task import WorldTask
    from toolwright.world.tools import Split

TASKS, LENGTH, WORDS = 30, 4, 256
SPLITS: "tuple[tuple[Split, str], ...]" = (
    ("train", "tools of its training"),
    ("unseen", "tools that it has never seen"),
)
SAID = (
    "This is a model, running here: a decoder of 4.5 million weights with three roles, trained from "
    "nothing on ToolWorld. It knows this world's kind of tools and little "
    "else; docs/training.md says how it was made and what it lacks, docs/numbers.md has 200 tasks of each."
)


async def _live(policy: "Policy", task: "WorldTask") -> "Trajectory":
    """Show one task as it is solved."""
    from rich.live import Live

    from toolwright.agent.agent import Agent
    from toolwright.agent.search import React
    from toolwright.cli.tree_view import ending_lines, tree_of
    from toolwright.world.task import WorldBox

    steps: list[Step] = []
    with Live(tree_of(task.input, steps), console=console(), transient=False) as live:

        def watch(step: "Step") -> None:
            steps.append(step)
            live.update(tree_of(task.input, steps))

        agent = Agent(policy, WorldBox(task), React(max_steps=16))
        done = await agent.begin(task.task(), observe=watch).finish()
        live.update(tree_of(task.input, done.steps))
    for line in ending_lines(done):
        console().print(line)
    return done


async def show_trio() -> None:
    """Let the trio play: one task live, then a few more, counted; says so where it cannot run."""
    from toolwright.agent.search import React
    from toolwright.assembly.agents import AgentChoices, RoleModels, policy_of
    from toolwright.assembly.settings import Settings
    from toolwright.assembly.uri import TRIO
    from toolwright.evaluation.live import run_world, score
    from toolwright.world.generate import make_tasks

    say("\nLast, the trio that ships with the package, on a task that it has never seen:")
    try:
        models = RoleModels(Settings(model=TRIO))
    except ConfigError as missing:
        say(f"it cannot run here: {missing}")
        return
    async with AsyncExitStack() as stack:
        stack.push_async_callback(models.close)
        policy = policy_of(models, AgentChoices(max_tokens=WORDS))
        await _live(policy, next(task for task in make_tasks("train", 50) if task.calls == LENGTH))
        for split, words in SPLITS:
            tasks = list(make_tasks(split, TASKS))
            found = score(
                played := await run_world(
                    tasks, lambda _: policy, React(max_steps=16), concurrency=1
                )
            )
            pace = statistics.median(one.seconds / one.steps for one in played if one.steps)
            say(
                f"{TASKS} new tasks with {words}: passed {interval(found.pass_rate)} %, executed; "
                f"a step takes {1000 * pace:.0f} ms (median)"
            )
    say(SAID)
