"""Runs a maker's own tests statement by statement and keeps what each one found (latm profile)."""

import ast
from typing import Any


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def _targets(node: ast.stmt) -> set[str]:
    found = node.targets if isinstance(node, ast.Assign) else []
    return {target.id for target in found if isinstance(target, ast.Name)}


def trial(tool: str, tests: str) -> dict[str, Any]:
    """Give the answers, one for each assignment to ``ans``, the faults, and the number of asserts."""
    space: dict[str, Any] = {"__name__": "tool"}
    exec(compile(tool, "<tool>", "exec"), space)
    answers: list[dict[str, Any]] = []
    faults: list[str] = []
    asserts = 0
    for node in ast.parse(tests).body:
        asserts += isinstance(node, ast.Assert)
        try:
            exec(compile(ast.Module([node], []), "<tool>", "exec"), space)
        except Exception as fault:
            text = ast.unparse(node)
            faults.append(f"{type(fault).__name__}: {fault} in `{text[:300]}`")
            continue
        if "ans" in _targets(node):
            answers.append({"ret": _plain(space.get("ret")), "ans": _plain(space["ans"])})
    return {"answers": answers, "faults": faults, "asserts": asserts}


def use(tool: str, code: str) -> Any:
    """Run a tool user's code after the tool; give what it kept as ``ans``, else as ``ret``."""
    space: dict[str, Any] = {"__name__": "tool"}
    exec(compile(tool, "<tool>", "exec"), space)
    exec(compile(code, "<tool>", "exec"), space)
    if "ans" not in space and "ret" not in space:
        raise NameError("the code keeps neither `ans` nor `ret`")
    return _plain(space.get("ans", space.get("ret")))
