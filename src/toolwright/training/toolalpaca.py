"""ToolAlpaca's files as trajectories: simulated runs (``Instances``), or instructions with golden calls."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from toolwright.core.errors import InputError
from toolwright.core.messages import ToolCall, ToolResult, ToolSpec
from toolwright.core.task import Step, Task, Trajectory, Turn
from toolwright.core.values import Value, canonical

_PARAMETERS = re.compile(r"^Parameters:\s*(\{.*\})\s*$", re.MULTILINE)
_KINDS = ("string", "integer", "number", "boolean", "array", "object")
_THOUGHT = re.compile(r"(?:ASSISTANT\s+)?Thought:\s*", re.IGNORECASE)
_ACTION = re.compile(r"(?:ASSISTANT\s+)?Action:", re.IGNORECASE)
_REPORT = "components"
"""A function of that name describes the API's shared schemas and is no tool."""


def read(item: dict[str, Any], where: str) -> Iterator[Trajectory]:
    """Give the trajectories of one API: one a simulated run, or, where it has none, one an instruction.

    Instructions have golden calls alone, so of them only the caller learns.

    Raises:
        InputError: the API is not as ToolAlpaca has it.
    """
    try:
        tools = tuple(
            _spec(name, str(text))
            for name, text in cast("dict[str, Any]", item["Function_Description"]).items()
            if name != _REPORT
        )
        if "Instances" in item:
            for one in cast("list[dict[str, Any]]", item["Instances"]):
                yield _instance(one, tools)
            return
        pairs = zip(item["Instructions"], item["Golden_Answers"], strict=True)
        for text, golden in pairs:
            calls = [(str(one["Action"]), str(one["Action_Input"])) for one in golden]
            yield _golden(str(text), calls, tools)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as fault:
        raise InputError(f"{where} is no API of ToolAlpaca: {fault!r}") from fault


def _spec(name: str, text: str) -> ToolSpec:
    """Read a function's description, whose parameters stand as JSON of ``"string. Required. words"``."""
    found = _PARAMETERS.search(text)
    given = cast("dict[str, Any]", json.loads(found[1])) if found else {}
    properties: dict[str, Value] = {}
    for argument, about in given.items():
        said = str(about)
        kind = next((one for one in _KINDS if said.lower().startswith(one)), None)
        described: dict[str, Value] = {"description": said}
        properties[argument] = {"type": kind, **described} if kind else described
    required: list[Value] = [
        name for name, about in given.items() if "required." in str(about).lower()
    ]
    parameters: dict[str, Value] = {
        "type": "object",
        "properties": properties,
        "required": required,
    }
    description = text.partition("\nParameters:")[0].strip()
    return ToolSpec(name=name, description=description, parameters=parameters)


def _arguments(text: str) -> str:
    """Give a call's arguments in the project's one spelling; those that are no JSON object as they are."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return canonical(cast("Value", value)) if isinstance(value, dict) else text


def _instance(one: dict[str, Any], tools: tuple[ToolSpec, ...]) -> Trajectory:
    steps: list[Step] = []
    made = cast("list[tuple[list[Any], Any]]", one.get("intermediate_steps") or [])
    for number, (taken, observed) in enumerate(made):
        call = ToolCall(
            id=f"call_{number}", name=str(taken[0]), arguments=_arguments(str(taken[1]))
        )
        log = str(taken[2]) if len(taken) > 2 else ""
        thought = _THOUGHT.sub("", _ACTION.split(log)[0]).strip()
        steps.append(
            Step(
                id=number, parent=number - 1 if number else None, decision="call", thought=thought,
                turns=(Turn.told("planner"), Turn.told("caller")), calls=(call,),
                results=(ToolResult(call_id=call.id, content=str(observed)),),
            )
        )  # fmt: skip
    answer = str(one["output"]).strip()
    number = len(steps)
    steps.append(
        Step(
            id=number, parent=number - 1 if number else None, decision="answer",
            thought=str(one.get("Final Thought") or "").strip(),
            turns=(Turn.told("planner"), Turn.told("summarizer")), answer=answer,
        )
    )  # fmt: skip
    return Trajectory(
        task=Task(input=str(one["input"]), tools=tools), steps=tuple(steps), leaf=number, answer=answer,
        outcome="answered",
    )  # fmt: skip


def _golden(text: str, calls: list[tuple[str, str]], tools: tuple[ToolSpec, ...]) -> Trajectory:
    steps = tuple(
        Step(
            id=number, parent=number - 1 if number else None, decision="call",
            turns=(Turn.told("caller"),),
            calls=(ToolCall(id=f"call_{number}", name=name, arguments=_arguments(given)),),
        )
        for number, (name, given) in enumerate(calls)
    )  # fmt: skip
    return Trajectory(
        task=Task(input=text, tools=tools), steps=steps, leaf=len(steps) - 1 if steps else None,
        outcome="limit",
    )  # fmt: skip
