"""Make the samples of a training run, and report what was left out and why."""

from collections import Counter
from collections.abc import Iterable

from toolmint.core.errors import InputError
from toolmint.core.messages import Frozen
from toolmint.core.task import Trajectory
from toolmint.training.readers import Located
from toolmint.training.samples import Sample, TokenizerProtocol, sample_of

DATA_REPORT = "data.json"
"""The file beside a run that holds the report of its data."""
_REASONS = {
    "context": "longer than the context even without observations and earlier steps",
    "no-spans": "nothing to learn: no role took a turn, or all weights are 0",
}


class LeftOut(Frozen):
    """A trajectory that no sample was made of: its place, a stable code, and the reason in words."""

    where: str
    reason: str
    message: str


class DataReport(Frozen):
    """What became of the trajectories of a run's files.

    Attributes:
        read: trajectories in the files, by format.
        used: samples.
        counts: trajectories that were left out, by reason.
        left_out: each of them.
        context_turns: turns of weight 0 in the samples: context, without loss.
        shortened: samples that truncation shortened, to fit the context.
        observations: observations that were shortened in them.
        steps: steps that were dropped from them.
        tokens: tokens that were removed from them.
    """

    read: dict[str, int]
    used: int
    counts: dict[str, int]
    left_out: tuple[LeftOut, ...] = ()
    context_turns: int = 0
    shortened: int = 0
    observations: int = 0
    steps: int = 0
    tokens: int = 0

    def lines(self) -> list[tuple[str, int, str]]:
        """Return what differs from learning all of it: what, how many, and why or where first."""
        found = [(f"read: {form}", count, "") for form, count in self.read.items()]
        for reason, count in self.counts.items():
            first = next(one.where for one in self.left_out if one.reason == reason)
            found.append((f"left out: {reason}", count, f"{_REASONS[reason]}; first {first}"))
        if self.context_turns:
            found.append(("turns of weight 0", self.context_turns, "read as context, not learnt"))
        if self.shortened:
            cut = f"{self.observations} observations cut, {self.steps} steps dropped"
            found.append(("shortened", self.shortened, f"{cut}, {self.tokens:,} tokens"))
        return [*found, ("learnt", self.used, "")]


def samples_of(
    found: Iterable[Located], tokenizer: TokenizerProtocol, context: int
) -> tuple[list[tuple[Trajectory, Sample]], DataReport]:
    """Return the samples with their trajectories, and the report.

    A trajectory that cannot be a sample is left out and counted; it does not end a run.

    Args:
        found: trajectories with their places.
        tokenizer: has a token for each role mark.
        context: tokens of the longest sample.
    """
    made: list[tuple[Trajectory, Sample]] = []
    left_out: list[LeftOut] = []
    forms: Counter[str] = Counter()
    for one in found:
        forms[one.form] += 1
        try:
            made.append((one.trajectory, sample_of(one.trajectory, tokenizer, context)))
        except InputError as fault:
            if fault.code not in _REASONS:
                raise InputError(f"{one.where}: {fault}", code=fault.code) from fault
            left_out.append(LeftOut(where=one.where, reason=fault.code, message=str(fault)))
    cuts = [sample.truncation for _, sample in made if sample.truncation.tokens]
    return made, DataReport(
        read=dict(forms),
        used=len(made),
        counts=dict(Counter(one.reason for one in left_out)),
        left_out=tuple(left_out),
        context_turns=sum(
            not turn.weight for run, _ in made for step in run.path() for turn in step.turns
        ),
        shortened=len(cuts),
        observations=sum(one.observations for one in cuts),
        steps=sum(one.steps for one in cuts),
        tokens=sum(one.tokens for one in cuts),
    )


def check_not_empty(report: DataReport) -> None:
    """Raise where no sample is left to train on.

    Raises:
        InputError: all trajectories were left out, or there was none; the reasons are counted.
    """
    if report.used:
        return
    if not report.left_out:
        raise InputError("the files hold no trajectory; there is nothing to learn", code="no-data")
    reasons = "; ".join(f"{count}: {_REASONS[name]}" for name, count in report.counts.items())
    first = report.left_out[0]
    raise InputError(
        f"all {len(report.left_out)} trajectories were left out ({reasons}); first {first.where}: "
        f"{first.message}",
        code="no-data",
    )
