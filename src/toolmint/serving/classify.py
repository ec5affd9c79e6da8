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
from collections.abc import Collection, Mapping
from typing import NamedTuple

POSTINGS = 4000
EXAMINED = 8
_FEW_POSTINGS = 512
_READ = 4000  # characters of a text; more would hold up whoever asks, and wording shows early
WORDING_SHARE = 0.5
OPENING = 16  # tokens of a shared opening that count as the whole wording
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")


class Guess(NamedTuple):
    """A class that may fit, with a score of 0 to 1.

    The score is the weighted share of wording in common, or the share of a common opening: a request whose
    slots outweigh its wording, such as a long list to sort, is known by how it begins.
    """

    request_class: str
    score: float


def tokens_of(text: str) -> list[str]:
    """Return words, numbers (all folded into one) and signs, in lower case; of a long text the first ones."""
    return ["0" if token.isdigit() else token for token in _TOKEN.findall(text[:_READ].lower())]


def features(tokens: list[str]) -> frozenset[tuple[str, ...]]:
    """Return the pairs of neighbouring tokens; a lone token stands alone."""
    return frozenset(itertools.pairwise(tokens)) or frozenset([tuple(tokens)])


class _Class:
    __slots__ = ("_wording", "counts", "examples", "opening", "weight")

    def __init__(self, opening: list[str]) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.examples = 0
        self.opening = opening  # the tokens that all examples begin with
        self._wording: frozenset[tuple[str, ...]] | None = None
        self.weight: tuple[int, float] = (-1, 0.0)  # of the wording, and when it was summed

    def begin(self, tokens: list[str]) -> int:
        """Return how many tokens of the opening a text begins with."""
        count = 0
        for one, other in zip(self.opening, tokens, strict=False):
            if one != other:
                break
            count += 1
        return count

    def add(self, tokens: list[str]) -> frozenset[tuple[str, ...]]:
        """Take an example; returns its features."""
        found = features(tokens)
        self.examples += 1
        self.opening = self.opening[: self.begin(tokens)]
        self.counts.update(found)
        self._wording = None
        return found

    def wording(self) -> frozenset[tuple[str, ...]]:
        """Return the features that most examples share; kept until the next example."""
        if self._wording is None:
            least = WORDING_SHARE * self.examples
            self._wording = frozenset(one for one, n in self.counts.items() if n >= least)
        return self._wording


class _Weights(dict[tuple[str, ...], float]):
    """The weights of features that classes have: rare ones tell more.

    They are asked for at each request and change with what is learnt alone, so they are kept.
    """

    def __init__(
        self, classes: Mapping[str, _Class], postings: Mapping[tuple[str, ...], set[str]]
    ) -> None:
        self._classes, self._postings = classes, postings

    def __missing__(self, feature: tuple[str, ...]) -> float:
        weight = math.log(1 + len(self._classes) / len(self._postings[feature]))
        self[feature] = weight
        return weight


class Classifier:
    """Knows classes by example and ranks them for a request."""

    def __init__(self) -> None:
        self._classes: dict[str, _Class] = {}
        self._postings: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self._weights = _Weights(self._classes, self._postings)
        self._learnt = 0

    def __len__(self) -> int:
        return len(self._classes)

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def learn(self, request_class: str, text: str) -> None:
        """Add an example to a class, which begins with its first one."""
        tokens = tokens_of(text)
        self._learnt += 1
        if request_class not in self._classes:
            self._classes[request_class] = _Class(tokens)
            self._weights.clear()
        for feature in self._classes[request_class].add(tokens):
            self._postings[feature].add(request_class)
            self._weights.pop(feature, None)

    def forget(self, request_class: str) -> None:
        """Remove a class with all its examples."""
        known = self._classes.pop(request_class, None)
        self._learnt += 1
        self._weights.clear()
        for feature in known.counts if known else ():
            names = self._postings[feature]
            names.discard(request_class)
            if not names:
                del self._postings[feature]

    def rank(self, text: str, *, most: int = 3, least: float = 0.0) -> list[Guess]:
        """Return at most ``most`` classes whose score is at least ``least``, the best first."""
        if not self._classes:
            return []
        tokens = tokens_of(text)
        parsed = features(tokens)
        # Not an intersection, which would go through every feature of every class.
        indexed = [feature for feature in parsed if feature in self._postings]
        candidates = self._candidates(indexed)
        if not candidates:
            return []
        # A feature that no class has weighs what one of half a class would.
        strange = math.log(1 + 2 * len(self._classes)) * (len(parsed) - len(indexed))
        whole = strange + sum(map(self._weights.__getitem__, indexed))
        guesses = [Guess(name, self._score(parsed, whole, tokens, name)) for name in candidates]
        kept = [guess for guess in guesses if guess.score >= least]
        if len(kept) > 1:
            kept.sort(key=lambda guess: (-guess.score, guess.request_class))
        return kept[:most]

    def _candidates(self, indexed: list[tuple[str, ...]]) -> Collection[str]:
        """Return the classes that share the most telling features, rare features first."""
        postings = self._postings
        if sum([len(postings[feature]) for feature in indexed]) <= _FEW_POSTINGS:
            found = set[str]().union(*[postings[feature] for feature in indexed])
            if len(found) <= EXAMINED:  # all are examined, so nobody has to vote
                return found
        weights, votes = self._weights, defaultdict[str, float](float)
        left, rest = POSTINGS, sum([weights[feature] for feature in indexed])
        ordered = sorted(indexed, key=lambda feature: (len(postings[feature]), feature))
        for number, feature in enumerate(ordered):
            names, weight = postings[feature], weights[feature]
            left -= len(names)
            if left < 0 and votes:
                break
            if len(names) > len(votes) > 0 and max(votes.values()) > rest:
                self._count_on(votes, ordered[number:])
                break
            rest -= weight
            for name in names:
                votes[name] += weight
        return sorted(votes, key=lambda name: (-votes[name], name))[:EXAMINED]

    def _count_on(self, votes: dict[str, float], left: list[tuple[str, ...]]) -> None:
        """Count what is left for the classes that have votes: no other can get as many as the first of them.

        What hundreds of classes have in common would cost most and tell least.
        """
        for feature in left:
            names, weight = self._postings[feature], self._weights[feature]
            for name in votes:
                if name in names:
                    votes[name] += weight

    def _score(
        self, parsed: frozenset[tuple[str, ...]], whole: float, tokens: list[str], name: str
    ) -> float:
        """Return the score of a class; ``whole`` is the weight of all that the request has."""
        known = self._classes[name]
        wording = known.wording()
        shared = wording & parsed
        if wording and len(shared) == len(wording):
            return 1.0  # what is shared is then the whole wording, and no more than the request has
        learnt, weight = known.weight
        if learnt != self._learnt:
            weight = sum(map(self._weights.__getitem__, wording))
            known.weight = (self._learnt, weight)
        smaller = min(weight, whole)
        opening = min(1.0, known.begin(tokens) / OPENING)
        return max(
            sum(map(self._weights.__getitem__, shared)) / smaller if smaller else 0.0, opening
        )
