"""The demo's second part: an agent searches a world of tools; scripted players, so no model."""

from typing import TYPE_CHECKING

from toolwright.cli.common import console, say
from toolwright.cli.figures import interval

if TYPE_CHECKING:
    from toolwright.core.task import Trajectory
    from toolwright.world.task import WorldTask

TASKS, FAULTS = 200, 0.1
SAID = (
    "The players are scripted, no model runs: what is real is the world (its tools change its state), the "
    "searches, and the checks. `toolwright eval toolworld --model ...` lets a model play."
)


async def _shown(tasks: "list[WorldTask]") -> "Trajectory":
    """Give a short run that went back once and then answered, or the last run where none did."""
    from toolwright.agent.search import Dfsdt
    from toolwright.world.players import Hasty, play

    for task in tasks[:-1]:
        done, box = await play(task, Hasty(task), Dfsdt(), faults=FAULTS)
        pruned = sum(step.pruned for step in done.steps)
        if task.solvable and box.check(done).passed and 1 <= pruned <= 2 and len(done.steps) <= 6:
            return done
    return (await play(tasks[-1], Hasty(tasks[-1]), Dfsdt(), faults=FAULTS))[0]


async def show_agent() -> None:
    """Print one run as a tree, and what each search achieves where tools fail."""
    from rich.table import Table

    from toolwright.agent.search import Dfsdt, React, Search
    from toolwright.cli.tree_view import ending_lines, tree_of
    from toolwright.evaluation.live import run_world, score
    from toolwright.world.generate import make_tasks
    from toolwright.world.players import Aimless, Hasty, Reference

    tasks = list(make_tasks("unseen", TASKS))
    run = await _shown(tasks)
    say(
        "\nAnd the agent: planner, caller and summarizer over a box of tools, here with a depth-first search."
    )
    console().print(tree_of(run.task.input, run.steps))
    for line in ending_lines(run):
        console().print(line)
    table = Table(
        "player", "ReACT", "DFSDT", title=f"{TASKS} tasks, 10 % of calls fail: passed (%), executed"
    )
    for player in (Reference, Hasty, Aimless):
        row: list[str] = []
        searches: tuple[Search, ...] = (React(max_steps=16), Dfsdt(max_steps=16))
        for search in searches:
            played = await run_world(tasks, player, search, faults=FAULTS)
            row.append(interval(score(played).pass_rate))
        table.add_row(player.name, *row)
    console().print(table)
    say(SAID)
