"""Lossless codec between a trajectory's chain and OpenAI messages, one assistant message a turn.

Chat files of other programs are read too (``chat_files``). Their assistant messages have no ``role_tag``:
text beside calls is the planner's, calls are the caller's, and text alone is the summarizer's, in a step of
its own.

Each assistant message has a ``role_tag`` (planner, caller, summarizer, backbone), so that training tools can
mask by role; endpoints ignore the field. What a step holds beyond its messages goes into the
field ``toolmint`` of its first message. Prompts, usage and other branches of the tree are lost; the
JSON lines of ``Trajectory`` keep them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import ValidationError

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall, ToolResult
from toolmint.core.task import Role, Step, Task, Trajectory, Turn
from toolmint.core.values import clip
from toolmint.roles.chat_fields import tool_specs
from toolmint.roles.chat_files import DESCRIPTIVE_FIELDS, EXTENSION, openai_item, plain_messages
from toolmint.roles.reading import read_plan

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


def _beside(turn: Turn) -> Wire:
    """Return the fields of a turn's message beside its text."""
    weight = {} if turn.weight else {"weight": 0}
    return weight | ({"reasoning_content": turn.reasoning} if turn.reasoning else {})


def _step_messages(step: Step) -> list[Wire]:
    messages: list[Wire] = [{"role": "user", "content": hint} for hint in step.hints]
    early = [turn for turn in step.turns if turn.role != "summarizer"]
    messages += [
        {"role": "assistant", "role_tag": turn.role, "content": turn.answer.content} | _beside(turn)
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
            | _beside(answer)
        )
    return messages or [{"role": "assistant", "role_tag": "planner", "content": step.thought}]


def without_prompts(step: Step) -> Step:
    """Return a step without what messages cannot carry: prompts, digests, usage, and the turns' own calls."""
    turns = tuple(
        Turn.from_file(one.role, one.answer.content, weight=one.weight, reasoning=one.reasoning)
        for one in step.turns
    )
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
        written[0][EXTENSION] = {"messages": len(written)} | ({"step": facts} if facts else {})
        messages += written
    tools = [
        {
            "type": "function",
            "function": tool.model_dump(mode="json", exclude_none=True, exclude={"read_only"}),
        }
        for tool in task.tools
    ]
    hidden = {"steps", "task", "leaf", "answer"}
    rest = trajectory.model_dump(mode="json", exclude=hidden, exclude_defaults=True)
    if task.request_class is not None:
        rest["request_class"] = task.request_class
    return {"messages": messages, "tools": tools, EXTENSION: rest | {"answer": trajectory.answer}}


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
    role, weight = _tag(message), message.get("weight", 1)
    thought: str = message.get("reasoning_content") or ""
    spoken = Turn.from_file(role, text, weight=weight, reasoning=thought)
    turns = (*fields["turns"], spoken)
    found: dict[str, Any] = {"turns": turns, "calls": fields["calls"] + calls}
    if role in {"planner", "backbone"}:
        plan = read_plan(text)
        found |= {"thought": plan.thought, "decision": plan.decision}
    elif role == "summarizer":
        found["answer"] = text
    if "role_tag" not in message:
        found |= _read_untagged(text, found, fields, spoken)
    return found


def _read_untagged(
    text: str, found: dict[str, Any], fields: dict[str, Any], turn: Turn
) -> dict[str, Any]:
    """Return what an assistant message without ``role_tag`` says beyond its calls and its answer."""
    if not found["calls"]:
        return {"decision": "answer"}
    if not text:
        return {"decision": "call"}
    spoken = (
        turn.model_copy(update={"role": "planner"}),
        Turn.from_file("caller", weight=turn.weight),
    )
    return {"thought": text, "decision": "call", "turns": (*fields["turns"], *spoken)}


def _tag(message: Wire) -> Role:
    """Return the role of an assistant message; without a tag it is the caller's or the summarizer's."""
    tag = message.get("role_tag")
    if tag is not None:
        return cast("Role", tag)
    return "caller" if message.get("tool_calls") else "summarizer"


def _groups(messages: list[Wire]) -> Iterator[tuple[list[Wire], dict[str, Any]]]:
    """Yield each step's messages and extra fields; foreign files are split by the order of roles."""
    at = 0
    while at < len(messages):
        ours: dict[str, Any] = messages[at].get(EXTENSION) or {}
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
        untagged = messages[at]["role"] == "assistant" and "role_tag" not in messages[at]
        if (now <= before and not same) or EXTENSION in messages[at] or (untagged and before):
            break
        at += 1
    return at


def _instructed(messages: list[Wire], where: str) -> tuple[str, list[Wire]]:
    """Return the task, with the instructions before it, and the messages after it.

    Later instructions are hints, as a later message of the user is.
    """
    count = next(
        (place for place, one in enumerate(messages) if one["role"] != "system"), len(messages)
    )
    if messages[count : count + 1] == [] or messages[count]["role"] != "user":
        raise InputError(
            f"{where} must begin with the user's task; only system messages may stand before it"
        )
    task = "\n\n".join(one["content"] for one in messages[: count + 1])
    later = [
        one | {"role": "user"} if one["role"] == "system" else one for one in messages[count + 1 :]
    ]
    return task, later


def decode_messages(item: Mapping[str, Any], where: str = "the messages") -> Trajectory:
    """Return the trajectory of ``{"messages", "tools"}``, with or without the ``toolmint`` field.

    System messages before the task are the beginning of the task's text. A message of weight 0 is context.

    Raises:
        InputError: the first message is not the user's, or a role, a field or a content part is not
            understood; the message is named, and what was expected.
    """
    fields = openai_item(item, where)
    parallel: bool = fields.get("parallel_tool_calls", True)
    messages = plain_messages(fields.get("messages"), where, parallel=parallel)
    tools = tool_specs(fields.get("tools"), where)
    text, later = _instructed(messages, where)
    about = {name: fields[name] for name in DESCRIPTIVE_FIELDS if name in fields}
    try:
        rest: dict[str, Any] = dict(fields.get(EXTENSION) or {})
        steps: list[Step] = []
        for group, facts in _groups(later):
            read = _read_step(group, len(steps))
            steps.append(Step.model_validate(read.model_dump() | facts))
        task = Task(input=text, request_class=rest.pop("request_class", None), tools=tools)
        answer = rest.pop("answer", steps[-1].answer if steps else None)
        ended: Wire = {"task": task, "steps": tuple(steps), "leaf": steps[-1].id if steps else None}
        if "outcome" not in rest:
            ended["outcome"] = "answered" if answer is not None else "limit"
        if about and "run" not in rest:
            ended["run"] = {"settings": about}
        return Trajectory.model_validate(ended | {"answer": answer} | rest)
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as fault:
        raise InputError(f"{where} are no OpenAI messages: {clip(str(fault), 200)}") from fault
