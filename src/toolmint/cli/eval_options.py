"""What every ``toolmint eval`` benchmark shares: where rows go, progress, and the end of a run."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from toolmint.assembly.settings import Settings, load_settings
from toolmint.cli.common import console, say
from toolmint.core.errors import ConfigError, InputError
from toolmint.core.task import Limits, Solver
from toolmint.core.values import Value

if TYPE_CHECKING:
    from toolmint.evaluation.benchmark import Benchmark, Row
    from toolmint.evaluation.report import Report
    from toolmint.evaluation.runner import RunState

_F = TypeVar("_F", bound=Callable[..., Any])
_ROWS_FOLDER = Path(".toolmint") / "eval"
_INTERRUPTED = 130
"""Exit code of a command that SIGINT ended, as shells have it."""


class RunOptions(NamedTuple):
    """How a benchmark is run; see ``run_options``."""

    output: Path | None
    report: Path | None
    concurrency: int
    trajectories: bool
    retry_failed: bool
    restart: bool

    @classmethod
    def take(cls, given: dict[str, Any]) -> "RunOptions":
        """Take the options out of a command's."""
        return cls(**{name: given.pop(name) for name in cls._fields})


def run_options(concurrency: int = 8) -> Callable[[_F], _F]:
    """Return a decorator that adds the options of a run; ``concurrency`` is the default of that option."""

    def add(command: _F) -> _F:
        for option in (
            click.option("--restart", is_flag=True, help="Forget the rows that are there."),
            click.option("--retry-failed", is_flag=True, help="Solve items with an error again."),
            click.option("--trajectories", is_flag=True, help="Keep trajectories in the rows."),
            click.option(
                "--concurrency",
                type=click.IntRange(1),
                default=concurrency,
                show_default=True,
                help="Items that are solved at once.",
            ),
            click.option(
                "--report", type=click.Path(path_type=Path), help="Write the figures as JSON."
            ),
            click.option(
                "--output",
                "-o",
                type=click.Path(path_type=Path),
                help="Rows, a JSON line an item; a file of the same run is taken up "
                "[.toolmint/eval/NAME.jsonl].",
            ),
        ):
            command = option(command)
        return command

    return add


class NamedSolver(NamedTuple):
    """A solver with its name in reports, and the settings that shape its answers."""

    name: str
    solver: Solver
    settings: Mapping[str, Value]

    def noting(self, **parts: object) -> "NamedSolver":
        """Return the same solver with more settings; see ``settings_shown``."""
        return self._replace(settings={**self.settings, **settings_shown(**parts)})


def rows_file(
    options: RunOptions,
    benchmark: "Benchmark",
    solver: str,
    settings: Mapping[str, Value],
    *,
    many: bool = False,
) -> Path:
    """Return where the rows of a run go: ``--output``, or a file named after what is run.

    Where one command makes ``many`` runs each has a file of its own: ``rows.jsonl`` becomes
    ``rows.<solver>.jsonl``. With ``--restart`` a file that is there is removed.
    """
    from toolmint.core.values import digest

    short = "-".join("".join(c if c.isalnum() else " " for c in solver).split())[:60]
    path = options.output
    if path is None:
        key = digest([solver, {**benchmark.settings, **settings}])[:8]
        path = _ROWS_FOLDER / f"{benchmark.name}-{short}-{key}.jsonl"
    elif many:
        path = path.with_suffix(f".{short}.jsonl")
    if options.restart:
        path.unlink(missing_ok=True)
    return path


class EvalProgress:
    """The bar of a run: items, rate, time left, share that passed; a context.

    Attributes:
        resumed: rows that an earlier run left.
    """

    def __init__(self, name: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[score]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console(),
        )
        self._bar = self._progress.add_task(name, total=None, score="")
        self._begun = False
        self.resumed = 0

    def __enter__(self) -> "EvalProgress":
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bar as it stands."""
        self._progress.stop()

    def observe(self, state: "RunState") -> None:
        """Show how far the run is; items of an earlier run count as done, but not for the rate."""
        if not self._begun:
            self._begun, self.resumed = True, state.resumed
            self._progress.reset(self._bar, total=state.total, completed=state.done)
        elapsed = self._progress.tasks[0].elapsed or 0.0
        rate = (state.done - state.resumed) / elapsed if elapsed else 0.0
        share = f"{100 * state.passed / state.done:.1f} %" if state.done else "-"
        failed = f", {state.failed} failed" if state.failed else ""
        self._progress.update(
            self._bar, completed=state.done, score=f"{share}{failed}, {rate:.1f}/s"
        )


def check_rows_file(
    path: Path, benchmark: "Benchmark", solver: str, settings: Mapping[str, Value]
) -> None:
    """Refuse a file of another run before anything is paid for.

    Raises:
        InputError: the file holds rows of another run.
    """
    from toolmint.evaluation.rows import Header, RowFile

    if path.exists():
        header = Header.of(benchmark.name, solver, {**benchmark.settings, **settings})
        with RowFile(path, header):
            pass


async def run_benchmark(
    benchmark: "Benchmark", one: NamedSolver, path: Path, options: RunOptions, limits: Limits
) -> "list[Row]":
    """Run a solver over a benchmark, with progress; the rows go to a file and are returned."""
    from toolmint.evaluation.runner import RunConfig, run

    config = RunConfig(
        one.name,
        one.settings,
        limits,
        options.concurrency,
        options.trajectories,
        options.retry_failed,
    )
    with EvalProgress(f"{benchmark.name}: {one.name}") as progress:
        rows = await run(benchmark, one.solver, path, config, observe=progress.observe)
    if progress.resumed:
        say(
            f"{progress.resumed} of {len(rows)} rows were in {path} already (--restart forgets them)"
        )
    return rows


def show_report(report: "Report", files: Sequence[Path], options: RunOptions) -> None:
    """Print a report, say where its rows are, and write it as JSON where that was asked for."""
    from toolmint.cli.report_table import table_of
    from toolmint.evaluation.report import write_report

    for section in report.sections:
        console().print(table_of(section))
    for note in report.notes:
        say(note)
    for path in files:
        say(f"rows: {path}")
    if options.report is not None:
        write_report(report, options.report)
        say(f"figures: {options.report}")


def run_command(work: Callable[[], None]) -> None:
    """Run a benchmark's command; a Ctrl-C leaves what is done, and says how to go on."""
    try:
        work()
    except KeyboardInterrupt:
        click.echo(
            "interrupted: every finished item is in the rows; the same command goes on from there",
            err=True,
        )
        raise SystemExit(_INTERRUPTED) from None


def settings_shown(**parts: object) -> dict[str, Value]:
    """Return what shapes a solver's answers as JSON values; unset options are left out."""
    from toolmint.core.messages import Frozen
    from toolmint.evaluation.rows import value_of

    found: dict[str, Value] = {}
    for name, part in parts.items():
        if isinstance(part, Frozen):
            found[name] = value_of(part)
        elif part is None or isinstance(part, (str, int, float, bool)):
            found[name] = part
        else:
            raise InputError(f"{name} = {part!r} is no value of a header", code="bug")
    return {name: value for name, value in found.items() if value is not None}


def model_settings(settings: Settings) -> dict[str, object]:
    """Return the models' addresses that a run uses, for a header."""
    names = ("model", "planner_model", "caller_model", "summarizer_model", "light_model")
    return {name: getattr(settings, name) for name in names}


def data_file(given: Path | None, *names: str) -> Path:
    """Return the file that a benchmark reads: the one given, or the first of these in the data folder.

    Raises:
        ConfigError: neither is there; the error says how to get the data.
    """
    if given is not None:
        return given
    folder = load_settings().data
    if folder is None:
        raise ConfigError(
            f"name a file, or set TOOLMINT_DATA to a folder that holds {names[0]!r}; "
            "`toolmint eval fetch` gets it",
            code="data-missing",
        )
    found = next((folder / name for name in names if (folder / name).exists()), None)
    if found is None:
        raise ConfigError(
            f"{str(folder)!r} holds no {' nor '.join(map(repr, names))}; "
            f"get it with `toolmint eval fetch --to {folder}`",
            code="data-missing",
        )
    return found
