"""Read Seal-Tools' queries as trajectories, and its tool documents."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall, ToolSpec
from toolmint.core.task import Step, Task, Trajectory, Turn
from toolmint.core.text_files import json_items, read_text
from toolmint.core.values import canonical
from toolmint.roles.chat_fields import check_known, object_of
from toolmint.training.documented_tools import documented_spec

_CALL_FIELDS = ("api", "parameters", "responses")


def read_seal_tools(
    item: Mapping[str, Any], where: str, tools: Mapping[str, ToolSpec]
) -> Trajectory:
    """Read a query with gold calls. It has no observations and no thoughts, so only the caller gets spans."""
    steps: list[Step] = []
    shown: dict[str, ToolSpec] = {}
    try:
        for number, one in enumerate(cast("list[dict[str, Any]]", item["calling"])):
            call = ToolCall(
                id=f"call_{number}", name=one["api"], arguments=canonical(one["parameters"])
            )
            check_known(one, _CALL_FIELDS, f"{where}, call {number + 1}")
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


def documents_of(path: Path) -> dict[str, ToolSpec]:
    """Return Seal-Tools' tool documents by name.

    Raises:
        InputError: the file does not follow Seal-Tools' format.
    """
    found: dict[str, ToolSpec] = {}
    for where, item in json_items(read_text(path), str(path)):
        one = object_of(item, where)
        try:
            spec = documented_spec(
                one["api_name"],
                one["api_description"],
                one["parameters"],
                one.get("required") or [],
            )
        except (KeyError, TypeError, AttributeError) as fault:
            raise InputError(f"{where} is no tool of Seal-Tools: {fault!r}") from fault
        found[spec.name] = spec
    return found
