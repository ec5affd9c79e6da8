"""Lossless codec between a trajectory's chain and OpenAI messages, one assistant message a turn.

Each assistant message has a ``role_tag`` (planner, caller, summarizer, backbone), so that training tools can
mask by role; endpoints ignore the field. What a step holds beyond its messages goes into the
field ``toolmint`` of its first message. Prompts, usage and other branches of the tree are lost; the
JSON lines of ``Trajectory`` keep them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import ValidationError

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Role, Step, Task, Trajectory, Turn
from toolmint.core.values import clip
from toolmint.roles.reading import read_plan

_EXTENSION = "toolmint"
_RANK = {"user": 0, "planner": 1, "backbone": 1, "caller": 2, "tool": 3, "summarizer": 4}
Wire = dict[str, Any]


def _wire_calls(calls: tuple[ToolCall, ...]) -> list[Wire]:
    return [
        {
            "id": one.id,
            "type": "function",
            "function": {"name": one.name, "arguments": one.arguments},
        }
        for one in calls
    ]


def _step_messages(step: Step) -> list[Wire]:
    messages: list[Wire] = [{"role": "user", "content": hint} for hint in step.hints]
    early = [turn for turn in step.turns if turn.role != "summarizer"]
    messages += [
        {"role": "assistant", "role_tag": turn.role, "content": turn.answer.content}
        for turn in early
    ]
    if step.calls:
        if not any(turn.role in {"caller", "backbone"} for turn in early):
            messages.append({"role": "assistant", "role_tag": "caller", "content": ""})
        messages[-1]["tool_calls"] = _wire_calls(step.calls)
    messages += [
        {"role": "tool", "tool_call_id": result.call_id, "content": result.content}
        for result in step.results
    ]
    answer = step.turn("summarizer")
    if answer is not None:
        messages.append(
            {"role": "assistant", "role_tag": "summarizer", "content": answer.answer.content}
        )
    return messages or [{"role": "assistant", "role_tag": "planner", "content": step.thought}]


def without_prompts(step: Step) -> Step:
    """Return a step without what messages cannot carry: prompts, digests, usage, and the turns' own calls."""
    turns = tuple(Turn.from_file(one.role, one.answer.content) for one in step.turns)
    return step.model_copy(update={"turns": turns})


def encode_messages(trajectory: Trajectory) -> Wire:
    """Return a trajectory's final chain as ``{"messages", "tools", "toolmint"}``."""
    task = trajectory.task
    messages: list[Wire] = [{"role": "user", "content": task.input}]
    for number, step in enumerate(trajectory.path()):
        written = _step_messages(step)
        parent = number - 1 if number else None
        bare = without_prompts(step).model_copy(update={"id": number, "parent": parent})
        plain = _read_step(written, number)
        facts = {
            name: value
            for name, value in bare.model_dump(mode="json").items()
            if getattr(bare, name) != getattr(plain, name)
        }
        written[0][_EXTENSION] = {"messages": len(written)} | ({"step": facts} if facts else {})
        messages += written
    tools = [
        {"type": "function", "function": tool.model_dump(mode="json", exclude_none=True)}
        for tool in task.tools
    ]
    hidden = {"steps", "task", "leaf", "answer"}
    rest = trajectory.model_dump(mode="json", exclude=hidden, exclude_defaults=True)
    if task.request_class is not None:
        rest["request_class"] = task.request_class
    return {"messages": messages, "tools": tools, _EXTENSION: rest | {"answer": trajectory.answer}}


def _read_step(messages: list[Wire], number: int) -> Step:
    """Return a step from its messages alone."""
    fields: dict[str, Any] = {"hints": (), "turns": (), "calls": (), "results": ()}
    for message in messages:
        text: str = message.get("content") or ""
        match message["role"]:
            case "user":
                fields["hints"] += (text,)
            case "tool":
                fields["results"] += (ToolResult(call_id=message["tool_call_id"], content=text),)
            case _:
                fields |= _read_turn(message, text, fields)
    return Step(id=number, parent=number - 1 if number else None, **fields)


def _read_turn(message: Wire, text: str, fields: dict[str, Any]) -> dict[str, Any]:
    calls = tuple(
        ToolCall(id=one["id"], name=one["function"]["name"], arguments=one["function"]["arguments"])
        for one in message.get("tool_calls") or ()
    )
    role = _tag(message)
    found: dict[str, Any] = {
        "turns": (*fields["turns"], Turn.from_file(role, text)),
        "calls": fields["calls"] + calls,
    }
    if role in {"planner", "backbone"}:
        plan = read_plan(text)
        found |= {"thought": plan.thought, "decision": plan.decision}
    elif role == "summarizer":
        found["answer"] = text
    return found


def _tag(message: Wire) -> Role:
    """Return the role of an assistant message; without a tag it is the caller's or the summarizer's."""
    tag = message.get("role_tag")
    if tag in _RANK and tag not in {"user", "tool"}:
        return cast("Role", tag)
    return "caller" if message.get("tool_calls") else "summarizer"


def _groups(messages: list[Wire]) -> Iterator[tuple[list[Wire], dict[str, Any]]]:
    """Yield each step's messages and extra fields; foreign files are split by the order of roles."""
    at = 0
    while at < len(messages):
        ours: dict[str, Any] = messages[at].get(_EXTENSION) or {}
        count = ours.get("messages")
        end = at + count if isinstance(count, int) and count > 0 else _end(messages, at)
        yield messages[at:end], ours.get("step") or {}
        at = end


def _rank(message: Wire) -> int:
    role = message["role"]
    return _RANK[role if role in {"user", "tool"} else _tag(message)]


def _end(messages: list[Wire], start: int) -> int:
    at = start + 1
    while at < len(messages):
        before, now = _rank(messages[at - 1]), _rank(messages[at])
        same = now == before and now in {0, 3}
        if (now <= before and not same) or _EXTENSION in messages[at]:
            break
        at += 1
    return at


def decode_messages(item: Mapping[str, Any], where: str = "the messages") -> Trajectory:
    """Return the trajectory of ``{"messages", "tools"}``, with or without the ``toolmint`` field.

    Raises:
        InputError: the first message is not the user's, or a message does not follow OpenAI's format.
    """
    try:
        messages = [one for one in cast("list[Wire]", item["messages"]) if one["role"] != "system"]
        tools = tuple(ToolSpec.model_validate(one["function"]) for one in item.get("tools") or ())
        rest: dict[str, Any] = dict(item.get(_EXTENSION) or {})
        if not messages or messages[0]["role"] != "user":
            raise InputError(f"{where} must begin with the user's task")
        steps: list[Step] = []
        for group, facts in _groups(messages[1:]):
            read = _read_step(group, len(steps))
            steps.append(Step.model_validate(read.model_dump() | facts))
    except (KeyError, TypeError, AttributeError, ValidationError) as fault:
        raise InputError(f"{where} are no OpenAI messages: {clip(str(fault), 200)}") from fault
    task = Task(
        input=messages[0]["content"], request_class=rest.pop("request_class", None), tools=tools
    )
    answer = rest.pop("answer", steps[-1].answer if steps else None)
    ended: Wire = {"task": task, "steps": tuple(steps), "leaf": steps[-1].id if steps else None}
    if "outcome" not in rest:
        ended["outcome"] = "answered" if answer is not None else "limit"
    return Trajectory.model_validate(ended | {"answer": answer} | rest)
