"""Second part of the demo: an agent searches a world of tools; scripted policies, no model."""

from typing import TYPE_CHECKING

from toolmint.cli.common import console, say

if TYPE_CHECKING:
    from toolmint.core.task import Trajectory
    from toolmint.world.task import WorldTask

_TASKS, _FAULTS = 200, 0.1
_EXPLANATION = (
    "The policies are scripted, no model runs: what is real is the world (its tools change its state), the "
    "searches, and the checks. `toolmint eval toolworld --model ...` evaluates a model."
)


async def _example_run(tasks: "list[WorldTask]") -> "Trajectory":
    """Return a short run that backtracked once or twice and passed, or the last run where none did."""
    from toolmint.agent.dfsdt import DFSDT
    from toolmint.world.players import GivesUpEarly, play_task

    for task in tasks[:-1]:
        done, box = await play_task(task, GivesUpEarly(task), DFSDT(), faults=_FAULTS)
        pruned = sum(step.pruned for step in done.steps)
        if task.solvable and box.check(done).passed and 1 <= pruned <= 2 and len(done.steps) <= 6:
            return done
    return (await play_task(tasks[-1], GivesUpEarly(tasks[-1]), DFSDT(), faults=_FAULTS))[0]


async def show_agent() -> None:
    """Print one run as a tree, and what each search achieves where tools fail."""
    from rich.table import Table

    from toolmint.agent.dfsdt import DFSDT
    from toolmint.agent.react import ReACT
    from toolmint.agent.tree import Search
    from toolmint.cli.tree_view import ending_lines, tree_of
    from toolmint.evaluation.bootstrap import share
    from toolmint.evaluation.report import interval
    from toolmint.evaluation.runner import run as evaluate
    from toolmint.evaluation.toolworld import PlayerSolver, ToolWorld
    from toolmint.world.generate import make_tasks
    from toolmint.world.players import GivesUpEarly, RandomPlayer, Reference

    tasks = list(make_tasks("unseen", _TASKS))
    run = await _example_run(tasks)
    say(
        "\nAnd the agent: planner, caller and summarizer over a toolbox, here with a depth-first search."
    )
    console().print(tree_of(run.task.input, run.steps))
    for line in ending_lines(run):
        console().print(line)
    table = Table(
        "policy",
        "ReACT",
        "DFSDT",
        title=f"{_TASKS} tasks, 10 % of calls fail: passed (%), executed",
    )
    for player in (Reference, GivesUpEarly, RandomPlayer):
        row: list[str] = []
        searches: tuple[Search, ...] = (ReACT(max_steps=16), DFSDT(max_steps=16))
        for search in searches:
            solver = PlayerSolver(player, search, faults=_FAULTS)
            played = await evaluate(ToolWorld(tasks, faults=_FAULTS), solver)
            row.append(interval(share([one.passed("passed") for one in played])))
        table.add_row(player.name, *row)
    console().print(table)
    say(_EXPLANATION)
