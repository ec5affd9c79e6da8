"""What ships inside: request classes of our own, a tape of replies that make their tools, and a trio."""

from importlib import resources
from pathlib import Path

from toolwright.embedded.stream import stream

__all__ = ["stream", "tape_path", "trio_path"]


def tape_path() -> Path:
    """Give the path of the shipped tape."""
    return Path(str(resources.files("toolwright.embedded").joinpath("tape.jsonl")))


def trio_path() -> Path:
    """Give the folder of the shipped planner, caller and summarizer: one decoder with three roles."""
    return Path(str(resources.files("toolwright.embedded").joinpath("trio")))
