"""Callbacks of a training run: progress lines, and every optimizer step."""

from collections.abc import Callable
from typing import Any, Protocol

from transformers import TrainerCallback


class TrainingCallbacks(Protocol):
    """Receives the progress of a training run."""

    def notify(self, line: str) -> None:
        """Receive a line for a person."""
        ...

    def step(self, stage: str, done: int, total: int, loss: float | None) -> None:
        """Receive the steps that a stage has done, of how many, with the last logged loss."""
        ...


class LineCallbacks:
    """Callbacks that pass lines on and ignore steps.

    Args:
        notify: receives the lines.
    """

    def __init__(self, notify: Callable[[str], None] = lambda _: None) -> None:
        self._notify = notify

    def notify(self, line: str) -> None:
        """Pass a line on."""
        self._notify(line)

    def step(self, stage: str, done: int, total: int, loss: float | None) -> None:
        """Ignore a step."""


class ProgressCallback(TrainerCallback):
    """Reports steps, losses and checkpoints of the first process to ``TrainingCallbacks``."""

    def __init__(self, name: str, callbacks: TrainingCallbacks) -> None:
        self._name, self._callbacks = name, callbacks
        self._loss: float | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ANN401
        """Report a logged loss."""
        del args, control
        if logs and "loss" in logs and state.is_world_process_zero:
            self._loss = float(logs["loss"])
            done = f"step {state.global_step} of {state.max_steps}"
            self._callbacks.notify(f"{self._name}: {done}, loss {self._loss:.3f}")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Report a step."""
        del args, control
        if state.is_world_process_zero:
            self._callbacks.step(self._name, state.global_step, state.max_steps, self._loss)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Report a checkpoint."""
        del args, control
        if state.is_world_process_zero:
            self._callbacks.notify(f"{self._name}: checkpoint {state.global_step}")
