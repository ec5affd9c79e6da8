"""Trains a small stage in each of several processes: what ``accelerate launch`` starts in a test."""

import sys
from pathlib import Path

from tests.training.small_run import recipe, samples

from toolmint.training.glpft import train

folder = Path(sys.argv[1])
train(samples(folder / "tokenizer.json"), recipe(), folder / "tokenizer.json", folder)
