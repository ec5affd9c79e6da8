"""Lessons in disguise: the same words everywhere replaced alike, what a world is built of left as it is."""

import re
from random import Random

from tests.training.small_run import runs

from toolwright.roles.marked import pieces_of
from toolwright.world.disguise import Disguise

TEXT = 'Fares of flights: findFlightsWithFare({"fare": 12.5}) gave {"id":"FL123","name":"Falcon Express"}.'


def test_a_word_is_replaced_alike_wherever_it_stands_and_in_its_own_case() -> None:
    for seed in range(50):
        disguise = Disguise(Random(seed))
        told = disguise(TEXT)
        assert "light" not in told
        assert "FL123" not in told
        flights, fare = disguise("Flights"), disguise("fare")
        assert f"find{flights}With{fare.capitalize()}" in told
        assert f'{{"{fare}": 12.5}}' in told
        assert re.search(r'"id":"[A-Z]{2}123","name":"Falcon ', told)
        assert disguise(TEXT) == told


def test_two_words_never_become_one() -> None:
    for seed in range(30):
        disguise = Disguise(Random(seed), names=True)
        words = ["flight", "train", "fare", "city", "book", "rent", "amber", "olive", "porto"]
        assert len({disguise(word) for word in words}) == len(words)


def test_a_noun_of_two_words_is_joined_as_the_name_that_it_stands_in() -> None:
    found = 0
    for seed in range(200):
        disguise = Disguise(Random(seed))
        noun = disguise("flight")
        first, _, second = noun.partition(" ")
        if not second:
            continue
        found += 1
        assert disguise("get_flight_id(flightId, flight-info)") == (
            f"get_{first}_{second}_id({first}{second.capitalize()}Id, {first}-{second}-info)"
        )
        assert disguise("FlightInfo") == f"{first.capitalize()}{second.capitalize()}Info"
        assert disguise("flights").startswith(first[:-1])
    assert found >= 5


def test_names_are_replaced_only_where_that_is_asked_for() -> None:
    plain, named = Disguise(Random(1)), Disguise(Random(1), names=True)
    assert plain("Ada Okafor of Porto") == "Ada Okafor of Porto"
    assert not set(named("Ada Okafor of Porto").split()) & {"Ada", "Okafor", "Porto"}


def test_a_run_in_disguise_still_calls_the_tools_that_it_shows() -> None:
    for seed, run in enumerate(runs(10)):
        disguise = Disguise(Random(seed), names=True)
        text = "".join(disguise(piece.text) for piece in pieces_of(run.task, run.path()))
        shown = text[: text.index("<|task|>")]
        called = re.findall(r'<\|caller\|>\{"name":"([^"]+)"', text)
        assert called
        assert all(f"{name}(" in shown for name in called)
