"""``toolmint eval stream``: what the gateway does with a labelled stream, beside caches."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolmint.cli.common import say, settings_of
from toolmint.cli.eval_options import (
    NamedSolver,
    RunOptions,
    data_file,
    rows_file,
    run_benchmark,
    run_command,
    run_options,
    settings_shown,
    show_report,
)
from toolmint.core.sync import run_sync
from toolmint.core.task import Limits

if TYPE_CHECKING:
    from toolmint.assembly.settings import Settings
    from toolmint.evaluation.benchmark import Row
    from toolmint.evaluation.stream_benchmark import LabelledStream

_THRESHOLDS = (0.8, 0.6)


@click.command("stream")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Orders of the stream."
)
@click.option(
    "--first-seed", type=click.IntRange(0), default=0, show_default=True, help="The first order."
)
@click.option("--first", type=click.IntRange(20), help="Requests of each stream [all].")
@click.option("--epsilon", type=click.FloatRange(0, 1, min_open=True, max_open=True))
@click.option("--confidence", type=click.FloatRange(0, 1, min_open=True, max_open=True))
@click.option("--audit-rate", type=click.FloatRange(0, 1, min_open=True), help="[0.1]")
@click.option(
    "--noise",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    help="Share of requests that the strong model answers with another label than the right one.",
)
@click.option("--change-half", is_flag=True, help="Half way, the labels change their meaning.")
@click.option(
    "--unseen", type=click.IntRange(0), default=0, help="Intents that come in the second half only."
)
@click.option(
    "--cache-threshold",
    "thresholds",
    multiple=True,
    type=click.FloatRange(0, 1),
    help=f"Cosine of a similarity cache (can be repeated) {list(_THRESHOLDS)}.",
)
@click.option("--no-baselines", is_flag=True, help="Play the gateway alone.")
@click.option(
    "--call-cost", type=click.FloatRange(0), help="US dollars a call of the strong model."
)
@click.option("--verbose", is_flag=True, help="Say when tools are made.")
@run_options(concurrency=1)
def eval_stream_command(*, file: Path | None, **given: Any) -> None:  # noqa: ANN401 - options of click
    """Play FILE (JSON lines or CSV: input, target) through the gateway's logic, in this process.

    The labels stand for the strong model: what it is asked, it answers with the label. Learned tools are
    made, compared, promoted, audited and demoted as in the gateway; nothing is called and nothing is paid.
    Without FILE the training part of BANKING77 is played.
    """
    from toolmint.evaluation.stream import StreamPlan
    from toolmint.evaluation.stream_benchmark import LabelledStream
    from toolmint.evaluation.stream_data import read_labelled

    path = data_file(file, "streams/banking77_train.jsonl", "streams/banking77_train.csv")
    labelled = read_labelled(path)
    options = RunOptions.take(given)
    names = ("epsilon", "confidence", "audit_rate")
    settings = settings_of(**{name: given.pop(name) for name in names})
    plan = StreamPlan(**{name: given[name] for name in ("noise", "change_half", "unseen", "first")})
    benchmark = LabelledStream(
        labelled,
        plan,
        given["seeds"],
        epsilon=settings.epsilon,
        call_cost=given["call_cost"],
        first_seed=given["first_seed"],
    )
    benchmark.stream(
        given["first_seed"]
    )  # what is wrong with the data is said before anything runs
    thresholds = () if given["no_baselines"] else given["thresholds"] or _THRESHOLDS
    solvers = _solvers(
        benchmark,
        settings,
        thresholds,
        baselines=not given["no_baselines"],
        verbose=given["verbose"],
    )
    run_command(lambda: _play(benchmark, solvers, options))


def _solvers(
    benchmark: "LabelledStream",
    settings: "Settings",
    thresholds: Sequence[float],
    *,
    baselines: bool,
    verbose: bool,
) -> list[NamedSolver]:
    from toolmint.assembly.streaming import GatewayPlayer
    from toolmint.evaluation.stream_benchmark import StreamSolver
    from toolmint.evaluation.stream_caches import AlwaysStrong, ExactCache, SimilarityCache

    shown = settings_shown(
        confidence=settings.confidence,
        audit_rate=settings.audit_rate,
        learned_after=settings.learned_after,
    )
    gateway = GatewayPlayer(settings, note=_note if verbose else _silent)
    found = [NamedSolver(gateway.name, StreamSolver(benchmark, gateway), shown)]
    if baselines:
        others = (AlwaysStrong(), ExactCache(), *(SimilarityCache(one) for one in thresholds))
        found += [NamedSolver(one.name, StreamSolver(benchmark, one), {}) for one in others]
    return found


def _note(line: str) -> None:
    say(f"  {line[:160]}")


def _silent(_: str) -> None:
    """Say nothing of a making."""


def _play(benchmark: "LabelledStream", solvers: Sequence[NamedSolver], options: RunOptions) -> None:
    files: list[Path] = []
    rows: list[Row] = []

    async def work() -> None:
        for one in solvers:
            path = rows_file(options, benchmark, one.name, one.settings, many=len(solvers) > 1)
            files.append(path)
            rows.extend(await run_benchmark(benchmark, one, path, options, Limits()))

    run_sync(work())
    show_report(benchmark.summary(rows), files, options)
