"""``toolwright eval toolbench``: the static step metrics, compat and strict, with the floors beside them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from toolwright.cli.agent_options import choices_of, limits_of, model_role_options
from toolwright.cli.common import console, money, say, settings_of
from toolwright.cli.figures import interval, percent, write_figures
from toolwright.core.doors import run_sync
from toolwright.core.errors import InputError
from toolwright.core.task import Trajectory

if TYPE_CHECKING:
    from toolwright.evaluation.compat import Compat
    from toolwright.evaluation.static_steps import StepPair
    from toolwright.evaluation.strict import Strict


def _items(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8")
        found: object = (
            [json.loads(line) for line in text.splitlines() if line.strip()]
            if path.suffix == ".jsonl"
            else json.loads(text)
        )
    except (OSError, ValueError) as fault:
        raise InputError(f"{str(path)!r} cannot be read as JSON: {fault}") from fault
    if not isinstance(found, list) or not found:
        raise InputError(f"{str(path)!r} must hold a list of items, and at least one")
    return cast("list[Any]", found)


def read_gold(path: Path, most: int | None) -> list[Trajectory]:
    """Read the gold conversations."""
    from toolwright.roles.toolbench import decode

    return [
        decode(item, f"{path}, item {number}") for number, item in enumerate(_items(path)[:most], 1)
    ]


def read_pairs(path: Path, *, backbone: bool) -> "list[StepPair]":
    """Read a prediction file."""
    from toolwright.evaluation.static_steps import read_prediction

    return [
        read_prediction(item, number, backbone=backbone)
        for number, item in enumerate(_items(path), 1)
    ]


def show(scored: "dict[str, tuple[Compat, Strict]]") -> None:
    """Print both tables."""
    from rich.table import Table

    table = Table(title="compat: as the official evaluator computes them (%)")
    for name in (
        "predictor",
        "Plan ACC",
        "Act. EM",
        "Hallu.",
        "Arg. F1",
        "easy",
        "hard",
        "R-L",
        "would die of",
    ):
        table.add_column(name)
    for name, (compat, _) in scored.items():
        figures = [percent(value) for value in compat[:7]]
        table.add_row(name, *figures, str(len(compat.crashes)) if compat.crashes else "-")
    console().print(table)
    table = Table(title="strict: faults mended, 95 % intervals by trajectory (%)")
    for name in (
        "predictor", "plan acc", "plan macro-F1", "call", "finish", "give up", "Act. EM", "exact arg F1",
        "hallu. per call", "R-L",
    ):  # fmt: skip
        table.add_column(name)
    for name, (_, strict) in scored.items():
        recalls = [percent(strict.recall[plan].value) for plan in ("call", "finish", "give up")]
        table.add_row(
            name, interval(strict.plan_acc), interval(strict.plan_macro_f1), *recalls,
            interval(strict.act_em), interval(strict.arg_f1), interval(strict.hallucination),
            interval(strict.rouge_l),
        )  # fmt: skip
    console().print(table)


@click.command("toolbench")
@click.argument("gold", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--predictions",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Score this file: items with tools, reference, predictions.",
)
@click.option("--backbone", is_flag=True, help="The predictions are a single model's whole steps.")
@click.option("--most", type=click.IntRange(1), help="Only the first trajectories.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write all numbers as JSON.")
@model_role_options
def command(
    *, gold: Path | None, predictions: Path | None, backbone: bool, most: int | None, output: Path | None,
    **given: object,
) -> None:  # fmt: skip
    """Score step by step on the gold history of GOLD, a file of alpha-UMi's conversations.

    Without a model the floors are printed: what predictors that know no language score.
    """
    from toolwright.evaluation.compat import score_compat
    from toolwright.evaluation.floors import FLOORS
    from toolwright.evaluation.floors import predictions as floor
    from toolwright.evaluation.strict import score_strict

    if gold is None and predictions is None:
        raise InputError("name a file of gold conversations, or --predictions")
    scored: dict[str, tuple[Compat, Strict]] = {}

    def add(name: str, pairs: "Sequence[StepPair]") -> None:
        scored[name] = score_compat(pairs), score_strict(pairs)

    if gold is not None:
        trajectories = read_gold(gold, most)
        for name, predictor in FLOORS.items():
            add(name, floor(trajectories, predictor))
        if given.get("model") or given.get("planner_model"):
            add(*_predicted(trajectories, given))
    if predictions is not None:
        add(predictions.name, read_pairs(predictions, backbone=backbone))
    show(scored)
    for name, (compat, _) in scored.items():
        for crash in compat.crashes[:5]:
            say(f"{name}: {crash}")
    write_figures(output, scored)


def _predicted(
    trajectories: Sequence[Trajectory], given: dict[str, object]
) -> "tuple[str, list[StepPair]]":
    """Let the models predict every step."""
    from rich.progress import Progress

    from toolwright.assembly.agents import RoleModels, policy_of
    from toolwright.evaluation.static_run import predict
    from toolwright.evaluation.static_steps import scored_steps

    limits, choices = limits_of(given), choices_of(given)
    settings = settings_of(**given)
    total = sum(len(scored_steps(one)) for one in trajectories)

    async def work() -> "tuple[str, list[StepPair]]":
        models = RoleModels(settings)
        policy = policy_of(models, choices)
        try:
            with Progress(console=console()) as progress:
                bar = progress.add_task("predicting", total=total)
                pairs, meter, faults = await predict(
                    policy, trajectories, lambda: progress.advance(bar), limits
                )
        finally:
            await models.close()
        for fault in faults[:5]:
            say(fault)
        used = meter.usage
        spent = f"{used.requests} calls, {used.tokens} tokens, {money(used.cost)}"
        say(f"{policy.name}: {spent}; {len(faults)} failed")
        return policy.name, pairs

    return run_sync(work())
