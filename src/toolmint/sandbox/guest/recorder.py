"""Records which arcs of a program a call takes; the program's code is given these functions by ``arcs``.

They stand among the constants of its bytecode, where no name leads to them. That is no wall: code that looks
for them finds them. Arcs are evidence about honest code, and the sandbox holds any.
"""

import operator
from collections.abc import Callable, Hashable, Iterable
from types import CodeType
from typing import Any, NamedTuple

from toolmint.sandbox.guest.regex_recorder import RegexRecorder
from toolmint.sandbox.guest.value_kinds import size_kind, value_kind

_TAKEN, _FREE = "1", "0"
_MISSING = object()


class ArcPlan(NamedTuple):
    """What the recorder of a program needs to know.

    Attributes:
        prefix: of the names of the recorder's functions.
        size: how many arcs there are.
        tables: the keys of each literal table.
        places: for each table whether it is subscripted by place.
        plain: the program looks at no number of groups, so that matches may have more of them.
        quiet_load: loading the module runs none of its functions, and so records nothing.
        omit: arcs that need not be recorded, as the bits of a number.
        key_sites: first arc and table of each place that looks its key up among the verified ones.
    """

    prefix: str
    size: int
    tables: tuple[tuple[Hashable, ...], ...]
    places: tuple[bool, ...]
    plain: bool
    quiet_load: bool
    omit: int
    key_sites: tuple[tuple[int, int], ...]


def _numbered(keys: tuple[Hashable, ...]) -> dict[Hashable, int]:
    return {key: number for number, key in reversed(list(enumerate(keys)))}


class _VerifiedKeys(dict[Hashable, Hashable]):
    """The verified keys of a table, each by itself; looking up any other one records it."""

    def __init__(
        self,
        record: Callable[[int, int, Any], Any],
        arc: int,
        table: int,
        known: Iterable[Hashable],
    ) -> None:
        super().__init__((one, one) for one in known)
        self._record, self._arc, self._table = record, arc, table

    def __missing__(self, key: Any) -> Any:
        return self._record(self._arc, self._table, key)


class ArcRecorder:
    """The arcs that were taken since ``begin``.

    Attributes:
        quiet_load: loading the module records nothing, so that it need not be done by ``load``.
    """

    def __init__(self, plan: ArcPlan) -> None:
        self._none = [_FREE] * plan.size
        self._marks = self._none[:]
        self._omit = plan.omit
        self._clean, self.quiet_load = True, plan.quiet_load
        self._extra: set[int] = set()
        self._add = self._extra.add
        self._tables = [_numbered(keys) for keys in plan.tables]
        self._places = [
            {place: place % len(keys) for place in range(-len(keys), len(keys))} if by_place else {}
            for keys, by_place in zip(plan.tables, plan.places, strict=True)
        ]
        regex = RegexRecorder(self._add, plan.omit, plain=plan.plain)
        functions: dict[str, object] = {
            "a": self._marks,
            "s": self._add,
            "r": self._truth,
            "k": self._key,
            "p": self._place,
            "t": self._touch,
            "b": self._bound,
            "m": regex.matched,
            "c": self._chosen,
            "g": self._got,
            "n": self._next,
            "w": self._changed,
            "e": enumerate,
            "type": type,
            "len": len,
            "str": str,
            "list": list,
            "int": int,
            "bool": bool,
            "v": self._kind,
            "i": self._sized,
            "lt": operator.lt,
            "le": operator.le,
            "gt": operator.gt,
            "ge": operator.ge,
        }
        for number, (arc, table) in enumerate(plan.key_sites):
            known = (key for key, at in self._tables[table].items() if plan.omit >> arc + at & 1)
            functions[f"q{number}"] = _VerifiedKeys(self._key, arc, table, known)
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
        if not self._clean:
            self._marks[:] = self._none
            self._extra.clear()
        self._clean = False

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
        taken, marks = 0, self._marks
        if marks != self._none:
            taken = int("".join(reversed(marks)), 2)
        elif not self._extra:
            self._clean = True
            return "0"
        for number in self._extra:
            taken |= 1 << number
        return format(taken & ~self._omit, "x")

    def _kind(self, arc: int, value: Any) -> None:
        self._add(arc + value_kind(value))

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
        if left == right:
            self._add(arc)
        # 0: neither is a constant, so that one step means nothing.
        elif below and type(left) is int and type(right) is int and left - right == below:
            self._add(arc + 1)
        return compare(left, right)

    def _bound(self, arc: int, bound: Any, below: int, value: Any) -> Any:
        """Record how a part of a chained comparison stands to a constant beside it."""
        if value == bound:
            self._add(arc)
        elif type(value) is int and value - bound == below:
            self._add(arc + 1)
        return value

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
