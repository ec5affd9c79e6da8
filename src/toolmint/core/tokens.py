"""The tokens of a request: words, numbers and signs, by which wordings are told apart."""

import re

_READ = 4000  # characters of a text; more would hold up whoever asks, and wording shows early
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")


def tokens_of(text: str) -> list[str]:
    """Return words, numbers (all folded into one) and signs, in lower case; of a long text the first ones."""
    return ["0" if token.isdigit() else token for token in _TOKEN.findall(text[:_READ].lower())]
