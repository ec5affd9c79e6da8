"""Six request classes after LATM's six tasks: generators of requests with their right answers.

Wording, data and code are our own. The tasks are LATM's: sort words, close brackets, find a number from its
remainders, find a meeting time, derive an order from clues, and track swaps.
"""

from collections.abc import Callable, Sequence
from itertools import permutations
from math import prod
from random import Random

from toolmint.core.tool import Demonstration

_WORDS = [
    "anchor",
    "apple",
    "apricot",
    "arrow",
    "autumn",
    "badge",
    "bamboo",
    "basin",
    "beacon",
    "birch",
    "blanket",
    "bottle",
    "branch",
    "bridge",
    "bronze",
    "bucket",
    "butter",
    "cabin",
    "candle",
    "canyon",
    "carbon",
    "carpet",
    "cedar",
    "cellar",
    "chalk",
    "cherry",
    "circle",
    "clover",
    "cobalt",
    "comet",
    "copper",
    "coral",
    "cotton",
    "cradle",
    "crystal",
    "curtain",
    "dagger",
    "daisy",
    "delta",
    "desert",
    "dragon",
    "drum",
    "eagle",
    "ember",
    "engine",
    "fabric",
    "falcon",
    "feather",
    "fern",
    "fiddle",
    "flint",
    "forest",
    "fossil",
    "fountain",
    "garden",
    "garlic",
    "ginger",
    "glacier",
    "granite",
    "gravel",
    "hammer",
    "harbor",
    "harvest",
    "hazel",
    "helmet",
    "hollow",
    "honey",
    "horizon",
    "island",
    "ivory",
    "jacket",
    "jasper",
    "jungle",
    "kernel",
    "kettle",
    "ladder",
    "lagoon",
    "lantern",
    "lemon",
    "linen",
    "lizard",
    "magnet",
    "maple",
    "marble",
    "meadow",
    "mirror",
    "mortar",
    "needle",
    "nickel",
    "oasis",
    "olive",
    "orchard",
    "oyster",
    "paddle",
    "pebble",
    "pepper",
    "pillow",
]
NAMES = ("Ana", "Bo", "Cem", "Dora", "Eli", "Fay", "Gus", "Hana")
THINGS = ("bolts", "coins", "marbles", "screws", "stamps", "tiles", "buttons", "seeds")
_PLACES = ("crate", "box", "barrel", "sack", "drawer")
COLORS = ("red", "blue", "green", "yellow", "white", "black", "purple", "orange")
_COUNTS = {3: "Three", 4: "Four", 5: "Five", 6: "Six"}
PLACES_IN_RACE = ("first", "second", "third", "fourth", "fifth", "sixth")
PRIMES = (3, 5, 7, 11, 13, 17, 19, 23)


def _and(items: list[str]) -> str:
    return ", ".join(items[:-1]) + " and " + items[-1]


def sorting(rng: Random) -> Demonstration:
    """Return a request to sort words alphabetically."""
    words = rng.sample(_WORDS, rng.randint(3, 12))
    request = f"Put these words into alphabetical order: {', '.join(words)}."
    return Demonstration(input=request, target=", ".join(sorted(words)))


def brackets(rng: Random) -> Demonstration:
    """Return a request to close open brackets, the innermost first."""
    pairs = {"(": ")", "[": "]", "{": "}", "<": ">"}
    while True:
        text: list[str] = []
        waiting: list[str] = []
        for _ in range(rng.randint(3, 24)):
            if waiting and rng.random() < 0.45:
                text.append(waiting.pop())
            else:
                opened = rng.choice(list(pairs))
                text.append(opened)
                waiting.append(pairs[opened])
        if waiting:
            request = f"Close every bracket that is still open in: {' '.join(text)}"
            return Demonstration(input=request, target=" ".join(reversed(waiting)))


def remainders(rng: Random) -> Demonstration:
    """Return a request for the number with given remainders."""
    sizes = rng.sample(PRIMES, rng.randint(2, 3))
    limit = prod(sizes)
    number = rng.randrange(limit)
    thing, place = rng.choice(THINGS), rng.choice(_PLACES)
    clauses = "; ".join(f"packed in bags of {size}, {number % size} remain" for size in sizes)
    request = (
        f"A {place} holds fewer than {limit} {thing}. {clauses[0].upper()}{clauses[1:]}. "
        f"How many {thing} does the {place} hold?"
    )
    return Demonstration(input=request, target=str(number))


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _free(rng: Random) -> list[tuple[int, int]]:
    marks = sorted(rng.sample(range(8 * 4, 18 * 4), 2 * rng.randint(1, 4)))
    return [(marks[i] * 15, marks[i + 1] * 15) for i in range(0, len(marks), 2)]


def meetings(rng: Random) -> Demonstration:
    """Return a request for the earliest slot in which two people are both free."""
    one, other = rng.sample(NAMES, 2)
    length = rng.choice((15, 30, 45, 60, 90))
    calendars = {name: _free(rng) for name in (one, other)}
    starts = [
        max(a, c)
        for a, b in calendars[one]
        for c, d in calendars[other]
        if min(b, d) - max(a, c) >= length
    ]
    said = " ".join(
        f"{name} is free {', '.join(f'{_clock(a)}-{_clock(b)}' for a, b in slots)}."
        for name, slots in calendars.items()
    )
    request = f"Find the earliest common slot of {length} minutes. {said}"
    best = f"{_clock(min(starts))}-{_clock(min(starts) + length)}" if starts else "no common slot"
    return Demonstration(input=request, target=best)


def _clue(order: Sequence[str], rng: Random) -> str:
    if rng.random() < 0.4:
        at = rng.randrange(len(order))
        return f"{order[at]} finished {PLACES_IN_RACE[at]}."
    early, late = sorted(rng.sample(range(len(order)), 2))
    if rng.random() < 0.5:
        return f"{order[early]} finished before {order[late]}."
    return f"{order[late]} finished after {order[early]}."


def _true(clue: str, order: tuple[str, ...]) -> bool:
    who, _, how, *rest = clue.rstrip(".").split()
    if how in PLACES_IN_RACE:
        return order.index(who) == PLACES_IN_RACE.index(how)
    ahead = order.index(who) < order.index(rest[0])
    return ahead if how == "before" else not ahead


def orderings(rng: Random) -> Demonstration:
    """Return a request for a runner's place, with clues that determine the order."""
    order = rng.sample(NAMES, rng.randint(3, 5))
    clues: list[str] = []
    left = list(permutations(order))
    while len(left) > 1:
        clue = _clue(order, rng)
        fewer = [one for one in left if _true(clue, one)]
        if len(fewer) < len(left):
            clues.append(clue)
            left = fewer
    asked = rng.randrange(len(order))
    names = _and(list(rng.sample(order, len(order))))
    request = (
        f"{_COUNTS[len(order)]} runners finished a race: {names}. {' '.join(clues)} "
        f"Who finished {PLACES_IN_RACE[asked]}?"
    )
    return Demonstration(input=request, target=order[asked])


def swaps(rng: Random) -> Demonstration:
    """Return a request for the card that a person holds after several swaps."""
    people = sorted(rng.sample(NAMES, rng.randint(3, 5)))
    cards = dict(zip(people, rng.sample(COLORS, len(people)), strict=True))
    start = _and([f"{name} holds the {color} card" for name, color in cards.items()])
    moves: list[str] = []
    for number in range(rng.randint(2, 6)):
        one, other = rng.sample(people, 2)
        cards[one], cards[other] = cards[other], cards[one]
        moves.append(f"{'First' if number == 0 else 'Then'} {one} and {other} swap cards.")
    asked = rng.choice(people)
    request = f"{start}. {' '.join(moves)} Which card does {asked} hold at the end?"
    return Demonstration(input=request, target=cards[asked])


Generator = Callable[[Random], Demonstration]
CLASSES: dict[str, Generator] = {
    "sorting": sorting,
    "brackets": brackets,
    "remainders": remainders,
    "meetings": meetings,
    "orderings": orderings,
    "swaps": swaps,
}
