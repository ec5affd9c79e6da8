"""The live view of a training: a bar for each stage with its loss, lines above it."""

from types import TracebackType

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from toolwright.cli.common import console, say


class TrainingBar:
    """Hears a training and shows it; a context, so that the bars end with it."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"), TimeElapsedColumn(), TimeRemainingColumn(), console=console(),
        )  # fmt: skip
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> "TrainingBar":
        """Show the bars."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave them as they stand."""
        self._progress.stop()

    def tell(self, line: str) -> None:
        """Print a line; on a terminal the bar shows losses already."""
        if not (console().is_terminal and ", loss " in line):
            say(line)

    def step(self, stage: str, done: int, whole: int, loss: float | None) -> None:
        """Move a stage's bar."""
        if stage not in self._bars:
            self._bars[stage] = self._progress.add_task(stage, total=whole, loss="")
        said = "" if loss is None else f"loss {loss:.3f}"
        self._progress.update(self._bars[stage], completed=done, total=whole, loss=said)
