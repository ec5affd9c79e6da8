"""Requests in plain English for a call: what the tool does, said as a wish, with the arguments' values."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from random import Random
from typing import Literal, NamedTuple

from toolmint.core.messages import ToolSpec
from toolmint.core.values import Value
from toolmint.synthesis.purpose import purpose_of
from toolmint.synthesis.text_values import name_words

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_READ_REQUESTS = (
    "Retrieve {thing}{said}.",
    "Get {thing}{said}.",
    "Show me {thing}{said}.",
    "Give me {thing}{said}.",
    "Tell me {thing}{said}.",
    "Find {thing}{said}.",
    "Please look up {thing}{said}.",
    "I need {thing}{said}.",
    "I'd like to see {thing}{said}.",
    "Can you find {thing}{said}?",
    "Could you get me {thing}{said}?",
    "Provide {thing}{said}.",
    "Provide me with {thing}{said}.",
    "I want to know {thing}{said}.",
)
_DO_REQUESTS = (
    "{Phrase}{said}.",
    "{Phrase}{said}.",
    "Please {phrase}{said}.",
    "Can you {phrase}{said}?",
    "Could you {phrase}{said}?",
    "Could you please {phrase}{said}?",
    "I want to {phrase}{said}.",
    "I need to {phrase}{said}.",
    "I'd like you to {phrase}{said}.",
    "Help me {phrase}{said}.",
)
_OPENERS = (
    *[""] * 14,
    "Hi! ",
    "Hello. ",
    "Quick question. ",
    "For a project at work: ",
    "I'm preparing a report. ",
    "My colleague asked me for this. ",
)
_PLACES = frozenset(
    (
        "city",
        "country",
        "location",
        "region",
        "place",
        "area",
        "town",
        "state",
        "continent",
        "destination",
    )
)
_LATER = {"end", "to", "until", "check_out", "finish"}


Wordings = Literal["all", "learnt", "held_out"]
"""Sentences of requests: all, or the two thirds that are learnt where the others are held out."""


def _worded(templates: Sequence[str], wordings: Wordings) -> list[str]:
    return [
        one
        for place, one in enumerate(templates)
        if wordings == "all" or (place % 3 == 2) == (wordings == "held_out")
    ]


def request_text(
    spec: ToolSpec, arguments: Mapping[str, Value], random: Random, wordings: Wordings = "all"
) -> str:
    """Return a request that a call of a tool with these arguments answers; each value is in its words.

    The sentence, the place of the values in it, quotes and the spelling of dates are drawn by ``random``.
    """
    purpose = purpose_of(spec)
    left = dict(arguments)
    thing, left = _values_in_place(purpose.thing, left, random)
    purpose = purpose._replace(thing=thing)
    said = _said(left, random)
    reading = purpose.reads and random.random() < 0.75
    templates = _READ_REQUESTS if reading else _DO_REQUESTS
    fitted = purpose if purpose.verb or reading else purpose._replace(verb="get")
    phrase = fitted.phrase
    text = random.choice(_worded(templates, wordings)).format(
        thing=fitted.thing, phrase=phrase, Phrase=phrase[:1].upper() + phrase[1:], said=said.inline
    )
    return " ".join(f"{random.choice(_OPENERS)}{text}{said.after}".split())


class _Said(NamedTuple):
    """Arguments in words: within the sentence, and as a sentence after it."""

    inline: str
    after: str = ""


def _values_in_place(
    thing: str, arguments: dict[str, Value], random: Random
) -> tuple[str, dict[str, Value]]:
    """Put values where the document speaks of them: ``of a UAV`` becomes ``of the UAV with ID 7``."""
    left = dict(arguments)
    for name, value in arguments.items():
        words = [word.lower() for word in name_words(name)]
        ident = len(words) > 1 and words[-1] in {"id", "name", "title", "code"}
        noun = " ".join(words[:-1] if ident else words)
        if not noun or isinstance(value, (bool, dict, list)) or random.random() < 0.25:
            continue
        pattern = re.compile(
            rf"\b(?:an?|the|your|its)\s+(?:(?:specific|given|specified|particular|certain|single|selected"
            rf"|provided|desired)\s+)?({re.escape(noun)})\b(?!\s+\w*(?:ing|ion|ity)\b)",
            re.IGNORECASE,
        )
        found = pattern.search(thing)
        if found is None:
            continue
        shown = _shown(value, random)
        if ident:
            label = "ID" if words[-1] == "id" else words[-1]
            new = random.choice(
                (
                    f"the {found[1]} with {label} {shown}",
                    f"{found[1]} {shown}",
                    f"the {found[1]} {shown}",
                )
                if words[-1] in {"id", "code"}
                else (f"the {found[1]} {shown}", f"the {found[1]} called {shown}", shown)
            )
        else:
            new = (
                shown if words[-1] in _PLACES else random.choice((shown, f"the {found[1]} {shown}"))
            )
        thing = f"{thing[: found.start()]}{new}{thing[found.end() :]}"
        del left[name]
    return thing, left


def _said(arguments: Mapping[str, Value], random: Random) -> _Said:
    """Say the remaining arguments in one of several styles."""
    if not arguments:
        return _Said("")
    style = random.random()
    if style < 0.6:
        parts = [_phrase(name, value, random) for name, value in arguments.items()]
        return _Said(f" {_joined(parts)}")
    if style < 0.8:
        parts = [
            f"the {_label(name)} is {_shown(value, random)}" for name, value in arguments.items()
        ]
        text = _joined(parts)
        return _Said("", f" {text[:1].upper()}{text[1:]}.")
    if style < 0.9:
        parts = [f"{_label(name)}: {_shown(value, random)}" for name, value in arguments.items()]
        text = "; ".join(parts)
        return _Said("", f" {text[:1].upper()}{text[1:]}")
    parts = [f"{_label(name)} {_shown(value, random)}" for name, value in arguments.items()]
    return _Said(f" {random.choice(('with', 'using', 'for'))} {_joined(parts)}")


def _joined(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _label(name: str) -> str:
    words = [
        word if word.isupper() and len(word) > 1 else word.lower() for word in name_words(name)
    ]
    return " ".join("ID" if word == "id" else word for word in words) or name


_FORMS: dict[str, tuple[str, ...]] = {
    "yes": ("with {0}", "including {0}", "with {0} turned on", "with {0} set to true"),
    "no": ("without {0}", "with {0} turned off", "with {0} set to false"),
    "start": ("from {1}",),
    "later": ("to {1}", "until {1}"),
    "place": ("in {1}", "for {1}", "with the {0} {1}"),
    "date": ("on {1}", "for {1}", "with {0} {1}"),
    "year": ("in {1}", "in the year {1}", "for {0} {1}"),
    "id": ("with {0} {1}", "with the {0} {1}", "for {0} {1}"),
    "name": ("called {1}", "with the {0} {1}", "for {1}", "named {1}"),
    "number": ("with {2} {0} of {1}", "for {2} {0} of {1}", "using {2} {0} of {1}"),
    "text": (
        "with the {0} {1}",
        "with {0} {1}",
        "for the {0} {1}",
        "using {1} as the {0}",
        "with {0} set to {1}",
    ),
}
_LAST = {
    **dict.fromkeys(_PLACES, "place"),
    **dict.fromkeys(("date", "day"), "date"),
    **dict.fromkeys(("id", "code"), "id"),
    **dict.fromkeys(("name", "title"), "name"),
    "year": "year",
}


def _phrase(name: str, value: Value, random: Random) -> str:
    words = [word.lower() for word in name_words(name)] or [name]
    label = _label(name)
    if isinstance(value, bool):
        form = "yes" if value else "no"
    elif "start" in words or words[0] == "from":
        form = "start"
    elif words[0] in _LATER:
        form = "later"
    else:
        plain = "number" if isinstance(value, (int, float)) else "text"
        form = _LAST.get(words[-1], plain)
    article = "an" if label[:1].lower() in "aeio" else "a"
    return random.choice(_FORMS[form]).format(label, _shown(value, random), article)


def _shown(value: Value, random: Random) -> str:
    """Write a value as people do: dates also in words, texts with or without quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return _joined([_shown(one, random) for one in value])
    if isinstance(value, dict):
        return _joined([f"{_label(name)} {_shown(one, random)}" for name, one in value.items()])
    text = str(value)
    day = _day_of(text)
    if day is not None:
        return text if random.random() < 0.4 else f"{day:%B} {day.day}, {day.year}"
    if len(text.split()) > 3 or random.random() < 0.45:
        return random.choice(('"{}"', '"{}"', "'{}'")).format(text)
    return text


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _ISO.match(text) else None
    except ValueError:  # documents have examples such as 2023-02-30
        return None
