"""Read ToolBench's search trees (``answer/G*_answer/*.json``), all branches, as one trajectory."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Run, Step, Task, Trajectory, Turn
from toolmint.core.values import clip
from toolmint.roles.reading import NO_CALL

_FINISH = "Finish"


class _PendingNode(NamedTuple):
    """A node to visit: its parent step, and the thought and action collected for its step so far."""

    node: Mapping[str, Any]
    parent: int | None
    thought: str = ""
    action: str = ""


def decode_search_tree(item: Mapping[str, Any], where: str = "the tree") -> Trajectory:
    """Return the trajectory of one search tree, in depth-first order; the first answer is the leaf.

    Raises:
        InputError: the item is no search tree of ToolBench.
    """
    try:
        generation = cast("Mapping[str, Any]", item["answer_generation"])
        functions = cast("list[dict[str, Any]]", generation["function"])
        task = Task(
            input=generation["query"],
            tools=tuple(_spec(one) for one in functions if one["name"] != _FINISH),
        )
        steps = _steps(item["tree"]["tree"])
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise InputError(
            f"{where} is no search tree of ToolBench: {clip(repr(fault), 160)}"
        ) from fault
    return _ended(task, steps, str(item.get("forward_args", "")))


def _spec(function: Mapping[str, Any]) -> ToolSpec:
    known = cast("dict[str, Any]", function.get("parameters") or {})
    parameters = {key: known[key] for key in ("type", "properties", "required") if key in known}
    return ToolSpec(
        name=function["name"], description=function.get("description", ""), parameters=parameters
    )


def _steps(root: Mapping[str, Any]) -> tuple[Step, ...]:
    steps: list[Step] = []
    places = [_PendingNode(child, None) for child in reversed(root["children"])]
    while places:
        place = places.pop()
        node, below = place.node, place
        match node["node_type"]:
            case "Thought":
                said = str(node["description"])
                below = place._replace(
                    thought=f"{place.thought}\n{said}" if place.thought else said
                )
            case "Action":
                below = place._replace(action=str(node["description"]))
            case "Action Input":
                steps.append(_step(place, len(steps)))
                below = _PendingNode(node, steps[-1].id)
            case other:
                raise ValueError(f"unknown kind of node {other!r}")
        places += [below._replace(node=child) for child in reversed(node["children"])]
        if not node["children"] and below.parent == place.parent and node["node_type"] == "Thought":
            steps.append(
                Step(id=len(steps), parent=place.parent, thought=below.thought, pruned=True)
            )
    return tuple(steps)


def _step(place: _PendingNode, number: int) -> Step:
    node = place.node
    call = ToolCall(
        id=f"call_{number}", name=place.action or NO_CALL, arguments=str(node["description"])
    )
    turn = Turn.from_file("backbone", place.thought, (call,))
    step = Step(
        id=number,
        parent=place.parent,
        turns=(turn,),
        thought=place.thought,
        pruned=bool(node.get("pruned")),
    )
    ended = _finish(call)
    if ended is not None:
        return step.model_copy(update=ended)
    observation = str(node.get("observation", ""))
    code = node.get("observation_code", 0)
    result = ToolResult(
        call_id=call.id, content=observation, failure=None if code == 0 else f"code-{code}"
    )
    return step.model_copy(update={"decision": "call", "calls": (call,), "results": (result,)})


def _finish(call: ToolCall) -> dict[str, Any] | None:
    """Return the step fields that a call of ``Finish`` sets; None for other or unparsable calls."""
    if call.name != _FINISH:
        return None
    try:
        said: Any = json.loads(call.arguments)
        kind = said["return_type"]
    except (ValueError, KeyError, TypeError):
        return None
    if kind == "give_answer":
        return {"decision": "answer", "answer": str(said.get("final_answer", ""))}
    return {"decision": "give_up"} if kind == "give_up_and_restart" else None


def _ended(task: Task, steps: tuple[Step, ...], search: str) -> Trajectory:
    answered = next((step for step in steps if step.decision == "answer"), None)
    gave_up = next((step for step in steps if step.decision == "give_up"), None)
    leaf = answered or gave_up or (steps[-1] if steps else None)
    return Trajectory(
        task=task,
        steps=steps,
        leaf=leaf.id if leaf is not None else None,
        answer=answered.answer if answered is not None else None,
        outcome="answered"
        if answered is not None
        else ("gave_up" if gave_up is not None else "limit"),
        run=Run(policy="ToolBench", search="dfsdt", settings={"forward_args": search}),
    )
