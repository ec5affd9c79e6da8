"""Stage 2 of verification: a wrong answer is fatal, a refusal costs coverage; doubtful labels are named."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from toolmint.core.sameness import same_answer
from toolmint.core.tool import Demonstration, Evidence
from toolmint.core.values import Value, clip
from toolmint.maker.program import ToolRun
from toolmint.maker.verification_input import (
    VerificationInput,
    stage_failed,
    stage_passed,
)
from toolmint.maker.wording_clusters import wording_clusters, wording_share

_SUSPECT_SHARE = 0.2
_LISTED, _ALIKE = 24, 3  # faults that a summary lists at most, and of those worded alike
_TEXT, _WHY = 300, 160  # characters of a request and of a reason in a summary

LabelOutcome: TypeAlias = Literal["met", "wrong", "refused", "failed", "suspect"]
"""How a demonstration fared; ``failed``: the tool raised an error or exceeded a limit."""
_WORDS: dict[LabelOutcome, str] = {
    "wrong": "answered wrongly",
    "suspect": "suspect",
    "failed": "failed",
    "refused": "refused",
}


class TriedLabel(NamedTuple):
    """A demonstration, what a tool made of it, and the cluster that its wording is in."""

    demo: Demonstration
    outcome: LabelOutcome
    run: ToolRun
    cluster: int

    def fact(self) -> Value:
        """Return the demonstration as data for a report."""
        why = clip(self.run.why, _WHY) if self.run.answer is None else repr(self.run.answer)
        return {"input": self.demo.input, "outcome": self.outcome, "why": why}

    def line(self) -> str:
        """Return the demonstration as a maker is shown it."""
        got = repr(self.run.answer) if self.run.answer is not None else clip(self.run.why, _WHY)
        return (
            f"\n- {_WORDS.get(self.outcome, self.outcome)}: request {clip(self.demo.input, _TEXT)!r}\n"
            f"  expected {clip(self.demo.target or '', _TEXT)!r}\n  got {got}"
        )


def _agree(one: str, other: str | None) -> bool:
    return other is not None and same_answer(one, other) is not None


def _outcome(demo: Demonstration, mine: ToolRun, other: ToolRun | None) -> LabelOutcome:
    if mine.answer is None:
        return "refused" if mine.status == "refused" else "failed"
    if same_answer(mine.answer, demo.target or "") is not None:
        return "met"
    return "suspect" if other is not None and _agree(mine.answer, other.answer) else "wrong"


def _kinds(tried: Sequence[TriedLabel]) -> str:
    """Return every fault by its kind, the worst kind first, a few of each wording, and how many more."""
    shown = list[TriedLabel]()
    for outcome in _WORDS:
        alike = Counter[int]()
        for one in tried:
            if one.outcome == outcome and alike[one.cluster] < _ALIKE and len(shown) < _LISTED:
                shown.append(one)
                alike[one.cluster] += 1
    faults = sum(one.outcome in _WORDS for one in tried)
    more = f"\n- and {faults - len(shown)} more" if faults > len(shown) else ""
    return "".join(one.line() for one in shown) + more


def _counts(tried: Sequence[TriedLabel]) -> str:
    count = Counter(one.outcome for one in tried)
    return ", ".join(f"{count[key]} {word}" for key, word in _WORDS.items() if count[key])


class _Labels(NamedTuple):
    tried: Sequence[TriedLabel]
    coverage: float
    details: dict[str, Value]

    def of(self, *outcomes: LabelOutcome) -> list[TriedLabel]:
        return [one for one in self.tried if one.outcome in outcomes]


def _read(
    inputs: VerificationInput, attempts: Sequence[ToolRun], seconds: Sequence[ToolRun | None]
) -> _Labels:
    clusters = wording_clusters([demo.input for demo in inputs.labelled])
    tried = [
        TriedLabel(demo, _outcome(demo, mine, other), mine, cluster)
        for demo, mine, other, cluster in zip(
            inputs.labelled, attempts, seconds, clusters, strict=True
        )
    ]
    met = [one for one in tried if one.outcome == "met"]
    rules = Counter(same_answer(one.run.answer or "", one.demo.target or "") for one in met)
    coverage = wording_share(clusters, [one.run.answer is not None for one in tried])
    details: dict[str, Value] = {
        "suspects": [
            {"input": one.demo.input, "label": one.demo.target, "tools": one.run.answer}
            for one in tried
            if one.outcome == "suspect"
        ],
        "wrong": [one.fact() for one in tried if one.outcome == "wrong"],
        "unanswered": [one.fact() for one in tried if one.outcome in {"refused", "failed"}],
        "rules": {str(rule): count for rule, count in rules.items()},
        "met": len(met),
        "wordings": len(set(clusters)),
        "coverage": round(coverage, 4),
    }
    return _Labels(tried, coverage, details)


def compare_labels(
    inputs: VerificationInput, attempts: Sequence[ToolRun], seconds: Sequence[ToolRun | None]
) -> Evidence:
    """Return the evidence of stage 2: the answers compared with the labels.

    A wrong answer fails the stage. What the tool does not answer costs *coverage*: the share of what it
    answers, each wording counted once, so that twenty copies of one phrasing do not decide. The stage
    fails below ``inputs.least_coverage``; what is not answered goes to the next tier. A label that two
    independent tools contradict with the same answer is *suspect*: it is reported, and few are tolerated,
    as real labels contain errors. An answer meets its label by ``core.sameness``; the details count by
    which of its rules.

    Args:
        inputs: the demonstrations.
        attempts: the tool's run of each demonstration.
        seconds: the second tool's runs, None where there is no second tool.
    """
    stage, count = "2 labels", len(inputs.labelled)
    labels = _read(inputs, attempts, seconds)
    faults = [one for one in labels.tried if one.outcome != "met"]
    listed = _kinds(faults)
    suspects, met = labels.of("suspect"), labels.of("met")
    unmet = f"{len(faults)} of {count} demonstrations are not met ({_counts(faults)})"
    if labels.of("wrong") or len(suspects) > _SUSPECT_SHARE * count:
        return stage_failed(stage, f"{unmet}:{listed}", **labels.details)
    share = f"coverage {labels.coverage:.0%} of {labels.details['wordings']} wordings"
    if labels.coverage < inputs.least_coverage:
        short = f"{unmet}; {share}, at least {inputs.least_coverage:.0%} is needed:{listed}"
        return stage_failed(stage, short, **labels.details)
    summary = f"{len(met)} of {count} labels met"
    as_json = labels.details["rules"]
    if isinstance(as_json, dict) and as_json.get("json"):
        summary += f" ({as_json['json']} as JSON)"
    if suspects:
        summary += f", {len(suspects)} suspect (every tool contradicts the label)"
    if labels.of("refused", "failed"):
        summary += f", 0 wrong; {share}; not answered, so left to the next tier:{listed}"
    return stage_passed(stage, summary, **labels.details)
