"""One class for the freely worded requests of a scope whose answers are a closed set.

Wording makes a class of each phrasing. Where a scope's requests are worded freely, as people write, and a
few answers come again and again under wordings that have nothing in common, these requests are one class,
which is named by the scope. Requests that share a template keep the class of their wording, whatever their
answers are, and so do those whose answers do not come again: they may be computations.
"""

import hashlib
import itertools
import json
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from typing import NamedTuple, cast

from toolmint.core.tokens import tokens_of
from toolmint.maker.learned import answer_kind

RECENT_REQUESTS = 256
"""Answered requests without a tool of which is known what class they joined."""
_LOOKED_AT_EVERY, _FEWEST, _FEWEST_CLASSES = 20, 40, 8
_SHARED = 0.6  # of the requests, those with an answer that other wordings have too
_TEMPLATE = 0.5  # mean share of common tokens from which on requests are one template's
_MOST_ANSWERS, _LONGEST = 10_000, 400  # known answers, and characters of one


class _Seen(NamedTuple):
    name: str
    answer: str
    exact: str
    text: str
    tokens: frozenset[str]


def scope_class_name(scope: str) -> str:
    """Return the name of a scope's class of freely worded requests."""
    return f"worded-freely-{hashlib.sha256(scope.encode()).hexdigest()[:6]}"


def _form(answer: str) -> str:
    """Return what makes two answers one of a set: the text, or the keys of a JSON object."""
    text = answer.strip()
    if text.startswith("{"):
        try:
            value: object = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if isinstance(value, dict):
            return json.dumps(sorted(cast("dict[str, object]", value)))
    return text


class ScopeClass:
    """Finds out whether a scope's freely worded requests are one class, and which requests join it.

    Args:
        name: of the class.

    Attributes:
        found: the requests are one class.
    """

    def __init__(self, name: str) -> None:
        self.name, self.found = name, False
        self._recent: deque[_Seen] = deque(maxlen=RECENT_REQUESTS)
        self._answers: dict[str, None] = {}
        self._count = 0

    def note(self, name: str, text: str, answer: str) -> str:
        """Note an answered request that would join a class without a tool; return the class that it joins."""
        form = _form(answer)
        seen = _Seen(name, form, answer, text, frozenset(tokens_of(text)))
        if self.found and form in self._answers and not self._is_template(name, seen):
            return self.name
        self._recent.append(seen)
        self._count += 1
        if self.found and self._is_shared(form):
            self._know([form])
        return name

    def _is_shared(self, form: str) -> bool:
        """Return whether an answer stands under several wordings that are no templates."""
        names = {one.name for one in self._recent if one.answer == form}
        return sum(not self._is_template(name) for name in names) > 1 and self._is_closed([form])

    def _know(self, forms: Iterable[str]) -> None:
        for form in forms:
            if len(form) <= _LONGEST:
                self._answers[form] = None
        while len(self._answers) > _MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]

    def _is_template(self, name: str, newest: _Seen | None = None) -> bool:
        """Return whether the requests of a class are one template's, by the tokens of neighbours in time."""
        mine = [one.tokens for one in self._recent if one.name == name]
        if newest is not None:
            mine.append(newest.tokens)
        pairs = [len(a & b) / max(1, len(a | b)) for a, b in itertools.pairwise(mine)]
        return len(pairs) > 1 and sum(pairs) / len(pairs) >= _TEMPLATE

    def _is_closed(self, forms: Iterable[str]) -> bool:
        wanted = set(forms)
        some = [one for one in self._recent if one.answer in wanted]
        kind = answer_kind([one.exact for one in some], [one.text for one in some])
        return kind.kind in {"labels", "fields"}

    def _candidates(self) -> tuple[list[_Seen], list[_Seen]]:
        """Return the noted requests that no template has, and those of them whose answers are shared."""
        by_name: dict[str, list[_Seen]] = defaultdict(list)
        for one in self._recent:
            by_name[one.name].append(one)
        loose = [one for name in by_name if not self._is_template(name) for one in by_name[name]]
        names: dict[str, set[str]] = defaultdict(set)
        for one in loose:
            names[one.answer].add(one.name)
        shared = [one for one in loose if len(names[one.answer]) > 1]
        by_shared = Counter(one.name for one in shared)
        # A class of several requests with answers of their own goes its own way.
        own = {name for name, some in by_name.items() if len(some) > 4 > 2 * by_shared[name]}
        return [one for one in loose if one.name not in own], shared

    def holds(self, name: str | None = None) -> bool:
        """Return whether makings wait until it is known whether the scope is one class.

        Args:
            name: of this class; None: of any, such as a call that names kinds.
        """
        if self.found or self._count >= RECENT_REQUESTS:
            return False
        loose, shared = self._candidates()
        if len({one.name for one in loose}) < _FEWEST_CLASSES:
            return False
        if name is not None:
            loose = [one for one in loose if one.name == name]
            shared = [one for one in shared if one.name == name]
        return bool(loose) and 2 * len(shared) >= len(loose)

    def joined(self) -> list[str]:
        """Return the classes that belong to the scope's class from now on; empty: none, or not known yet."""
        if not self.found:
            if self._count < _FEWEST or self._count % _LOOKED_AT_EVERY:
                return []
            loose, shared = self._candidates()
            spread = len({one.name for one in shared})
            if len(shared) < max(_FEWEST // 2, _SHARED * len(loose)) or spread < _FEWEST_CLASSES:
                return []
            some = [one.exact for one in shared], [one.text for one in shared]
            kind = answer_kind(*some)
            if kind.kind not in {"labels", "fields"} or not kind.closed:
                return []
            self.found = True
            self._know(one.answer for one in shared)
        return self._take()

    def _take(self) -> list[str]:
        """Take the classes out of those noted whose answers are all known."""
        by_name: dict[str, list[_Seen]] = defaultdict(list)
        for one in self._recent:
            by_name[one.name].append(one)
        mine = {
            name
            for name, some in by_name.items()
            if all(one.answer in self._answers for one in some) and not self._is_template(name)
        }
        if mine:
            kept = [one for one in self._recent if one.name not in mine]
            self._recent = deque(kept, maxlen=RECENT_REQUESTS)
        return sorted(mine)

    def reopen(self, answers: Iterable[str]) -> None:
        """Go on with a class that was found before, such as after a restart, given its queued answers."""
        self.found = True
        self._know(map(_form, answers))
