"""Bundled data: request classes, a cassette of replies that make their tools, and a trained trio."""

from importlib import resources
from pathlib import Path

from toolmint.embedded.stream import stream

__all__ = ["cassette_path", "english_trio_path", "stream", "trio_path"]


def cassette_path() -> Path:
    """Return the path of the bundled cassette."""
    return Path(str(resources.files("toolmint.embedded").joinpath("cassette.jsonl")))


def trio_path() -> Path:
    """Return the folder of the bundled model: one decoder for planner, caller and summarizer."""
    return Path(str(resources.files("toolmint.embedded").joinpath("trio")))


def english_trio_path() -> Path:
    """Return the folder where a trio that is trained on natural requests stands, if one is installed."""
    return Path(str(resources.files("toolmint.embedded").joinpath("english")))
