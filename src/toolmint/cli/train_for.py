"""``toolmint train for``: adapters for a toolbox, measured on held-out tasks, served where better."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from toolmint.cli.common import model_option, say, settings_of, store_option, without_models
from toolmint.cli.eval_options import (
    NamedSolver,
    RunOptions,
    run_benchmark,
    settings_shown,
    show_report,
)
from toolmint.cli.train_data import tokenizer_class
from toolmint.core.errors import ConfigError
from toolmint.core.sync import run_sync
from toolmint.core.task import Limits

if TYPE_CHECKING:
    from toolmint.assembly.settings import Settings
    from toolmint.core.messages import ToolSpec
    from toolmint.evaluation.benchmark import Row
    from toolmint.evaluation.calls import HeldOutCalls
    from toolmint.synthesis.toolbox_tasks import Recorded, TaskPlan, ToolboxTasks

PRETRAINED = "smollm2-135m"
"""What is trained where no trio is named and none for English ships."""


_MAX_TOKENS = 160
"""Tokens of a reply: a plan of one sentence, or one call."""


class _Run(NamedTuple):
    """One call of the command: settings, the toolbox, the version's number and folder."""

    settings: "Settings"
    specs: "Sequence[ToolSpec]"
    number: int
    folder: Path


@click.command("for")
@click.argument("tools", nargs=-1, required=True)
@click.option(
    "--from",
    "begin",
    metavar="NAME",
    default=PRETRAINED,
    show_default=True,
    help="The trio to train further: its folder, or a base as --base of train trio.",
)
@click.option(
    "--traces",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Recorded runs of these tools, in any format that training reads.",
)
@click.option("--stored", is_flag=True, help="Learn the agent's runs that the store keeps, too.")
@click.option("--tasks", type=click.IntRange(0), default=400, show_default=True)
@click.option("--held-out", type=click.IntRange(0), default=100, show_default=True)
@click.option(
    "--shown",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="Tools that a task shows at most.",
)
@click.option("--epochs", type=float, default=2.0, show_default=True)
@click.option(
    "--rate", type=float, help="Peak learning rate [5e-4 for adapters, 2e-4 for whole models]."
)
@click.option("--minutes", type=float, help="Bound on the training time.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--reword/--no-reword",
    default=True,
    show_default=True,
    help="Let the strong model, where one is named, word the requests.",
)
@click.option("--restart", is_flag=True, help="Begin a version anew that was stopped.")
@model_option
@store_option
def train_for(
    *,
    tools: tuple[str, ...],
    begin: str,
    traces: tuple[Path, ...],
    stored: bool,
    restart: bool,
    reword: bool,
    model: str | None,
    store: str | None,
    **given: Any,  # noqa: ANN401 - options of click
) -> None:
    """Train a trio for TOOLS, named as for `toolmint agent --tools`: OpenAPI, MCP, Python.

    Requests, calls and results are made of the tools' documents, and taken from recorded runs. The result is
    measured on held-out tasks against the trio it began with, and the strong model where one is named; it is
    a version that `toolmint agent` takes for these tools where it is better by its interval.
    """
    tokenizer_class()
    from toolmint.assembly.rewording import worded_by
    from toolmint.assembly.toolbox_training import tasks_for, toolbox_specs
    from toolmint.assembly.trio_versions import TrioRegistry
    from toolmint.synthesis.toolbox_tasks import TaskPlan

    settings = settings_of(model=model, store=store)
    specs, problems = run_sync(toolbox_specs(without_models(settings), tools))
    for line in problems:
        say(line)
    plan = TaskPlan(given["tasks"], given["held_out"], given["shown"], given["seed"])
    tasks = tasks_for(specs, plan, _recorded(settings, traces, stored=stored))
    for line in tasks.notes:
        say(line)
    number, folder = TrioRegistry.of(settings).next_version(specs)
    if restart:
        shutil.rmtree(folder, ignore_errors=True)
    run = _Run(settings, specs, number, folder)
    if reword and settings.model is not None:
        tasks = run_sync(worded_by(settings.model, tasks, folder / "requests.jsonl", say))
    say(f"{len(tasks.learnt)} runs to learn, {len(tasks.held_out)} held out, of {len(specs)} tools")
    _train(run, tasks, begin, given)
    _measured(run, tasks, begin, plan)


def _recorded(settings: "Settings", traces: tuple[Path, ...], *, stored: bool) -> "list[Recorded]":
    from toolmint.assembly.toolbox_training import stored_runs
    from toolmint.synthesis.toolbox_tasks import Recorded
    from toolmint.training.readers import read_located

    found = [Recorded(one.where, one.trajectory) for path in traces for one in read_located(path)]
    if stored:
        found += run_sync(stored_runs(without_models(settings)))
    return found


def _train(run: _Run, tasks: "ToolboxTasks", begin: str, given: dict[str, Any]) -> None:
    from toolmint.cli.train_trio import fit, open_base
    from toolmint.training.readers import Located
    from toolmint.training.recipes import for_toolbox

    base = open_base(begin, "chat", None)
    if base.tokenizer is None:
        raise ConfigError(f"{begin!r} names no trio to train further", code="base")
    recipe = for_toolbox(
        given["minutes"],
        given["epochs"],
        rate=given["rate"],
        adapter=base.reference is not None,
    ).model_copy(update={"seed": given["seed"]})
    found = [Located(f"task {n}", one, "trajectory") for n, one in enumerate(tasks.learnt, 1)]
    run.folder.mkdir(parents=True, exist_ok=True)
    for name, runs in (("learnt", tasks.learnt), ("held_out", tasks.held_out)):
        text = "".join(f"{one.model_dump_json()}\n" for one in runs)
        (run.folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    try:
        fit(found, recipe, base, base.tokenizer, run.folder)
    except ConfigError as fault:
        if fault.code != "other-run":
            raise
        raise ConfigError(
            f"version {run.number} was begun with other tasks or settings, and stopped; resume it with its "
            "own options, or add --restart",
            code="other-run",
        ) from fault


def _measured(run: _Run, tasks: "ToolboxTasks", begin: str, plan: "TaskPlan") -> None:
    """Measure on the held-out tasks, print the tables, and register the version."""
    from toolmint.assembly.toolbox_training import lead
    from toolmint.assembly.trio_versions import TrioRegistry, TrioVersion
    from toolmint.evaluation.calls import HeldOutCalls, call_items

    benchmark = HeldOutCalls(call_items("held-out tasks", tasks.held_out))
    names = {"trained": f"local:{run.folder / 'backbone'}", "base": f"local:{begin}"}
    if run.settings.model is not None:
        names["strong"] = run.settings.model
    rows = {name: run_sync(_rows(run, benchmark, name, uri)) for name, uri in names.items()}
    report = benchmark.summary([row for one in rows.values() for row in one])
    files = [_rows_file(run, name) for name in names]
    show_report(report, files, RunOptions(None, None, 1, False, False, False))
    found = {name: lead(rows["trained"], rows[name]) for name in names if name != "trained"}
    for name, one in found.items():
        say(f"exact calls, trained minus {name}: {one.difference} points")
    ahead = found["base"]
    registry = TrioRegistry.of(run.settings)
    version = registry.add(
        run.specs,
        TrioVersion(
            version=run.number,
            state="not better",
            folder=f"v{run.number}/backbone",
            base=names["base"],
            exact=ahead.first,
            base_exact=ahead.second,
            low=ahead.difference.low,
            high=ahead.difference.high,
            tasks=ahead.items,
            learnt=len(tasks.learnt),
            shown=plan.shown,
        ),
    )
    where = registry.place(run.specs)
    if version.state == "serving":
        say(f"version {version.version} in {where} serves: toolmint agent takes it for these tools")
    else:
        say(
            f"version {version.version} in {where} does not serve: it is not better than its base by the "
            "interval of the difference"
        )


def _rows_file(run: _Run, name: str) -> Path:
    return run.folder / "eval" / f"{name}.jsonl"


async def _rows(run: _Run, benchmark: "HeldOutCalls", name: str, uri: str) -> "list[Row]":
    from toolmint.assembly.agents import AgentChoices, RoleModels, agent_policy
    from toolmint.evaluation.toolbench import StepSolver

    choices = AgentChoices(max_tokens=_MAX_TOKENS)
    models = RoleModels(without_models(run.settings), uri)
    try:
        policy = agent_policy(models, choices)
        shown = settings_shown(model=uri, choices=choices)
        one = NamedSolver(name, StepSolver(policy), shown)
        path = _rows_file(run, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        options = RunOptions(path, None, 8, False, False, False)
        return await run_benchmark(benchmark, one, path, options, Limits())
    finally:
        await models.close()
