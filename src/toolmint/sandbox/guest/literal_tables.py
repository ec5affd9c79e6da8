"""Finds the literal tables of a program: names that are bound once, to a literal with constant keys.

Which key of a table decided an answer is as much a branch as an ``if`` is.
"""

import ast
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import NamedTuple, cast

_MOST_KEYS = 256
_DICTIONARIES = frozenset({"dict", "OrderedDict"})
_WRAPPERS = _DICTIONARIES | {"frozenset", "set", "tuple", "list"}
_OF_RE = frozenset(["fullmatch", "match", "search", "finditer", "findall", "sub", "subn", "split"])
_VIEWS = frozenset({"items", "keys", "values"})


class LiteralTable(NamedTuple):
    """The keys of a table in the order of its source: those of a dict, or the elements of any other.

    Attributes:
        keys: constants, without repetition.
        rows: how many rows a loop over it has; 0 where the order is not that of the source.
        places: it is subscripted by place, as a list is, not by key.
    """

    keys: tuple[Hashable, ...]
    rows: int
    places: bool


def _constants(nodes: list[ast.expr]) -> tuple[Hashable, ...]:
    """Return the values of literals; those that are not constants get a value that equals no key."""
    found: list[Hashable] = []
    for node in nodes:
        try:
            value = ast.literal_eval(node)
            hash(value)
        except (ValueError, TypeError):
            value = ("not a constant", len(found))
        found.append(value)
    return tuple(found)


def literal_table(node: ast.expr) -> LiteralTable | None:
    """Return the table that an expression writes out; None where it writes none, or a very long one."""
    if isinstance(node, ast.Call):
        return _called(node)
    if isinstance(node, ast.Dict):
        keys = [key for key in node.keys if key is not None]
        found = LiteralTable(_constants(keys), len(keys), places=False)
        whole = len(keys) == len(node.keys)
        return found if whole and 0 < len(keys) <= _MOST_KEYS else None
    if not isinstance(node, (ast.List, ast.Tuple, ast.Set)) or not node.elts:
        return None
    if len(node.elts) > _MOST_KEYS or any(isinstance(one, ast.Starred) for one in node.elts):
        return None
    ordered = not isinstance(node, ast.Set)
    return LiteralTable(_constants(node.elts), len(node.elts) if ordered else 0, places=ordered)


def _called(node: ast.Call) -> LiteralTable | None:
    """Return the table of ``frozenset({...})`` and the like, and of ``"a b c".split()``."""
    function = node.func
    if isinstance(function, ast.Name) and function.id in _WRAPPERS and len(node.args) == 1:
        inner = literal_table(node.args[0])
        if inner is None or function.id in {"tuple", "list"}:
            return inner
        if function.id in _DICTIONARIES:
            return _of_pairs(inner) if inner.places else inner
        return inner._replace(rows=0)
    if not isinstance(function, ast.Attribute) or function.attr != "split" or node.args:
        return None
    text = function.value
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return None
    words = text.value.split()
    return (
        LiteralTable(tuple(words), len(words), places=True)
        if 0 < len(words) <= _MOST_KEYS
        else None
    )


def _of_pairs(table: LiteralTable) -> LiteralTable | None:
    """Return the table that ``dict`` makes of a list of pairs."""
    pairs = [
        cast("tuple[Hashable, ...]", one)
        for one in cast("tuple[object, ...]", table.keys)
        if isinstance(one, tuple)
    ]
    keys = [one[0] for one in pairs if len(one) == 2]
    if len(keys) != len(table.keys) or len(set(keys)) != len(keys):
        return None
    return LiteralTable(tuple(keys), len(keys), places=False)


def _bound(tree: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield every name that any scope of the program binds, with the value where it is a plain one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                yield target.id, node.value
                continue
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value
        elif isinstance(node, ast.arg):
            yield node.arg, None
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            yield node.name, None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, None


def _compiled(node: ast.expr) -> str | None:
    """Return the text of ``re.compile("...")`` without flags."""
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
        return None
    function, text = node.func, node.args[0]
    if not isinstance(function, ast.Attribute) or ast.unparse(function) != "re.compile":
        return None
    return text.value if isinstance(text, ast.Constant) and isinstance(text.value, str) else None


class Constants:
    """The tables and numbers that a program's names stand for.

    Args:
        tree: the program.

    Attributes:
        of_re: functions that were imported from ``re`` by name.
    """

    def __init__(self, tree: ast.Module) -> None:
        # A plain assignment is seen twice: as a statement and as the name that it stores.
        bound = list(_bound(tree))
        times = Counter(name for name, value in bound if value is None)
        plain = Counter(name for name, value in bound if value is not None)
        self._tables: dict[str, LiteralTable] = {}
        self._numbers: dict[str, int] = {}
        self._patterns: dict[str, str] = {}
        self.of_re = {
            one.asname or one.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "re"
            for one in node.names
            if one.name in _OF_RE
        }
        for name, value in bound:
            if value is None or plain[name] != 1 or times[name] > 1:
                continue
            table = literal_table(value)
            if table is not None:
                self._tables[name] = table
            elif isinstance(value, ast.Constant) and type(value.value) is int:
                self._numbers[name] = value.value
            elif (pattern := _compiled(value)) is not None:
                self._patterns[name] = pattern

    def table(self, node: ast.expr) -> LiteralTable | None:
        """Return the table that an expression stands for."""
        return self._tables.get(node.id) if isinstance(node, ast.Name) else literal_table(node)

    def looped(self, node: ast.expr) -> LiteralTable | None:
        """Return the table over whose rows a loop over this expression goes, in the order of its source."""
        if isinstance(node, ast.Call) and not node.args and isinstance(node.func, ast.Attribute):
            inner = self.table(node.func.value) if node.func.attr in _VIEWS else None
            inner = inner if inner is None or not inner.places else None
        else:
            inner = self.table(node)
        return inner if inner is not None and 1 < inner.rows <= 64 else None

    def pattern(self, node: ast.expr) -> str | None:
        """Return the regular expression that a name was compiled from; None: it is not written out."""
        return self._patterns.get(node.id) if isinstance(node, ast.Name) else None

    def number(self, node: ast.expr) -> int | None:
        """Return the whole number that an expression stands for; None: it stands for none."""
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        return self._numbers.get(node.id) if isinstance(node, ast.Name) else None
