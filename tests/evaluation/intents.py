"""Questions to a shop with their intents, from templates: freely worded, and a small set of labels."""

from random import Random

from toolmint.core.tool import Demonstration

INTENTS = {
    "track_order": (
        "where is my {p}",
        "has the {p} shipped yet",
        "when will my {p} arrive",
        "my {p} is late, where is it",
    ),
    "refund": (
        "I want my money back for the {p}",
        "refund the {p}",
        "can I get a refund on a {p}",
        "the {p} was a mistake, give me the money back",
    ),
    "cancel_order": (
        "cancel my {p} order",
        "I no longer want the {p}, stop the order",
        "call off the {p}",
        "do not send the {p}, cancel it",
    ),
    "price": (
        "how much is the {p}",
        "what does a {p} cost",
        "tell me the price of the {p}",
        "is the {p} on sale, what is the price",
    ),
    "stock": (
        "do you have the {p} in stock",
        "is the {p} available",
        "when is the {p} back in stock",
        "are there any {p} left",
    ),
    "colour": (
        "does the {p} come in red",
        "which colours has the {p}",
        "is there a blue {p}",
        "show the {p} in green",
    ),
    "invoice": (
        "send me the invoice for the {p}",
        "I need a receipt for my {p}",
        "where do I find the bill of the {p}",
        "the invoice for the {p} is missing",
    ),
    "change_address": (
        "change my delivery address for the {p}",
        "send the {p} to my new address",
        "I moved, deliver the {p} elsewhere",
        "there is a wrong address on the {p} order",
    ),
    "broken": (
        "the {p} does not work",
        "my {p} is broken",
        "the {p} stopped working after a day",
        "the {p} arrived damaged",
    ),
    "praise": (
        "great {p}, thanks",
        "I love the {p}, thank you so much",
        "the {p} is perfect, well done",
        "what a wonderful {p}, thanks",
    ),
    "assembly": (
        "how do I put the {p} together",
        "the manual of the {p} is unclear, help me build it",
        "which screws go into the {p}",
        "assembly instructions for the {p}",
    ),
    "warranty": (
        "how long is the guarantee on the {p}",
        "is the {p} still under warranty",
        "extend the warranty of my {p}",
        "what does the guarantee for the {p} cover",
    ),
}
PRODUCTS = (
    *("lamp", "chair", "kettle", "phone", "case", "rug", "mirror", "clock", "desk", "fan"),
    *("shelf", "toaster", "bottle", "bag", "jacket", "shoe"),
)
BEFORE = ("", "hi, ", "hello there, ", "good morning, ", "quick question: ", "hey, ")
AFTER = ("", ", please", " today", " asap", " - Anna", " if possible", ", thanks in advance")


def shop(count: int, seed: int = 0) -> list[Demonstration]:
    """Return different questions with their intents, in a random order."""
    rng = Random(seed)
    found: dict[str, Demonstration] = {}
    while len(found) < count:
        intent = rng.choice(list(INTENTS))
        text = rng.choice(INTENTS[intent]).format(p=rng.choice(PRODUCTS))
        text = rng.choice(BEFORE) + text + rng.choice(AFTER)
        found[text] = Demonstration(input=text, target=intent)
    return list(found.values())
