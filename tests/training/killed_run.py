"""Trains a small stage and is killed at its second checkpoint: a child process of a test."""

import os
import signal
import sys
from pathlib import Path

from tests.training.small_run import recipe, samples

from toolmint.training.callbacks import LineCallbacks
from toolmint.training.glpft import train


def notify(line: str) -> None:
    if line.endswith("checkpoint 4"):
        os.kill(os.getpid(), signal.SIGKILL)


folder = Path(sys.argv[1])
train(
    samples(folder / "tokenizer.json"),
    recipe(),
    folder / "tokenizer.json",
    folder,
    callbacks=LineCallbacks(notify),
)
