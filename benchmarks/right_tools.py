"""The right tools that benchmarks change: of shipped classes, of classes with rare branches, of BIG-Bench."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from branchy_classes import BRANCHY
from toolmint.assembly.settings import load_settings
from toolmint.core.tool import Demonstration
from toolmint.embedded.classes import CLASSES

REPLIES = Path(__file__).parent / "replies"
SHOWN, FRESH = 10, 300
LAST = {"sorting": 2, "meetings": 2}
"""Replies that were repaired: the last one is right."""


class Subject(NamedTuple):
    """A right tool, its independent second one (None: there is none), and its requests."""

    name: str
    source: str
    second: str | None
    demos: tuple[Demonstration, ...]
    fresh: tuple[Demonstration, ...]


def subjects() -> list[Subject]:
    """Return every right tool: those with many branches first, as time may run out."""
    found: list[Subject] = []
    for name, draw in BRANCHY.items():
        source = (REPLIES / "branches" / f"{name}.py").read_text()
        found.append(Subject(name, source, source, *_drawn(name, draw)))
    found += _big_bench()
    for name in reversed(CLASSES):
        drawn = _drawn(name, CLASSES[name])
        one = (REPLIES / "embedded" / f"{name}.{LAST.get(name, 1)}.py").read_text()
        other = (REPLIES / "embedded" / f"{name}.second.py").read_text()
        found.append(Subject(name, one, other, *drawn))
        found.append(Subject(f"{name} (second)", other, one, *drawn))
    return found


_Requests = tuple[tuple[Demonstration, ...], tuple[Demonstration, ...]]


def _drawn(name: str, draw: Callable[[random.Random], Demonstration]) -> _Requests:
    rng = random.Random(f"guard power {name}")
    return tuple(draw(rng) for _ in range(SHOWN)), tuple(draw(rng) for _ in range(FRESH))


def _big_bench() -> list[Subject]:
    data, found = load_settings().data, list[Subject]()
    for path in sorted((REPLIES / "bbh").glob("*.py")) if data is not None else ():
        files = sorted((Path(str(data)) / "bbh").glob(f"{path.stem}*.json"))
        rows = [row for file in files for row in json.loads(file.read_text("utf-8"))["examples"]]
        known = [Demonstration(input=row["input"], target=row["target"]) for row in rows]
        if known:
            random.Random(1).shuffle(known)
            fresh = tuple(known[SHOWN : SHOWN + FRESH])
            found.append(Subject(path.stem, path.read_text(), None, tuple(known[:SHOWN]), fresh))
    return found
