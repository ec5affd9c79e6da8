"""Near misses and generated requests: made without a model, and never a known request."""

from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolmint.core.values import Value
from toolmint.embedded.classes import CLASSES
from toolmint.maker.generate_requests import generate_requests
from toolmint.maker.near_miss import NearMisses, near_misses
from toolmint.maker.slots import leaves
from toolmint.maker.wording import KnownRequests, common_words

Parsed = list[tuple[str, Any]]


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _parsed(kind: str, count: int = 10) -> Parsed:
    rng = Random(1)
    return [(CLASSES[kind](rng).input, {}) for _ in range(count)]


def test_every_class_gives_three_hundred() -> None:
    for kind in CLASSES:
        parsed = _parsed(kind, 30)
        made = near_misses(parsed, count=300)
        assert len({words(miss.text) for miss in made}) == 300
        assert not {words(miss.text) for miss in made} & {words(text) for text, _ in parsed}


def test_each_kind_of_change_of_the_wording_occurs() -> None:
    parsed: Parsed = [
        (f"Find the earliest time of day for {name}.", {"name": name}) for name in ("Ann", "Ben")
    ]
    made = near_misses(parsed, count=900)
    assert {miss.kind for miss in made if miss.where == "wording"} == {
        "invented",
        "opposite",
        "deleted",
        "negated",
        "reordered",
        "prefixed",
        "suffixed",
    }
    assert "Find the latest time of day for Ann." in {miss.text for miss in made}


def test_each_kind_of_change_in_a_slot_occurs() -> None:
    parsed: Parsed = [
        (
            f"On 2026-0{n}-11 {name} packs 4 {thing} at 0{n}:15-1{n}:30: {', '.join(words)}.",
            {"name": name, "thing": thing, "words": words, "n": n},
        )
        for n, (name, thing, words) in enumerate(
            [
                ("Ann", "boxes", ["fig", "plum"]),
                ("Ben", "crates", ["kiwi", "lime"]),
                ("Cem", "bags", ["pear", "date"]),
            ],
            1,
        )
    ]
    made = near_misses(parsed, count=2000)
    assert {miss.kind for miss in made if miss.where == "slot"} == {
        "instruction",
        "negated value",
        "pronoun",
        "function word",
        "adverb",
        "multiplier",
        "ends before it starts",
        "impossible",
    }
    texts = " ".join(miss.text for miss in made)
    assert "11:30-01:15" in texts
    assert "4 dozen boxes" in texts or "4 hundred boxes" in texts or "4 pairs of boxes" in texts


def test_slots_are_left_alone_but_words_that_never_change_there_are_not() -> None:
    requests: Parsed = [
        (f"Sort these words: {word} pear.", {"words": [word, "pear"]})
        for word in ("fig", "plum", "kiwi")
    ]
    assert {"these", "words", "pear"} <= common_words([text for text, _ in requests])
    known = KnownRequests(requests).requests[0]
    words = {known.text[span.start : span.end]: span.in_slot for span in known.words}
    assert "fig" not in words and words["pear"] is True and words["Sort"] is False


def _filled(args: Any, n: int) -> Any:
    """Return arguments with the number (N), whether it is odd (B), and the odd ones' tail (T)."""
    if isinstance(args, dict):
        return {key: _filled(value, n) for key, value in cast("dict[str, Any]", args).items()}
    return {"N": n, "B": bool(n % 2), "T": " please" * (n % 2)}[args]


PLEASE = [(f"Convert {n} km to miles" + " please" * (n % 2), n) for n in range(3, 9)]


@pytest.mark.parametrize(
    "args",
    [
        {"n": "N", "please": "B"},
        {"n": "N", "km": "B"},
        {"n": "N", "tail": "T"},
        {"miles": {"please": "B", "number": "N"}},
    ],
    ids=["a key", "another key", "a value", "a key inside"],
)
def test_a_word_that_half_of_the_requests_have_may_be_left_out(
    args: dict[str, Any],
) -> None:
    parsed: Parsed = [(text, _filled(args, n)) for text, n in PLEASE]
    made = near_misses(parsed, count=900)
    assert not {miss.text for miss in made} & {f"Convert {n} km to miles" for n in range(3, 9)}
    assert {"Convert 3 km to please", "Convert 4 km miles", "Convert 4 to miles"} <= {
        miss.text for miss in made
    }


def test_a_changed_request_in_another_known_phrasing_is_no_near_miss() -> None:
    parsed: Parsed = [
        ("Convert 5 km now", {"n": 5}),
        ("Now convert 6 km", {"n": 6}),
        ("convert 7 km", {"n": 7}),
        ("8 km convert", {"n": 8}),
    ]
    texts = {miss.text for miss in near_misses(parsed, count=900)}
    assert not texts & {"convert 6 km", "Convert 5 km"}
    assert "Now 6 km" in texts


TEXTS = ("feed the cat at home", "look at the stars", "go to the gym", "pay the rent at noon")


def test_running_text_takes_any_words_although_they_are_wording_too() -> None:
    parsed: Parsed = [
        (f"Remind me to {text} at {hour}:00", {"text": text, "hour": hour})
        for hour, text in enumerate(TEXTS, 4)
    ]
    made = NearMisses(parsed)
    assert made.known.slots.free == ("text",)
    inside = [miss.text for miss in made.make(900) if not any(text in miss.text for text in TEXTS)]
    assert inside == []


def test_an_addition_to_running_text_is_a_part_of_it() -> None:
    parsed: Parsed = [(f"Count the vowels in: {text}", {"text": text}) for text in TEXTS]
    assert not {miss.kind for miss in near_misses(parsed, count=900)} & {"suffixed", "instruction"}


def test_a_parser_that_takes_wording_into_a_slot_does_not_hide_it() -> None:
    parsed: Parsed = [
        (f"Find the earliest hour for {name}", {"what": "the earliest hour for", "name": name})
        for name in ("Ann", "Ben", "Cem", "Dora")
    ]
    texts = {miss.text for miss in near_misses(parsed, count=900)}
    assert "Find the latest hour for Ann" in texts


def test_phrases_come_from_the_class_where_it_is_not_english() -> None:
    german: Parsed = [
        (f"Sortiere diese Wörter nach dem Alphabet: {' '.join(words)}", {"words": words})
        for words in (["Birne", "Apfel"], ["Kirsche", "Feige"], ["Traube", "Pflaume"])
    ]
    words = {word for miss in near_misses(german, count=900) for word in miss.text.split()}
    assert "nicht" in words
    assert not words & {"blorptly", "reverse", "order.", "descending", "not", "dozen", "nobody"}
    finnish: Parsed = [
        (f"Järjestä nämä sanat aakkosiin: {' '.join(words)}", {"words": words})
        for words in (["omena", "kirsikka"], ["viikuna", "luumu"], ["päärynä", "lime"])
    ]
    made = near_misses(finnish, count=900)
    letters = set("".join(text for text, _ in finnish).lower())
    assert len(made) > 60
    assert all(set(miss.text.lower()) <= letters | set(" .:,") for miss in made)


def test_leaves_are_every_scalar() -> None:
    value: Value = {"a": [1, "x", {"b": 2.5}], "c": None, "d": True}
    assert list(leaves(value)) == ["a", "1", "x", "b", "2.5", "c", "d", "True"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=4), max_size=5), st.integers(0, 20)
)
def test_generating_requests_never_fails(parents: list[dict[str, Value]], count: int) -> None:
    children = generate_requests(parents, count=count)
    assert len(children) == (count if any(parents) else 0)


@given(st.lists(st.tuples(st.text(max_size=60), JSON), max_size=6))
def test_near_misses_never_fail(parsed: Parsed) -> None:
    for miss in near_misses(parsed, count=50):
        assert words(miss.text) not in {words(text) for text, _ in parsed}
