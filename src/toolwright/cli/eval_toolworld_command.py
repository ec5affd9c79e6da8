"""``toolwright eval toolworld``: live runs, success executed; players, searches and faults side by side."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from toolwright.cli.agent_options import (
    SEARCHES,
    bound_options,
    choices_of,
    limits_of,
    model_role_options,
)
from toolwright.cli.common import console, money, say, settings_of
from toolwright.cli.figures import interval, write_figures
from toolwright.cli.world_command import read_tasks, seed_option, split_option
from toolwright.core.doors import run_sync
from toolwright.core.errors import ConfigError
from toolwright.core.task import Limits, Trajectory

if TYPE_CHECKING:
    from toolwright.agent.policy import Policy
    from toolwright.agent.search import Search
    from toolwright.assembly.agents import AgentChoices
    from toolwright.evaluation.live import Played
    from toolwright.world.task import WorldTask

CHAIN = 16  # six calls, with room for faults
PLAYERS = ("reference", "hasty", "aimless", "model")


@click.command("toolworld")
@click.argument("tasks", required=False, type=click.Path(path_type=Path, dir_okay=False))
@split_option
@seed_option
@click.option("--count", "-n", type=click.IntRange(1), default=200, show_default=True)
@click.option(
    "--player",
    "players",
    multiple=True,
    type=click.Choice(PLAYERS),
    help="Who plays; can be repeated [model where one is named, else all scripted ones].",
)
@click.option("--search", "searches", multiple=True, type=click.Choice(SEARCHES))
@click.option(
    "--faults",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of calls that fail, beside the tasks' own faults.",
)
@click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True)
@click.option(
    "--traces", type=click.Path(path_type=Path), help="Write the trajectories as JSON lines."
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write all numbers as JSON.")
@model_role_options
@bound_options
def command(*, tasks: Path | None, traces: Path | None, output: Path | None, **given: Any) -> None:  # noqa: ANN401
    """Play TASKS (or tasks made on the spot) and check the world after each run."""
    from toolwright.world.generate import make_tasks

    split, count, seed = given.pop("split"), given.pop("count"), given.pop("seed")
    players, searches = given.pop("players"), given.pop("searches") or ("react", "dfsdt")
    chosen = list(read_tasks(tasks)) if tasks is not None else list(make_tasks(split, count, seed))
    named = bool(given.get("model") or given.get("planner_model"))
    who = players or (("model",) if named else PLAYERS[:3])
    if "model" in who and not named:
        raise ConfigError("the player 'model' needs --model", code="no-model")
    faults, concurrency = given.pop("faults"), given.pop("concurrency")
    given["max_steps"] = given["max_steps"] or CHAIN
    how = _How(limits_of(given), choices_of(given), faults, concurrency, traces)
    runs = run_sync(_play(chosen, who, searches, how, given))
    _show(runs, faults)
    body = {name: [one.model_dump(mode="json") for one in played] for name, played in runs.items()}
    write_figures(output, {"faults": faults, "runs": body})


class _How(NamedTuple):
    """How all runs go."""

    limits: Limits
    choices: "AgentChoices"
    faults: float
    concurrency: int
    traces: Path | None


async def _play(
    tasks: "Sequence[WorldTask]", players: Sequence[str], searches: Sequence[str],
    how: _How, given: dict[str, object],
) -> "dict[str, list[Played]]":  # fmt: skip
    """Play with each player and each search."""
    from rich.progress import Progress

    from toolwright.assembly.agents import search_of
    from toolwright.evaluation.live import run_world

    runs: dict[str, list[Played]] = {}
    kept: list[Trajectory] = []
    async with AsyncExitStack() as stack:
        progress = stack.enter_context(Progress(console=console()))
        for player in players:
            make = await _player(player, how.choices, given, stack)
            for word in searches:
                search: Search = search_of(how.choices.model_copy(update={"search": word}))
                bar = progress.add_task(f"{player}, {word}", total=len(tasks))

                def done(_: object, __: object, trajectory: Trajectory, bar: Any = bar) -> None:  # noqa: ANN401
                    progress.advance(bar)
                    if how.traces is not None:
                        kept.append(trajectory)

                runs[f"{player}, {word}"] = await run_world(
                    tasks,
                    make,
                    search,
                    limits=how.limits,
                    faults=how.faults,
                    concurrency=how.concurrency,
                    done=done,
                )
    if how.traces is not None:
        how.traces.write_text(
            "".join(one.model_dump_json() + "\n" for one in kept), encoding="utf-8"
        )
    return runs


async def _player(
    name: str, choices: "AgentChoices", given: dict[str, object], stack: AsyncExitStack
) -> "Callable[[WorldTask], Policy]":
    from toolwright.assembly.agents import RoleModels, policy_of
    from toolwright.world.players import Aimless, Hasty, Reference

    match name:
        case "reference":
            return Reference
        case "hasty":
            return Hasty
        case "aimless":
            return Aimless
        case _:
            models = RoleModels(settings_of(**given))
            stack.push_async_callback(models.close)
            policy = policy_of(models, choices)
            return lambda _: policy


def _show(runs: "dict[str, list[Played]]", faults: float) -> None:
    from rich.table import Table

    from toolwright.evaluation.live import score, win_rate

    injected = f"{faults:.0%} of calls fail by injection"
    table = Table(title=f"ToolWorld: executed pass rate (%), 95 % intervals; {injected}")
    for name in (
        "player, search",
        "tasks",
        "pass",
        "solvable",
        "impossible",
        "steps",
        "tokens",
        "cost",
    ):
        table.add_column(name)
    for name, played in runs.items():
        found = score(played)
        table.add_row(
            name, str(len(played)), interval(found.pass_rate), interval(found.pass_solvable),
            interval(found.pass_unsolvable), f"{found.steps:.1f}", str(found.usage.tokens),
            money(found.usage.cost),
        )  # fmt: skip
    console().print(table)
    names = list(runs)
    if len(names) < 2:
        return
    table = Table("first", "second", "first wins", "second wins", "ties", title="Win rates (%)")
    for other in names[1:]:
        rate = win_rate(runs[names[0]], runs[other])
        table.add_row(names[0], other, *(interval(one) for one in rate))
    console().print(table)
    say("a run wins where it alone passed, or passed in fewer steps; ties stay ties")
