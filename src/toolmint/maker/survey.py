"""What a file of demonstrations holds, told before the first model call: its classes, and what fits each."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Literal, NamedTuple

from toolmint.core.messages import Frozen
from toolmint.core.sameness import same_answer
from toolmint.core.tool import Demonstration
from toolmint.maker.class_groups import class_groups, content_words
from toolmint.maker.learned.answer_kinds import AnswerKindName, answer_kind
from toolmint.maker.making_run import MIN_DEMONSTRATIONS
from toolmint.maker.wording_clusters import wording_clusters

Fits = Literal["code", "code or learned", "learned", "none"]
"""The kind of tool that fits a class; ``code or learned``: weights where no code passes verification."""
FREE_WORDING = 0.5
"""Wordings a request above which requests are worded freely, so that no parser could rebuild them."""
_SAMPLED = 400
_MOST_LISTED = 20
_TITLE_WORDS, _NAME_WORD = 3, 24
_COPIED = 0.8
_LONG_WORDS = 4
"""Words of letters in an answer, on average, from which answers are prose."""
_SIGNS = re.compile(r"(?<!\d)[.,;:!?'\"\u2019\u2026]+|[.,;:!?'\"\u2019\u2026]+(?!\d)")
_WORD = re.compile(r"[^\W\d_]{2,}")


class Contradiction(Frozen):
    """A request that a file answers in more than one way."""

    input: str
    answers: tuple[str, ...]


class ClassSurvey(Frozen):
    """What is seen of one class of a file.

    Attributes:
        name: of the class, as its tool is stored.
        title: for people to read.
        requests: demonstrations; ``different`` of them have a request that none before has.
        wordings: phrasings, of at most 400 requests.
        kind: of its answers: ``labels``, ``fields``, ``values`` (computed), ``options`` or ``text`` (free).
        answers: its answers in words.
        contradictions: how many requests are answered in more than one way.
        near_duplicates: requests that differ from another in letter case, white space or signs alone.
        fits: the kind of tool that fits.
        why: why that one.
        places: of its demonstrations in the file, from 0.
    """

    name: str
    title: str
    requests: int
    different: int
    wordings: int
    kind: AnswerKindName
    answers: str
    contradictions: int
    near_duplicates: int
    fits: Fits
    why: str
    places: tuple[int, ...]

    @property
    def few(self) -> bool:
        """Whether its requests are too few for any making."""
        return self.different < MIN_DEMONSTRATIONS

    @property
    def said(self) -> str:
        """What is seen of it, in one line of words."""
        doubtful = "".join(
            f", {count} {what}"
            for count, what in (
                (self.contradictions, "answered in more than one way"),
                (self.near_duplicates, "near duplicates"),
            )
            if count
        )
        return (
            f"{self.requests} requests in {self.wordings} wordings{doubtful}; answers: {self.answers}; "
            f"fits: {self.fits} ({self.why})"
        )

    def of(self, labelled: Sequence[Demonstration]) -> tuple[Demonstration, ...]:
        """Return the class's demonstrations, in the file's order."""
        return tuple(labelled[place] for place in self.places)


class FileSurvey(Frozen):
    """What is seen of a file: its classes, the largest first, and the first doubtful demonstrations.

    Attributes:
        requests: all demonstrations.
        classes: each demonstration is of one of them.
        contradictions: the first requests that are answered in more than one way.
        near_duplicates: the first groups of requests that differ in their form alone.
    """

    requests: int
    classes: tuple[ClassSurvey, ...]
    contradictions: tuple[Contradiction, ...]
    near_duplicates: tuple[tuple[str, ...], ...]


class _Doubles(NamedTuple):
    """What stands in a class more than once."""

    different: list[Demonstration]
    contradictions: list[Contradiction]
    near: list[tuple[str, ...]]


def survey(
    labelled: Sequence[Demonstration], name: str | None = None, *, single: bool = False
) -> FileSurvey:
    """Return what a file of demonstrations holds; asks no model and runs nothing.

    Args:
        labelled: the demonstrations, with their answers.
        name: the classes' names begin with it; None: with ``class``.
        single: the demonstrations are one class of that name, whatever they look like.
    """
    groups = [list(range(len(labelled)))] if single and labelled else class_groups(labelled)
    called = _called(labelled, groups, name or "class")
    found = [_doubles([labelled[place] for place in places]) for places in groups]
    classes = [
        _class_survey(*names, [labelled[place] for place in places], doubles, places)
        for names, places, doubles in zip(called, groups, found, strict=True)
    ]
    contradictions = (one for doubles in found for one in doubles.contradictions)
    near = (one for doubles in found for one in doubles.near)
    return FileSurvey(
        requests=len(labelled),
        classes=tuple(classes),
        contradictions=tuple(islice(contradictions, _MOST_LISTED)),
        near_duplicates=tuple(islice(near, _MOST_LISTED)),
    )


def _called(
    labelled: Sequence[Demonstration], groups: Sequence[Sequence[int]], name: str
) -> list[tuple[str, str]]:
    """Return name and title of each class: one class has the name, several add what they talk of."""
    if len(groups) == 1:
        return [(name, name)]
    words = [Counter[str]() for _ in groups]
    for count, places in zip(words, groups, strict=True):
        for place in places:
            count.update(content_words(labelled[place].input))
    spread = Counter(word for count in words for word in count)
    taken, found = set[str](), list[tuple[str, str]]()
    for number, count in enumerate(words, 1):
        telling = sorted(count, key=lambda word: (-count[word] / spread[word] ** 2, word))
        first = next((word for word in telling if f"{name}-{word}" not in taken), str(number))
        mine = f"{name}-{first[:_NAME_WORD]}"
        mine = mine if mine not in taken else f"{mine}-{number}"
        taken.add(mine)
        found.append((mine, ", ".join(telling[:_TITLE_WORDS]) or mine))
    return found


def _doubles(labelled: Sequence[Demonstration]) -> _Doubles:
    answers: dict[str, list[str]] = {}
    folded = defaultdict[str, dict[str, None]](dict)
    different: list[Demonstration] = []
    for one in labelled:
        known = answers.setdefault(one.input, [])
        if not known:
            different.append(one)
            folded[_folded(one.input)][one.input] = None
        target = one.target or ""
        if not any(same_answer(target, other) for other in known):
            known.append(target)
    contradictions = [
        Contradiction(input=text, answers=tuple(known))
        for text, known in answers.items()
        if len(known) > 1
    ]
    return _Doubles(
        different, contradictions, [tuple(one) for one in folded.values() if len(one) > 1]
    )


def _folded(text: str) -> str:
    """Return a text without what seldom makes a difference; signs between digits do."""
    return " ".join(_SIGNS.sub("", text.casefold()).split()) or text


def _class_survey(
    name: str,
    title: str,
    labelled: Sequence[Demonstration],
    doubles: _Doubles,
    places: Sequence[int],
) -> ClassSurvey:
    different = doubles.different
    sample = different[:: -(-len(different) // _SAMPLED)]
    wordings = len(set(wording_clusters([one.input for one in sample])))
    kind = answer_kind([one.target or "" for one in labelled], [one.input for one in labelled])
    computed = kind.kind == "text" and _computed(labelled)
    named: AnswerKindName = "values" if computed else kind.kind
    freedom = wordings / len(sample)
    fits, why = _fits(named, len(different), freedom, closed=kind.closed)
    return ClassSurvey(
        name=name,
        title=title,
        requests=len(labelled),
        different=len(different),
        wordings=wordings,
        kind=named,
        answers=f"values: {kind.distinct} different ones" if computed else kind.words,
        contradictions=len(doubles.contradictions),
        near_duplicates=sum(len(one) - 1 for one in doubles.near),
        fits=fits,
        why=why,
        places=tuple(places),
    )


def _computed(labelled: Sequence[Demonstration]) -> bool:
    """Return whether answers are short, or made of their requests' own words, as a sorted list is."""
    words = [(one.input, _WORD.findall(one.target or "")) for one in labelled]
    count = sum(len(mine) for _, mine in words)
    copied = sum(word in text for text, mine in words for word in mine)
    return count < _LONG_WORDS * len(words) or copied >= _COPIED * count


def _fits(
    kind: AnswerKindName, different: int, freedom: float, *, closed: bool
) -> tuple[Fits, str]:
    """Return the kind of tool for a class, and why.

    Args:
        kind: of its answers.
        different: requests.
        freedom: wordings a request.
        closed: the answers are known to be a closed set.
    """
    if different < MIN_DEMONSTRATIONS:
        return "none", f"{different} different requests, making needs {MIN_DEMONSTRATIONS}"
    match kind:
        case "text":
            return "none", "free text: no function computes it, and no closed set holds it"
        case "values":
            return "code", "answers are computed from the request"
        case "options":
            return (
                "code",
                "each request lists its own options: nothing to learn from other requests",
            )
        case "labels" | "fields" if not closed:
            return "code", "too few answers to tell whether they are a closed set"
        case "labels" | "fields" if freedom > FREE_WORDING:
            return "learned", "a closed set of answers to freely worded requests"
        case "labels" | "fields":
            return "code or learned", "a closed set of answers to requests in a few wordings"
