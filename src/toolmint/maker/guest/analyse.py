"""Reads a tool's source without running it.

Runs in the sandbox: parsing hostile text can exhaust the stack or the memory of the process that
does it. The check is an early, readable message for the maker; what holds the code is the sandbox.
"""

import ast
from collections.abc import Iterator

_MUTATORS = {
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "clear",
    "update",
    "add",
    "discard",
    "setdefault",
    "popitem",
    "sort",
    "reverse",
}


def _imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno


def _module_names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return names


def _root(node: ast.expr) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _local_names(function: ast.FunctionDef) -> set[str]:
    names = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _changed(node: ast.AST) -> str | None:
    """Return the name whose value this node changes in place, or None."""
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        return _root(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _root(node.func.value) if node.func.attr in _MUTATORS else None
    return None


def _state(function: ast.FunctionDef, shared: set[str]) -> Iterator[str]:
    """Yield each way in which a function keeps state for its next call."""
    shared = shared - _local_names(function)
    for default in [*function.args.defaults, *function.args.kw_defaults]:
        if isinstance(default, (ast.List, ast.Dict, ast.Set)):
            yield f"line {default.lineno}: {function.name} has a mutable default"
    for node in ast.walk(function):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: {function.name} declares {', '.join(node.names)} global"
        name = _changed(node)
        if name in shared:
            yield f"line {getattr(node, 'lineno', 0)}: {function.name} changes {name}"


def analyse(source: str, allowed_modules: list[str]) -> dict[str, list[str]]:
    """Return the top-level functions, the forbidden imports and the kept state of a module.

    Raises:
        SyntaxError: the source is not Python.
    """
    tree = ast.parse(source)
    allowed = set(allowed_modules)
    shared = _module_names(tree)
    return {
        "functions": [node.name for node in tree.body if isinstance(node, ast.FunctionDef)],
        "imports": [
            f"line {line}: {name}"
            for name, line in _imports(tree)
            if name not in allowed and name.split(".")[0] not in allowed
        ],
        "state": [
            found
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for found in _state(function, shared)
        ],
    }


def last_function(source: str) -> str | None:
    """Return the name of the last top-level function, by which a tool is called; None if there is none."""
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return names[-1] if names else None
