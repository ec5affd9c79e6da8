"""Instruments a program so that each call tells which arcs it took.

An arc is one outcome of a branch: of ``if``, ``while``, a conditional expression, a filter, ``assert`` and
each operand of ``and`` and ``or``; a loop with no pass, one and more; a ``case``; a handler; a key of a
literal table, and each branch for each row of a loop over one; a part of a regular expression; the two
sides of the boundary of a comparison; and of which kind each argument of ``solve`` is. The numbers follow
from the source alone. An arc is evidence about honest code: see ``recorder`` for what it is not.
"""

import ast
import re
import secrets
from types import CodeType
from typing import Any, NamedTuple

from toolmint.sandbox.guest.arc_numbers import ENTRY_POINTS, mark_statement, names
from toolmint.sandbox.guest.arc_values import ArcValues
from toolmint.sandbox.guest.recorder import ArcPlan, ArcRecorder

_ALTERNATIVES = re.compile(r"[^\W\d_][^\W_ ]*(?: [^\W_]+)*(?:\|[^\W\d_][^\W_ ]*(?: [^\W_]+)*)+")
_SHORT, _LARGE, _MOST_CONSTANTS = 24, 1 << 40, 120


class Instrumented(NamedTuple):
    """An instrumented program: its bytecode, what its recorder needs, and whether it records anything."""

    code: CodeType
    plan: ArcPlan
    records: bool = True

    def recorder(self) -> ArcRecorder:
        """Return a recorder for a process that runs it."""
        return ArcRecorder(self.plan)


class _Arcs(ArcValues):
    """Instruments the statements of a program; ``ArcValues`` does its expressions."""

    def _body(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for one in body:
            new = self.visit(one)
            found += new if isinstance(new, list) else [new]
        return found

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Instrument a function; one that is called on some paths alone gets a mark."""
        if node.name in self.load_functions and self.omit != -1 and not self.inside:
            with self.unrecorded():
                return self.visit_FunctionDef(node)
        node.args = self.visit(node.args)
        node.decorator_list = [self.visit(one) for one in node.decorator_list]
        with self.function():
            entry = node.name in ENTRY_POINTS
            mark = self._kinds(node) if entry else self.marked(node, f"{node.name}()", [])
            doc = node.body[:1] if ast.get_docstring(node) is not None else []
            node.body = [*doc, *mark, *self._body(node.body[len(doc) :])]
        return node

    def _kinds(self, node: ast.FunctionDef) -> list[ast.stmt]:
        """Return the statements that record of which kind each argument of ``solve`` is, and its result."""
        names = [
            one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        ]
        given = names if node.name == "solve" else names[1:2] if node.name == "render" else []
        return [one for name in given for one in self.kind(node, name, f"{name} of {node.name}")]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Instrument the methods of a class, and not what runs as the class is made."""
        with self.outside():
            node.body = self._body(node.body)
        return node

    def visit_If(self, node: ast.If) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Mark both outcomes."""
        if not self.inside:
            return self.generic_visit(node)
        said = self.said(node.test)
        node.test = self.test(node.test)
        node.body = self.marked(node, f"{said} is true", self._body(node.body))
        node.orelse = self.marked(node, f"{said} is false", self._body(node.orelse))
        return node

    def visit_While(self, node: ast.While) -> ast.AST | list[ast.stmt]:  # noqa: N802 - a name of the visitor
        """Mark a loop with a pass and one without."""
        if not self.inside:
            return self.generic_visit(node)
        said = f"while {self.said(node.test)}"
        node.test = self.test(node.test)
        return self._loop(node, said)

    def visit_For(self, node: ast.For) -> ast.AST | list[ast.stmt]:  # noqa: N802 - a name of the visitor
        """Mark a loop with a pass and one without; over a literal table, each row has arcs of its own."""
        if not self.inside:
            return self.generic_visit(node)
        said = f"for ... in {self.said(node.iter)}"
        table = self.constants.looped(node.iter)
        node.target, node.iter = self.visit(node.target), self.visit(node.iter)
        if table is None:
            return self._loop(node, said)
        target, looped = node.target, node.iter
        node.target, node.iter, row = self.rows(node.target, node.iter)
        with self.row(row, table.rows):
            made = self._loop(node, said)
        if not names(row, node.body):
            node.target, node.iter = target, looped
        return made

    def _loop(self, node: ast.For | ast.While, said: str) -> list[ast.stmt]:
        flag = self.new_name()
        body = self._body(node.body)
        first: list[ast.stmt] = []
        if self.at_row is None:
            # The first pass and the others are two arcs: the flag is 0 in the first one.
            arcs = self.numbers(node, [f"{said}: a pass", f"{said}: a further pass"])
            if arcs is not None:
                arc = ast.BinOp(arcs, ast.Add(), ast.Name(flag, ast.Load()))
                first = [ast.copy_location(mark_statement(self.prefix, arc), node)]
        else:
            first = self.marked(node, f"{said}: a pass", [])
        with self.no_row():
            none = self.marked(node, f"{said}: no pass", [])
            node.orelse = self._body(node.orelse)
            if node.orelse:
                node.orelse = self.marked(node.orelse[0], f"{said}: not left early", node.orelse)
        if not first and not none:
            node.body = body
            return [node]

        def set_flag(value: int) -> ast.stmt:
            target = ast.Name(flag, ast.Store())
            return ast.copy_location(ast.Assign([target], ast.Constant(value)), node)

        node.body = [*first, set_flag(1), *body]
        passed = ast.UnaryOp(ast.Not(), ast.Name(flag, ast.Load()))
        after = [ast.copy_location(ast.If(passed, none, []), node)] if none else []
        return [set_flag(0), node, *after]

    def _visit_try(self, node: Any) -> ast.AST:
        if not self.inside:
            return self.generic_visit(node)
        node.body = self._body(node.body)
        for one in node.handlers:
            said = self.said(one.type) if one.type is not None else ""
            one.body = self.marked(one, f"except {said}".strip(), self._body(one.body))
        node.orelse = self._body(node.orelse)
        node.finalbody = self._body(node.finalbody)
        return node

    visit_Try = _visit_try  # noqa: N815 - names of the visitor
    visit_TryStar = _visit_try  # noqa: N815

    def visit_Assert(self, node: ast.Assert) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Mark an assertion that fails."""
        if self.inside:
            said = self.said(node.test)
            node.test = self.both(node.test, said)
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:  # noqa: N802 - a name of the visitor
        """Mark each case, each constant of an alternative, and that no case matched."""
        if not self.inside:
            return self.generic_visit(node)
        node.subject = self.visit(node.subject)
        whole = False
        for case in node.cases:
            said = f"case {self.said(case.pattern)}"
            whole = whole or (_takes_all(case.pattern) and case.guard is None)
            keyed = self._alternatives(case)
            if case.guard is not None:
                case.guard = self.both(case.guard, f"{said}: its condition")
            body = keyed + self._body(case.body)
            case.body = self.marked(case.pattern, said, body)
        if not whole:
            mark = self.marked(node, "no case matches", [])
            node.cases += [ast.match_case(ast.MatchAs(), None, mark)] if mark else []
        return node

    def _alternatives(self, case: ast.match_case) -> list[ast.stmt]:
        """Return the statements that record which constant of ``"a" | "b"`` a case was."""
        pattern = case.pattern
        if not isinstance(pattern, ast.MatchOr):
            return []
        values = [one.value for one in pattern.patterns if isinstance(one, ast.MatchValue)]
        if len(values) != len(pattern.patterns):
            return []
        name = self.new_name()
        case.pattern = ast.copy_location(ast.MatchAs(pattern, name), pattern)
        keyed = self.key(ast.Name(name, ast.Load()), ast.Tuple(values, ast.Load()), pattern)
        return [ast.copy_location(ast.Expr(keyed), pattern)] if keyed is not None else []


def _takes_all(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(_takes_all(one) for one in pattern.patterns)
    return isinstance(pattern, ast.MatchAs) and (
        pattern.pattern is None or _takes_all(pattern.pattern)
    )


def instrumented(source: str, omit: int = 0) -> Instrumented:
    """Return a program that records its arcs.

    Args:
        source: the program.
        omit: arcs that need not be recorded, as the bits of a number: what was verified already. Code that
            takes no other is as quick as without instrumentation.

    Raises:
        SyntaxError: the source is not Python.
    """
    tree = ast.parse(source, "<tool>")
    arcs = _Arcs(tree, f"_arcs_{secrets.token_hex(6)}_", omit=omit)
    tree.body = [ast.fix_missing_locations(one) for one in arcs.module(tree.body)]
    code = compile(tree, "<tool>", "exec", dont_inherit=True)
    return Instrumented(code, arcs.plan(), arcs.recorded)


def arc_facts(source: str) -> dict[str, list[Any]]:
    """Return what each arc of a program is, in words, and the constants at which its branches may part.

    ``lines`` has texts such as ``line 14: x < 3 is false``; ``constants`` whole numbers and short texts;
    ``alternatives`` groups of words of which a regular expression takes one.

    Raises:
        SyntaxError: the source is not Python.
    """
    tree = ast.parse(source, "<tool>")
    found = {
        one.value: None
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant)
        and (type(one.value) is int or (isinstance(one.value, str) and len(one.value) <= _SHORT))
    }
    texts = {
        one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and type(one.value) is str
    }
    groups = [one[0].split("|") for text in sorted(texts) for one in _ALTERNATIVES.finditer(text)]
    found |= dict.fromkeys(word for group in groups for word in group)
    arcs = _Arcs(tree, "_", told=True)
    arcs.module(tree.body)
    constants = [one for one in found if isinstance(one, str) or abs(one) < _LARGE]
    return {
        "lines": arcs.lines,
        "constants": constants[:_MOST_CONSTANTS],
        "alternatives": groups[:_MOST_CONSTANTS],
    }
