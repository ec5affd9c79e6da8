"""The parts of a learned tool's life: scopes that are one class, suspicion, challenges, weights in memory."""

from pathlib import Path
from random import Random

import pytest
from tests.maker.tools import demos
from tests.serving.learned_world import stream

from toolmint.core.errors import StoreError, ToolmintError
from toolmint.core.learned import weights_digest
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.store import MakingReport, Tally
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.maker.learned import LearnedModel, fit
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.answer_kinds import FREE_TEXT, is_free_text, judgements, kind_facts
from toolmint.serving.challenge import after_challenge, inherited
from toolmint.serving.error_bound import ErrorBound
from toolmint.serving.learned_models import LearnedModels
from toolmint.serving.learned_watch import AUDITS, LearnedWatch, lower_tail
from toolmint.serving.lifecycle import (
    ServingPolicy,
    after_comparison,
    after_held_out,
    learned_attempt,
)
from toolmint.serving.request_classes import MAX_CLASSES, RequestClasses
from toolmint.serving.scope_class import RECENT_REQUESTS, ScopeClass, scope_class_name
from toolmint.serving.server import ToolServer
from toolmint.serving.servers import Storage, ToolServers
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
POLICY = ServingPolicy(bound=ErrorBound(epsilon=0.05, confidence=0.95))


# A scope that is one class


def test_freely_worded_requests_with_few_answers_are_one_class_and_computations_are_not(
    tmp_path: Path,
) -> None:
    store = SqlStore.open(tmp_path / "tools.db")
    classes, joined = RequestClasses(store.namespace(Namespace())), list[str]()
    rng = Random(2)
    sums = [(f"How much is {n} plus {m}? Say the number alone.", str(n + m)) for n, m in _pairs(80)]
    even = [
        (f"Is {n} an even number? Answer yes or no.", ("no", "yes")[n % 2 == 0]) for n in range(80)
    ]
    sorting = [(one.input, one.target or "") for one in demos(80, seed=4)]
    mixed = [*stream(300, seed=4), *sums, *even, *sorting]
    rng.shuffle(mixed)
    names: dict[str, str] = {}
    for text, answer in mixed:
        names[text], _ = classes.join(text, classes.alike(text), answer)
        joined += classes.join_free()
    free = classes.free.name
    assert classes.free.found and len(joined) > 5
    assert not {names[text] for text, _ in (*sums, *even, *sorting)} & {free, *joined}
    last = [names[text] for text, answer in mixed[-200:] if answer in {"refund", "delivery"}]
    assert last.count(free) >= 0.8 * len(last) > 10
    assert classes.merged(joined[0]) == free and joined[0] not in classes.waiting
    store.close()


def _pairs(count: int) -> list[tuple[int, int]]:
    rng = Random(5)
    return [(rng.randrange(900), rng.randrange(900)) for _ in range(count)]


def test_free_text_and_values_make_no_class_of_a_scope() -> None:
    prose, values = ScopeClass(scope_class_name("a")), ScopeClass(scope_class_name("b"))
    for number, (text, _) in enumerate(stream(300, seed=3)):
        prose.note(f"c{number}", text, f"An answer to number {number}, in words of its own. " * 3)
        values.note(f"c{number}", text, str(number * 7))
        assert not prose.joined() and not values.joined()
    assert not prose.found and not values.found
    assert not prose.holds("c1") and not values.holds(), "makings do not wait for it for ever"


def test_a_scope_keeps_no_more_than_it_needs(tmp_path: Path) -> None:
    store = SqlStore.open(tmp_path / "tools.db")
    classes = RequestClasses(store.namespace(Namespace()))
    for text, label in stream(400, seed=6):
        classes.join(text, classes.alike(text), label)
        classes.join_free()
    for number in range(MAX_CLASSES + 300):
        text = f"{number * 7919} {number * 104_729} something else {number}"
        classes.join(text, None, f"answer {number}")
        classes.join_free()
    assert len(classes.waiting) <= MAX_CLASSES and classes.free.name in classes.waiting
    assert len(classes.free._recent) <= RECENT_REQUESTS and len(classes.free._answers) < 50
    store.close()


# Suspicion


def test_a_version_that_agrees_much_less_than_before_is_audited_for_some_answers() -> None:
    watch = LearnedWatch()
    for number in range(100):
        assert not watch.note("moods", 1, agreed=number % 10 != 0)
    assert not watch.due("moods", 1)
    suspected = [watch.note("moods", 1, agreed=False) for _ in range(20)]
    assert suspected.count(True) == 1 and suspected.index(True) < 12
    assert [watch.due("moods", 1) for _ in range(AUDITS + 1)] == [True] * AUDITS + [False]
    assert not watch.due("moods", 2), "another version is not meant"


def test_chance_alone_seldom_raises_suspicion() -> None:
    rng, watch = Random(4), LearnedWatch()
    raised = sum(watch.note("moods", 1, agreed=rng.random() < 0.7) for _ in range(3000))
    assert raised <= 5
    assert lower_tail(20, 20, 0.7) == pytest.approx(1) and lower_tail(0, 2, 0.5) == 0.25


# Challenges


def test_a_newer_version_inherits_comparisons_in_the_traffics_proportion() -> None:
    tally = Tally(trials=300, wrong=12, seen=1000, answered=800, rival=500)
    whole = inherited(tally, Tally(trials=2000, wrong=20))
    assert whole.trials == 800 and whole.wrong == round(500 * 0.01 + 300 * 0.04)
    assert inherited(tally, None) is tally
    assert inherited(tally.model_copy(update={"rival": 900.0}), Tally(trials=5)).trials == 300
    few = inherited(tally, Tally(trials=100, wrong=1))
    assert few.trials == 160, "the larger part is cut down"


def test_a_newer_version_serves_only_if_it_is_proved_and_answers_more() -> None:
    rival = Tally(trials=400, wrong=2)
    good = Tally(trials=200, wrong=1, seen=1000, answered=700, rival=500)
    moved = after_challenge(good, "shadowing", rival, POLICY)
    assert (
        moved.state == "serving" and "it answers 700 of 1000 requests, before 500" in moved.reason
    )
    fewer = good.model_copy(update={"answered": 450.0})
    assert after_challenge(fewer, "shadowing", rival, POLICY).state is None
    bad = good.model_copy(update={"wrong": 60})
    assert after_challenge(bad, "shadowing", rival, POLICY).state == "demoted"
    approval = POLICY.model_copy(update={"approval": True})
    assert after_challenge(good, "shadowing", rival, approval).tally.ready
    assert after_challenge(good, "demoted", rival, POLICY).state is None


def test_held_out_answers_count_as_comparisons_in_shadow() -> None:
    assert after_held_out(Tally(), "shadowing", 200, 0, POLICY).state == "serving"
    assert after_held_out(Tally(), "shadowing", 20, 0, POLICY).state is None
    assert after_held_out(Tally(), "shadowing", 100, 40, POLICY).state == "demoted"
    assert after_held_out(Tally(), "serving", 100, 40, POLICY).state is None
    assert sum(2.0 ** -learned_attempt(version) for version in range(1, 500)) <= 1


def test_a_learned_version_serves_again_after_its_checks_where_code_is_proved_anew() -> None:
    tally = Tally(trials=300, wrong=6, recheck=1, rechecked=20, rechecked_wrong=1)
    code = after_comparison(tally, "shadowing", agreed=True, policy=POLICY)
    learned = after_comparison(tally, "shadowing", agreed=True, policy=POLICY, learned=True)
    assert code.state is None and learned.state == "serving"
    worse = tally.model_copy(update={"wrong": 30})
    assert (
        after_comparison(worse, "shadowing", agreed=True, policy=POLICY, learned=True).state is None
    )


def test_faults_that_are_allowed_leave_a_learned_version_in_service_and_a_change_does_not() -> None:
    tally = Tally(trials=300, wrong=4)
    for number in range(120):
        moved = after_comparison(
            tally, "serving", agreed=number % 30 != 0, policy=POLICY, learned=True
        )
        tally = moved.tally
        assert moved.state is None
    moved = after_comparison(tally, "serving", agreed=False, policy=POLICY, learned=True)
    while moved.state is None:
        moved = after_comparison(moved.tally, "serving", agreed=False, policy=POLICY, learned=True)
    assert moved.tally.trials <= 422 and moved.state == "shadowing"
    assert moved.tally.recheck == POLICY.recheck
    checks = 0
    while moved.state != "demoted":
        moved = after_comparison(
            moved.tally, "shadowing", agreed=False, policy=POLICY, learned=True
        )
        checks += 1
    assert checks <= 5


# Free text is left alone


def test_free_text_is_told_once_two_makings_have_failed() -> None:
    prose = [
        Demonstration(
            input=f"Write about {n}", target=f"Once upon a time there were {n} of them. " * 4
        )
        for n in range(12)
    ]
    assert is_free_text(prose) and "judgement" not in kind_facts(prose, 1)
    facts = kind_facts(prose, 2)
    assert facts["judgement"] == FREE_TEXT and facts["answers"] == "text"
    assert not is_free_text(demos(12)), "a sorted list is made of the request's own words"
    labels = [Demonstration(input=text, target=label) for text, label in stream(40)]
    assert "learned tool" in str(kind_facts(labels, 2)["judgement"])
    report = MakingReport(request_class="tales", made=False, body=facts)
    assert judgements([report]) == {"tales": FREE_TEXT}
    made = report.model_copy(update={"made": True})
    assert judgements([report, made]) == {}


# Weights


def model() -> LearnedModel:
    examples = [Demonstration(input=text, target=label) for text, label in stream(300)]
    found = fit(examples, epsilon=0.1, confidence=0.8).model
    assert found is not None
    return found


@pytest.fixture(scope="module")
def weights() -> bytes:
    return model().to_bytes()


async def test_models_are_read_once_and_those_unused_for_longest_are_dropped(
    weights: bytes,
) -> None:
    asked: list[str] = []

    async def load(key: ClassKey, digest: str) -> bytes:
        asked.append(f"{key} {digest}")
        return weights

    models = LearnedModels(load, most=2 * len(weights))
    key = Namespace().key("moods")
    for digest in ("a", "b", "a", "c", "a", "b"):
        assert (await models.get(key, digest)).answer("my parcel, twice").probability > 0
    assert [one.rpartition(" ")[2] for one in asked] == ["a", "b", "c", "b"]
    assert len(models) == 2 and models.size == 2 * len(weights)


@pytest.mark.parametrize("broken", ["damaged", "gone", "newer"])
async def test_weights_that_cannot_be_read_are_one_line_and_the_model_answers(
    tmp_path: Path, sandbox: ForkServer, weights: bytes, broken: str
) -> None:
    store = SqlStore.open(tmp_path / "tools.db")
    mine = store.namespace(Namespace())
    body = {"damaged": b"\0" + weights[1:-9], "gone": weights, "newer": _newer(weights)}[broken]
    record = ToolRecord(
        request_class="moods",
        profile="learned",
        weights=weights_digest(body),
        demonstrations=(Demonstration(input="my parcel is late again", target="delivery"),),
        provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
    )
    await mine.add(record, "serving", "for a test", weights=body)
    if broken == "gone":
        with store._database.transaction(write=True) as connection:
            connection.exec_driver_sql("DELETE FROM weights")
    storage = Storage(store, store.live, store.traffic, store.traffic)
    servers = ToolServers(storage, sandbox, ServingPolicy(audit_rate=0.001))
    server: ToolServer = await servers.of(Namespace())
    found = await server.lookup("my parcel is late again")
    (said,) = found.attempts
    assert found.mode == "none" and said.startswith("moods v1 rests: ") and "\n" not in said
    with pytest.raises(ToolmintError):
        await servers.models.get(server.entries["moods"].key, record.weights)
    store.close()


def _newer(weights: bytes) -> bytes:
    """Return weights whose format is one that no version knows yet."""
    head, line, rest = weights.partition(b"\n")
    return head.replace(b"1", b"9", 1) + line + rest


async def test_a_record_and_its_weights_belong_together(tmp_path: Path, weights: bytes) -> None:
    store = SqlStore.open(tmp_path / "tools.db")
    record = ToolRecord(
        request_class="moods",
        profile="learned",
        weights="0" * 64,
        provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
    )
    with pytest.raises(StoreError, match="other weights"):
        await store.add(record, "serving", "for a test", weights=weights)
    with pytest.raises(StoreError, match="other weights"):
        await store.add(record, "serving", "for a test")
    store.close()
