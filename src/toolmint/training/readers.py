"""Read training data of several public formats as trajectories; the columns tell the format."""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Step, Task, Trajectory, Turn, read_trajectory
from toolmint.core.values import Value, canonical, clip
from toolmint.roles import openai_messages, toolbench, toolbench_trees
from toolmint.training import toolalpaca

DataFormat = Literal[
    "trajectory", "openai", "toolbench", "toolbench_tree", "api_bank", "seal_tools", "toolalpaca"
]
_COLUMNS: dict[DataFormat, frozenset[str]] = {
    "trajectory": frozenset({"task", "steps"}),
    "openai": frozenset({"messages"}),
    "toolbench": frozenset({"instruction", "conversations", "tools"}),
    "toolbench_tree": frozenset({"tree", "answer_generation"}),
    "api_bank": frozenset({"instruction", "input", "output"}),
    "seal_tools": frozenset({"query", "calling"}),
    "toolalpaca": frozenset({"Function_Description"}),
}
_JSON_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}
_CALL = re.compile(r"API-Request: \[(\w+)\((.*)\)\](?:->(.*))?$", re.DOTALL)


def detect_format(item: Mapping[str, Any], where: str) -> DataFormat:
    """Return the format of an item, by its columns.

    Raises:
        InputError: no format has these columns; the message names them and the known ones.
    """
    for name, columns in _COLUMNS.items():
        if columns <= set(item):
            return name
    known = "; ".join(f"{name}: {', '.join(sorted(columns))}" for name, columns in _COLUMNS.items())
    raise InputError(
        f"{where} has the unknown columns {', '.join(sorted(map(str, item)))}; known are {known}"
    )


def read_file(path: Path, tools: Mapping[str, ToolSpec] | None = None) -> Iterator[Trajectory]:
    """Yield the trajectories of a file: JSON lines, one JSON list, or one JSON object.

    Args:
        path: the file.
        tools: specs by name for Seal-Tools' queries, which only name their tools.

    Raises:
        InputError: the file cannot be read, or an item does not follow its format; the message names it.
    """
    for number, item in enumerate(_items(path), 1):
        where = f"{path}, item {number}"
        if not isinstance(item, dict):
            raise InputError(f"{where} is no JSON object")
        found = cast("dict[str, Any]", item)
        kind = detect_format(found, where)
        if kind == "toolalpaca":
            yield from toolalpaca.read_toolalpaca(found, where)
        else:
            yield _DECODERS[kind](found, where, tools or {})


def _items(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line.strip()]
        if text.lstrip().startswith("[") or (len(lines) > 1 and lines[0].strip() == "{"):
            whole: object = json.loads(text)
            return cast("list[Any]", whole) if isinstance(whole, list) else [whole]
        return [json.loads(line) for line in lines]
    except (OSError, ValueError) as fault:
        raise InputError(
            f"{str(path)!r} cannot be read as JSON: {clip(str(fault), 160)}"
        ) from fault


def _trajectory(item: dict[str, Any], where: str, tools: Mapping[str, ToolSpec]) -> Trajectory:
    del tools
    return read_trajectory(json.dumps(item), where)


def _openai(item: dict[str, Any], where: str, tools: Mapping[str, ToolSpec]) -> Trajectory:
    del tools
    return openai_messages.decode_messages(item, where)


def _toolbench(item: dict[str, Any], where: str, tools: Mapping[str, ToolSpec]) -> Trajectory:
    del tools
    return toolbench.decode_conversation(item, where)


def _tree(item: dict[str, Any], where: str, tools: Mapping[str, ToolSpec]) -> Trajectory:
    del tools
    return toolbench_trees.decode_search_tree(item, where)


def _field(about: Mapping[str, Any]) -> dict[str, Value]:
    kind = _JSON_TYPES.get(str(about.get("type", "")).lower())
    described: dict[str, Value] = {"description": str(about.get("description", ""))}
    return {"type": kind, **described} if kind else described


def _spec(name: str, description: str, fields: Mapping[str, Any], required: list[str]) -> ToolSpec:
    properties: dict[str, Value] = {key: cast("Value", _field(one)) for key, one in fields.items()}
    parameters: dict[str, Value] = {
        "type": "object",
        "properties": properties,
        "required": cast("Value", required),
    }
    return ToolSpec(name=name, description=description, parameters=parameters)


def _arguments(text: str) -> dict[str, Value] | None:
    """Parse Python keyword arguments that are literals; return None for anything else."""
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            return None
        return {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _api_bank(item: dict[str, Any], where: str, tools: Mapping[str, ToolSpec]) -> Trajectory:
    """Read a level-3 sample of API-Bank.

    Its first line documents the tool searcher; results of the searcher document the tools that it found.
    """
    del tools
    lines = str(item["input"]).split("\n")
    try:
        first: dict[str, Any] = json.loads(lines[0])
        found = [_spec(first["apiCode"], first["description"], first["parameters"], [])]
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
                    _spec(str(document["name"]), str(document.get("description", "")), fields, [])
                )


def _object_or_empty(value: object) -> object:
    """Return a dict unchanged, and an empty one for anything else (some results are Python sets)."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _seal_tools(item: dict[str, Any], where: str, tools: Mapping[str, ToolSpec]) -> Trajectory:
    """Read a query with gold calls. It has no observations and no thoughts, so only the caller gets spans."""
    steps: list[Step] = []
    shown: dict[str, ToolSpec] = {}
    try:
        for number, one in enumerate(cast("list[dict[str, Any]]", item["calling"])):
            call = ToolCall(
                id=f"call_{number}", name=one["api"], arguments=canonical(one["parameters"])
            )
            if call.name in tools:
                shown[call.name] = tools[call.name]
            parent = number - 1 if number else None
            steps.append(
                Step(
                    id=number,
                    parent=parent,
                    decision="call",
                    turns=(Turn.from_file("caller"),),
                    calls=(call,),
                )
            )
    except (KeyError, TypeError, AttributeError) as fault:
        raise InputError(f"{where} is no query of Seal-Tools: {fault!r}") from fault
    task = Task(input=str(item["query"]), tools=tuple(shown.values()))
    leaf = len(steps) - 1 if steps else None
    return Trajectory(task=task, steps=tuple(steps), leaf=leaf, outcome="limit")


def seal_documents(path: Path) -> dict[str, ToolSpec]:
    """Return Seal-Tools' tool documents by name.

    Raises:
        InputError: the file does not follow Seal-Tools' format.
    """
    found: dict[str, ToolSpec] = {}
    for number, one in enumerate(_items(path), 1):
        try:
            spec = _spec(
                one["api_name"],
                one["api_description"],
                one["parameters"],
                one.get("required") or [],
            )
        except (KeyError, TypeError, AttributeError) as fault:
            raise InputError(
                f"{path}, item {number} is no tool of Seal-Tools: {fault!r}"
            ) from fault
        found[spec.name] = spec
    return found


_DECODERS: dict[DataFormat, Callable[[dict[str, Any], str, Mapping[str, ToolSpec]], Trajectory]] = {
    "trajectory": _trajectory,
    "openai": _openai,
    "toolbench": _toolbench,
    "toolbench_tree": _tree,
    "api_bank": _api_bank,
    "seal_tools": _seal_tools,
}
