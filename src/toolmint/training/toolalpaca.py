"""Read ToolAlpaca's files as trajectories: simulated runs, or instructions with golden calls."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Step, Task, Trajectory, Turn
from toolmint.core.values import Value, canonical

_PARAMETERS = re.compile(r"^Parameters:\s*(\{.*\})\s*$", re.MULTILINE)
_JSON_TYPES = ("string", "integer", "number", "boolean", "array", "object")
_THOUGHT = re.compile(r"(?:ASSISTANT\s+)?Thought:\s*", re.IGNORECASE)
_ACTION = re.compile(r"(?:ASSISTANT\s+)?Action:", re.IGNORECASE)
_SHARED_SCHEMAS = "components"
"""An entry of this name holds the API's shared schemas and is no tool."""


def read_toolalpaca(item: dict[str, Any], where: str) -> Iterator[Trajectory]:
    """Yield the trajectories of one API: its simulated runs, or, where it has none, its instructions.

    Instructions have golden calls only, so only the caller gets spans.

    Raises:
        InputError: the item does not follow ToolAlpaca's format.
    """
    try:
        tools = tuple(
            _spec(name, str(text))
            for name, text in cast("dict[str, Any]", item["Function_Description"]).items()
            if name != _SHARED_SCHEMAS
        )
        if "Instances" in item:
            for one in cast("list[dict[str, Any]]", item["Instances"]):
                yield _simulated_run(one, tools)
            return
        pairs = zip(item["Instructions"], item["Golden_Answers"], strict=True)
        for text, golden in pairs:
            calls = [(str(one["Action"]), str(one["Action_Input"])) for one in golden]
            yield _golden_calls(str(text), calls, tools)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as fault:
        raise InputError(f"{where} is no API of ToolAlpaca: {fault!r}") from fault


def _spec(name: str, text: str) -> ToolSpec:
    """Parse a function's description, whose parameters are JSON of ``"type. Required. description"``."""
    found = _PARAMETERS.search(text)
    given = cast("dict[str, Any]", json.loads(found[1])) if found else {}
    properties: dict[str, Value] = {}
    for argument, about in given.items():
        said = str(about)
        kind = next((one for one in _JSON_TYPES if said.lower().startswith(one)), None)
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
    """Return a call's arguments as canonical JSON; text that is no JSON object stays as it is."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return canonical(cast("Value", value)) if isinstance(value, dict) else text


def _simulated_run(one: dict[str, Any], tools: tuple[ToolSpec, ...]) -> Trajectory:
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
                id=number,
                parent=number - 1 if number else None,
                decision="call",
                thought=thought,
                turns=(Turn.from_file("planner"), Turn.from_file("caller")),
                calls=(call,),
                results=(ToolResult(call_id=call.id, content=str(observed)),),
            )
        )
    answer = str(one["output"]).strip()
    number = len(steps)
    steps.append(
        Step(
            id=number,
            parent=number - 1 if number else None,
            decision="answer",
            thought=str(one.get("Final Thought") or "").strip(),
            turns=(Turn.from_file("planner"), Turn.from_file("summarizer")),
            answer=answer,
        )
    )
    return Trajectory(
        task=Task(input=str(one["input"]), tools=tools),
        steps=tuple(steps),
        leaf=number,
        answer=answer,
        outcome="answered",
    )


def _golden_calls(
    text: str, calls: list[tuple[str, str]], tools: tuple[ToolSpec, ...]
) -> Trajectory:
    steps = tuple(
        Step(
            id=number,
            parent=number - 1 if number else None,
            decision="call",
            turns=(Turn.from_file("caller"),),
            calls=(ToolCall(id=f"call_{number}", name=name, arguments=_arguments(given)),),
        )
        for number, (name, given) in enumerate(calls)
    )
    return Trajectory(
        task=Task(input=text, tools=tools),
        steps=steps,
        leaf=len(steps) - 1 if steps else None,
        outcome="limit",
    )
