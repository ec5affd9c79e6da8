"""Where the bars of a plot stand; the template ``plot.html`` draws them."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT, AXIS_HEIGHT = 640.0, 160.0, 28.0
WIDEST, LABELS = 24.0, 8


class Bar(NamedTuple):
    """Two amounts side by side (US dollars), under one label; ``unknown`` parts are in neither."""

    label: str
    first: float
    second: float
    unknown: tuple[int, int] = (0, 0)


class Block(NamedTuple):
    """A drawn bar: its corner, its size, its kind, and the text of its tooltip."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


class Label(NamedTuple):
    """A text under the bars, at its middle."""

    x: float
    text: str


class Plot(NamedTuple):
    """A drawn plot."""

    title: str
    blocks: list[Block]
    labels: list[Label]
    width: float = WIDTH
    height: float = HEIGHT


def bars(found: Sequence[Bar], title: str, kinds: tuple[str, str]) -> Plot:
    """Draw bars; at most some ``LABELS`` labels are shown."""
    most = max((max(one.first, one.second) for one in found), default=0.0) or 1.0
    step = WIDTH / max(1, len(found))
    wide = min(WIDEST, step / 3)
    blocks: list[Block] = []
    labels: list[Label] = []
    for place, one in enumerate(found):
        middle = (place + 0.5) * step
        for left, kind, amount, unknown in (
            (middle - wide, kinds[0], one.first, one.unknown[0]),
            (middle, kinds[1], one.second, one.unknown[1]),
        ):
            tall = amount / most * (HEIGHT - AXIS_HEIGHT)
            known = f"? (${amount:.4f} known, {unknown} unknown)" if unknown else f"${amount:.4f}"
            said = f"{one.label}: {kind} {known}"
            blocks.append(Block(left, HEIGHT - AXIS_HEIGHT - tall, wide, tall, kind, said))
        if place % -(-len(found) // LABELS) == 0:
            labels.append(Label(middle, one.label))
    return Plot(title, blocks, labels)
