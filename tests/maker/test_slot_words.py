"""A value that contains a function word which no demonstration has there is refused."""

from typing import Any

import pytest

from toolmint.core.tool import Evidence
from toolmint.maker.slot_words import SlotWords, slots_of
from toolmint.maker.wording import KnownRequests

LISTS = [
    "pear fig plum kiwi",
    "lime grape million mango",
    "peach melon quince",
    "cherry lemon olive banana",
    "papaya apricot guava",
    "raisin date currant",
]


def items(text: str) -> Any:
    return {"words": text.split()}


def slots(parsed: list[tuple[str, Any]]) -> SlotWords:
    return KnownRequests(parsed).slots


def sorting() -> SlotWords:
    return slots([(f"Sort the words: {text}", items(text)) for text in LISTS])


@pytest.mark.parametrize(
    "order",
    [
        "in descending order",
        "and then reverse them",
        "but only the first three",
        "without duplicates",
        "sorted backwards",
        "by length",
        "last one first",
        "plus one more",
        "descending",
        "please",
        "not fig",
        "from z to a",
        "except kiwi",
        "reversed",
        "double",
        "skip apple",
        "minus pear",
    ],
)
def test_an_order_among_words_is_no_word(order: str) -> None:
    request = f"Sort the words: apple zebra {order}"
    assert sorting().suspect(request, items(request.split(": ")[1])) is not None


@pytest.mark.parametrize(
    "words",
    [
        "apple zebra",
        "through apple million",
        "reverse apple",
        "too fast",
        "one apple two",
        "double apple fig",
        "skip apple fig kiwi",
    ],
)
def test_a_lone_word_of_a_list_may_look_like_an_order(words: str) -> None:
    assert sorting().suspect(f"Sort the words: {words}", items(words)) is None


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("Nobody", True),
        ("Everyone", True),
        ("nobody", True),
        ("They", True),
        ("An", False),
        ("Will", False),
        ("He", False),
        ("Iris", False),
    ],
)
def test_a_word_for_nobody_is_no_name(name: str, refused: bool) -> None:
    known = slots([(f"{one} is free at 9:00", {"who": one}) for one in ("Ann", "Ben", "Cem")])
    assert (known.suspect(f"{name} is free at 9:00", {"who": name}) is not None) is refused


@pytest.mark.parametrize("noun", ["dozen penguins", "penguins unfairly", "other bears"])
def test_a_multiplier_or_an_adverb_is_no_part_of_a_noun(noun: str) -> None:
    known = slots(
        [
            (f"Give 9 coins to 3 {one}", {"n": 3, "noun": one})
            for one in ("bears", "army ants", "cats")
        ]
    )
    assert known.suspect(f"Give 9 coins to 3 {noun}", {"n": 3, "noun": noun}) is not None
    assert known.suspect("Give 9 coins to 3 polar bears", {"n": 3, "noun": "polar bears"}) is None


def test_what_demonstrations_have_is_allowed_and_no_key_counts() -> None:
    known = slots(
        [(f"Who is {how} Ann?", {"how": how, "in": {"the": 1}}) for how in ("with", "near", "by")]
    )
    for how in ("with", "by"):
        assert known.suspect(f"Who is {how} Ann?", {"how": how, "in": {"the": 1}}) is None
    assert known.suspect("Who is without Ann?", {"how": "without", "in": {"the": 1}}) == "without"


def test_a_word_that_the_parser_adds_is_none_of_the_request() -> None:
    known = slots([(f"Sum of {n}", {"n": n, "mode": "sum"}) for n in range(5)])
    assert known.suspect("Sum of 7", {"n": 7, "mode": "all"}) is None


def test_running_text_may_contain_any_word_but_is_not_nobody() -> None:
    texts = ("feed the cat", "look at the stars", "walk", "pay for the bus")
    known = slots([(f"Note: {text}", {"text": text}) for text in texts])
    assert known.suspect("Note: sort it and reverse it", {"text": "sort it and reverse it"}) is None
    assert known.suspect("Note: nobody", {"text": "nobody"}) == "nobody"


@pytest.mark.parametrize(
    ("wording", "lists", "order"),
    [
        ("Sortiere diese Wörter nach dem Alphabet", "Birne Apfel|Kirsche Feige", "ohne Apfel"),
        ("Trie ces mots dans l'ordre", "poire pomme|cerise figue", "sans doublons"),
        ("Ordena estas palabras por el alfabeto", "pera manzana|cereza higo", "en orden inverso"),
        ("Järjestä nämä sanat aakkosiin", "omena luumu|viikuna lime", "sanat"),
    ],
)
def test_other_languages_have_function_words_of_their_own(
    wording: str, lists: str, order: str
) -> None:
    known = slots([(f"{wording}: {one}", items(one)) for one in lists.split("|")])
    words = f"{lists.split('|', maxsplit=1)[0]} {order}"
    assert known.suspect(f"{wording}: {words}", items(words)) is not None
    plain = lists.replace("|", " ")
    assert known.suspect(f"{wording}: {plain}", items(plain)) is None


def test_slot_words_are_kept_with_the_evidence() -> None:
    known = sorting()
    details: dict[str, Any] = {"slots": known.model_dump(mode="json")}
    evidence = Evidence(stage="4 near misses", verdict="passed", summary="", details=details)
    assert slots_of([evidence]) == known and slots_of([]) is None
