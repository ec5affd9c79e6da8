"""What one comparison with a stronger answer does to a version: to its tally, its state and its arcs."""

from collections.abc import Callable, Sequence

from toolmint.core.sameness import AnswerRule
from toolmint.core.store import Tally
from toolmint.core.tool import State
from toolmint.core.traffic import TallyUpdate
from toolmint.serving.arc_agreements import count_arcs
from toolmint.serving.challenge import Challenge, after_challenge
from toolmint.serving.lifecycle import ServingPolicy, after_comparison
from toolmint.serving.lookup import ActiveVersion

KeptTexts = tuple[str | None, str | None, str | None]
"""The texts of a comparison (request, our answer, theirs) as far as they may be kept."""
Redact = Callable[..., Sequence[str] | None]
"""Returns texts as they may be kept; None: none of them."""


def kept_texts(texts: tuple[str, str, str], redact: Redact | None, *, keep: bool) -> KeptTexts:
    """Return the texts of a comparison as they may be kept."""
    kept = (redact(*texts) if redact else texts) if keep else None
    return (None, None, None) if kept is None else (kept[0], kept[1], kept[2])


def comparison_update(
    entry: ActiveVersion,
    arcs: str,
    policy: ServingPolicy,
    *,
    agreed: bool,
    rule: AnswerRule | None = None,
    challenge: Challenge | None = None,
) -> TallyUpdate:
    """Return what the store applies to a version after a comparison.

    Args:
        entry: the version.
        arcs: those that its answer took, in hexadecimal; empty: they are not known.
        policy: how many agreements verify an arc, and what moves a version.
        agreed: whether the stronger answer was the same.
        rule: by which rule it was, where answers were compared.
        challenge: of a newer learned version, what it is compared with; None: it is the one at work.
    """
    known = entry.record.arcs if entry.record.guarded and arcs else None
    unverified = entry.unverified(arcs) if known is not None else ""

    def update(tally: Tally, state: State) -> tuple[Tally, State | None, str]:
        tally = tally.model_copy(update={"as_json": tally.as_json + (rule == "json")})
        if known is not None:
            needed, recheck = policy.arc_agreements, policy.recheck
            tally = count_arcs(tally, known, arcs, agreed=agreed, needed=needed, recheck=recheck)
        if challenge is not None:
            counted = {"trials": tally.trials + 1, "wrong": tally.wrong + (not agreed)}
            tally = challenge.coverage.added_to(tally.model_copy(update=counted))
            return after_challenge(tally, state, challenge.rival, policy)
        learned = entry.record.learned
        moved = after_comparison(tally, state, agreed=agreed, policy=policy, learned=learned)
        reason = moved.reason
        if reason and unverified and not agreed:
            reason = f"{reason}; it took what was not verified: {unverified}"
        return moved.tally, moved.state, reason

    return update
