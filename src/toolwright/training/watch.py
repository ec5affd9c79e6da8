"""Who hears how a training goes: lines, and every optimizer step."""

from collections.abc import Callable
from typing import Any, Protocol

from transformers import TrainerCallback


class Watcher(Protocol):
    """Hears how a training goes."""

    def tell(self, line: str) -> None:
        """Hear a line."""
        ...

    def step(self, stage: str, done: int, whole: int, loss: float | None) -> None:
        """Hear that a stage has done so many of its optimizer steps, with the loss last known."""
        ...


class Lines:
    """Hears lines alone.

    Args:
        tell: takes them.
    """

    def __init__(self, tell: Callable[[str], None] = lambda _: None) -> None:
        self._tell = tell

    def tell(self, line: str) -> None:
        """Pass a line on."""
        self._tell(line)

    def step(self, stage: str, done: int, whole: int, loss: float | None) -> None:
        """Keep quiet."""


class Progress(TrainerCallback):
    """Passes on steps, losses and checkpoints of the first process."""

    def __init__(self, name: str, watcher: Watcher) -> None:
        self._name, self._watcher = name, watcher
        self._loss: float | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ANN401
        """Tell a loss."""
        del args, control
        if logs and "loss" in logs and state.is_world_process_zero:
            self._loss = float(logs["loss"])
            done = f"step {state.global_step} of {state.max_steps}"
            self._watcher.tell(f"{self._name}: {done}, loss {self._loss:.3f}")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Tell a step."""
        del args, control
        if state.is_world_process_zero:
            self._watcher.step(self._name, state.global_step, state.max_steps, self._loss)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Tell a checkpoint."""
        del args, control
        if state.is_world_process_zero:
            self._watcher.tell(f"{self._name}: checkpoint {state.global_step}")
