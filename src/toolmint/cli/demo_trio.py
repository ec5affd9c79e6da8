"""Last part of the demo: the bundled model, with tools of its training and with unseen ones."""

import statistics
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from toolmint.cli.common import console, say
from toolmint.core.errors import ConfigError

if TYPE_CHECKING:
    from toolmint.agent.policy import Policy
    from toolmint.core.task import Step, Trajectory
    from toolmint.world.task import WorldTask
    from toolmint.world.tools import Split

_TASKS, _CALLS, _MAX_TOKENS = 30, 4, 256
SPLITS: "tuple[tuple[Split, str], ...]" = (
    ("train", "tools of its training"),
    ("unseen", "tools that it has never seen"),
)
_EXPLANATION = (
    "This is a model, running here: a decoder of 4.5 million weights with three roles, trained from "
    "random weights on ToolWorld. It knows this world's kind of tools and little "
    "else; docs/training.md says how it was made and what it lacks, docs/numbers.md has 200 tasks of each."
)


async def _live(policy: "Policy", task: "WorldTask") -> "Trajectory":
    """Draw one task while it is solved."""
    from rich.live import Live

    from toolmint.agent.agent import AgentLoop
    from toolmint.agent.react import ReACT
    from toolmint.cli.tree_view import ending_lines, tree_of
    from toolmint.world.task import WorldToolbox

    steps: list[Step] = []
    with Live(tree_of(task.input, steps), console=console(), transient=False) as live:

        def draw(step: "Step") -> None:
            steps.append(step)
            live.update(tree_of(task.input, steps))

        agent = AgentLoop(policy, WorldToolbox(task), ReACT(max_steps=16))
        done = await agent.begin(task.task(), observe=draw).finish()
        live.update(tree_of(task.input, done.steps))
    for line in ending_lines(done):
        console().print(line)
    return done


async def show_trio() -> None:
    """Run the bundled model: one task live, then 30 tasks of each split; print why where it cannot run."""
    from toolmint.agent.react import ReACT
    from toolmint.assembly.agents import AgentChoices, RoleModels, agent_policy
    from toolmint.assembly.settings import Settings
    from toolmint.assembly.uri import TRIO
    from toolmint.evaluation.bootstrap import share
    from toolmint.evaluation.report import interval
    from toolmint.evaluation.runner import RunConfig, run
    from toolmint.evaluation.toolworld import PlayerSolver, ToolWorld
    from toolmint.world.generate import make_tasks

    say("\nLast, the trio that is bundled with the package, on a task that it has never seen:")
    try:
        models = RoleModels(Settings(model=TRIO))
    except ConfigError as missing:
        say(f"it cannot run here: {missing}")
        return
    async with AsyncExitStack() as stack:
        stack.push_async_callback(models.close)
        policy = agent_policy(models, AgentChoices(max_tokens=_MAX_TOKENS))
        await _live(policy, next(task for task in make_tasks("train", 50) if task.calls == _CALLS))
        for split, described in SPLITS:
            tasks = list(make_tasks(split, _TASKS))
            solver = PlayerSolver(lambda _: policy, ReACT(max_steps=16))
            played = await run(ToolWorld(tasks), solver, config=RunConfig(concurrency=1))
            rate = share([one.passed("passed") for one in played])
            steps = [one.measures.get("steps", 0) for one in played]
            pace = statistics.median(
                one.seconds / count for one, count in zip(played, steps, strict=True) if count
            )
            say(
                f"{_TASKS} new tasks with {described}: passed {interval(rate)} %, executed; "
                f"a step takes {1000 * pace:.0f} ms (median)"
            )
    say(_EXPLANATION)
