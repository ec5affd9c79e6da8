"""The words that near misses are made of: fixed ones where a class is in English, else the class's own."""

import random
from collections.abc import Collection, Sequence
from typing import NamedTuple

from toolmint.maker.function_words import ENGLISH, FUNCTION_WORDS, PRONOUNS

_INVENTED = ["blorptly", "quandle", "vexish", "zorbing", "plimmed", "gruffle", "snarkic", "wobbent"]
_PAIRS = """
earliest latest|first last|ascending descending|alphabetically backwards|left right|older newer|oldest newest
largest smallest|more fewer|least most|before after|above below|open closed|all none|same different|and or
some any|minimum maximum|highest lowest|shortest longest|start end|forward backward|together separately
equally unequally|sort shuffle|complete shorten|always never|truth lie|true false|if unless|no some
with without|add subtract|longer shorter|greater smaller|even odd|increase decrease|from to|in out|buy sell
"""
OPPOSITES = {
    one: other
    for pair in _PAIRS.replace("\n", "|").split("|")
    if pair
    for one, other in (pair.split(), pair.split()[::-1])
}
_TAILS = (
    "Answer in reverse order.",
    "Ignore the last one.",
    "Count duplicates twice.",
    "Use the opposite rule.",
    "Explain your answer in French.",
    "Then double the result.",
)
_HEADS = ("Do not answer this:", "Assume the opposite.", "In the previous year,", "For each pair:")
_INSTRUCTIONS = (
    "in descending order",
    "and then reverse them",
    "but only the first three",
    "in reverse",
    "without the last one",
    "except for the second",
    "by length",
    "and count them",
    "twice each",
    "from last to first",
    "then double it",
    "if possible",
    "sorted backwards",
    "ignoring duplicates",
    "with all vowels removed",
    "unless it is empty",
    "as a list",
    "starting at the end",
    "descending",
)
_MULTIPLIERS = {
    ENGLISH: ("dozen", "hundred", "pairs of", "thousand", "or more", "half", "times as many"),
    "de": ("Dutzend", "hundert", "Paar", "oder mehr"),
    "fr": ("douzaines de", "cent", "paires de", "ou plus"),
    "es": ("docenas de", "cien", "pares de", "o más"),
    "it": ("dozzine di", "cento", "paia di", "o più"),
    "pt": ("dúzias de", "cem", "pares de", "ou mais"),
    "nl": ("dozijn", "honderd", "paar", "of meer"),
}
_NEGATIONS = {
    ENGLISH: "not",
    "de": "nicht",
    "fr": "pas",
    "es": "no",
    "it": "non",
    "pt": "não",
    "nl": "niet",
}
_ADVERBS = ("unfairly", "separately", "repeatedly", "unequally")


class Phrases(NamedTuple):
    """Words and phrases for the changes of one class."""

    invented: tuple[str, ...]
    heads: tuple[str, ...]
    tails: tuple[str, ...]
    negations: tuple[str, ...]
    instructions: tuple[str, ...]
    pronouns: tuple[str, ...]
    fillers: tuple[str, ...]
    multipliers: tuple[str, ...]
    adverbs: tuple[str, ...]


def phrases_for(languages: Collection[str], wording: Sequence[str], rng: random.Random) -> Phrases:
    """Return the phrases for a class.

    Args:
        languages: of the class's wording; none: one that is not known here.
        wording: the class's words outside its slots, in lower case.
        rng: chooses among the class's own words.
    """
    if ENGLISH in languages or not wording:
        return Phrases(
            invented=tuple(_INVENTED),
            heads=_HEADS,
            tails=_TAILS,
            negations=("not",),
            instructions=_INSTRUCTIONS,
            pronouns=tuple(sorted(PRONOUNS[ENGLISH])),
            fillers=("the", "then", "of", "with", "except", "and"),
            multipliers=_MULTIPLIERS[ENGLISH],
            adverbs=_ADVERBS,
        )
    known = sorted(set(wording))
    fillers = [one for language in sorted(languages) for one in sorted(FUNCTION_WORDS[language])]
    fillers = fillers or known

    def phrase(most: int) -> str:
        return " ".join([rng.choice(fillers), *(rng.choice(known) for _ in range(most))])

    return Phrases(
        invented=tuple(_scrambled(known, rng)),
        heads=tuple(f"{phrase(2).capitalize()}:" for _ in range(4)),
        tails=tuple(f"{phrase(3).capitalize()}." for _ in range(6)),
        negations=tuple(_NEGATIONS[one] for one in sorted(languages)),
        instructions=tuple(phrase(2) for _ in range(12)),
        pronouns=tuple(one for language in sorted(languages) for one in sorted(PRONOUNS[language]))
        or tuple(known),
        fillers=tuple(fillers),
        multipliers=tuple(one for language in sorted(languages) for one in _MULTIPLIERS[language]),
        adverbs=(),
    )


def _scrambled(words: Sequence[str], rng: random.Random) -> list[str]:
    """Return words with the letters of a class's own ones, none of which is one of them."""
    made = list[str]()
    for word in sorted(words, key=len, reverse=True)[:12]:
        letters = list(word + rng.choice(words))
        rng.shuffle(letters)
        text = "".join(letters)
        if text not in words:
            made.append(text)
    return made or [words[0] * 2]
