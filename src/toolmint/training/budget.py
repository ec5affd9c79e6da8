"""A stage's learning rate over its steps or its minutes, whichever end first."""

import json
import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

_CLOCK = "clock.json"


class TrainingClock(TrainerCallback):
    """Ends a stage after so many minutes; its checkpoints hold the minutes that were used.

    Args:
        minutes: bound on the training time over all processes that resume the stage; None: no bound.
        warmup: steps in which the rate rises.
        resumed: folder of the checkpoint that the stage resumes from.
    """

    def __init__(self, minutes: float | None, warmup: int, resumed: Path | None = None) -> None:
        self._limit = minutes * 60 if minutes is not None else math.inf
        self._warmup, self._start, self._total = warmup, time.monotonic(), 1
        clock = resumed / _CLOCK if resumed is not None else None
        there = clock is not None and clock.is_file()
        self._used = (
            float(json.loads(clock.read_text(encoding="utf-8"))["seconds"])
            if there and clock
            else 0.0
        )

    @property
    def seconds(self) -> float:
        """Seconds of training so far."""
        return self._used + time.monotonic() - self._start

    def rate(self, step: int) -> float:
        """Return the factor of the peak rate: a linear rise, then a cosine over what ends first."""
        if step < self._warmup:
            return (step + 1) / (self._warmup + 1)
        by_steps = (step - self._warmup) / max(1, self._total - self._warmup)
        done = min(1.0, max(by_steps, self.seconds / self._limit))
        return 0.5 * (1 + math.cos(math.pi * done))

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Note how many steps there are."""
        del args, control
        self._start, self._total = time.monotonic(), int(state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """End the stage when its minutes are used."""
        del args, state
        if self.seconds >= self._limit:
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Write the seconds beside a checkpoint."""
        del control
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if state.is_world_process_zero and folder.is_dir():
            text = json.dumps({"seconds": self.seconds})
            (folder / _CLOCK).write_text(text, encoding="utf-8")
