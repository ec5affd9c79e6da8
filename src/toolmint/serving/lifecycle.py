"""The life of a version on live traffic: what each comparison with a stronger tier does to it."""

import math
from random import Random
from typing import Literal, NamedTuple

from pydantic import Field

from toolmint.core.messages import Frozen
from toolmint.core.namespace import ClassKey
from toolmint.core.store import Tally
from toolmint.core.tool import State
from toolmint.serving.error_bound import ErrorBound, disproven, proven, upper

RECHECKS = 20
DRIFTED, ALARM = 6.0, 3.0
"""By how much more often than allowed a learned version is wrong that audits are to find out, and the
evidence (natural logarithm) from which its next answers are all checked: two faults close together.
"""
_MOST_AUDITED = 20_000
"""Tools whose place in their block is known; of those asked longest ago it is drawn anew."""


class ServingPolicy(Frozen):
    """How requests are sent to tiers, and how tools are proved on live traffic.

    Attributes:
        shadow: a verified tool is compared with the strong model before it serves, and audited after
            (the gateway); False: it serves as soon as it is verified (the command line).
        bound: the error rate that is not passed, with its confidence.
        audit_rate: share of a serving tool's requests that the strong model answers, to be compared.
        recheck: comparisons that follow a disagreement before the tool serves again.
        approval: a person has to approve before a proved tool serves.
        candidates: classes whose tool is tried for a request at most, of each state.
        least_score: share of common wording below which a class is not even tried. A parser decides, so
            0 loses nothing but a sandbox call.
        dispatch: who picks the class for the light tier: ``wording`` (no model) or ``model`` (LATM's
            prompt, section 3.2).
        light_score: share of common wording that the light tier asks for where wording picks.
        light_after_unparsed: a light model may read what a tool's own parser refused. The bound is then
            the light model's matter too, so the gateway leaves it off.
        arc_agreements: agreements with a stronger answer that verify an arc of a tool which its
            verification did not exercise.
        accept_unverified: answers that took such an arc are served all the same.
    """

    shadow: bool = True
    bound: ErrorBound = ErrorBound()
    audit_rate: float = Field(default=0.1, gt=0, le=1)
    recheck: int = Field(default=RECHECKS, ge=1)
    approval: bool = False
    candidates: int = Field(default=3, ge=1)
    least_score: float = Field(default=0.0, ge=0, le=1)
    dispatch: Literal["wording", "model"] = "wording"
    light_score: float = Field(default=0.5, ge=0, le=1)
    light_after_unparsed: bool = False
    arc_agreements: int = Field(default=2, ge=1)
    accept_unverified: bool = False


class Transition(NamedTuple):
    """What a comparison led to: the new tally, and the state it moves to (None: it stays) with the
    reason.
    """

    tally: Tally
    state: State | None = None
    reason: str = ""


class BoundStatus(NamedTuple):
    """What a version's tally proves: comparisons, how many disagreed, and the upper limit of its error
    rate at a confidence, beside the rate that the user allows; ``as_json`` of them agreed as JSON alone.
    """

    comparisons: int
    disagreed: int
    upper: float
    epsilon: float
    confidence: float
    as_json: int = 0

    def __str__(self) -> str:
        """Return it in words, as headers and pages show it."""
        as_json = f" ({self.as_json} agreed as JSON)" if self.as_json else ""
        return (
            f"{self.disagreed} of {self.comparisons} comparisons disagreed{as_json}, "
            f"upper limit {self.upper:.2%} "
            f"at {self.confidence:.0%}, epsilon {self.epsilon:.2%}"
        )


def bound_status(tally: Tally, bound: ErrorBound) -> BoundStatus:
    """Return what a tally proves."""
    limit = upper(tally.trials, tally.wrong, bound.confidence)
    return BoundStatus(
        tally.trials, tally.wrong, limit, bound.epsilon, bound.confidence, tally.as_json
    )


def _summary(tally: Tally, policy: ServingPolicy) -> str:
    return str(bound_status(tally, policy.bound))


def after_comparison(
    tally: Tally,
    state: State,
    *,
    agreed: bool,
    policy: ServingPolicy,
    learned: bool = False,
) -> Transition:
    """Return what one comparison, in shadow, in an audit, or by a user's word, does to a version.

    Args:
        tally: what comparisons have shown before.
        state: the version's.
        agreed: whether the stronger answer was the same.
        policy: the bound, and how many checks follow a disagreement.
        learned: some of its answers are wrong by its nature, within the bound. One fault takes it out of
            service only where others were near, and once proved it serves again after its checks, unless
            these disprove the bound; code is checked after each fault, and proved anew.
    """
    wrong = 0 if agreed else 1
    now = tally.model_copy(update={"trials": tally.trials + 1, "wrong": tally.wrong + wrong})
    if state == "serving" and learned:
        return _audited_learned(now, wrong, policy)
    if state == "serving":
        return _audited(now, policy) if wrong else Transition(now)
    if state != "shadowing":
        return Transition(now)
    if now.recheck:
        return _rechecked(now, wrong, policy, learned=learned)
    if disproven(now.trials, now.wrong, policy.bound):
        return Transition(now, "demoted", f"in shadow: {_summary(now, policy)}")
    return _promoted(now, policy)


def learned_attempt(version: int) -> int:
    """Return the attempt that the proof of a learned version counts as, which halves its chance of error.

    A class gets many versions, so that the k-th takes 1 / (k (k + 1)) of the chance: these add up to 1 too,
    and the tenth has a hundredth where a half each time would leave a thousandth.
    """
    return math.ceil(math.log2(version * (version + 1)))


def after_held_out(
    tally: Tally, state: State, trials: int, wrong: int, policy: ServingPolicy
) -> Transition:
    """Return what a learned version's answers to held-out demonstrations do to it, before any live one.

    The strong model answered them and the version was not fitted on them, so that each counts as a
    comparison in shadow.
    """
    now = tally.model_copy(update={"trials": tally.trials + trials, "wrong": tally.wrong + wrong})
    if state != "shadowing" or not trials:
        return Transition(now)
    if disproven(now.trials, now.wrong, policy.bound):
        return Transition(now, "demoted", f"held out: {_summary(now, policy)}")
    return _promoted(now, policy)


def _audited(now: Tally, policy: ServingPolicy) -> Transition:
    watched = now.model_copy(
        update={"recheck": policy.recheck, "rechecked": 1, "rechecked_wrong": 1}
    )
    if disproven(now.trials, now.wrong, policy.bound):
        return Transition(watched, "demoted", f"an answer was wrong: {_summary(now, policy)}")
    reason = f"an answer was wrong; the next {policy.recheck} are checked: {_summary(now, policy)}"
    return Transition(watched, "shadowing", reason)


def _audited_learned(now: Tally, wrong: int, policy: ServingPolicy) -> Transition:
    """Return what an audit does to a learned version: a cumulative sum (Page 1954) of the likelihood ratio
    of a rate of ``DRIFTED`` times epsilon tells a change of the traffic from the faults that are allowed.
    """
    epsilon = policy.bound.epsilon
    rate = min(0.5 * (1 + epsilon), DRIFTED * epsilon)
    step = math.log(rate / epsilon) if wrong else math.log((1 - rate) / (1 - epsilon))
    now = now.model_copy(update={"drift": max(0.0, now.drift + step)})
    if disproven(now.trials, now.wrong, policy.bound):
        return Transition(now, "demoted", f"an answer was wrong: {_summary(now, policy)}")
    if now.drift < ALARM:
        return Transition(now)
    return _audited(now.model_copy(update={"drift": 0.0}), policy)


def _rechecked(now: Tally, wrong: int, policy: ServingPolicy, *, learned: bool) -> Transition:
    now = now.model_copy(
        update={
            "recheck": now.recheck - 1,
            "rechecked": now.rechecked + 1,
            "rechecked_wrong": now.rechecked_wrong + wrong,
        }
    )
    if disproven(now.rechecked, now.rechecked_wrong, policy.bound):
        reason = f"{now.rechecked_wrong} of the last {now.rechecked} checked answers were wrong"
        return Transition(now, "demoted", f"{reason}: {_summary(now, policy)}")
    if now.recheck:
        return Transition(now)
    if learned and now.wrong <= policy.bound.epsilon * now.trials:
        checked = f"{now.rechecked_wrong} of {now.rechecked} checked answers were wrong"
        return Transition(_clean(now), "serving", f"{checked}: {_summary(now, policy)}")
    return _promoted(now, policy)


def _promoted(now: Tally, policy: ServingPolicy) -> Transition:
    if not proven(now.trials, now.wrong, policy.bound, now.attempt):
        return Transition(now)
    if policy.approval and not now.approved:
        return Transition(now.model_copy(update={"ready": True}))
    return Transition(_clean(now), "serving", f"proved: {_summary(now, policy)}")


def _clean(now: Tally) -> Tally:
    return now.model_copy(
        update={"recheck": 0, "rechecked": 0, "rechecked_wrong": 0, "ready": False}
    )


def approve(tally: Tally, state: State) -> tuple[Tally, State | None, str]:
    """Return a version's tally once a person approved it; it serves at once where it was proved."""
    given = tally.model_copy(update={"approved": True, "ready": False})
    if tally.ready and state == "shadowing":
        return given, "serving", "proved, and approved by a person"
    return given, None, ""


class Auditor:
    """Picks the requests to be audited: one in each block of ``1/rate``, at a place drawn by chance.

    So at most ``2/rate - 2`` answers of one tool lie between two audits, whatever chance does.
    """

    def __init__(self, rate: float, random: Random | None = None) -> None:
        self._block, self._random = max(1, round(1 / rate)), random or Random()
        self._left: dict[ClassKey, tuple[int, int]] = {}

    def due(self, key: ClassKey) -> bool:
        """Return whether the next request of a class is to be audited."""
        place, size = self._left.pop(key, None) or (
            self._random.randrange(self._block),
            self._block,
        )
        if size > 1:
            if len(self._left) >= _MOST_AUDITED:
                del self._left[next(iter(self._left))]
            self._left[key] = place - 1, size - 1
        return place == 0
