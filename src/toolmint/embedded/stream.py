"""A stream of mixed requests: the six classes, and chatter that no tool should answer."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from toolmint.core.tool import Demonstration
from toolmint.embedded.classes import CLASSES

CHATTER = (
    (
        "Write a haiku about the first snow.",
        "Snow at the door. / A cat considers it, / and stays in.",
    ),
    ("What is a polite way to decline an invitation?", "Thank them and say that you cannot come."),
    ("Translate 'good morning' into Italian.", "Buongiorno."),
    ("Name three rivers that cross a desert.", "The Nile, the Colorado and the Orange River."),
    ("Suggest a title for a talk about soil.", "The Ground Beneath Everything"),
    ("Why do cats purr?", "Mostly from contentment, and at times to calm themselves."),
    ("Give me a synonym for 'stubborn'.", "Obstinate."),
    ("How long should green tea steep?", "Two to three minutes, in water of about 80 °C."),
    (
        "Put these words into a short poem: harbor, lantern, rain.",
        "Rain; one lantern gilds the harbor.",
    ),
    ("Which is the odd one out: violin, cello, trumpet, harp?", "The trumpet."),
)


class Arrival(NamedTuple):
    """One request of the stream.

    Attributes:
        kind: the true class; None: chatter.
        demonstration: the request and its right answer.
    """

    kind: str | None
    demonstration: Demonstration


def stream(count: int, *, seed: int = 7, chatter: float = 0.05) -> Iterator[Arrival]:
    """Yield ``count`` requests in random order; a share ``chatter`` (0 to 1) is of no class."""
    rng = Random(seed)
    names = list(CLASSES)
    for _ in range(count):
        if rng.random() < chatter:
            request, answer = rng.choice(CHATTER)
            yield Arrival(None, Demonstration(input=request, target=answer))
        else:
            kind = rng.choice(names)
            yield Arrival(kind, CLASSES[kind](rng))
