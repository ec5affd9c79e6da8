"""Read API-Bank's level-3 samples as trajectories."""

import ast
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Step, Task, Trajectory, Turn
from toolmint.core.values import Value, canonical
from toolmint.training.documented_tools import documented_spec

_CALL = re.compile(r"API-Request: \[(\w+)\((.*)\)\](?:->(.*))?$", re.DOTALL)


def _arguments(text: str) -> dict[str, Value] | None:
    """Parse Python keyword arguments that are literals; return None for anything else."""
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            return None
        return {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def read_api_bank(item: Mapping[str, Any], where: str) -> Trajectory:
    """Read a level-3 sample of API-Bank.

    Its first line documents the tool searcher; results of the searcher document the tools that it found.
    """
    lines = str(item["input"]).split("\n")
    try:
        first: dict[str, Any] = json.loads(lines[0])
        found = [documented_spec(first["apiCode"], first["description"], first["parameters"], [])]
    except (ValueError, KeyError, TypeError) as fault:
        raise InputError(
            f"{where} does not begin with API-Bank's document of its searcher"
        ) from fault
    task = next((line.removeprefix("User: ") for line in lines if line.startswith("User: ")), "")
    steps: list[Step] = []
    for line in [*lines, str(item["output"]).strip()]:
        match = _CALL.match(line.strip())
        if match is not None:
            steps.append(_api_step(match, len(steps), found))
    said = str(item["output"]).strip()
    if said.startswith("AI:"):
        number = len(steps)
        steps.append(
            Step(
                id=number,
                parent=number - 1 if number else None,
                decision="answer",
                turns=(Turn.from_file("planner"), Turn.from_file("summarizer")),
                answer=said.removeprefix("AI:").strip(),
            )
        )
    answer = steps[-1].answer if steps else None
    return Trajectory(
        task=Task(input=task, tools=tuple(found)),
        steps=tuple(steps),
        leaf=len(steps) - 1 if steps else None,
        answer=answer,
        outcome="answered" if answer is not None else "limit",
    )


def _api_step(match: re.Match[str], number: int, found: list[ToolSpec]) -> Step:
    arguments = _arguments(match[2])
    call = ToolCall(
        id=f"call_{number}",
        name=match[1],
        arguments=canonical(arguments) if arguments is not None else match[2],
    )
    results = ()
    if match[3] is not None:
        results = (ToolResult(call_id=call.id, content=match[3]),)
        _add_documented_tool(match[3], found)
    return Step(
        id=number,
        parent=number - 1 if number else None,
        decision="call",
        turns=(Turn.from_file("planner"), Turn.from_file("caller")),
        calls=(call,),
        results=results,
    )


def _add_documented_tool(text: str, found: list[ToolSpec]) -> None:
    """Add the tools that a result of the searcher documents."""
    try:
        value: Any = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return
    for one in cast("list[Any]", value) if isinstance(value, list) else [value]:
        if isinstance(one, dict) and {"name", "input_parameters"} <= set(
            cast("dict[str, Any]", one)
        ):
            document = cast("dict[str, Any]", one)
            if document["name"] not in {tool.name for tool in found}:
                fields = cast("dict[str, Any]", _object_or_empty(document["input_parameters"]))
                found.append(
                    documented_spec(
                        str(document["name"]), str(document.get("description", "")), fields, []
                    )
                )


def _object_or_empty(value: object) -> object:
    """Return a dict unchanged, and an empty one for anything else (some results are Python sets)."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]
