"""Records which arcs of a program a call takes; the program's code is given these functions by ``arcs``.

They stand among the constants of its bytecode, where no name leads to them. That is no wall: code that looks
for them finds them. Arcs are evidence about honest code, and the sandbox holds any.
"""

import operator
import re
from collections.abc import Callable, Hashable, Iterator
from types import BuiltinMethodType, CodeType
from typing import Any, NamedTuple, cast

from toolmint.sandbox.guest.regex_arcs import MOST_FEATURES, MarkedPattern
from toolmint.sandbox.guest.value_kinds import VALUE_KINDS, size_kind, value_kind

_TAKEN, _FREE = "1", "0"
_MISSING = object()
_KEPT_PATTERNS = 256
_KINDS = len(VALUE_KINDS)
_SINGLE = frozenset({"fullmatch", "match", "search"})
REGEX_WIDTH = 2 + MOST_FEATURES
"""Numbers that a use of a regular expression takes: it matched, it did not, and the pattern's features."""


class ArcPlan(NamedTuple):
    """What the recorder of a program needs to know.

    Attributes:
        prefix: of the names of the recorder's functions.
        size: how many arcs there are.
        tables: the keys of each literal table.
        places: for each table whether it is subscripted by place.
        plain: the program looks at no number of groups, so that matches may have more of them.
    """

    prefix: str
    size: int
    tables: tuple[tuple[Hashable, ...], ...]
    places: tuple[bool, ...]
    plain: bool


def _numbered(keys: tuple[Hashable, ...]) -> dict[Hashable, int]:
    return {key: number for number, key in reversed(list(enumerate(keys)))}


_Site = tuple[Any, Callable[..., Any], MarkedPattern | None]


class ArcRecorder:
    """The arcs that were taken since ``begin``."""

    def __init__(self, plan: ArcPlan) -> None:
        self._size = plan.size
        self._marks = [_FREE] * plan.size
        self._extra: set[int] = set()
        self._add = self._extra.add
        self._tables = [_numbered(keys) for keys in plan.tables]
        self._places = [
            {place: place % len(keys) for place in range(-len(keys), len(keys))} if by_place else {}
            for keys, by_place in zip(plan.tables, plan.places, strict=True)
        ]
        self._patterns: dict[int, tuple[re.Pattern[Any], MarkedPattern]] = {}
        self._plain = plan.plain
        self._sites: dict[int, _Site] = {}
        functions: dict[str, object] = {
            "a": self._marks,
            "s": self._add,
            "r": self._truth,
            "k": self._key,
            "p": self._place,
            "t": self._touch,
            "b": self._bound,
            "m": self._matched,
            "c": self._chosen,
            "g": self._got,
            "n": self._next,
            "w": self._changed,
            "e": enumerate,
            "v": self._kinds,
            "i": self._sized,
            "lt": operator.lt,
            "le": operator.le,
            "gt": operator.gt,
            "ge": operator.ge,
        }
        self._functions = {plan.prefix + name: value for name, value in functions.items()}

    def bind(self, code: CodeType) -> CodeType:
        """Return an instrumented program that calls this recorder."""
        consts: list[object] = []
        for one in code.co_consts:
            if isinstance(one, CodeType):
                consts.append(self.bind(one))
            else:
                consts.append(self._functions.get(one, one) if type(one) is str else one)
        return code.replace(co_consts=tuple(consts))

    def begin(self) -> None:
        """Forget what was taken."""
        self._marks[:] = [_FREE] * self._size
        self._extra.clear()

    def load(self, code: CodeType, space: dict[str, Any]) -> None:
        """Execute the bound module in a name space.

        What it does as it is loaded is the same at each call and is not recorded: a function that also
        ran then would otherwise hide which of its arcs the request took.
        """
        marks, extra = self._marks[:], self._extra.copy()
        exec(code, space)
        self._marks[:] = marks
        self._extra.clear()
        self._extra.update(extra)

    def bitmap(self) -> str:
        """Return the arcs taken as a number in hexadecimal: arc 0 is its lowest bit."""
        marks = self._marks
        for number in self._extra:
            marks[number] = _TAKEN
        return format(int("".join(reversed(marks)), 2), "x") if marks else "0"

    def _kinds(self, arc: int, *values: Any) -> None:
        for value in values:
            self._add(arc + value_kind(value))
            arc += _KINDS

    def _sized(self, arc: int, items: Any) -> Any:
        size = size_kind(items)
        if size is not None:
            self._add(arc + size)
        return items

    def _truth(self, arc: int, value: Any) -> Any:
        self._add(arc if value else arc + 1)
        return value

    def _key(self, arc: int, table: int, key: Any) -> Any:
        known = self._tables[table]
        try:
            self._add(arc + known.get(key, len(known)))
        except TypeError:  # not hashable: the program's own look-up says so
            self._add(arc + len(known))
        return key

    def _place(self, arc: int, table: int, key: Any) -> Any:
        known = self._places[table]
        if type(key) is int and key in known:
            self._add(arc + known[key])
        return key

    def _touch(
        self, arc: int, compare: Callable[[Any, Any], Any], below: int, left: Any, right: Any
    ) -> Any:
        """Compare, and record whether both were equal, or whole numbers beside the boundary."""
        if type(left) is int and type(right) is int:
            apart = left - right
            if apart == 0:
                self._add(arc)
            elif apart == below:  # 0: neither is a constant, so that one step means nothing
                self._add(arc + 1)
        elif left == right:
            self._add(arc)
        return compare(left, right)

    def _bound(self, arc: int, bound: Any, below: int, value: Any) -> Any:
        """Record how a part of a chained comparison stands to a constant beside it."""
        if value == bound:
            self._add(arc)
        elif type(value) is int and value - bound == below:
            self._add(arc + 1)
        return value

    def _marked(self, pattern: re.Pattern[Any]) -> MarkedPattern:
        # By identity, as a pattern's hash goes over all of it; the entry keeps the pattern alive.
        known = self._patterns.get(id(pattern))
        if known is None:
            if len(self._patterns) >= _KEPT_PATTERNS:
                self._patterns.clear()
            known = self._patterns[id(pattern)] = (pattern, MarkedPattern(pattern))
        return known[1]

    def _take(self, arc: int, found: re.Match[Any]) -> None:
        marked = self._marked(found.re)
        if marked.features:
            again = marked.again(found)
            if again is not None:
                self._take_from(arc, marked, again)

    def _take_from(self, arc: int, marked: MarkedPattern, found: re.Match[Any]) -> None:
        for one in marked.taken(found):
            self._add(arc + 2 + one)

    def _matched(self, arc: int, function: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
        """Use a regular expression, and record whether it matched and which of its parts took part."""
        of_pattern = type(function) is BuiltinMethodType
        if self._plain and not named and given and (of_pattern or len(given) == 2):
            what: Any = getattr(function, "__self__", None) if of_pattern else given[0]
            known = self._sites.get(arc)
            # A place in the program nearly always uses one pattern: that one is not looked up again.
            if known is None or known[0] is not what:
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
            self._all(arc, function, given)
        return cast("Any", result)

    def _site(self, arc: int, function: Callable[..., Any], what: Any) -> _Site | None:
        """Return how a place matches its pattern with more groups, so that it is matched once."""
        name = getattr(function, "__name__", "")
        if name not in _SINGLE:
            return None
        pattern = what
        if type(what) is not re.Pattern:
            if getattr(re, name) is not function:
                return None
            pattern = re.compile(what)
        marked = self._marked(cast("re.Pattern[Any]", pattern))
        known: _Site = (
            cast("Any", what),
            getattr(marked.marked, name),
            marked if marked.features else None,
        )
        self._sites[arc] = known
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

    def _all(self, arc: int, function: Callable[..., Any], given: tuple[Any, ...]) -> None:
        """Record the matches of ``findall``, ``sub`` and ``split``."""
        owner: Any = getattr(function, "__self__", None)
        rest = given
        if not isinstance(owner, re.Pattern):
            if getattr(re, getattr(function, "__name__", ""), None) is not function or not given:
                return
            owner, rest = given[0], given[1:]
        replaces = getattr(function, "__name__", "") in {"sub", "subn"}
        text = rest[1] if replaces and len(rest) > 1 else rest[0] if rest and not replaces else None
        if not isinstance(text, str):
            return
        pattern = re.compile(cast("str", owner))
        first = pattern.search(text)
        self._add(arc + 1 if first is None else arc)
        if first is not None and self._marked(pattern).features:
            for one in pattern.finditer(text):
                self._take(arc, one)

    def _chosen(self, arc: int, function: Callable[..., Any], one: Any, other: Any) -> Any:
        """Return ``min`` or ``max`` of two, and record which it was."""
        result = function(one, other)
        self._add(arc if result is one else arc + 1)
        return result

    def _got(self, arc: int, function: Callable[..., Any], /, *given: Any) -> Any:
        """Call ``get`` of a dictionary, and record whether the key was there."""
        owner = getattr(function, "__self__", None)
        if isinstance(owner, dict):
            self._add(arc if given[0] in owner else arc + 1)
        return function(*given)

    def _next(self, arc: int, items: Any, default: Any) -> Any:
        result = next(items, _MISSING)
        self._add(arc + 1 if result is _MISSING else arc)
        return default if result is _MISSING else result

    def _changed(self, arc: int, function: Callable[..., Any], /, *given: Any) -> Any:
        """Call a method of a text, and record whether it changed anything."""
        result = function(*given)
        owner = getattr(function, "__self__", None)
        if isinstance(owner, str):
            self._add(arc + 1 if result == owner else arc)
        return result
