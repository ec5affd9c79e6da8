"""What verification works with: the tool, the requests of its class, and the evidence of a stage."""

from collections.abc import Sequence

from toolmint.core.messages import Frozen
from toolmint.core.tool import Demonstration, Evidence
from toolmint.core.values import Value, clip

LEAST_COVERAGE = 0.5
"""Least share of the demonstrations that a tool must answer, each wording counted once."""
_NEAR_MISSES = 300
_SHOWN = 4


class VerificationInput(Frozen):
    """A tool and the requests that it is verified with.

    Attributes:
        source: the tool's module.
        labelled: every demonstration of the class, those in the prompt and those held out.
        unlabelled: requests of the class without answers.
        foreign: requests of other classes; the tool must refuse all of them.
        second: source of the independent second tool, if there is one.
        near_misses: largest number of near misses.
        slowest: upper limit of the 99th percentile of a call's duration, in seconds.
        least_coverage: least share of the demonstrations that the tool must answer, counted by wording.
        neighbours: demonstrations of other classes, which it refuses or answers rightly.
        further: demonstrations beyond those that every stage uses; a wrong answer to one is fatal.
    """

    source: str
    labelled: tuple[Demonstration, ...]
    unlabelled: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    second: str | None = None
    near_misses: int = _NEAR_MISSES
    slowest: float = 1.0
    least_coverage: float = LEAST_COVERAGE
    neighbours: tuple[Demonstration, ...] = ()
    further: tuple[Demonstration, ...] = ()


def stage_passed(stage: str, summary: str, **details: Value) -> Evidence:
    """Return the evidence of a passed stage."""
    return Evidence(stage=stage, verdict="passed", summary=summary, details=details)


def stage_failed(stage: str, summary: str, **details: Value) -> Evidence:
    """Return the evidence of a failed stage; the summary goes back to the maker as it stands."""
    return Evidence(stage=stage, verdict="failed", summary=summary, details=details)


def bullet_list(items: Sequence[str]) -> str:
    """Return the first few items as a list, one a line, and the number of the others."""
    more = f"\n- and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return "".join(f"\n- {clip(item, 900)}" for item in items[:_SHOWN]) + more
