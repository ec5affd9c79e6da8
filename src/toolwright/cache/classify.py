"""Request to class, or unknown: wording kept as token pairs, ranked without model weights.

Incremental: a class or an example is added without touching the others. The rare pairs of a
request are looked up first, and the look-up stops after a fixed number of postings, so that its
time does not grow with the number of classes. It only proposes: a parser, or a clear refusal,
decides.
"""

import itertools
import math
import re
from collections import Counter, defaultdict
from typing import NamedTuple

POSTINGS = 4000
EXAMINED = 8
WORDING_SHARE = 0.5
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")


class Guess(NamedTuple):
    """A class that may fit, with the weighted share of wording that it has in common (0 to 1)."""

    request_class: str
    score: float


def features(text: str) -> frozenset[tuple[str, ...]]:
    """Give the pairs of neighbouring tokens, numbers folded into one; a lone token stands alone."""
    tokens = ["0" if token.isdigit() else token.lower() for token in _TOKEN.findall(text)]
    return frozenset(itertools.pairwise(tokens)) or frozenset([tuple(tokens)])


class _Class:
    __slots__ = ("counts", "examples")

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.examples = 0

    def wording(self) -> list[tuple[str, ...]]:
        least = WORDING_SHARE * self.examples
        return [feature for feature, count in self.counts.items() if count >= least]


class Classifier:
    """Knows classes by example and ranks them for a request."""

    def __init__(self) -> None:
        self._classes: dict[str, _Class] = {}
        self._postings: dict[tuple[str, ...], set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._classes)

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def learn(self, request_class: str, text: str) -> None:
        """Add an example to a class, which begins with its first one."""
        known = self._classes.setdefault(request_class, _Class())
        known.examples += 1
        for feature in features(text):
            known.counts[feature] += 1
            self._postings[feature].add(request_class)

    def forget(self, request_class: str) -> None:
        """Remove a class with all its examples."""
        known = self._classes.pop(request_class, None)
        for feature in known.counts if known else ():
            names = self._postings[feature]
            names.discard(request_class)
            if not names:
                del self._postings[feature]

    def _weight(self, feature: tuple[str, ...]) -> float:
        holders = len(self._postings.get(feature, ())) or 0.5
        return math.log(1 + len(self._classes) / holders)

    def rank(self, text: str, *, most: int = 3, least: float = 0.0) -> list[Guess]:
        """Give at most ``most`` classes whose score is at least ``least``, the best first."""
        asked = features(text)
        held = [
            (len(names), feature)
            for f in asked
            if (names := self._postings.get(f))
            for feature in (f,)
        ]
        held.sort(key=lambda pair: pair[0])
        votes: dict[str, float] = defaultdict(float)
        left = POSTINGS
        for size, feature in held:
            left -= size
            if left < 0 and votes:
                break
            weight = self._weight(feature)
            for name in self._postings[feature]:
                votes[name] += weight
        best = sorted(votes, key=lambda name: (-votes[name], name))[:EXAMINED]
        guesses = [Guess(name, self._score(asked, name)) for name in best]
        kept = [guess for guess in guesses if guess.score >= least]
        return sorted(kept, key=lambda guess: (-guess.score, guess.request_class))[:most]

    def _score(self, asked: frozenset[tuple[str, ...]], name: str) -> float:
        wording = self._classes[name].wording()
        whole = sum(map(self._weight, wording))
        shared = sum(self._weight(feature) for feature in wording if feature in asked)
        smaller = min(whole, sum(map(self._weight, asked)))
        return shared / smaller if smaller else 0.0
