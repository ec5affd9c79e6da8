"""Runs a maker's own tests statement by statement (``latm`` profile); runs in the sandbox."""

import ast
import re
from typing import Any


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def _flat(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements, with test functions replaced by their bodies."""
    tests = {
        node.name: node.body
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test") and not node.args.args
    }
    flat: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in tests:
            flat += tests[node.name]
            continue
        call = node.value if isinstance(node, ast.Expr) else None
        named = call.func if isinstance(call, ast.Call) else None
        if not (isinstance(named, ast.Name) and named.id in tests):
            flat.append(node)
    return flat


def _answer_name(node: ast.stmt) -> str | None:
    """Return the name (``ans``, ``ans1`` ...) to which this statement assigns an answer, or None."""
    found = node.targets if isinstance(node, ast.Assign) else []
    names = [target.id for target in found if isinstance(target, ast.Name)]
    return next((name for name in names if re.fullmatch(r"ans_?\d*", name)), None)


def trial(tool: str, tests: str) -> dict[str, Any]:
    """Return the answers (one for each assignment to ``ans``), the faults, and the number of asserts.

    A failing statement does not end the run, so that the maker is shown all faults at once.
    """
    space: dict[str, Any] = {"__name__": "tool"}
    exec(compile(tool, "<tool>", "exec"), space)
    answers: list[dict[str, Any]] = []
    faults: list[str] = []
    asserts = 0
    for node in _flat(ast.parse(tests)):
        asserts += isinstance(node, ast.Assert)
        try:
            exec(compile(ast.Module([node], []), "<tool>", "exec"), space)
        except Exception as fault:
            text = ast.unparse(node)
            faults.append(f"{type(fault).__name__}: {fault} in `{text[:300]}`")
            continue
        name = _answer_name(node)
        if name is not None:
            returned = space.get(name.replace("ans", "ret", 1))
            answers.append({"ret": _plain(returned), "ans": _plain(space[name])})
    return {"answers": answers, "faults": faults, "asserts": asserts}


def use(tool: str, code: str) -> Any:
    """Run a light model's code after the tool and return its ``ans``, else its ``ret``.

    Raises:
        NameError: the code assigns neither.
    """
    space: dict[str, Any] = {"__name__": "tool"}
    exec(compile(tool, "<tool>", "exec"), space)
    exec(compile(code, "<tool>", "exec"), space)
    if "ans" not in space and "ret" not in space:
        raise NameError("the code keeps neither `ans` nor `ret`")
    return _plain(space.get("ans", space.get("ret")))
