"""Classes are found by wording, added one by one, and forgotten."""

import time
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from toolmint.embedded.classes import CLASSES
from toolmint.serving.classify import Classifier, features, tokens_of


def _known(shown: int = 3) -> Classifier:
    classifier, rng = Classifier(), Random(1)
    for name, generate in CLASSES.items():
        for _ in range(shown):
            classifier.learn(name, generate(rng).input)
    return classifier


def test_every_class_is_found_from_three_examples() -> None:
    classifier, rng = _known(), Random(2)
    for name, generate in CLASSES.items():
        for _ in range(40):
            assert classifier.rank(generate(rng).input, most=1)[0].request_class == name


def test_foreign_wording_scores_low_and_empty_scores_nothing() -> None:
    classifier = _known()
    assert classifier.rank("Write a haiku about snow.", least=0.3) == []
    assert classifier.rank("") == [] and Classifier().rank("x") == []


def test_a_forgotten_class_is_gone_without_touching_others() -> None:
    classifier = _known()
    before = classifier.rank(CLASSES["swaps"](Random(3)).input, most=1)[0].request_class
    classifier.forget("sorting")
    classifier.forget("sorting")
    assert len(classifier) == 5 and "sorting" not in classifier and "swaps" in classifier
    ranked = classifier.rank(CLASSES["sorting"](Random(3)).input)
    assert all(guess.request_class != "sorting" for guess in ranked)
    assert classifier.rank(CLASSES["swaps"](Random(3)).input, most=1)[0].request_class == before


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=30)), max_size=8),
    st.text(max_size=30),
)
def test_scores_lie_between_zero_and_one(examples: list[tuple[str, str]], text: str) -> None:
    classifier = Classifier()
    for name, example in examples:
        classifier.learn(name, example)
    for guess in classifier.rank(text):
        assert 0.0 <= guess.score <= 1.0 + 1e-9


def test_numbers_are_folded() -> None:
    assert features(tokens_of("Add 12 and 7")) == features(tokens_of("add 3 and 99"))


def _crowd(count: int) -> Classifier:
    """Return a classifier of classes that end alike and begin with two words of their own."""
    classifier = Classifier()
    for number in range(count):
        for slot in (1, 2, 3):
            own = f"{_word(number)} {_word(number * 7 + 3)}"
            classifier.learn(f"class-{number}", f"Please {own}, then add {slot} and {slot * 9}.")
    return classifier


def _word(number: int) -> str:
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(4))


def test_a_class_is_found_among_thousands_that_share_most_of_its_wording() -> None:
    for count in (20, 300, 3000):
        classifier = _crowd(count)
        for number in range(0, count, 17):
            own = f"{_word(number)} {_word(number * 7 + 3)}"
            best = classifier.rank(f"Please {own}, then add 44 and 55.", most=1)[0]
            assert (best.request_class, best.score) == (f"class-{number}", 1.0)


def test_the_time_of_a_look_up_does_not_grow_with_the_classes() -> None:
    found: list[float] = []
    for count in (60, 3000):
        classifier = _crowd(count)
        text = f"Please {_word(5)} {_word(38)}, then add 44 and 55."
        seconds: list[float] = []
        for _ in range(100):
            started = time.perf_counter()
            best = classifier.rank(text, most=1)[0]
            seconds.append(time.perf_counter() - started)
            assert best.request_class == "class-5"
        found.append(min(seconds))  # of many, so that what else the machine does costs nothing
    assert found[1] < 4 * found[0]
