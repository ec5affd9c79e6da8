"""The words of a text, as baselines without a model compare them."""

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_COMMON = frozenset(
    (
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "for",
        "and",
        "or",
        "is",
        "are",
        "with",
        "by",
        "this",
        "that",
        "i",
        "you",
        "my",
        "me",
        "can",
        "use",
        "tool",
        "subfunction",
        "function",
        "description",
        "please",
    )
)


def words_in(text: str) -> set[str]:
    """Return the lower-cased words of a text, cut at humps and underscores, without the most common ones."""
    return {word.lower() for word in _WORD.findall(text)} - _COMMON
