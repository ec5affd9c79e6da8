"""What ships inside: request classes of our own making, and a tape of replies that make their tools."""

from importlib import resources
from pathlib import Path

from toolwright.embedded.stream import stream

__all__ = ["stream", "tape_path"]


def tape_path() -> Path:
    """Give the path of the shipped tape."""
    return Path(str(resources.files("toolwright.embedded").joinpath("tape.jsonl")))
