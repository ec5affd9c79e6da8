"""Numbers the arcs of a program, and makes the code that records them; see ``arcs``."""

import ast
from collections.abc import Generator, Hashable
from contextlib import contextmanager

from toolmint.sandbox.guest.literal_tables import Constants
from toolmint.sandbox.guest.recorder import ArcPlan

_SAID = 60
_OF_GROUPS = frozenset({"groups", "lastindex", "lastgroup", "regs", "re", "pattern", "getattr"})


def mark_statement(prefix: str, arc: ast.expr) -> ast.stmt:
    """Return the statement that marks an arc: an assignment to an element, the cheapest there is."""
    target = ast.Subscript(ast.Constant(f"{prefix}a"), arc, ast.Store())
    return ast.Assign([target], ast.Constant("1"))


class ArcNumbers(ast.NodeTransformer):
    """A walk through a program that gives numbers to arcs.

    Args:
        tree: the program.
        prefix: of the names of the recorder's functions.
        told: also keep what each arc is, in words.
    """

    def __init__(self, tree: ast.Module, prefix: str, *, told: bool = False) -> None:
        self.constants, self.prefix = Constants(tree), prefix
        self.inside = False
        self.lines: list[str] = []
        self._told, self._size, self._names = told, 0, 0
        self.at_row: tuple[str, int] | None = None
        self._row_names: set[str] = set()
        self._tables: list[tuple[Hashable, ...]] = []
        self._places: list[bool] = []
        # A class may define comparisons that return anything: a program with classes keeps its own.
        self.plain = not any(isinstance(one, ast.ClassDef) for one in ast.walk(tree))
        self._counts_no_groups = not any(
            isinstance(one, ast.Attribute) and one.attr in _OF_GROUPS for one in ast.walk(tree)
        )

    def module(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return the instrumented statements of the module; those outside functions stay as they are."""
        return [self.visit(one) for one in body]

    def plan(self) -> ArcPlan:
        """Return what the recorder needs."""
        return ArcPlan(
            self.prefix,
            self._size,
            tuple(self._tables),
            tuple(self._places),
            self._counts_no_groups,
        )

    # Where the walk stands.

    @contextmanager
    def function(self) -> Generator[None]:
        """Walk the body of a function."""
        with self._at_place(inside=True, row=None):
            yield

    @contextmanager
    def outside(self) -> Generator[None]:
        """Walk statements that run as the module is made."""
        with self._at_place(inside=False, row=None):
            yield

    @contextmanager
    def row(self, name: str, rows: int) -> Generator[None]:
        """Walk the body of a loop over a table: each arc of it is one for each row."""
        with self._at_place(inside=self.inside, row=(name, rows)):
            yield

    @contextmanager
    def no_row(self) -> Generator[None]:
        """Walk what stands behind such a loop."""
        with self._at_place(inside=self.inside, row=None):
            yield

    @contextmanager
    def _at_place(self, *, inside: bool, row: tuple[str, int] | None) -> Generator[None]:
        before = self.inside, self.at_row
        self.inside, self.at_row = inside, row
        try:
            yield
        finally:
            self.inside, self.at_row = before

    # Arcs and the code that records them.

    def new_name(self) -> str:
        """Return a name that the program does not use."""
        self._names += 1
        return f"{self.prefix}{self._names}"

    def said(self, node: ast.AST) -> str:
        """Return the source of a part, for people to read."""
        if not self._told:
            return ""
        text = " ".join(ast.unparse(node).split())
        return text if len(text) <= _SAID else f"{text[:_SAID]}…"

    def numbers(self, node: ast.AST, texts: list[str]) -> ast.expr:
        """Number the arcs of a place, and return the first one as an expression."""
        first, width = self._size, len(texts)
        name, rows = self.at_row or ("", 1)
        self._size += width * rows
        if self._told:
            line = getattr(node, "lineno", 0)
            of = [f" (row {row + 1} of the table)" if name else "" for row in range(rows)]
            self.lines += [f"line {line}: {text}{which}" for which in of for text in texts]
        if not name:
            return ast.Constant(first)
        place: ast.expr = ast.Name(name, ast.Load())
        if width > 1:
            place = ast.BinOp(place, ast.Mult(), ast.Constant(width))
        return ast.BinOp(ast.Constant(first), ast.Add(), place)

    def arc(self, node: ast.AST, text: str) -> ast.expr:
        """Number one arc; return its number as an expression."""
        return self.numbers(node, [text])

    def call(self, name: str, *given: ast.expr) -> ast.Call:
        """Return a call of one of the recorder's functions."""
        return ast.Call(self.function_of(name), list(given), [])

    def function_of(self, name: str) -> ast.Constant:
        """Return the place of one of the recorder's functions: a constant that ``ArcRecorder.bind`` replaces.

        So the program has no name for them, and they cost no look-up.
        """
        return ast.Constant(self.prefix + name)

    def mark(self, node: ast.AST, text: str) -> ast.expr:
        """Return an expression that marks an arc; its value is None."""
        return self.call("s", self.arc(node, text))

    def from_table(self, node: ast.expr) -> bool:
        """Return whether an expression is a part of a literal table: a constant, whichever it is."""
        if isinstance(node, ast.Subscript):
            return self.constants.table(node.value) is not None
        return isinstance(node, ast.Name) and node.id in self._row_names

    def key(
        self, value: ast.expr, table: ast.expr, node: ast.AST, *, placed: bool = False
    ) -> ast.expr | None:
        """Return a key that is looked up in a literal table, with its arc recorded; None: no such table."""
        found = self.constants.table(table)
        if found is None:
            return None
        by_place = placed and found.places
        said = [f"key {key!r}" for key in found.keys] if self._told else [""] * len(found.keys)
        arcs = self.numbers(node, [*said, "no key of the table"])
        self._tables.append(found.keys)
        self._places.append(by_place)
        number = ast.Constant(len(self._tables) - 1)
        called = self.call("p" if by_place else "k", arcs, number, value)
        return ast.copy_location(called, node)

    def rows(self, target: ast.expr, looped: ast.expr) -> tuple[ast.expr, ast.expr, str]:
        """Return target and iterable of a loop over a table that also count its rows, and the counter."""
        name = self.new_name()
        named = (one for one in ast.walk(target) if isinstance(one, ast.Name))
        self._row_names.update(one.id for one in named)
        both = ast.Tuple([ast.Name(name, ast.Store()), target], ast.Store())
        new = ast.copy_location(both, target)
        return new, ast.copy_location(self.call("e", looped), looped), name
