"""The bound holds at every moment, for tools of any error rate, however often somebody looks."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolmint.core.namespace import ClassKey
from toolmint.core.store import Tally
from toolmint.core.tool import State
from toolmint.serving.error_bound import (
    ErrorBound,
    comparisons_needed,
    disproven,
    evidence,
    proven,
    upper,
)
from toolmint.serving.lifecycle import Auditor, ServingPolicy, after_comparison

KEY = ClassKey("local", "", "sorting")
BOUND = ErrorBound(epsilon=0.05, confidence=0.95)


def life(rate: float, random: Random, most: int, policy: ServingPolicy) -> bool:
    """Return whether a tool that is wrong at a rate ever serves, with a look after each comparison."""
    tally, state = Tally(), "shadowing"
    for _ in range(most):
        judged = after_comparison(tally, "shadowing", agreed=random.random() >= rate, policy=policy)
        tally, state = judged.tally, judged.state or state
        if state != "shadowing":
            return state == "serving"
    return False


def test_of_a_thousand_classes_at_most_the_stated_share_serves_above_epsilon() -> None:
    random, policy = Random(5), ServingPolicy(bound=BOUND)
    served = sum(life(BOUND.epsilon, random, 800, policy) for _ in range(1000))
    assert served <= 50, f"{served} of 1,000 tools at epsilon itself were promoted, 50 may be"
    good = sum(life(0.0, random, 100, policy) for _ in range(50))
    assert good == 50


def test_trying_again_and_again_is_covered_too() -> None:
    random, policy = Random(6), ServingPolicy(bound=BOUND)
    wrong = 0
    for _ in range(300):
        served = False
        for attempt in range(1, 6):
            tally = Tally(attempt=attempt)
            for _ in range(400):
                judged = after_comparison(
                    tally, "shadowing", agreed=random.random() >= 0.05, policy=policy
                )
                tally = judged.tally
                if judged.state:
                    served = served or judged.state == "serving"
                    break
        wrong += served
    assert wrong <= 15


def test_as_few_comparisons_as_promised_prove_a_faultless_tool() -> None:
    count = comparisons_needed(BOUND)
    assert proven(count, 0, BOUND) and not proven(count - 1, 0, BOUND)
    exact = math.log(0.05) / math.log(0.95)  # Clopper-Pearson, one look at a time fixed before
    assert exact < count < 1.6 * exact


@given(st.integers(1, 400), st.integers(0, 60), st.floats(0.01, 0.5))
def test_evidence_falls_with_each_fault_and_the_limit_is_where_it_stops(
    trials: int, wrong: int, epsilon: float
) -> None:
    wrong = min(wrong, trials - 1)
    assert evidence(trials, wrong + 1, epsilon) < evidence(trials, wrong, epsilon) + 1e-9
    limit = upper(trials, wrong, 0.95)
    assert wrong / trials <= limit <= 1
    assert limit == 1 or evidence(trials, wrong, limit) >= -math.log(0.05) - 1e-6


@given(st.integers(0, 300), st.integers(0, 300))
def test_no_counts_prove_a_bound_and_disprove_it(trials: int, wrong: int) -> None:
    wrong = min(wrong, trials)
    assert not (proven(trials, wrong, BOUND) and disproven(trials, wrong, BOUND))


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        evidence(2, 3, 0.05)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5])
def test_at_most_two_blocks_lie_between_two_audits(rate: float) -> None:
    auditor, gap, worst, audits = Auditor(rate, Random(3)), 0, 0, 0
    for _ in range(20_000):
        if auditor.due(KEY):
            worst, gap, audits = max(worst, gap), 0, audits + 1
        else:
            gap += 1
    assert worst <= 2 / rate - 2 and abs(audits / 20_000 - rate) < 1e-9


def test_a_tool_that_turns_bad_gives_at_most_twenty_bad_answers() -> None:
    random, policy, worst = Random(9), ServingPolicy(), 0
    for start in range(500):
        tally, bad, auditor = Tally(trials=1000), 0, Auditor(policy.audit_rate, random)
        state: State = "serving"
        for _ in range(start % 10):
            auditor.due(KEY)
        while state != "demoted":
            if state == "serving" and not auditor.due(KEY):
                bad += 1
                continue
            judged = after_comparison(tally, state, agreed=False, policy=policy)
            tally, state = judged.tally, judged.state or state
        worst = max(worst, bad)
    assert worst <= 20


def test_one_fault_is_checked_and_forgiven_if_it_stays_alone() -> None:
    policy = ServingPolicy()
    judged = after_comparison(Tally(trials=300), "serving", agreed=False, policy=policy)
    assert judged.state == "shadowing" and judged.tally.recheck == 20 and "next 20" in judged.reason
    tally = judged.tally
    for _ in range(20):
        judged = after_comparison(tally, "shadowing", agreed=True, policy=policy)
        tally = judged.tally
    assert judged.state == "serving" and tally.recheck == 0


def test_a_person_who_wants_to_approve_is_waited_for() -> None:
    policy = ServingPolicy(approval=True)
    tally = Tally(trials=400)
    judged = after_comparison(tally, "shadowing", agreed=True, policy=policy)
    assert judged.state is None and judged.tally.ready
    approved = judged.tally.model_copy(update={"approved": True})
    assert after_comparison(approved, "shadowing", agreed=True, policy=policy).state == "serving"
