"""What a tool is tried on, and how a stage says what it found."""

from collections.abc import Sequence

from toolwright.core.messages import Frozen
from toolwright.core.tool import Demonstration, Evidence
from toolwright.core.values import Value, clip

NEAR_MISSES = 300
SHOWN = 4


class Case(Frozen):
    """What a tool is tried on.

    Attributes:
        source: the tool.
        labelled: every demonstration of the class, those that the maker saw and those held out.
        unlabelled: requests of the class without answers.
        foreign: requests of other classes; all must be refused.
        second: source of the independent second tool, where there is one.
        near_misses: how many near misses are tried.
        slowest: seconds that the slowest of 100 calls may take (p99).
        clustered: the demonstrations were grouped by wording, so that a few may be of another
            class.
    """

    source: str
    labelled: tuple[Demonstration, ...]
    unlabelled: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    second: str | None = None
    near_misses: int = NEAR_MISSES
    slowest: float = 1.0
    clustered: bool = False


def passed(stage: str, summary: str, **details: Value) -> Evidence:
    """Give the evidence of a stage that was passed."""
    return Evidence(stage=stage, verdict="passed", summary=summary, details=details)


def failed(stage: str, summary: str, **details: Value) -> Evidence:
    """Give the evidence of a stage that was not."""
    return Evidence(stage=stage, verdict="failed", summary=summary, details=details)


def listed(items: Sequence[str]) -> str:
    """Write the first few items, one a line, and how many more there are."""
    more = f"\n- and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return "".join(f"\n- {clip(item, 900)}" for item in items[:SHOWN]) + more
