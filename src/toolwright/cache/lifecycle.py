"""The life of a version on live traffic: what each comparison with a stronger tier does to it."""

from random import Random
from typing import NamedTuple

from pydantic import Field

from toolwright.cache.bound import Bound, disproven, proven, upper
from toolwright.core.messages import Frozen
from toolwright.core.store import Standing
from toolwright.core.tool import State

PROBE = 20


class Rules(Frozen):
    """How tools are proved on live traffic.

    Attributes:
        bound: the error rate that is not passed, with its confidence.
        audit_rate: share of a serving tool's requests that a stronger tier answers, to be compared.
        probe: comparisons that follow a disagreement before the tool serves again.
        approval: a person has to approve before a proved tool serves.
    """

    bound: Bound = Bound()
    audit_rate: float = Field(default=0.1, gt=0, le=1)
    probe: int = Field(default=PROBE, ge=1)
    approval: bool = False


class Judged(NamedTuple):
    """What a comparison led to: the new standing, and the state it moves to (None: it stays) with the
    reason.
    """

    standing: Standing
    state: State | None = None
    reason: str = ""


class Proof(NamedTuple):
    """What a version's standing proves: comparisons, how many disagreed, and the upper limit of its error
    rate at a confidence, beside the rate that the user allows.
    """

    comparisons: int
    disagreed: int
    upper: float
    epsilon: float
    confidence: float

    def __str__(self) -> str:
        """Tell it in words."""
        return (
            f"{self.disagreed} of {self.comparisons} comparisons disagreed, upper limit {self.upper:.2%} "
            f"at {self.confidence:.0%}, epsilon {self.epsilon:.2%}"
        )


def proof(standing: Standing, bound: Bound) -> Proof:
    """Give what a standing proves."""
    limit = upper(standing.trials, standing.wrong, bound.confidence)
    return Proof(standing.trials, standing.wrong, limit, bound.epsilon, bound.confidence)


def _told(standing: Standing, rules: Rules) -> str:
    return str(proof(standing, rules.bound))


def compared(standing: Standing, state: State, *, agreed: bool, rules: Rules) -> Judged:
    """Give what one comparison, in shadow, in an audit, or by a user's word, does to a version."""
    wrong = 0 if agreed else 1
    now = standing.model_copy(
        update={"trials": standing.trials + 1, "wrong": standing.wrong + wrong}
    )
    if state == "serving":
        return _audited(now, rules) if wrong else Judged(now)
    if state != "shadowing":
        return Judged(now)
    if now.probe:
        return _probed(now, wrong, rules)
    if disproven(now.trials, now.wrong, rules.bound):
        return Judged(now, "demoted", f"in shadow: {_told(now, rules)}")
    return _promoted(now, rules)


def _audited(now: Standing, rules: Rules) -> Judged:
    watched = now.model_copy(update={"probe": rules.probe, "probed": 1, "probed_wrong": 1})
    if disproven(now.trials, now.wrong, rules.bound):
        return Judged(watched, "demoted", f"an answer was wrong: {_told(now, rules)}")
    reason = f"an answer was wrong; the next {rules.probe} are checked: {_told(now, rules)}"
    return Judged(watched, "shadowing", reason)


def _probed(now: Standing, wrong: int, rules: Rules) -> Judged:
    now = now.model_copy(
        update={
            "probe": now.probe - 1,
            "probed": now.probed + 1,
            "probed_wrong": now.probed_wrong + wrong,
        }
    )
    if disproven(now.probed, now.probed_wrong, rules.bound):
        reason = f"{now.probed_wrong} of the last {now.probed} checked answers were wrong"
        return Judged(now, "demoted", f"{reason}: {_told(now, rules)}")
    return Judged(now) if now.probe else _promoted(now, rules)


def _promoted(now: Standing, rules: Rules) -> Judged:
    if not proven(now.trials, now.wrong, rules.bound, now.attempt):
        return Judged(now)
    if rules.approval and not now.approved:
        return Judged(now.model_copy(update={"ready": True}))
    clean = now.model_copy(update={"probe": 0, "probed": 0, "probed_wrong": 0, "ready": False})
    return Judged(clean, "serving", f"proved: {_told(now, rules)}")


class Auditor:
    """Picks the requests to be audited: one in each block of ``1/rate``, at a place drawn by chance.

    So at most ``2/rate - 2`` answers of one tool lie between two audits, whatever chance does.
    """

    def __init__(self, rate: float, random: Random | None = None) -> None:
        self._block, self._random = max(1, round(1 / rate)), random or Random()
        self._left: dict[str, list[int]] = {}

    def due(self, label: str) -> bool:
        """Say whether the next request of a version is to be audited."""
        left = self._left.get(label)
        if not left:
            left = [self._random.randrange(self._block), self._block]
        place, size = left
        self._left[label] = [place - 1, size - 1] if size > 1 else []
        return place == 0
