"""Numbers the arcs of a program, and makes the code that records them; see ``arcs``."""

import ast
from collections.abc import Generator, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeGuard

from toolmint.sandbox.guest.literal_tables import Constants
from toolmint.sandbox.guest.recorder import ArcPlan

_SAID = 60
ENTRY_POINTS = frozenset({"parse", "unparse", "solve", "render"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_OF_GROUPS = frozenset({"groups", "lastindex", "lastgroup", "regs", "re", "pattern", "getattr"})


def mark_statement(prefix: str, arc: ast.expr) -> ast.stmt:
    """Return the statement that marks an arc: an assignment to an element, the cheapest there is."""
    target = ast.Subscript(ast.Constant(f"{prefix}a"), arc, ast.Store())
    return ast.Assign([target], ast.Constant("1"))


def bound_names(tree: ast.Module) -> Iterator[str]:
    """Yield every name that the program binds anywhere."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            yield one.id
        elif isinstance(one, ast.arg):
            yield one.arg
        elif isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield one.name
        elif isinstance(one, ast.alias):
            yield (one.asname or one.name).split(".")[0]
        elif isinstance(one, (ast.MatchAs, ast.MatchStar, ast.ExceptHandler)) and one.name:
            yield one.name


def names(name: str, nodes: Iterable[ast.AST]) -> bool:
    """Return whether a name is read anywhere in these parts of a program."""
    return any(
        isinstance(one, ast.Name) and one.id == name for node in nodes for one in ast.walk(node)
    )


def _loads(tree: ast.AST) -> set[str]:
    return {
        one.id
        for one in ast.walk(tree)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)
    }


def _at_load(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what is evaluated as the module is loaded: all but the bodies of functions."""
    waiting: list[ast.AST] = [*tree.body]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _FUNCTIONS):
            given = node.args
            waiting += [*given.defaults, *(one for one in given.kw_defaults if one is not None)]
            waiting += node.decorator_list if not isinstance(node, ast.Lambda) else []
        else:
            waiting += ast.iter_child_nodes(node)


def load_functions(tree: ast.Module) -> tuple[frozenset[str], bool]:
    """Return the functions that run as the module is loaded and never later, and whether others may run then.

    What runs then is not recorded, so that such a function needs no marks.
    """
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    own = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
    loading = list(_at_load(tree))
    lambdas = any(isinstance(one, ast.Lambda) for one in loading)
    called = {one.id for one in loading if isinstance(one, ast.Name)} & own
    reached, only = set[str](), called & functions.keys()
    while only != reached:
        reached = only
        only = only | (
            functions.keys() & set[str]().union(*(_loads(functions[one]) for one in only))
        )
    only -= ENTRY_POINTS
    while True:
        later = [one for name, one in functions.items() if name not in only]
        used = only & set[str]().union(*map(_loads, later))
        if not used:
            break
        only -= used
    inner = set[str]().union(*(_loads(functions[one]) for one in only)) & own
    nested = {one.name for name in only for one in ast.walk(functions[name]) if _is_function(one)}
    return frozenset(only), lambdas or bool((called | inner) - only - nested)


def _is_function(node: ast.AST) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef)


class ArcNumbers(ast.NodeTransformer):
    """A walk through a program that gives numbers to arcs.

    Args:
        tree: the program.
        prefix: of the names of the recorder's functions.
        told: also keep what each arc is, in words.
        omit: arcs that need not be recorded, as the bits of a number. A place all of whose arcs are among
            them is left as it is, so that it costs nothing.

    Attributes:
        recorded: there are places that record arcs.
        size: how many arcs there are so far.
    """

    def __init__(self, tree: ast.Module, prefix: str, *, told: bool = False, omit: int = 0) -> None:
        self.constants, self.prefix = Constants(tree), prefix
        self.inside = False
        self.lines: list[str] = []
        self.omit, self.recorded = omit, False
        self.told, self.size, self._names = told, 0, 0
        self.at_row: tuple[str, int] | None = None
        self._row_names: set[str] = set()
        self.tables: list[tuple[Hashable, ...]] = []
        self.places: list[bool] = []
        self.key_sites: list[tuple[int, int]] = []
        self.bound = set(bound_names(tree))
        # A class may define comparisons that return anything: a program with classes keeps its own.
        self.plain = not any(isinstance(one, ast.ClassDef) for one in ast.walk(tree))
        self._counts_no_groups = not any(
            isinstance(one, ast.Attribute) and one.attr in _OF_GROUPS for one in ast.walk(tree)
        )
        self.load_functions, others_run = load_functions(tree)
        self._quiet_load = self.plain and not others_run

    def module(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return the instrumented statements of the module; those outside functions stay as they are."""
        return [self.visit(one) for one in body]

    def plan(self) -> ArcPlan:
        """Return what the recorder needs."""
        return ArcPlan(
            self.prefix,
            self.size,
            tuple(self.tables),
            tuple(self.places),
            self._counts_no_groups,
            self._quiet_load,
            self.omit,
            tuple(self.key_sites),
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
    def unrecorded(self) -> Generator[None]:
        """Number the arcs of what follows, and record none."""
        before, self.omit = self.omit, -1
        try:
            yield
        finally:
            self.omit = before

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
        if not self.told:
            return ""
        text = " ".join(ast.unparse(node).split())
        return text if len(text) <= _SAID else f"{text[:_SAID]}…"

    def numbers(
        self, node: ast.AST, texts: list[str], existing: int | None = None
    ) -> ast.expr | None:
        """Number the arcs of a place, and return the first one as an expression.

        Args:
            node: the place.
            texts: what each arc is.
            existing: how many of them can be taken; None: all.

        Returns:
            None where none of them needs to be recorded.
        """
        first, width = self.size, len(texts)
        name, rows = self.at_row or ("", 1)
        self.size += width * rows
        if self.told:
            line = getattr(node, "lineno", 0)
            of = [f" (row {row + 1} of the table)" if name else "" for row in range(rows)]
            self.lines += [f"line {line}: {text}{which}" for which in of for text in texts]
        possible = (1 << (width if existing is None else existing)) - 1
        if not any(possible & ~(self.omit >> first + row * width) for row in range(rows)):
            return None
        self.recorded = True
        if not name:
            return ast.Constant(first)
        place: ast.expr = ast.Name(name, ast.Load())
        if width > 1:
            place = ast.BinOp(place, ast.Mult(), ast.Constant(width))
        return ast.BinOp(ast.Constant(first), ast.Add(), place)

    def call(self, name: str, *given: ast.expr) -> ast.Call:
        """Return a call of one of the recorder's functions."""
        return ast.Call(self.function_of(name), list(given), [])

    def function_of(self, name: str) -> ast.Constant:
        """Return the place of one of the recorder's functions: a constant that ``ArcRecorder.bind`` replaces.

        So the program has no name for them, and they cost no look-up.
        """
        return ast.Constant(self.prefix + name)

    def mark(self, node: ast.AST, text: str) -> ast.expr | None:
        """Return an expression that marks an arc, whose value is None; None: it needs no mark."""
        arc = self.numbers(node, [text])
        return self.call("s", arc) if arc is not None else None

    def marked(self, node: ast.AST, text: str, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return statements with a mark before them, where one is needed."""
        arc = self.numbers(node, [text])
        if arc is None:
            return body
        return [ast.copy_location(mark_statement(self.prefix, arc), node), *body]

    def from_table(self, node: ast.expr) -> bool:
        """Return whether an expression is a part of a literal table: a constant, whichever it is."""
        if isinstance(node, ast.Subscript):
            return self.constants.table(node.value) is not None
        return isinstance(node, ast.Name) and node.id in self._row_names

    def rows(self, target: ast.expr, looped: ast.expr) -> tuple[ast.expr, ast.expr, str]:
        """Return target and iterable of a loop over a table that also count its rows, and the counter."""
        name = self.new_name()
        named = (one for one in ast.walk(target) if isinstance(one, ast.Name))
        self._row_names.update(one.id for one in named)
        both = ast.Tuple([ast.Name(name, ast.Store()), target], ast.Store())
        new = ast.copy_location(both, target)
        return new, ast.copy_location(self.call("e", looped), looped), name
