"""``toolmint eval toolworld``: live runs, success executed; players, searches and faults side by side."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from toolmint.assembly.settings import Settings
from toolmint.cli.agent_options import (
    SEARCHES,
    bound_options,
    choices_of,
    limits_of,
    model_role_options,
)
from toolmint.cli.common import settings_of
from toolmint.cli.eval_options import (
    NamedSolver,
    RunOptions,
    model_settings,
    rows_file,
    run_benchmark,
    run_command,
    run_options,
    settings_shown,
    show_report,
)
from toolmint.cli.world_command import read_tasks, seed_option, split_option
from toolmint.core.errors import ConfigError
from toolmint.core.sync import run_sync
from toolmint.core.task import Limits

if TYPE_CHECKING:
    from toolmint.agent.policy import Policy
    from toolmint.assembly.agents import AgentChoices
    from toolmint.evaluation.toolworld import Player
    from toolmint.world.task import WorldTask

_CHAIN = 16
"""Steps of a chain: six calls, and some to spare for faults."""
_PLAYERS = ("reference", "gives_up_early", "random", "model")


@click.command("toolworld")
@click.argument("tasks", required=False, type=click.Path(path_type=Path, dir_okay=False))
@split_option
@seed_option
@click.option("--count", "-n", type=click.IntRange(1), default=200, show_default=True)
@click.option(
    "--player",
    "players",
    multiple=True,
    type=click.Choice(_PLAYERS),
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
@run_options()
@model_role_options
@bound_options
def eval_toolworld_command(*, tasks: Path | None, **given: Any) -> None:  # noqa: ANN401 - options of click
    """Play TASKS (or tasks made on the spot) and check the world after each run.

    Each player with each search is a run with a file of rows of its own.
    """
    from toolmint.world.generate import make_tasks

    split, count, seed = given.pop("split"), given.pop("count"), given.pop("seed")
    players, searches = given.pop("players"), given.pop("searches") or ("react", "dfsdt")
    named = bool(given.get("model") or given.get("planner_model"))
    who = players or (("model",) if named else _PLAYERS[:3])
    given["max_steps"] = given["max_steps"] or _CHAIN
    how = _How(
        given.pop("faults"),
        RunOptions.take(given),
        limits_of(given),
        choices_of(given),
        settings_of(**given),
        {"tasks": tasks.name} if tasks is not None else {"split": split, "seed": seed},
    )
    if "model" in who and not (how.settings.planner_model or how.settings.model):
        raise ConfigError("the player 'model' needs --model", code="no-model")
    chosen = list(read_tasks(tasks)) if tasks is not None else list(make_tasks(split, count, seed))
    runs = [(player, search) for player in who for search in searches]
    run_command(lambda: _play(chosen, runs, how))


class _How(NamedTuple):
    """What all runs of the command share; ``origin`` says where the tasks come from."""

    faults: float
    options: RunOptions
    limits: Limits
    choices: "AgentChoices"
    settings: Settings
    origin: dict[str, object]


def _play(tasks: "Sequence[WorldTask]", runs: Sequence[tuple[str, str]], how: _How) -> None:
    """Run each player with each search, and print all of them in one report."""
    from toolmint.evaluation.benchmark import Row
    from toolmint.evaluation.toolworld import ToolWorld

    benchmark = ToolWorld(tasks, faults=how.faults)
    files: list[Path] = []
    rows: list[Row] = []

    async def work() -> None:
        async with AsyncExitStack() as stack:
            for player, search in runs:
                one = await _solver(player, search, how, stack)
                files.append(
                    rows_file(how.options, benchmark, one.name, one.settings, many=len(runs) > 1)
                )
                rows.extend(await run_benchmark(benchmark, one, files[-1], how.options, how.limits))

    run_sync(work())
    report = benchmark.summary(rows)
    show_report(report, files, how.options)


async def _solver(player: str, search: str, how: _How, stack: AsyncExitStack) -> NamedSolver:
    """Return a player with a search as a solver."""
    from toolmint.assembly.agents import RoleModels, agent_policy, search_of
    from toolmint.evaluation.toolworld import PlayerSolver
    from toolmint.world.players import GivesUpEarly, RandomPlayer, Reference

    choices = how.choices.model_copy(update={"search": search})
    named: dict[str, object] = {}
    make: Player
    match player:
        case "reference":
            make = Reference
        case "gives_up_early":
            make = GivesUpEarly
        case "random":
            make = RandomPlayer
        case _:
            models = RoleModels(how.settings)
            stack.push_async_callback(models.close)
            policy = agent_policy(models, choices)
            named = model_settings(how.settings)
            make = partial(_same, policy)
    solver = PlayerSolver(make, search_of(choices), faults=how.faults)
    shown = settings_shown(**how.origin, **named, choices=choices, limits=how.limits)
    return NamedSolver(f"{player}, {search}", solver, shown)


def _same(policy: "Policy", task: "WorldTask") -> "Policy":
    """Return the policy that plays every task."""
    del task
    return policy
