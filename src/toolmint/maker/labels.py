"""Stage 2 of verification: compares answers with labels, and names labels that may be wrong."""

from collections import Counter
from collections.abc import Sequence

from toolmint.core.sameness import same_answer
from toolmint.core.tool import Demonstration, Evidence
from toolmint.core.values import Value
from toolmint.maker.program import ToolRun, ToolRunStatus
from toolmint.maker.verification_input import (
    VerificationInput,
    bullet_list,
    stage_failed,
    stage_passed,
)

_SUSPECT_SHARE = 0.2


class _Labels:
    """The labels that a tool does not meet, by the likely reason, and by which rule the others are met."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.statuses = Counter[ToolRunStatus]()
        self.suspects: list[Value] = []
        self.outsiders: list[Value] = []
        self.rules = Counter[str]()

    def sort(
        self, demo: Demonstration, mine: ToolRun, other: ToolRun | None, *, clustered: bool
    ) -> None:
        """Add one label to its list; a label that is met is in none."""
        target = demo.target or ""
        rule = same_answer(mine.answer, target) if mine.answer is not None else None
        if rule is not None:
            self.rules[rule] += 1
            return
        if mine.answer is not None and other is not None and _agree(mine.answer, other.answer):
            self.suspects.append({"input": demo.input, "label": target, "tools": mine.answer})
        elif mine.status == "refused" and clustered:
            self.outsiders.append(demo.input)
        else:
            got = f"{mine.answer!r}" if mine.answer is not None else f"{mine.status}: {mine.why}"
            self.statuses[mine.status] += 1
            self.faults.append(f"request {demo.input!r}\n  expected {target!r}\n  got {got}")


def _agree(one: str, other: str | None) -> bool:
    return other is not None and same_answer(one, other) is not None


def compare_labels(
    inputs: VerificationInput, attempts: Sequence[ToolRun], seconds: Sequence[ToolRun | None]
) -> Evidence:
    """Return the evidence of stage 2: the answers compared with the labels.

    A label that two independent tools contradict with the same answer is *suspect*. Where demonstrations
    were grouped by wording, one that the tool refuses is an *outsider*, of another class. Both are
    reported and few are tolerated, as real labels contain errors; any other difference fails the stage.
    An answer meets its label by ``core.sameness``; the details count by which of its rules.

    Args:
        inputs: the demonstrations.
        attempts: the tool's run of each demonstration.
        seconds: the second tool's runs, None where there is no second tool.
    """
    stage, labelled = "2 labels", inputs.labelled
    labels = _Labels()
    for demo, mine, other in zip(labelled, attempts, seconds, strict=True):
        labels.sort(demo, mine, other, clustered=inputs.clustered)
    details: dict[str, Value] = {
        "suspects": labels.suspects,
        "outsiders": labels.outsiders,
        "rules": dict(labels.rules),
    }
    doubted = len(labels.suspects) + len(labels.outsiders)
    if doubted > _SUSPECT_SHARE * len(labelled):
        lost = [f"{one!r} is refused" for one in labels.outsiders] + [
            str(s) for s in labels.suspects
        ]
        summary = f"{doubted} of {len(labelled)} demonstrations refused or contradicted:{bullet_list(lost)}"
        return stage_failed(stage, summary, **details)
    if labels.faults:
        statuses: tuple[tuple[ToolRunStatus, str], ...] = (
            ("answered", "answered wrongly"),
            ("refused", "refused"),
            ("failed", "failed"),
        )
        how = ", ".join(
            f"{labels.statuses[status]} {words}"
            for status, words in statuses
            if labels.statuses[status]
        )
        summary = f"{len(labels.faults)} of {len(labelled)} demonstrations are not met ({how}):"
        return stage_failed(stage, summary + bullet_list(labels.faults), **details)
    summary = f"{len(labelled) - doubted} of {len(labelled)} labels met"
    if labels.rules["json"]:
        summary += f" ({labels.rules['json']} as JSON)"
    if labels.suspects:
        summary += f", {len(labels.suspects)} suspect (every tool contradicts the label)"
    if labels.outsiders:
        summary += f", {len(labels.outsiders)} of another class"
    return stage_passed(stage, summary, **details)
