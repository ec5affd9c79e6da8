"""ROUGE-L equals the package's own, bit for bit."""

import random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge import Rouge  # pyright: ignore[reportMissingTypeStubs]

from toolmint.core.errors import InputError
from toolmint.evaluation.rouge_l import lcs_words, rouge_l

PACKAGE: Any = cast("Any", Rouge)(metrics=["rouge-l"])
TEXTS = st.lists(
    st.sampled_from(["a", "b", "c", "d", "ab", ".", " . ", "..", "A", "3.5", "\n", "é"]),
    max_size=40,
)


def packages(hypothesis: str, reference: str) -> float | None:
    try:
        return float(PACKAGE.get_scores(hyps=hypothesis, refs=reference)[0]["rouge-l"]["f"])
    except ValueError:
        return None


def ours(hypothesis: str, reference: str) -> float | None:
    try:
        return rouge_l(hypothesis, reference)
    except InputError:
        return None


@settings(max_examples=400, deadline=None)
@given(TEXTS, TEXTS)
def test_it_equals_the_package(one: list[str], other: list[str]) -> None:
    hypothesis, reference = " ".join(one), " ".join(other)
    assert ours(hypothesis, reference) == packages(hypothesis, reference)


def test_it_equals_the_package_on_long_texts() -> None:
    chance = random.Random(1)
    words = [f"w{number}" for number in range(60)]
    for _ in range(40):
        texts = [
            " ".join(
                chance.choice([*words, "the", "the", "the."])
                for _ in range(chance.randrange(30, 200))
            )
            for _ in range(2)
        ]
        assert ours(*texts) == packages(*texts)


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("a b c", "a c", {"a", "c"}),
        ("a b", "b a", {"b"}),
        ("x y", "z", set[str]()),
        ("a a b", "a b", {"a", "b"}),
    ],
)
def test_the_words_of_small_tables(one: str, other: str, words: set[str]) -> None:
    assert lcs_words(one.split(), other.split()) == words


def test_no_sentence_is_an_error_as_it_is_in_the_package() -> None:
    for empty in ("", "...", "."):
        assert packages(empty, "a") is None
        with pytest.raises(InputError):
            rouge_l(empty, "a")
