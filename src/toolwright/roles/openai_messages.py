"""Lossless codec between a trajectory's chain and OpenAI messages, one assistant message a turn.

Each assistant message carries ``role_tag`` (planner, caller, summarizer, backbone), so that training
tools can mask by role; endpoints that do not know the field skip it. What a step holds beyond what its
messages say when read again stands in the field ``toolwright`` of its first message. Prompts, usage and
the tree's other branches are not carried: the JSON lines of ``Trajectory`` itself hold them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import ValidationError

from toolwright.core.errors import InputError
from toolwright.core.messages import ToolCall, ToolResult, ToolSpec
from toolwright.core.task import Role, Step, Task, Trajectory, Turn
from toolwright.core.values import clip
from toolwright.roles.reading import read_plan

OURS = "toolwright"
RANK = {"user": 0, "planner": 1, "backbone": 1, "caller": 2, "tool": 3, "summarizer": 4}
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
    said = step.turn("summarizer")
    if said is not None:
        messages.append(
            {"role": "assistant", "role_tag": "summarizer", "content": said.answer.content}
        )
    return messages or [{"role": "assistant", "role_tag": "planner", "content": step.thought}]


def bare(step: Step) -> Step:
    """Give a step without what messages do not carry: prompts, digests, usage, and a turn's own copy of the
    step's calls.
    """
    turns = tuple(Turn.told(one.role, one.answer.content) for one in step.turns)
    return step.model_copy(update={"turns": turns})


def encode(trajectory: Trajectory) -> Wire:
    """Write the chain that ended a trajectory as ``{"messages", "tools", "toolwright"}``."""
    task = trajectory.task
    messages: list[Wire] = [{"role": "user", "content": task.input}]
    for number, step in enumerate(trajectory.path()):
        written = _step_messages(step)
        parent = number - 1 if number else None
        kept = bare(step).model_copy(update={"id": number, "parent": parent})
        plain = _read_step(written, number)
        facts = {
            name: value
            for name, value in kept.model_dump(mode="json").items()
            if getattr(kept, name) != getattr(plain, name)
        }
        written[0][OURS] = {"messages": len(written)} | ({"step": facts} if facts else {})
        messages += written
    tools = [
        {"type": "function", "function": tool.model_dump(mode="json", exclude_none=True)}
        for tool in task.tools
    ]
    hidden = {"steps", "task", "leaf", "answer"}
    rest = trajectory.model_dump(mode="json", exclude=hidden, exclude_defaults=True)
    if task.request_class is not None:
        rest["request_class"] = task.request_class
    return {"messages": messages, "tools": tools, OURS: rest | {"answer": trajectory.answer}}


def _read_step(messages: list[Wire], number: int) -> Step:
    """Read one step from its messages alone."""
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
        "turns": (*fields["turns"], Turn.told(role, text)),
        "calls": fields["calls"] + calls,
    }
    if role in {"planner", "backbone"}:
        plan = read_plan(text)
        found |= {"thought": plan.thought, "decision": plan.decision}
    elif role == "summarizer":
        found["answer"] = text
    return found


def _tag(message: Wire) -> Role:
    """Give the role of an assistant message; one that nobody tagged calls or answers."""
    tag = message.get("role_tag")
    if tag in RANK and tag not in {"user", "tool"}:
        return cast("Role", tag)
    return "caller" if message.get("tool_calls") else "summarizer"


def _groups(messages: list[Wire]) -> Iterator[tuple[list[Wire], dict[str, Any]]]:
    """Give the messages of each step with its further facts; others' files are cut at roles."""
    at = 0
    while at < len(messages):
        ours: dict[str, Any] = messages[at].get(OURS) or {}
        count = ours.get("messages")
        end = at + count if isinstance(count, int) and count > 0 else _end(messages, at)
        yield messages[at:end], ours.get("step") or {}
        at = end


def _rank(message: Wire) -> int:
    role = message["role"]
    return RANK[role if role in {"user", "tool"} else _tag(message)]


def _end(messages: list[Wire], start: int) -> int:
    at = start + 1
    while at < len(messages):
        before, now = _rank(messages[at - 1]), _rank(messages[at])
        same = now == before and now in {0, 3}
        if (now <= before and not same) or OURS in messages[at]:
            break
        at += 1
    return at


def decode(item: Mapping[str, Any], where: str = "the messages") -> Trajectory:
    """Read ``{"messages", "tools"}``, with this project's field or without it.

    Raises:
        InputError: it does not begin with a user's message, or a message is not as OpenAI has it.
    """
    try:
        messages = [one for one in cast("list[Wire]", item["messages"]) if one["role"] != "system"]
        tools = tuple(ToolSpec.model_validate(one["function"]) for one in item.get("tools") or ())
        rest: dict[str, Any] = dict(item.get(OURS) or {})
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
