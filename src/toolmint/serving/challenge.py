"""When a newer learned version takes the place of the one that serves.

While one serves, the strong model labels all that it does not answer, and few of its answers. So the newer
version is compared mostly where the other one abstains, and that is the harder part of the traffic. Where
the other one answers, its own comparisons stand: a version that is fitted on more is taken to be as good
there, and audits see to that from its first answer on. Both parts count in the proportion of the traffic.
"""

from typing import NamedTuple

from toolmint.core.store import Tally
from toolmint.core.tool import State
from toolmint.serving.error_bound import disproven, proven
from toolmint.serving.lifecycle import ServingPolicy, Transition, bound_status


class Coverage(NamedTuple):
    """Requests of a class since a newer version is compared, and how many of them which version answered."""

    seen: float = 0.0
    answered: float = 0.0
    rival: float = 0.0

    def added_to(self, tally: Tally) -> Tally:
        """Return a tally with these requests."""
        return tally.model_copy(
            update={
                "seen": tally.seen + self.seen,
                "answered": tally.answered + self.answered,
                "rival": tally.rival + self.rival,
            }
        )


class Challenge(NamedTuple):
    """What a newer version is compared with.

    Attributes:
        coverage: requests since its last comparison.
        rival: the comparisons of the version that serves; None: none does.
    """

    coverage: Coverage
    rival: Tally | None


def inherited(tally: Tally, rival: Tally | None) -> Tally:
    """Return the comparisons of a newer version with those that it inherits, in the traffic's proportion.

    The larger part is cut down to the smaller one, so that no comparison counts more than once.
    """
    gain = tally.answered - tally.rival
    if rival is None or tally.rival <= 0 or gain <= 0:
        return tally
    old_share = tally.rival / tally.answered
    whole = min(rival.trials / old_share, tally.trials / (1 - old_share))
    old, new = whole * old_share, whole * (1 - old_share)
    wrong = 0.0
    for part, one in ((old, rival), (new, tally)):
        wrong += part * one.wrong / one.trials if one.trials else 0.0
    update = {"trials": int(old + new), "wrong": min(int(old + new), round(wrong))}
    return tally.model_copy(update=update)


def after_challenge(
    tally: Tally, state: State, rival: Tally | None, policy: ServingPolicy
) -> Transition:
    """Return what the comparisons of a newer version do to it: it serves if it is proved and answers more.

    Args:
        tally: its comparisons and coverage, the last one among them.
        state: its state.
        rival: the comparisons of the version that serves; None: none does.
        policy: the bound.
    """
    if state != "shadowing":
        return Transition(tally)
    whole = inherited(tally, rival)
    said = str(bound_status(whole, policy.bound))
    if disproven(whole.trials, whole.wrong, policy.bound):
        return Transition(tally, "demoted", f"in shadow: {said}")
    gains = tally.answered > tally.rival
    if not gains or not proven(whole.trials, whole.wrong, policy.bound, tally.attempt):
        return Transition(tally)
    if policy.approval and not tally.approved:
        return Transition(tally.model_copy(update={"ready": True}))
    share = (
        f"it answers {tally.answered:.0f} of {tally.seen:.0f} requests, before {tally.rival:.0f}"
    )
    return Transition(
        whole.model_copy(update={"ready": False}), "serving", f"proved: {said}; {share}"
    )
