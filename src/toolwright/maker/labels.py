"""Stage 2 of the gate: the labels themselves decide, and doubtful ones are named."""

from collections.abc import Sequence

from toolwright.core.tool import Demonstration, Evidence
from toolwright.core.values import Value
from toolwright.maker.case import Case, failed, listed, passed
from toolwright.maker.program import Attempt

SUSPECT_SHARE = 0.2


class _Labels:
    """The labels sorted by what the tools make of them."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.suspects: list[Value] = []
        self.outsiders: list[Value] = []

    def sort(
        self, demo: Demonstration, mine: Attempt, other: Attempt | None, *, clustered: bool
    ) -> None:
        """Put one label where it belongs; one that is met belongs nowhere."""
        target = demo.target or ""
        if mine.answer is not None and mine.answer.strip() == target.strip():
            return
        if mine.answer is not None and other is not None and other.answer == mine.answer:
            self.suspects.append({"input": demo.input, "label": target, "tools": mine.answer})
        elif mine.status == "refused" and clustered:
            self.outsiders.append(demo.input)
        else:
            got = f"{mine.answer!r}" if mine.answer is not None else f"{mine.status}: {mine.why}"
            self.faults.append(f"request {demo.input!r}\n  expected {target!r}\n  got {got}")


def judge_labels(
    case: Case, attempts: Sequence[Attempt], seconds: Sequence[Attempt | None]
) -> Evidence:
    """Stage 2: the labels themselves decide.

    A label that every independent tool contradicts alike is suspect; where demonstrations were
    grouped by wording, one that the tool refuses is an outsider. Both are reported, and few are
    tolerated.
    """
    stage, labelled = "2 labels", case.labelled
    found = _Labels()
    for demo, mine, other in zip(labelled, attempts, seconds, strict=True):
        found.sort(demo, mine, other, clustered=case.clustered)
    details: dict[str, Value] = {"suspects": found.suspects, "outsiders": found.outsiders}
    doubted = len(found.suspects) + len(found.outsiders)
    if doubted > SUSPECT_SHARE * len(labelled):
        lost = [f"{one!r} is refused" for one in found.outsiders] + [str(s) for s in found.suspects]
        summary = (
            f"{doubted} of {len(labelled)} demonstrations refused or contradicted:{listed(lost)}"
        )
        return failed(stage, summary, **details)
    if found.faults:
        summary = f"{len(found.faults)} of {len(labelled)} demonstrations are not met:"
        return failed(stage, summary + listed(found.faults), **details)
    summary = f"{len(labelled) - doubted} of {len(labelled)} labels met"
    if found.suspects:
        summary += f", {len(found.suspects)} suspect (every tool contradicts the label)"
    if found.outsiders:
        summary += f", {len(found.outsiders)} of another class"
    return passed(stage, summary, **details)
