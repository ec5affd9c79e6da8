"""Lexical augmentation: a word is replaced alike everywhere, and the world's own keywords stay."""

import re
from random import Random

from tests.training.small_run import runs

from toolmint.roles.marked import pieces_of
from toolmint.world.lexical_augmentation import LexicalAugmentation

TEXT = 'Fares of flights: findFlightsWithFare({"fare": 12.5}) gave {"id":"FL123","name":"Falcon Express"}.'


def test_a_word_is_replaced_alike_wherever_it_stands_and_in_its_own_case() -> None:
    for seed in range(50):
        augmentation = LexicalAugmentation(Random(seed))
        augmented = augmentation(TEXT)
        assert "light" not in augmented
        assert "FL123" not in augmented
        flights, fare = augmentation("Flights"), augmentation("fare")
        assert f"find{flights}With{fare.capitalize()}" in augmented
        assert f'{{"{fare}": 12.5}}' in augmented
        assert re.search(r'"id":"[A-Z]{2}123","name":"Falcon ', augmented)
        assert augmentation(TEXT) == augmented


def test_two_words_never_become_one() -> None:
    for seed in range(30):
        augmentation = LexicalAugmentation(Random(seed), names=True)
        words = ["flight", "train", "fare", "city", "book", "rent", "amber", "olive", "porto"]
        assert len({augmentation(word) for word in words}) == len(words)


def test_a_noun_of_two_words_is_joined_as_the_name_that_it_stands_in() -> None:
    found = 0
    for seed in range(200):
        augmentation = LexicalAugmentation(Random(seed))
        noun = augmentation("flight")
        first, _, second = noun.partition(" ")
        if not second:
            continue
        found += 1
        assert augmentation("get_flight_id(flightId, flight-info)") == (
            f"get_{first}_{second}_id({first}{second.capitalize()}Id, {first}-{second}-info)"
        )
        assert augmentation("FlightInfo") == f"{first.capitalize()}{second.capitalize()}Info"
        assert augmentation("flights").startswith(first[:-1])
    assert found >= 5


def test_names_are_replaced_only_where_that_is_asked_for() -> None:
    plain, named = LexicalAugmentation(Random(1)), LexicalAugmentation(Random(1), names=True)
    assert plain("Ada Okafor of Porto") == "Ada Okafor of Porto"
    assert not set(named("Ada Okafor of Porto").split()) & {"Ada", "Okafor", "Porto"}


def test_an_augmented_run_still_calls_the_tools_that_it_shows() -> None:
    for seed, run in enumerate(runs(10)):
        augmentation = LexicalAugmentation(Random(seed), names=True)
        text = "".join(augmentation(piece.text) for piece in pieces_of(run.task, run.path()))
        shown = text[: text.index("<|task|>")]
        called = re.findall(r'<\|caller\|>\{"name":"([^"]+)"', text)
        assert called
        assert all(f"{name}(" in shown for name in called)
