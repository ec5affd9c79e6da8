"""The live view of a training run: a progress bar for each stage with its loss, lines above it."""

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

from toolmint.cli.common import console, say


class TrainingBar:
    """Training callbacks that draw progress bars, as a context manager."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console(),
        )
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> "TrainingBar":
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop drawing; the bars stay as they are."""
        self._progress.stop()

    def notify(self, line: str) -> None:
        """Print a line, except a loss that the bar of a terminal shows already."""
        if not (console().is_terminal and ", loss " in line):
            say(line)

    def step(self, stage: str, done: int, total: int, loss: float | None) -> None:
        """Update a stage's bar."""
        if stage not in self._bars:
            self._bars[stage] = self._progress.add_task(stage, total=total, loss="")
        text = "" if loss is None else f"loss {loss:.3f}"
        self._progress.update(self._bars[stage], completed=done, total=total, loss=text)
