"""Records what the regular expressions of a program do: whether they match, and by which of their parts."""

import re
from collections.abc import Callable, Iterator
from types import BuiltinMethodType
from typing import Any, cast

from toolmint.sandbox.guest.regex_arcs import MOST_FEATURES, MarkedPattern

_KEPT_PATTERNS = 256
SINGLE = frozenset({"fullmatch", "match", "search"})
REGEX_WIDTH = 2 + MOST_FEATURES
"""Numbers that a use of a regular expression takes: it matched, it did not, and the pattern's features."""
_Site = tuple[Any, Callable[..., Any], MarkedPattern | None]


class RegexRecorder:
    """The uses of regular expressions.

    Args:
        add: takes the number of an arc.
        omit: arcs that need not be recorded, as the bits of a number.
        plain: the program looks at no number of groups, so that matches may have more of them.
    """

    def __init__(self, add: Callable[[int], None], omit: int, *, plain: bool) -> None:
        self._add, self._omit, self._plain = add, omit, plain
        self._patterns: dict[tuple[int, int], tuple[re.Pattern[Any], MarkedPattern]] = {}
        self._sites: dict[int, _Site] = {}
        self._others: dict[tuple[int, Any], _Site] = {}

    def _marked(self, arc: int, pattern: re.Pattern[Any]) -> MarkedPattern:
        # By identity, as a pattern's hash goes over all of it; the entry keeps the pattern alive.
        known = self._patterns.get((arc, id(pattern)))
        if known is None:
            if len(self._patterns) >= _KEPT_PATTERNS:
                self._patterns.clear()
            known = self._patterns[arc, id(pattern)] = (
                pattern,
                MarkedPattern(pattern, self._omit >> arc + 2),
            )
        return known[1]

    def _take(self, arc: int, found: re.Match[Any]) -> None:
        marked = self._marked(arc, found.re)
        if marked.features:
            again = marked.again(found)
            if again is not None:
                self._take_from(arc, marked, again)

    def _take_from(self, arc: int, marked: MarkedPattern, found: re.Match[Any]) -> None:
        for one in marked.taken(found):
            self._add(arc + 2 + one)

    def matched(self, arc: int, function: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
        """Use a regular expression, and record whether it matched and which of its parts took part."""
        of_pattern = type(function) is BuiltinMethodType
        if self._plain and not named and given and (of_pattern or len(given) == 2):
            what: Any = getattr(function, "__self__", None) if of_pattern else given[0]
            known = self._sites.get(arc)
            # A place in the program nearly always uses one pattern: that one is not looked up again.
            if known is None or (known[0] is not what and known[0] != what):
                known = self._site(arc, function, what)
            if known is not None:
                return self._single(arc, known, given if of_pattern else given[1:])
        result: Any = function(*given, **named)
        if type(result) is re.Match:
            self._add(arc)
            self._take(arc, cast("re.Match[Any]", result))
        elif result is None:
            self._add(arc + 1)
        elif isinstance(result, Iterator):
            return self._each(arc, cast("Iterator[Any]", result))
        else:
            self._all(arc, function, given, result)
        return cast("Any", result)

    def _site(self, arc: int, function: Callable[..., Any], what: object) -> _Site | None:
        """Return how a place matches its pattern with more groups, so that it is matched once."""
        name = getattr(function, "__name__", "")
        if name not in SINGLE:
            return None
        text = type(what) is str
        other = self._others.get((arc, what)) if text else None
        if other is not None:
            self._sites[arc] = other
            return other
        pattern = what
        if type(what) is not re.Pattern:
            if getattr(re, name) is not function:
                return None
            pattern = re.compile(cast("str", what))
        marked = self._marked(arc, cast("re.Pattern[Any]", pattern))
        match: Callable[..., Any] = getattr(marked.marked, name)
        known: _Site = (cast("Any", what), match, marked if marked.features else None)
        self._sites[arc] = known
        if text and len(self._others) < _KEPT_PATTERNS:
            self._others[arc, what] = known
        return known

    def _single(self, arc: int, known: _Site, given: tuple[Any, ...]) -> re.Match[Any] | None:
        _, match, marked = known
        found: re.Match[Any] | None = match(*given)
        if found is None:
            self._add(arc + 1)
        else:
            self._add(arc)
            if marked is not None:
                self._take_from(arc, marked, found)
        return found

    def _each(self, arc: int, results: Iterator[Any]) -> Iterator[Any]:
        empty = True
        for one in results:
            if type(one) is re.Match:
                self._take(arc, cast("re.Match[Any]", one))
            empty = False
            yield one
        self._add(arc + 1 if empty else arc)

    def _all(
        self, arc: int, function: Callable[..., Any], given: tuple[Any, ...], result: Any
    ) -> None:
        """Record the matches of ``findall``, ``sub`` and ``split``."""
        owner: Any = getattr(function, "__self__", None)
        name, rest = getattr(function, "__name__", ""), given
        if not isinstance(owner, re.Pattern):
            if getattr(re, name, None) is not function or not given:
                return
            owner, rest = given[0], given[1:]
        replaces = name in {"sub", "subn"}
        text = rest[1] if replaces and len(rest) > 1 else rest[0] if rest and not replaces else None
        if not isinstance(text, str):
            return
        pattern = re.compile(cast("str", owner))
        told = self._marked(arc, pattern).features
        if name == "findall" and not told:
            self._add(arc if result else arc + 1)
            return
        first = pattern.search(text)
        self._add(arc + 1 if first is None else arc)
        if first is not None and told:
            for one in pattern.finditer(text):
                self._take(arc, one)
