"""Reads a tool's source without running it. Runs in the sandbox: parsing hostile text is a risk too."""

import ast

MUTATORS = {
    "append", "extend", "insert", "remove", "pop", "clear", "update", "add", "discard",
    "setdefault", "popitem", "sort", "reverse",
}  # fmt: skip


def _imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ("." * node.level + (node.module or ""), node.lineno)


def _module_names(tree):
    names = set()
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names.update(target.id for target in targets if isinstance(target, ast.Name))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
    return names


def _root(node):
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _local_names(function):
    names = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _state(function, shared):
    """Yield each way in which a function keeps something for its next call."""
    shared = shared - _local_names(function)
    for default in [*function.args.defaults, *function.args.kw_defaults]:
        if isinstance(default, (ast.List, ast.Dict, ast.Set)):
            yield f"line {default.lineno}: {function.name} has a mutable default"
    for node in ast.walk(function):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: {function.name} declares {', '.join(node.names)} global"
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(
            node.ctx, ast.Load
        ):
            if _root(node) in shared:
                yield f"line {node.lineno}: {function.name} changes {_root(node)}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in MUTATORS and _root(node.func.value) in shared:
                yield f"line {node.lineno}: {function.name} changes {_root(node.func.value)}"


def analyse(source, allowed):
    """Give the functions at the top level, the forbidden imports, and the state that is kept."""
    tree = ast.parse(source)
    allowed = set(allowed)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    shared = _module_names(tree)
    return {
        "functions": [function.name for function in functions],
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


def last_function(source):
    """Give the name of the function that a tool is called by: the last one at the top level."""
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return names[-1] if names else None
