"""Instruments the expressions of a program; see ``arcs``."""

import ast
from typing import cast

from toolmint.sandbox.guest.arc_checks import ArcChecks
from toolmint.sandbox.guest.arc_numbers import names
from toolmint.sandbox.guest.regex_arcs import MOST_FEATURES
from toolmint.sandbox.guest.regex_recorder import REGEX_WIDTH, SINGLE

_REGEX = frozenset({"fullmatch", "match", "search", "finditer", "findall", "sub", "subn"})
_TEXT = frozenset({"replace", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix"})
_ORDER: dict[type[ast.cmpop], tuple[str, int]] = {
    # The name of the comparison, and how far apart the whole numbers on the other side of the boundary are.
    ast.Lt: ("lt", -1),
    ast.LtE: ("le", 1),
    ast.Gt: ("gt", 1),
    ast.GtE: ("ge", -1),
}


def _never(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


class ArcValues(ArcChecks):
    """Inserts what records the arcs of expressions."""

    def test(self, node: ast.expr) -> ast.expr:
        """Return an expression whose truth alone is used; the operands that decide it are marked."""
        if isinstance(node, ast.BoolOp):
            decides = "is false" if isinstance(node.op, ast.And) else "is true"
            values: list[ast.expr] = []
            for one in node.values:
                said = f"{self.said(one)} {decides} and decides"
                value = self.test(one)
                mark = self.mark(one, said)
                if mark is None:
                    values.append(value)
                elif isinstance(node.op, ast.And):
                    values.append(ast.BoolOp(ast.Or(), [value, mark]))
                else:
                    values.append(ast.BoolOp(ast.And(), [value, _never(mark)]))
            return ast.copy_location(ast.BoolOp(node.op, values), node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ast.copy_location(_never(self.test(node.operand)), node)
        return self._compared(node) if isinstance(node, ast.Compare) else self.visit(node)

    def both(self, node: ast.expr, said: str) -> ast.expr:
        """Return a condition, as a truth value, with both outcomes marked."""
        value = self.test(node)
        yes, no = self.mark(node, f"{said} is true"), self.mark(node, f"{said} is false")
        if yes is None and no is None and isinstance(value, ast.Compare):
            return value
        true = _never(yes) if yes is not None else ast.Constant(value=True)
        false: ast.expr = ast.Constant(value=False)
        false = ast.BoolOp(ast.Or(), [no, false]) if no is not None else false
        return ast.copy_location(ast.IfExp(value, true, false), node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Mark both outcomes."""
        if not self.inside:
            return node
        said = self.said(node.test)
        node.test = self.test(node.test)
        yes, no = self.mark(node, f"{said} is true"), self.mark(node, f"{said} is false")
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        node.body = ast.BoolOp(ast.Or(), [yes, node.body]) if yes is not None else node.body
        node.orelse = ast.BoolOp(ast.Or(), [no, node.orelse]) if no is not None else node.orelse
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Mark what each operand was, and keep its value."""
        if not self.inside:
            return node
        for place, one in enumerate(node.values):
            node.values[place] = self._truth(one)
        return node

    def _truth(self, node: ast.expr) -> ast.expr:
        said = self.said(node)
        if isinstance(node, ast.Compare) and self.plain:
            return self.both(node, said)
        value = self.visit(node)
        one = (
            1 if isinstance(node, ast.Constant) and node.value else None
        )  # a constant is one of them
        arcs = self.numbers(node, [f"{said} is true", f"{said} is false"], one)
        return ast.copy_location(self.call("r", arcs, value), node) if arcs is not None else value

    def visit_Compare(self, node: ast.Compare) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Mark both outcomes of a comparison whose value is used."""
        if not self.inside or not self.plain:
            return self.generic_visit(node)
        return self.both(node, self.said(node))

    def _compared(self, node: ast.Compare) -> ast.expr:
        said = self.said(node)
        parts = [node.left, *node.comparators]
        numbers = [self.constants.number(one) for one in parts]
        keys = parts[1] if isinstance(node.ops[0], (ast.In, ast.NotIn)) else None
        new: list[ast.expr] = [self.visit(one) for one in parts]
        constant = any(one is not None for one in numbers) or any(map(self.from_table, parts))
        if keys is not None:
            new[0] = self.key(new[0], keys, node) or new[0]
        elif len(node.ops) == 1 and type(node.ops[0]) in _ORDER:
            if isinstance(parts[0], ast.Constant) and isinstance(parts[1], ast.Constant):
                return node
            node.left, node.comparators = new[0], new[1:]
            return ast.copy_location(self._ordered(node, numbers, said, constant=constant), node)
        for place, op in enumerate(node.ops):
            self._bounds(node, new, numbers, (place, op, said))
        node.left, node.comparators = new[0], new[1:]
        return node

    def _ordered(
        self, node: ast.Compare, numbers: list[int | None], said: str, *, constant: bool
    ) -> ast.expr:
        """Return a comparison that also marks where its two sides are equal or one step apart.

        Names and numbers are compared in place, as a call would cost more than the comparison.
        """
        left, right = node.left, node.comparators[0]
        name, below = _ORDER[type(node.ops[0])]
        first = self._contacts(node, said, apart=constant)
        if first is None:
            return node
        simple = self.pure(left) and self.pure(right)
        known = any(one is not None for one in numbers) or not constant
        if not simple or not known or not isinstance(first, ast.Constant):
            operation = self.function_of(name)
            apart = ast.Constant(below if constant else 0)
            return self.call("t", first, operation, apart, left, right)

        at = cast("int", first.value)
        checks: list[tuple[ast.expr, ast.expr]] = [(left, right)]
        if numbers[1] is not None:
            checks.append((left, ast.Constant(numbers[1] + below)))
        elif numbers[0] is not None:
            checks.append((right, ast.Constant(numbers[0] - below)))
        equal_is_true = isinstance(node.ops[0], (ast.LtE, ast.GtE))
        found: ast.expr = node
        for place, (one, other) in enumerate(checks):
            if self.omit >> at + place & 1:
                continue
            marked = self.call("s", ast.Constant(at + place))
            # Where both are equal the outcome is known; so it is one step apart, and it is the other one.
            if equal_is_true != bool(place):
                differ = ast.Compare(one, [ast.NotEq()], [other])
                found = ast.BoolOp(
                    ast.And(), [found, ast.BoolOp(ast.Or(), [differ, _never(marked)])]
                )
            else:
                equal = ast.Compare(one, [ast.Eq()], [other])
                found = ast.BoolOp(ast.Or(), [found, ast.BoolOp(ast.And(), [equal, marked])])
        return found

    def _contacts(self, node: ast.AST, said: str, *, apart: bool = True) -> ast.expr | None:
        """Number the two sides of a boundary, or equality alone."""
        texts = [f"{said}: both are equal", f"{said}: one step apart"]
        return self.numbers(node, texts if apart else texts[:1])

    def _bounds(
        self,
        node: ast.Compare,
        new: list[ast.expr],
        numbers: list[int | None],
        at: tuple[int, ast.cmpop, str],
    ) -> None:
        """Mark how a part of a chained comparison stands to the constant beside it."""
        place, op, said = at
        if type(op) not in _ORDER:
            return
        below = _ORDER[type(op)][1]
        for mine, other, apart in ((place, place + 1, below), (place + 1, place, -below)):
            bound = numbers[other]
            if bound is not None and numbers[mine] is None:
                arcs = self._contacts(node, f"{said} at {bound}")
                if arcs is None:
                    continue
                given = (arcs, ast.Constant(bound), ast.Constant(apart), new[mine])
                new[mine] = ast.copy_location(self.call("b", *given), node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Record the key with which a literal table is read."""
        table, given = node.value, node.slice
        node.value = self.visit(node.value)
        node.slice = self.visit(node.slice)
        plain = not isinstance(given, (ast.Slice, ast.Tuple, ast.Constant))
        if self.inside and plain and isinstance(node.ctx, ast.Load):
            node.slice = self.key(node.slice, table, node, placed=True) or node.slice
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Record what a call that branches by itself did: of ``re``, ``get``, ``min`` and others."""
        function, given = node.func, node.args
        said = self.said(node)
        self.generic_visit(node)
        if not self.inside or any(isinstance(one, ast.Starred) for one in given):
            return node
        if isinstance(function, ast.Attribute):
            return ast.copy_location(self._method(node, function, said), node)
        name = function.id if isinstance(function, ast.Name) else ""
        if name in self.constants.of_re:
            return ast.copy_location(self._regex(node, said), node)
        if node.keywords or len(node.args) != 2 or name not in {"min", "max", "next"}:
            return node
        if name == "next":
            arcs = self.numbers(node, [f"{said}: an item", f"{said}: the default"])
            made = self.call("n", arcs, *node.args) if arcs is not None else node
        else:
            arcs = self.numbers(node, [f"{said} is the first", f"{said} is the second"])
            made = self.call("c", arcs, node.func, *node.args) if arcs is not None else node
        return ast.copy_location(made, node)

    def _regex(self, node: ast.Call, said: str) -> ast.expr:
        width = self.literal_width(node.func)
        parts = [f"{said}: part {number + 1}" for number in range(MOST_FEATURES)]
        if width is not None:
            parts = [
                f"{one} of the pattern" if number < width else f"{one}: there is none"
                for number, one in enumerate(parts)
            ]
        existing = 2 + width if width is not None else None
        texts = [f"{said} matches", f"{said} does not match", *parts]
        arcs = self.numbers(node, texts, existing)
        if len(parts) + 2 != REGEX_WIDTH:
            raise AssertionError("the recorder counts as many parts")
        if arcs is None:
            return node
        at = arcs.value if isinstance(arcs, ast.Constant) else None
        if existing is not None and isinstance(at, int):
            others = ((1 << existing) - 1) ^ 2
            if others & ~(self.omit >> at) == 0 and getattr(node.func, "attr", "") in SINGLE:
                # A match is true, so that a call is due only where there is none.
                return ast.BoolOp(ast.Or(), [node, self.call("s", ast.Constant(at + 1))])
        called = self.call("m", arcs, node.func, *node.args)
        called.keywords = node.keywords
        return called

    def _method(self, node: ast.Call, function: ast.Attribute, said: str) -> ast.expr:
        owner = function.value.id if isinstance(function.value, ast.Name) else ""
        of_re = owner not in {"self", "cls"} and function.attr in _REGEX
        if of_re or (owner == "re" and function.attr == "split"):
            return self._regex(node, said)
        if node.keywords or not node.args:
            return node
        if function.attr in {"get", "index"}:
            table = function.value
            keyed = self.key(node.args[0], table, node)
            if self.constants.table(table) is not None:
                node.args[0] = keyed or node.args[0]
            elif function.attr == "get":
                arcs = self.numbers(node, [f"{said}: found", f"{said}: not found"])
                return self.call("g", arcs, node.func, *node.args) if arcs is not None else node
        elif function.attr in _TEXT and isinstance(node.args[0], ast.Constant):
            arcs = self.numbers(node, [f"{said} changes it", f"{said} changes nothing"])
            return self.call("w", arcs, node.func, *node.args) if arcs is not None else node
        return node

    # Comprehensions and functions without a name.

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Walk a function without a name."""
        node.args = self.visit(node.args)
        with self.function():
            node.body = self.visit(node.body)
        return node

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> ast.AST:
        if not self.inside:
            return node
        row, counted = self.at_row, list[tuple[ast.comprehension, ast.expr, ast.expr, str]]()
        for one in node.generators:
            table, items = self.constants.looped(one.iter), self.said(one.iter)
            one.iter = self.visit(one.iter)
            if table is None and not one.is_async:
                one.iter = self.sized(one.iter, f"for ... in {items}")
            if table is not None:
                before = one.target, one.iter
                one.target, one.iter, name = self.rows(one.target, one.iter)
                counted.append((one, *before, name))
                self.at_row = (name, table.rows)
            one.ifs = [self.both(test, f"filter {self.said(test)}") for test in one.ifs]
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.visit(node.key), self.visit(node.value)
        else:
            node.elt = self.visit(node.elt)
        self.at_row = row
        for one, target, items, name in counted:
            if not names(name, [node]):
                one.target, one.iter = target, items
        return node

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension  # noqa: N815
