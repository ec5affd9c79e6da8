"""Records keys, kinds and sizes: quickly where a value is of a verified kind, and by a call where it is not.

Most values of a tool at work are like those of its verified requests. For these a check in place costs less
than a call of the recorder.
"""

import ast
import re
from typing import cast

from toolmint.sandbox.guest.arc_numbers import ArcNumbers
from toolmint.sandbox.guest.literal_tables import LiteralTable
from toolmint.sandbox.guest.regex_arcs import MarkedPattern
from toolmint.sandbox.guest.value_kinds import SIZES, VALUE_KINDS

_FALSE, _TRUE, _LARGER_NUMBER, _TEXT, _LONGER_LIST = 1, 2, 6, 8, 11
_WITHOUT_SIZE = frozenset({"zip", "enumerate", "map", "filter", "reversed", "iter"})


class ArcChecks(ArcNumbers):
    """Inserts what records the keys of tables, kinds of values and sizes of collections."""

    def pure(self, node: ast.expr) -> bool:
        """Return whether an expression may be evaluated twice: nothing changes by it, and it is quick.

        A program with classes may do anything where it reads an item.
        """
        if isinstance(node, ast.Subscript):
            return self.plain and self.pure(node.value) and self.pure(node.slice)
        if isinstance(node, ast.Call):
            size = self._built_in(node) == "len" and len(node.args) == 1 and not node.keywords
            return self.plain and size and self.pure(node.args[0])
        return isinstance(node, (ast.Name, ast.Constant))

    def _built_in(self, node: ast.expr) -> str:
        """Return the name of the built-in function that an expression calls; empty: it calls none."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return ""
        return node.func.id if node.func.id not in self.bound else ""

    def _verified(self, arcs: ast.expr, further: int) -> bool:
        """Return whether an arc of a place is verified, where the place is in no loop over a table."""
        if not isinstance(arcs, ast.Constant):
            return False
        return bool(self.omit >> cast("int", arcs.value) + further & 1)

    def _is(self, value: ast.expr, kind: str, *, other: bool = False) -> ast.expr:
        """Return whether a value is of a type, or of any other one."""
        of = ast.Call(self.function_of("type"), [value], [])
        return ast.Compare(of, [ast.IsNot() if other else ast.Is()], [self.function_of(kind)])

    def _more(self, value: ast.expr, op: ast.cmpop) -> ast.expr:
        size = ast.Call(self.function_of("len"), [value], [])
        return ast.Compare(size, [op], [ast.Constant(1)])

    def kind(self, node: ast.AST, name: str, said: str) -> list[ast.stmt]:
        """Return the statements that record of which kind a variable is."""
        arcs = self.numbers(node, [f"{said} is {kind}" for kind in VALUE_KINDS])
        if arcs is None:
            return []
        value = ast.Name(name, ast.Load())
        made: ast.stmt = ast.Expr(self.call("v", arcs, value))
        no: ast.expr = ast.UnaryOp(ast.Not(), value)
        unlike = {
            (_TEXT, "str"): no,
            (_LONGER_LIST, "list"): self._more(value, ast.LtE()),
            (_LARGER_NUMBER, "int"): ast.Compare(value, [ast.LtE()], [ast.Constant(1)]),
        }
        if self._verified(arcs, _FALSE) and self._verified(arcs, _TRUE):
            made = ast.If(self._is(value, "bool", other=True), [made], [])
        for (kind, of), small in unlike.items():
            if self._verified(arcs, kind):
                test = ast.BoolOp(ast.Or(), [self._is(value, of, other=True), small])
                made = ast.If(test, [made], [])
                break
        return [ast.copy_location(made, node)]

    def sized(self, items: ast.expr, said: str) -> ast.expr:
        """Return what a comprehension goes over, with its size recorded."""
        # These have no size before they are read, so nothing can be told of them.
        existing = 0 if self._built_in(items) in _WITHOUT_SIZE else None
        arcs = self.numbers(items, [f"{said}: {size}" for size in SIZES], existing)
        if arcs is None:
            return items
        called: ast.expr = self.call("i", arcs, items)
        if self._verified(arcs, SIZES.index("more items")) and self.pure(items):
            many = ast.BoolOp(ast.And(), [self._is(items, "list"), self._more(items, ast.Gt())])
            called = ast.IfExp(many, items, called)
        return ast.copy_location(called, items)

    def key(
        self, value: ast.expr, table: ast.expr, node: ast.AST, *, placed: bool = False
    ) -> ast.expr | None:
        """Return a key that is looked up in a literal table, with its arc recorded.

        Returns:
            None where there is no such table, or nothing to record.
        """
        found = self.constants.table(table)
        if found is None:
            return None
        by_place = placed and found.places
        said = [f"key {key!r}" for key in found.keys] if self.told else [""] * len(found.keys)
        arcs = self.numbers(node, [*said, "no key of the table"])
        if arcs is None:
            return None
        self.tables.append(found.keys)
        self.places.append(by_place)
        number = len(self.tables) - 1
        called: ast.expr = self.call("p" if by_place else "k", arcs, ast.Constant(number), value)
        if self.omit and not by_place and isinstance(arcs, ast.Constant):
            called = self._known_key(value, found, (cast("int", arcs.value), number), called)
        return ast.copy_location(called, node)

    def _known_key(
        self, value: ast.expr, table: LiteralTable, site: tuple[int, int], called: ast.expr
    ) -> ast.expr:
        """Return a key that is found among the verified ones without a call."""
        if not all(isinstance(key, str) for key in table.keys):
            return called  # a number that equals a key need not be of its type
        name = self.function_of(f"q{len(self.key_sites)}")
        if not table.places:
            # Looked up in a dictionary of verified keys, which calls the recorder for any other one.
            self.key_sites.append(site)
            return ast.Subscript(name, value, ast.Load())
        if not self.pure(value):
            return called
        self.key_sites.append(site)
        known = ast.Compare(value, [ast.In()], [name])
        return ast.IfExp(ast.BoolOp(ast.And(), [self._is(value, "str"), known]), value, called)

    def literal_width(self, function: ast.expr) -> int | None:
        """Return how many features the pattern has whose method is called; None: it is not known."""
        if not isinstance(function, ast.Attribute) or not (self.omit or self.told):
            return None
        pattern = self.constants.pattern(function.value)
        try:
            return MarkedPattern(re.compile(pattern)).width if pattern is not None else None
        except (re.error, OverflowError, RecursionError):  # the program fails when it is loaded
            return None
