"""Curves over time as text: a chart of several, or one in a line."""

from collections.abc import Mapping, Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_HEIGHT, _STEP = 10, 3


def spark(values: Sequence[float]) -> str:
    """Return shares (0..1) as a line of blocks."""
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[min(top, max(0, round(value * top)))] for value in values)


def plot(curves: Mapping[str, Sequence[float]], about: str) -> str:
    """Return a chart of shares (0..1) over time, a mark for each curve; what is hidden lies below.

    Args:
        curves: by name, all of one length; the first one lies on top.
        about: what is drawn.
    """
    width = max(map(len, curves.values()), default=0)
    grid = [[" "] * (width * _STEP) for _ in range(_HEIGHT + 1)]
    marks = "abcdefghijklmnopqrstuvwxyz"
    for mark, values in reversed(list(zip(marks, curves.values(), strict=False))):
        for place, value in enumerate(values):
            row = _HEIGHT - min(_HEIGHT, max(0, round(value * _HEIGHT)))
            grid[row][place * _STEP + 1] = mark
    lines = [
        f"{100 * (_HEIGHT - row) // _HEIGHT:>4} % |" + "".join(cells).rstrip()
        for row, cells in enumerate(grid)
    ]
    legend = ", ".join(f"{mark} {name}" for mark, name in zip(marks, curves, strict=False))
    return "\n".join(
        [about, *lines, " " * 7 + "+" + "-" * (width * _STEP), f"{'':>8}time; {legend}"]
    )
