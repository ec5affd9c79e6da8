"""Finds the request classes of a file without a model: by what requests talk of, and the form of answers.

Requests of one wording belong together (``wording_clusters``). Wordings are joined where they share words
that carry meaning; freely worded requests with one label count as one wording, as their words differ from
request to request. What this cannot see is that two phrasings without a word in common ask for the same:
they become two classes, and a person who knows better names the class of the file.
"""

import heapq
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from toolmint.core.tokens import tokens_of
from toolmint.core.tool import Demonstration
from toolmint.maker.answer_forms import LABEL_WORDS, AnswerForm, answer_forms
from toolmint.maker.function_words import FUNCTION_WORDS
from toolmint.maker.wording_clusters import wording_clusters

_SAMPLED = 400  # requests of which the classes are found; the others join the nearest one
_ALIKE = 0.08
"""Share of common meaning above which two groups are one class; measured on mixed and on single files."""
_ALIKE_LABELLED = 0.05
"""The same for freely worded requests with labels, which one tool can tell apart."""
_WELL_KNOWN, _OWN_WORDS = 30, 0.1
"""Requests from which a wording's own words speak against joining it, and what they weigh below that."""
_FREE = 3  # requests: a wording with fewer is that of one request, not of a class
_SMALL = 6
_SAME_FORM = 0.5
_LABELLED = 0.8
_IDEOGRAPHS = 0x2E80  # scripts that write no spaces between words begin here
_STOP = frozenset[str]().union(*FUNCTION_WORDS.values())
_Vector = dict[str, float]


def class_groups(labelled: Sequence[Demonstration]) -> list[list[int]]:
    """Return the places of the demonstrations of each class, the largest class first.

    Deterministic; groups of fewer than six requests remain where none of the others is of their form.

    Args:
        labelled: demonstrations with their answers, of one file.
    """
    if not labelled:
        return []
    forms = answer_forms([one.target or "" for one in labelled])
    sample = _sampled(labelled)
    groups = _joined(_groups([labelled[place] for place in sample], [forms[p] for p in sample]))
    for group in groups:
        group.places = [sample[place] for place in group.places]
    groups = _attached(groups)
    _assign(labelled, forms, groups, set(sample))
    found = [sorted(group.places) for group in groups if group.places]
    return sorted(found, key=lambda places: (-len(places), places[0]))


def nearest_groups(groups: Sequence[Sequence[str]], texts: Sequence[str]) -> list[int]:
    """Return for each text the place of the group of requests that it shares most words of meaning with."""
    if len(groups) == 1:
        return [0] * len(texts)
    counts = [Counter(word for text in group for word in content_words(text)) for group in groups]
    spread = Counter(word for count in counts for word in count)

    def alike(words: frozenset[str], place: int) -> float:
        count, size = counts[place], len(groups[place])
        return sum(count[word] / size / spread[word] for word in words if word in count)

    known = [content_words(text) for text in texts]
    return [max(range(len(groups)), key=lambda place: alike(words, place)) for words in known]


def content_words(text: str) -> frozenset[str]:
    """Return the words of a request that carry meaning: no function words, numbers or signs."""
    found = set[str]()
    for word in tokens_of(text):
        if not word[0].isalpha():
            continue
        if ord(word[0]) >= _IDEOGRAPHS:
            found.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif len(word) > 1 and word not in _STOP:
            found.add(word)
    return frozenset(found)


@dataclass(eq=False)
class _Group:
    """Requests that belong together: their words, places and forms of answers.

    ``free``: its requests are worded one by one, and a label holds them together.
    """

    vector: _Vector
    places: list[int]
    forms: Counter[AnswerForm]
    labels: Counter[str]
    free: int
    norm: float = 0.0

    def __post_init__(self) -> None:
        self.norm = math.sqrt(sum(value * value for value in self.vector.values()))

    @property
    def labelled(self) -> bool:
        """Whether its requests are freely worded, mostly, and answered with labels."""
        labels = sum(count for form, count in self.forms.items() if form.kind == "label")
        return 2 * self.free >= len(self.places) and labels >= _LABELLED * len(self.places)

    def alike(self, other: "_Group") -> float:
        """Return the cosine of what two groups talk of; 0 where the forms of their answers differ."""
        one, two = self.vector, other.vector
        if len(one) > len(two):
            one, two = two, one
        product = sum(value * two[word] for word, value in one.items() if word in two)
        if not product or not self.fits(other):
            return 0.0
        return product / (self.norm * other.norm)

    def fits(self, other: "_Group") -> bool:
        """Return whether two groups have answers of the same forms, mostly."""
        mine, theirs = sum(self.forms.values()), sum(other.forms.values())
        shared = sum(min(n / mine, other.forms[form] / theirs) for form, n in self.forms.items())
        return shared >= _SAME_FORM

    def takes(self, other: "_Group") -> bool:
        """Return whether a small group may be of this class; a label seen once looks like any short text."""
        rare = all(form.kind in {"label", "text"} for form in other.forms) and all(
            len(label.split()) <= LABEL_WORDS for label in other.labels
        )
        return self.fits(other) or (self.labelled and rare)

    def with_(self, other: "_Group") -> "_Group":
        """Return both groups as one."""
        vector = dict(self.vector)
        for word, value in other.vector.items():
            vector[word] = vector.get(word, 0.0) + value
        return _Group(
            vector,
            [*self.places, *other.places],
            self.forms + other.forms,
            self.labels + other.labels,
            self.free + other.free,
        )


def _sampled(labelled: Sequence[Demonstration]) -> list[int]:
    first: dict[str, int] = {}
    for place, one in enumerate(labelled):
        first.setdefault(one.input, place)
    places = list(first.values())
    return places[:: -(-len(places) // _SAMPLED)]


def _groups(labelled: Sequence[Demonstration], forms: Sequence[AnswerForm]) -> list[_Group]:
    """Return a group for each wording, and for each label of the requests that share no wording."""
    clusters = wording_clusters([one.input for one in labelled])
    sizes = Counter(clusters)
    members = defaultdict[tuple[str, str | int], list[int]](list)
    for place, (one, form, cluster) in enumerate(zip(labelled, forms, clusters, strict=True)):
        by_label = form.kind == "label" and sizes[cluster] < _FREE
        key = ("label", (one.target or "").strip()) if by_label else ("wording", cluster)
        members[key].append(place)
    words = [content_words(one.input) for one in labelled]
    weights = _weights(members.values(), words)
    return [
        _Group(
            _vector([words[place] for place in places], own),
            places,
            Counter(forms[place] for place in places),
            Counter((labelled[place].target or "").strip() for place in places),
            len(places) if key[0] == "label" or len(places) < _FREE else 0,
        )
        for (key, places), own in zip(members.items(), weights, strict=True)
    ]


def _weights(
    members: Iterable[Sequence[int]], words: Sequence[frozenset[str]]
) -> list[Mapping[str, float]]:
    """Return the weights of each group's words: rare ones tell more, those of one request nothing.

    What a group has for itself tells little of a phrasing of a few requests, and much of a wording that
    many requests have.
    """
    groups = list(members)
    each = [frozenset[str]().union(*(words[place] for place in places)) for places in groups]
    requests = Counter(word for one in words for word in one)
    spread = Counter(word for one in each for word in one)
    weight = {word: math.log(1 + len(groups) / count) for word, count in spread.items()}

    def of(known: frozenset[str], size: int) -> Mapping[str, float]:
        own = 1.0 if size >= _WELL_KNOWN else _OWN_WORDS
        return {
            word: weight[word] * (1.0 if spread[word] > 1 else own)
            for word in known
            if requests[word] > 1
        }

    return [of(known, len(places)) for known, places in zip(each, groups, strict=True)]


def _vector(texts: Sequence[frozenset[str]], weights: Mapping[str, float]) -> _Vector:
    """Return the sum of the requests' vectors, of which a wording of n requests weighs sqrt(n)."""
    found: _Vector = {}
    for words in texts:
        parts = {word: weights[word] for word in words if word in weights}
        norm = math.sqrt(sum(value * value for value in parts.values()) * len(texts))
        for word, value in parts.items():
            found[word] = found.get(word, 0.0) + value / norm
    return found


def _joined(groups: Sequence[_Group]) -> list[_Group]:
    """Join the two groups that are most alike, again and again, until none are alike."""
    alive = dict(enumerate(groups))
    pairs = [
        (-alike, one, other)
        for one, other in itertools.combinations(alive, 2)
        if (alike := alive[one].alike(alive[other])) >= _ALIKE
    ]
    heapq.heapify(pairs)
    numbers = itertools.count(len(groups))
    while pairs:
        _, one, other = heapq.heappop(pairs)
        if one not in alive or other not in alive:
            continue
        both, number = alive.pop(one).with_(alive.pop(other)), next(numbers)
        for third, group in alive.items():
            if (alike := both.alike(group)) >= _ALIKE:
                heapq.heappush(pairs, (-alike, third, number))
        alive[number] = both
    return list(alive.values())


def _attached(groups: Sequence[_Group]) -> list[_Group]:
    """Join what is left over: groups that share their labels, and those that are too small for a tool."""
    ordered = sorted(groups, key=lambda group: (-len(group.places), group.places[0]))
    kept: list[_Group] = []
    for group in ordered:
        into = next((at for at, one in enumerate(kept) if _one_set(one, group)), None)
        if into is None and len(group.places) < _SMALL:
            alike = [(one.alike(group), -at) for at, one in enumerate(kept) if one.takes(group)]
            into = -max(alike)[1] if alike else None
        if into is None:
            kept.append(group)
        else:
            kept[into] = kept[into].with_(group)
    return kept


def _one_set(one: _Group, other: _Group) -> bool:
    """Return whether two groups are freely worded and answer with the same labels, or talk of the same."""
    if not (one.labelled and other.labelled):
        return False
    shared = sum(count for label, count in other.labels.items() if label in one.labels)
    return 2 * shared >= len(other.places) or one.alike(other) >= _ALIKE_LABELLED


def _assign(
    labelled: Sequence[Demonstration],
    forms: Sequence[AnswerForm],
    groups: Sequence[_Group],
    known: set[int],
) -> None:
    """Let each request beyond the sample join the group that it is most alike, or that has its form."""
    by_input: dict[str, _Group] = {}
    for group in groups:
        by_input.update((labelled[place].input, group) for place in group.places)
    for place, one in enumerate(labelled):
        if place in known:
            continue
        mine = by_input.get(one.input)
        if mine is None:
            words = dict.fromkeys(content_words(one.input), 1.0)
            target = (one.target or "").strip()
            alone = _Group(words, [place], Counter([forms[place]]), Counter([target]), 1)
            mine = max(
                groups,
                key=lambda group: (
                    group.fits(alone),
                    alone.alike(group) + (target in group.labels),
                    len(group.places),
                ),
            )
            by_input[one.input] = mine
        mine.places.append(place)
