"""What is seen of a file before anything is made: its classes, doubtful demonstrations, and what fits."""

from collections.abc import Sequence
from random import Random

import pytest
from benchmarks.messy_topics import INTEREST, LEAGUE, TOPICS, Topic, messy_file
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation.intents import shop
from tests.maker.tools import demos

from toolmint.core.tool import Demonstration
from toolmint.maker.class_groups import class_groups, nearest_groups
from toolmint.maker.survey import survey

LETTERS = [
    Demonstration(
        input=f"Write a polite reply to {name}, who asks about {what}.",
        target=f"Dear {name}, thank you for your letter. We are glad to tell you all that we know of "
        f"{what}, and hope that {wish} before the end of {month}.",
    )
    for name, month in (("Ada", "May"), ("Ben", "June"), ("Cy", "July"), ("Dora", "March"))
    for what, wish in (("parking", "you call us"), ("refunds", "the money reaches you soon"))
]


_ENDS = ("rak", "lon", "mit", "sep", "tur", "vex", "wol", "zan", "dim", "gor")


def mixed(*parts: Sequence[Demonstration], seed: int = 1) -> list[Demonstration]:
    every = [one for part in parts for one in part]
    Random(seed).shuffle(every)
    return every


@pytest.mark.parametrize("topic", TOPICS, ids=lambda one: one.name)
@pytest.mark.parametrize("phrasings", [1, 2, 5])
def test_one_kind_in_several_phrasings_is_one_class(topic: Topic, phrasings: int) -> None:
    (one,) = survey(messy_file(topic, phrasings=phrasings, seed=1), "file").classes
    assert (one.name, one.requests, one.wordings) == ("file", 30, phrasings)
    assert (one.kind, one.fits) == ("values", "code")


@pytest.mark.parametrize("phrasings", [1, 5, 10])
def test_three_kinds_in_one_file_are_three_classes(phrasings: int) -> None:
    parts = [messy_file(topic, phrasings=phrasings, seed=1) for topic in TOPICS]
    every = mixed(*parts)
    groups = class_groups(every)
    whole = [{one.input for one in part} for part in parts]
    assert sorted(len(group) for group in groups) == [30, 30, 30]
    for group in groups:
        assert {every[place].input for place in group} in whole


def test_each_class_of_a_mixed_file_gets_the_kind_of_tool_that_fits_it() -> None:
    seen = survey(
        mixed(shop(200), demos(), messy_file(INTEREST, phrasings=3, seed=1), LETTERS), "mixed"
    )
    assert [(one.kind, one.fits, one.requests) for one in seen.classes] == [
        ("labels", "code or learned", 200),
        ("values", "code", 30),
        ("values", "code", 10),
        ("text", "none", 8),
    ]
    assert len({one.name for one in seen.classes}) == 4
    assert all(one.name.startswith("mixed-") for one in seen.classes)


def test_freely_worded_requests_with_labels_are_one_class_whatever_the_label() -> None:
    (one,) = survey(shop(900), "shop").classes
    assert (one.kind, one.fits, one.requests) == ("labels", "code or learned", 900)
    assert "12" in one.answers


def test_where_no_wording_comes_again_a_learned_tool_is_all_that_fits() -> None:
    rng = Random(2)
    tones = {
        "praise": ["splendid", "superb", "lovely", "brilliant", "delightful"],
        "blame": ["awful", "dreadful", "shabby", "horrid", "useless"],
    }
    filler = [f"{first}{last}" for first in ("ba", "do", "ki", "lu", "me") for last in _ENDS]

    def review() -> Demonstration:
        tone = rng.choice(list(tones))
        words = [*rng.sample(tones[tone], 2), *rng.sample(filler, 5)]
        rng.shuffle(words)
        return Demonstration(input=" ".join(words), target=tone)

    (one,) = survey([review() for _ in range(120)], "reviews").classes
    assert (one.kind, one.fits) == ("labels", "learned") and "freely worded" in one.why


def test_answers_that_no_tool_can_give_are_said_before_anything_is_tried() -> None:
    (letters,) = survey(LETTERS).classes
    assert (letters.kind, letters.fits) == ("text", "none") and "free text" in letters.why
    (few,) = survey(list(demos(3))).classes
    assert few.few and few.fits == "none" and "making needs 6" in few.why
    options = [
        Demonstration(
            input=f"Which is larger?\n(A) {low} {name}\n(B) {low + 3} {name}", target="(B)"
        )
        for low in range(8)
        for name in ("apples", "pears")
    ]
    (listed,) = survey(options).classes
    assert (listed.kind, listed.fits) == ("options", "code")


def test_contradictions_and_near_duplicates_are_listed() -> None:
    every = [
        *messy_file(LEAGUE, phrasings=1),
        Demonstration(input="Points after 2 wins?", target="6"),
        Demonstration(input="Points after 2 wins?", target="5"),
        Demonstration(input="points after  2 wins", target="6"),
        Demonstration(input="Points after 2.5 wins?", target="7"),
        Demonstration(input="Points after 25 wins?", target="75"),
    ]
    seen = survey(every, "league", single=True)
    (doubt,) = seen.contradictions
    assert (doubt.input, doubt.answers) == ("Points after 2 wins?", ("6", "5"))
    assert seen.near_duplicates == (("Points after 2 wins?", "points after  2 wins"),)
    (one,) = seen.classes
    assert (one.contradictions, one.near_duplicates) == (1, 1)
    assert "1 answered in more than one way, 1 near duplicates" in one.said


def test_a_file_that_a_person_calls_one_class_is_one() -> None:
    parts = [messy_file(topic, phrasings=2) for topic in TOPICS]
    (one,) = survey(mixed(*parts), "sums", single=True).classes
    assert (one.name, one.requests) == ("sums", 90)


def test_a_request_without_answer_is_of_the_class_that_it_is_most_alike() -> None:
    groups = [[one.input for one in messy_file(topic, phrasings=5)] for topic in TOPICS]
    more = [messy_file(topic, phrasings=5, seed=4)[0].input for topic in TOPICS]
    assert nearest_groups(groups, more) == [0, 1, 2]


_ANSWER = (
    st.sampled_from(["yes", "no", "7", "12.5", "(A)", "[1, 2]", '{"a": 1}', "a b c"]) | st.text()
)


@given(st.lists(st.tuples(st.text(min_size=1), _ANSWER), max_size=40))
@settings(max_examples=60, deadline=None)
def test_every_demonstration_is_of_one_class_whatever_it_says(pairs: list[tuple[str, str]]) -> None:
    labelled = [Demonstration(input=text, target=answer) for text, answer in pairs]
    seen = survey(labelled, "any")
    places = sorted(place for one in seen.classes for place in one.places)
    assert places == list(range(len(labelled)))
    assert seen == survey(labelled, "any")
    assert len({one.name for one in seen.classes}) == len(seen.classes)
