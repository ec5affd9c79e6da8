"""Files of requests in one to twenty phrasings, each with a tool that is right for it.

A file is of one topic. Its tool is written by a program, in one of three styles: the number of the phrasing
is an argument; the polite words are an argument of their own; or they are optional in one pattern, so that
the tool also takes pairs of them that no demonstration has.
"""

import random
import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from toolmint.core.tool import Demonstration

NAMES = [
    "Anna",
    "Ben",
    "Carla",
    "Dev",
    "Elif",
    "Frank",
    "Gita",
    "Hugo",
    "Ines",
    "Jan",
    "Kofi",
    "Lena",
    "Mats",
    "Nora",
    "Omar",
    "Pia",
]
NOUNS = [
    "apples",
    "pens",
    "chairs",
    "lamps",
    "books",
    "plates",
    "shirts",
    "stamps",
    "tickets",
    "bottles",
]
WORDS = [
    "pear",
    "fig",
    "plum",
    "kiwi",
    "lime",
    "grape",
    "mango",
    "peach",
    "melon",
    "quince",
    "cherry",
    "lemon",
    "olive",
    "banana",
]
TEXTS = (
    "feed the cat at home",
    "call mum at the office",
    "water the plants",
    "go to the gym with Tom",
    "buy bread and milk for the week",
    "look at the stars",
    "pay the rent",
    "wash the car in the yard",
    "read a book to the children",
    "fix the lamp at the door",
    "write to the bank about the card",
    "pack the bags for the trip",
)


class Topic(NamedTuple):
    """A kind of request: its phrasings, its values, how they are read, and the answer as Python code."""

    forms: tuple[str, ...]
    values: Callable[[random.Random], dict[str, str]]
    patterns: dict[str, str]
    solve: str


def _kilometres(rng: random.Random) -> dict[str, str]:
    return {"n": str(rng.randint(1, 900))}


def _greeting(rng: random.Random) -> dict[str, str]:
    return {"name": rng.choice(NAMES)}


def _reminder(rng: random.Random) -> dict[str, str]:
    return {
        "text": rng.choice(TEXTS),
        "h": f"{rng.randint(6, 22):02d}",
        "m": rng.choice(("00", "15", "30", "45")),
    }


def _text(rng: random.Random) -> dict[str, str]:
    return {"text": rng.choice(TEXTS)}


def _words(rng: random.Random) -> dict[str, str]:
    return {"words": ", ".join(rng.sample(WORDS, rng.randint(3, 7)))}


def _price(rng: random.Random) -> dict[str, str]:
    return {
        "n": str(rng.randint(2, 60)),
        "noun": rng.choice(NOUNS),
        "p": str(rng.randint(2, 90)),
    }


TOPICS = {
    "kilometres": Topic(
        (
            "Convert {n} km to miles",
            "What is {n} km in miles?",
            "How many miles is {n} km?",
            "{n} km in miles",
            "Turn {n} km into miles",
            "Express {n} km in miles",
            "{n} kilometres to miles",
            "How far is {n} km in miles?",
            "I need {n} km as miles",
            "Give me {n} km in miles",
        ),
        _kilometres,
        {"n": r"\d+"},
        "f'{int(n) * 621371 // 10000 / 100:g}'",
    ),
    "greetings": Topic(
        (
            "Write a greeting for {name}",
            "Greet {name}",
            "Say hello to {name}",
            "Welcome {name} with one line",
            "Compose a greeting to {name}",
            "How would you greet {name}?",
            "A greeting for {name}",
            "Make {name} feel welcome",
            "Draft a hello for {name}",
            "Put a greeting together for {name}",
        ),
        _greeting,
        {"name": "[A-Z][a-z]+"},
        "'Hello, ' + name + '!'",
    ),
    "reminders": Topic(
        (
            "Remind me to {text} at {h}:{m}",
            "Set a reminder at {h}:{m} to {text}",
            "At {h}:{m} I have to {text}",
            "Note for {h}:{m}: {text}",
            "Do not let me forget to {text} at {h}:{m}",
            "Make a note that I should {text} at {h}:{m}",
            "I must {text} at {h}:{m}",
            "My plan is to {text} at {h}:{m}",
            "Schedule for {h}:{m}: {text}",
            "Put this in for {h}:{m}: {text}",
        ),
        _reminder,
        {"text": "[A-Za-z ]+?", "h": "[01][0-9]|2[0-3]", "m": "[0-5][0-9]"},
        "h + ':' + m + ' ' + text",
    ),
    "vowels": Topic(
        (
            "Count the vowels in: {text}",
            "How many vowels are in: {text}",
            "Number of vowels in this text: {text}",
            "Vowels in: {text}",
            "Tell me how many vowels this has: {text}",
            "Find the number of vowels: {text}",
            "How often does a vowel occur here: {text}",
            "Vowel count of: {text}",
            "Please count vowels here: {text}",
            "Give the count of vowels for: {text}",
        ),
        _text,
        {"text": ".+?"},
        "str(sum(letter in 'aeiouAEIOU' for letter in text))",
    ),
    "sorting": Topic(
        (
            "Sort these words: {words}",
            "Put in alphabetical order: {words}",
            "Alphabetise: {words}",
            "Order the following by the alphabet: {words}",
            "What is the alphabetical order of: {words}",
            "Words to sort: {words}",
            "Arrange alphabetically: {words}",
            "Sort alphabetically: {words}",
            "List in alphabetical order: {words}",
            "Bring into alphabetical order: {words}",
        ),
        _words,
        {"words": "[a-z]+(?:, [a-z]+)+?"},
        "', '.join(sorted(words.split(', ')))",
    ),
    "prices": Topic(
        (
            "What do {n} {noun} cost at {p} euros each?",
            "{n} {noun} at {p} euros each: what is the total?",
            "How much are {n} {noun} for {p} euros each?",
            "I buy {n} {noun} for {p} euros each. What do I pay?",
            "Price of {n} {noun} at {p} euros apiece",
            "Total for {n} {noun} if one costs {p} euros",
            "One of the {noun} costs {p} euros. What do {n} cost?",
            "Sum for {n} {noun}, {p} euros each",
            "Bill for {n} {noun} at {p} euros each",
            "Compute the price of {n} {noun} when each costs {p} euros",
        ),
        _price,
        {"n": r"\d+", "noun": "[a-z]+", "p": r"\d+"},
        "str(int(n) * int(p)) + ' euros'",
    ),
}
FRAMES = (("", ""), ("", " please"), ("Hi, ", ""), ("", ", thanks"), ("Hey. ", ""), ("", " now"))
STYLES = ("numbered", "polite words", "optional")
_TOOL = """import re

FORMS = {forms!r}
FRAMES = {frames!r}
PATTERNS = {patterns!r}
STYLE = {style!r}


def pattern(form):
    out, at = "", 0
    for found in re.finditer(r"{{(\\w+)}}", form):
        out += re.escape(form[at : found.start()]) + f"(?P<{{found[1]}}>{{PATTERNS[found[1]]}})"
        at = found.end()
    return out + re.escape(form[at:])


def parse(request):
    for number, form in enumerate(FORMS):
        heads = "|".join(re.escape(head) for head, _ in FRAMES)
        tails = "|".join(re.escape(tail) for _, tail in FRAMES)
        found = re.fullmatch(f"(?P<head__>{{heads}})" + pattern(form) + f"(?P<tail__>{{tails}})", request)
        if found is None:
            continue
        values = found.groupdict()
        frame = [values.pop("head__"), values.pop("tail__")]
        if STYLE != "optional" and frame not in FRAMES:
            continue
        if STYLE == "numbered":
            return {{**values, "form": number, "frame": FRAMES.index(frame)}}
        return {{**values, "form": number, "please": frame[0], "thanks": frame[1]}}
    return None


def unparse(args):
    frame = FRAMES[args["frame"]] if STYLE == "numbered" else [args["please"], args["thanks"]]
    text = re.sub(r"{{(\\w+)}}", lambda found: args[found[1]], FORMS[args["form"]])
    return frame[0] + text + frame[1]


def solve({parameters}, **rest):
    return {solve}


def render(args, result):
    return result
"""


class RequestFile(NamedTuple):
    """A file of demonstrations with its right tool."""

    topic: str
    phrasings: int
    style: str
    labelled: tuple[Demonstration, ...]
    source: str


def request_file(seed: int) -> RequestFile:
    """Return a file of one to twenty phrasings; equal seeds give equal files."""
    rng = random.Random(seed)
    topic = sorted(TOPICS)[seed % len(TOPICS)]
    forms, values, patterns, solve = TOPICS[topic]
    every = [(form, frame) for form in forms for frame in FRAMES[:4]]
    phrasings = 1 + seed // len(TOPICS) % 20
    chosen = rng.sample(every, phrasings)
    style = STYLES[rng.randrange(len(STYLES))]
    used = sorted({form for form, _ in chosen}, key=len, reverse=True)
    frames = [list(one) for one in dict.fromkeys(frame for _, frame in chosen)]
    labelled = dict[str, str]()
    while len(labelled) < max(10, 2 * phrasings):
        (form, (head, tail)), given = chosen[len(labelled) % phrasings], values(rng)
        text = re.sub(r"{(\w+)}", partial(_value, given), form)
        labelled[head + text + tail] = _answer(topic, given)
    return RequestFile(
        topic,
        phrasings,
        style,
        tuple(Demonstration(input=text, target=answer) for text, answer in labelled.items()),
        _TOOL.format(
            forms=used,
            frames=frames,
            patterns=patterns,
            style=style,
            parameters=", ".join(patterns),
            solve=solve,
        ),
    )


def _value(given: dict[str, str], found: re.Match[str]) -> str:
    return given[found[1]]


def _answer(topic: str, given: dict[str, str]) -> str:
    """Return the right answer, written apart from the tools."""
    match topic:
        case "kilometres":
            return f"{int(given['n']) * 621371 // 10000 / 100:g}"
        case "greetings":
            return f"Hello, {given['name']}!"
        case "reminders":
            return f"{given['h']}:{given['m']} {given['text']}"
        case "vowels":
            return str(sum(given["text"].lower().count(vowel) for vowel in "aeiou"))
        case "sorting":
            return ", ".join(sorted(given["words"].split(", ")))
        case _:
            return f"{int(given['n']) * int(given['p'])} euros"
