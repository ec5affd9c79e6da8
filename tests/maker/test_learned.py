"""Learned tools: what they learn, when they abstain, and what they refuse."""

import json
import random
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolmint.core.errors import StoreError
from toolmint.core.tool import Demonstration
from toolmint.maker.learned import (
    Fitted,
    LearnedExample,
    LearnedModel,
    answer_kind,
    fit,
)
from toolmint.maker.learned.features import LONGEST_REQUEST, ngrams
from toolmint.maker.learned.limits import error_limit
from toolmint.maker.learned.matrix import Corpus
from toolmint.maker.learned.spans import spans_of
from toolmint.maker.learned.training import predictions_of, trained

THINGS = {
    "refund": ["money back", "refund", "return my payment", "reimburse me"],
    "delivery": ["parcel", "shipping", "when does it arrive", "courier"],
    "password": ["password", "login", "reset my account", "sign in"],
    "invoice": ["invoice", "bill copy", "receipt", "tax document"],
    "cancel": ["cancel", "stop my order", "call it off", "end the subscription"],
    "complaint": ["broken", "damaged", "faulty item", "does not work"],
}
OPENINGS = ["hello,", "hi there", "please", "good morning,", "sorry,", "urgent:"]
ENDINGS = ["thanks", "today", "as soon as you can", "for my sister", "again", "if possible"]


def requests(count: int, seed: int = 0) -> list[Demonstration]:
    """Return requests with one of six labels, worded by rules."""
    draw = random.Random(seed)
    found: list[Demonstration] = []
    for _ in range(count):
        label = draw.choice(sorted(THINGS))
        words = (draw.choice(OPENINGS), draw.choice(THINGS[label]), draw.choice(ENDINGS))
        text = f"{' '.join(words)} {draw.randint(1, 99)}"
        found.append(Demonstration(input=text, target=label))
    return found


def fitted(examples: list[Demonstration], **more: float) -> Fitted:
    return fit(examples, epsilon=0.05, confidence=0.95, most_unseen=more.get("most_unseen", 1.0))


@pytest.fixture(scope="module")
def model() -> LearnedModel:
    found = fitted(requests(400)).model
    assert found is not None
    return found


def test_a_closed_set_is_learnt_and_held_out_requests_prove_it(model: LearnedModel) -> None:
    fresh = requests(200, seed=1)
    answers = [model.answer(one.input) for one in fresh]
    assert sum(one.text is not None for one in answers) >= 150
    assert all(
        a.text is None or a.text == one.target for a, one in zip(answers, fresh, strict=True)
    )


def test_the_report_holds_the_evidence() -> None:
    report = fitted(requests(400)).report
    assert report.kind == "labels" and report.examples == 400 and report.label_count == 6
    assert report.error_limit <= 0.05 and report.wrong <= report.answered <= report.held_out == 400
    assert {one.label for one in report.labels} == set(THINGS)
    assert report.unseen_answered is not None and report.why == ""


def test_ten_examples_prove_nothing_so_nothing_is_served() -> None:
    found = fitted(requests(10))
    assert found.model is None
    assert (
        found.report.why == "10 examples cannot prove an error of at most 0.05 at 0.95 confidence"
    )


def test_answers_at_random_give_no_model() -> None:
    draw = random.Random(0)
    examples = [
        Demonstration(input=one.input, target=draw.choice(["yes", "no"])) for one in requests(400)
    ]
    found = fitted(examples)
    assert found.model is None
    assert found.report.why.startswith("no threshold keeps wrong answers")


def test_a_request_unlike_those_learnt_is_not_answered(model: LearnedModel) -> None:
    for text in (
        "SELECT * FROM t WHERE x = 1",
        "какая сегодня погода",
        "今日の天気は",
        "",
        "qzx" * 50,
    ):
        said = model.answer(text)
        assert said.text is None
        assert said.why == "the request is unlike those learnt"


def test_a_request_too_long_is_not_answered_and_not_learnt(model: LearnedModel) -> None:
    said = model.answer("refund " * 15_000)
    assert said.text is None
    assert said.why == f"the request has 105000 characters; at most {LONGEST_REQUEST} are read"
    long = Demonstration(input="x" * 100_000, target="refund")
    report = fitted([*requests(400), long]).report
    assert (
        report.left_out == {f"longer than {LONGEST_REQUEST} characters": 1}
        and report.examples == 400
    )


def test_a_label_left_out_of_the_examples_is_mostly_not_answered() -> None:
    examples = [one for one in requests(700) if one.target != "invoice"]
    found = fitted(examples, most_unseen=0.05).model
    assert found is not None
    unseen = [one for one in requests(300, seed=2) if one.target == "invoice"]
    assert sum(found.answer(one.input).text is not None for one in unseen) <= 0.1 * len(unseen)


def test_a_rare_label_is_never_answered_and_its_requests_are_not_given_to_others() -> None:
    rare = [Demonstration(input=f"chargeback dispute number {n}", target="fraud") for n in range(4)]
    found = fitted([*requests(400), *rare])
    assert found.model is not None
    facts = {one.label: one for one in found.report.labels}["fraud"]
    assert facts.threshold is None and facts.why == "its examples do not prove it"
    assert found.model.answer("chargeback dispute number 9").text is None


def test_labels_are_rendered_in_the_form_that_the_class_has() -> None:
    examples = [
        Demonstration(input=one.input, target=f"{(one.target or '').upper()}.\n")
        for one in requests(400)
    ]
    found = fitted(examples).model
    assert found is not None
    said = found.answer("hello, refund today 5")
    assert said.text == "REFUND.\n" and said.label == "REFUND."


def test_labels_that_differ_in_case_or_space_alone_are_reported() -> None:
    examples = [
        Demonstration(input=one.input, target="Refund " if one.input.endswith("7") else one.target)
        for one in requests(300)
    ]
    examples += [Demonstration(input="what is this", target="once")]
    notes = fitted(examples).report.notes
    assert any("'Refund'" in one and "differ in white space or case alone" in one for one in notes)
    assert any(one.startswith("1 of ") and "seen once" in one for one in notes)


@pytest.mark.parametrize(
    ("targets", "why"),
    [
        (["yes"] * 200, "all 200 answers are 'yes': nothing tells when another is right"),
        (
            [
                f"A long sentence, number {n}, that says something else each time, at length."
                for n in range(200)
            ],
            "the answers are no closed set: free text: 200 different answers",
        ),
        (
            [f"{n}.5" for n in range(200)],
            "the answers are no closed set: values: 200 different ones",
        ),
        (
            [f"label{n}" for n in range(200)],
            "the answers are no closed set: free text: 200 of 200 short answers occur once",
        ),
    ],
)
def test_what_is_no_closed_set_gives_no_model_and_says_why(targets: list[str], why: str) -> None:
    examples = [
        Demonstration(input=one.input, target=target)
        for one, target in zip(requests(200), targets, strict=True)
    ]
    found = fitted(examples)
    assert found.model is None and found.report.why == why


def test_five_thousand_labels_are_cut_to_the_most_frequent() -> None:
    examples = [
        Demonstration(input=f"item {n % 5000}", target=f"l{n % 5000}") for n in range(10_000)
    ]
    report = fitted(examples).report
    assert "5000 labels: the 512 most frequent are learnt" in report.notes
    assert report.why == "fewer than 2 of 5000 labels have 3 examples"


def test_options_of_the_request_itself_are_no_labels() -> None:
    draw = random.Random(0)
    asked = [
        f"Which one is it?\nOptions:\n(A) item {draw.random()}\n(B) item {draw.random()}"
        for _ in range(300)
    ]
    answers = [draw.choice(["(A)", "(B)"]) for _ in asked]
    assert answer_kind(answers, asked).kind == "options"
    found = fitted([Demonstration(input=q, target=a) for q, a in zip(asked, answers, strict=True)])
    assert found.model is None and "option of its own request" in found.report.why


@pytest.mark.parametrize(
    ("outputs", "kind", "closed"),
    [
        (["spam", "ham"] * 20, "labels", True),
        (["да", "нет"] * 20, "labels", True),
        ([f"city {n}" for n in range(20)], "labels", False),
        ([f"city {n}" for n in range(200)], "text", False),
        ([str(n * 7) for n in range(50)], "values", False),
        ([str(n % 5) for n in range(50)], "labels", True),
        ([json.dumps({"a": n % 3, "b": str(n)}) for n in range(60)], "fields", True),
        ([], "text", False),
    ],
)
def test_kinds_of_answers(outputs: list[str], kind: str, closed: bool) -> None:
    found = answer_kind(outputs)
    assert (found.kind, found.closed) == (kind, closed)
    assert found.words


def tickets(render: Callable[[str, str], str], count: int = 500) -> list[Demonstration]:
    draw = random.Random(3)
    found: list[Demonstration] = []
    for one in requests(count, seed=4):
        order = f"AB-{draw.randint(10_000, 99_999)}"
        found.append(
            Demonstration(
                input=f"{one.input} order {order}", target=render(one.target or "", order)
            )
        )
    return found


def compact(kind: str, order: str) -> str:
    return json.dumps({"intent": kind, "order": order})


def spread(kind: str, order: str) -> str:
    return f'{{"order":"{order}",\n  "intent": "{kind}"}}\n'


@pytest.mark.parametrize("render", [compact, spread])
def test_a_field_is_copied_from_the_request_and_the_form_is_kept(
    render: Callable[[str, str], str],
) -> None:
    found = fitted(tickets(render)).model
    assert found is not None
    said = found.answer("hello, refund today 5 order AB-77777")
    assert said.text == render("refund", "AB-77777")
    twice = found.answer("hello, refund today 5 order AB-77777 or AB-88888")
    assert twice.text is None
    assert (
        LearnedModel.from_bytes(found.to_bytes()).answer("hello, refund today 5 order AB-77777")
        == said
    )


def test_a_field_that_is_no_copy_is_not_learnt() -> None:
    draw = random.Random(0)
    examples = [
        Demonstration(
            input=one.input, target=json.dumps({"intent": one.target, "score": draw.random()})
        )
        for one in requests(200)
    ]
    report = fitted(examples).report
    assert (
        report.why == "a field of the answers is neither a closed set nor copied from the request"
    )


def test_bytes_give_the_same_model(model: LearnedModel) -> None:
    again = LearnedModel.from_bytes(model.to_bytes())
    assert again.labels == model.labels
    for one in requests(50, seed=9):
        assert again.answer(one.input) == model.answer(one.input)


def test_a_newer_or_damaged_model_is_refused_in_one_line(model: LearnedModel) -> None:
    data = model.to_bytes()
    line = data.index(b"\n")
    newer = data[:line].rsplit(b" ", 2)[0] + b" 99 10" + data[line:]
    for bad, said in (
        (newer, "is of version 99, newer than 1"),
        (data[:-1], "is damaged"),
        (data[:200] + b"\x00" + data[201:], "is damaged"),
        (b"", "are no learned model"),
        (b"PK\x03\x04 something", "are no learned model"),
    ):
        with pytest.raises(StoreError, match=said) as fault:
            LearnedModel.from_bytes(bad)
        assert fault.value.code == "learned-model" and "\n" not in str(fault.value)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_answered_or_not_without_a_fault(model: LearnedModel, text: str) -> None:
    said = model.answer(text)
    assert (said.text is None) == bool(said.why)
    assert 0 <= said.probability <= 1


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_an_error_of_the_tree(data: bytes) -> None:
    with pytest.raises(StoreError):
        LearnedModel.from_bytes(data)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40), min_size=4, max_size=12))
def test_a_fit_and_an_answer_see_the_same_features(texts: list[str]) -> None:
    grams = [ngrams(text) for text in [*texts, "a common text", "a common thing"]]
    view = Corpus(grams).learnt(np.arange(len(grams)), 1000)
    features = view.features(np.arange(len(grams)))
    for place, one in enumerate(grams):
        row = view.vocabulary.row(one)
        dense = np.zeros(len(view.vocabulary), np.float32)
        dense[row.columns] = row.values
        assert np.allclose(features.matrix[place].toarray()[0], dense, atol=1e-5)
        assert np.allclose(features.known[place], [row.known_words, row.known_runs], atol=1e-5)


def test_the_limit_is_that_of_clopper_and_pearson() -> None:
    beta: Any = import_module("scipy.stats").beta  # it has no types
    for wrong, trials in ((0, 59), (4, 200), (40, 1000), (3, 4)):
        exact = float(beta.ppf(0.95, wrong + 1, trials - wrong))
        assert error_limit(wrong, trials, 0.95) == pytest.approx(exact, abs=1e-9)
    assert error_limit(0, 0, 0.95) == 1 and error_limit(5, 5, 0.95) == 1


def test_an_abstention_counts_as_much_as_answers_are_audited() -> None:
    def weight(drawn: str) -> float:
        one = {"input": "q", "target": "a", "drawn": drawn, "audit_rate": 0.1}
        return LearnedExample.model_validate(one).weight

    assert [weight(one) for one in ("all", "audit", "abstained", "answered")] == [1, 1, 0.1, 0]


def test_own_unchecked_answers_prove_nothing() -> None:
    own = [
        LearnedExample(input=one.input, target=one.target, drawn="answered")
        for one in requests(400)
    ]
    assert fitted([*requests(30, seed=5), *own]).model is None
    report = fitted([*requests(400, seed=5), *own]).report
    assert report.held_out == 400 and report.error_limit <= 0.05


def test_a_later_version_keeps_what_leaving_labels_out_has_shown(model: LearnedModel) -> None:
    more = fit(requests(450), epsilon=0.05, confidence=0.95, previous=model, most_unseen=1.0)
    assert more.model is not None and more.model.unseen == model.unseen
    much = fit(requests(900), epsilon=0.05, confidence=0.95, previous=model, most_unseen=1.0)
    assert much.model is not None and much.model.unseen is not None
    assert much.model.unseen.examples == 900


def test_a_classifier_judges_as_the_model_answers() -> None:
    examples = requests(200)
    grams = [ngrams(one.input) for one in examples]
    names = sorted(THINGS)
    right = np.array([names.index(one.target or "") for one in examples])
    done = trained(Corpus(grams), np.arange(150), right, len(names))
    said = predictions_of(done, np.arange(150, 200))
    for place, one in enumerate(grams[150:]):
        row = done.vocabulary.row(one)
        scores = done.weights.scores(row)
        assert int(scores.argmax()) == said.said[place]
        assert float(scores.max()) == pytest.approx(float(said.signals[place, 0]), abs=1e-4)


def test_a_copied_field_has_one_shape() -> None:
    asked = [f"my code is K{n:04}x please" for n in range(100)]
    spans = spans_of([json.dumps({"code": f"K{n:04}x"}) for n in range(100)], asked)
    assert spans is not None and set(spans.patterns) == {"code"}
    assert spans.copied("code", "it is K7777x, thanks") == "K7777x"
    assert spans.copied("code", "it is K777x, thanks") is None
    assert spans.copied("code", "K7777x or K8888x") is None
