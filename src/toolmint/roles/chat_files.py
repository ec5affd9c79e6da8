"""Bring chat items of other programs into one form: OpenAI's, TRL's and ShareGPT's, old and new.

Roles, fields and content parts are closed sets. What is understood is kept; anything else is an error that
names the field, its place and what was expected, so that nothing is learnt or lost by accident.

- ``system`` and ``developer``: instructions. Before the task they are its beginning; later they are hints.
- ``tool``, ``function``, ``ipython``, ``observation``: results of calls, each matched with its call.
- ``weight``: 0 on an assistant's message keeps it as context, without loss.
"""

from collections.abc import Mapping
from typing import Any

from toolmint.core.errors import InputError
from toolmint.roles.chat_fields import (
    Fields,
    check_known,
    function_call,
    json_text,
    list_of,
    object_of,
    refused,
    text_of,
    tool_calls,
)
from toolmint.roles.reasoning import split_reasoning

EXTENSION = "toolmint"
_ITEM = ("messages", "tools", "functions", "parallel_tool_calls", "id", "source", "metadata")
DESCRIPTIVE_FIELDS = ("id", "source", "metadata")
"""Fields of an item that say where it is from; they are kept with the trajectory and shape nothing."""
REASONING_FIELDS = ("reasoning_content", "reasoning")
"""Fields with what a model thought; it is kept apart from what it said, and not learnt."""
_RESULTS = frozenset({"tool", "function", "ipython", "observation"})
_ROLE_TAGS = frozenset(
    {"planner", "caller", "summarizer", "backbone", "light", "dispatcher", "strong"}
)
_KNOWN: dict[str, tuple[str, ...]] = {
    "system": ("role", "content", "weight"),
    "developer": ("role", "content", "weight"),
    "user": ("role", "content", "weight"),
    "assistant": (
        *("role", "content", "tool_calls", "function_call", "weight", "role_tag"),
        *REASONING_FIELDS,
    ),
    "tool": ("role", "content", "tool_call_id", "name", "weight"),
    "function": ("role", "content", "name", "weight"),
    "ipython": ("role", "content", "tool_call_id", "name", "weight"),
    "observation": ("role", "content", "tool_call_id", "name", "weight"),
}
_SPEAKERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
    "function_call": "call",
    "observation": "observation",
    "tool": "tool",
}
"""ShareGPT's speakers, with the role or the kind of message that each one is."""


def _weight(fields: Mapping[str, Any], role: str, where: str) -> int:
    weight = fields.get("weight", 1 if role == "assistant" else 0)
    if isinstance(weight, bool) or weight not in (0, 1):
        raise refused(where, "weight", weight, "0 (context) or 1 (learnt)")
    if weight == 1 and role != "assistant":
        raise refused(where, "weight", weight, f"0: a message of role {role!r} is never learnt")
    return int(weight)


class _Calls:
    """The calls that have no result yet."""

    def __init__(self, *, lenient: bool) -> None:
        self._open: list[tuple[str, str]] = []
        self.lenient = lenient

    def add(self, calls: list[Fields], where: str, number: int) -> None:
        """Note an assistant's calls; one without an id gets one."""
        for place, call in enumerate(calls):
            call["id"] = call["id"] or f"call_{number}_{place}"
            if not self.lenient and call["id"] in {name for name, _ in self._open}:
                raise InputError(f"{where}: two open calls have the id {call['id']!r}")
            self._open.append((call["id"], call["function"]["name"]))

    def answered(self, fields: Fields, where: str) -> str:
        """Return the id of the call that a result is of."""
        given, name = fields.get("tool_call_id"), fields.get("name")
        for key, value in (("tool_call_id", given), ("name", name)):
            if value is not None and not isinstance(value, str):
                raise refused(where, key, value, "a text")
        for one in self._open:
            if given in {None, one[0]} and name in {None, one[1]}:
                self._open.remove(one)
                return one[0]
        if self.lenient:
            return given or ""
        waiting = ", ".join(f"{call!r} of {tool!r}" for call, tool in self._open) or "none"
        raise InputError(
            f"{where}: a result with tool_call_id {given!r} and name {name!r} is of no call before it; "
            f"calls without a result: {waiting}",
            code="result-without-call",
        )


def is_own(messages: list[Any]) -> bool:
    """Return whether ``encode_messages`` wrote these: a message has our extension or a ``role_tag``."""
    return any(
        isinstance(one, dict) and (EXTENSION in one or "role_tag" in one) for one in messages
    )


def plain_messages(given: object, where: str, *, parallel: bool = True) -> list[Fields]:
    """Return messages of the roles system, user, assistant and tool, with texts as contents.

    Args:
        given: the messages of the file.
        where: of the item, for errors.
        parallel: whether an assistant may call several tools at once (``parallel_tool_calls``).

    Raises:
        InputError: a role, a field or a content part is not understood; message and field are named.
    """
    messages = list_of(given, where, "messages")
    own = is_own(messages)
    calls = _Calls(lenient=own)
    found: list[Fields] = []
    for number, one in enumerate(messages, 1):
        place = f"{where}, message {number}"
        fields = object_of(one, place, "a message with 'role' and 'content'")
        role = fields.get("role")
        if not isinstance(role, str) or role not in _KNOWN:
            raise InputError(
                f"{place}: the role {role!r:.60} is not understood; expected {', '.join(_KNOWN)}",
                code="unknown-role",
            )
        known = (*_KNOWN[role], EXTENSION) if own else _KNOWN[role]
        if fields.get("annotations") == []:
            fields.pop("annotations")  # what OpenAI's SDK dumps for a reply without any
        check_known(fields, known, f"{place} ({role})")
        found.append(_plain(fields, role, place, (calls, number, parallel)))
    return found


def _plain(fields: Fields, role: str, where: str, context: tuple[_Calls, int, bool]) -> Fields:
    calls, number, parallel = context
    plain: Fields = {"role": role}
    if EXTENSION in fields:
        plain[EXTENSION] = object_of(fields[EXTENSION], where)
    weight = _weight(fields, role, where)
    if role == "assistant":
        return (
            plain
            | _assistant(
                fields, where, calls, number, (parallel, weight == 1 and not calls.lenient)
            )
            | ({} if weight else {"weight": 0})
        )
    plain["content"] = text_of(fields.get("content"), where)
    if role in _RESULTS:
        return plain | {"role": "tool", "tool_call_id": calls.answered(fields, where)}
    return plain | {"role": "system" if role == "developer" else role}


def _assistant(
    fields: Fields, where: str, calls: _Calls, number: int, kind: tuple[bool, bool]
) -> Fields:
    """Return an assistant's message; ``kind``: several calls are allowed, and a role learns them."""
    parallel, learnt = kind
    made = tool_calls(fields.get("tool_calls"), where, learnt=learnt)
    legacy = fields.get("function_call")
    if legacy is not None:
        if made:
            raise refused(where, "function_call", legacy, "either it or 'tool_calls'")
        call = function_call(legacy, f"{where}, function_call", learnt=learnt)
        made = [{"id": "", "type": "function", "function": call}]
    if len(made) > 1 and not parallel:
        raise InputError(
            f"{where}: {len(made)} calls in one message, but 'parallel_tool_calls' is false"
        )
    tag = fields.get("role_tag")
    if tag is not None and tag not in _ROLE_TAGS:
        raise refused(where, "role_tag", tag, ", ".join(sorted(_ROLE_TAGS)))
    if "content" not in fields and not made and tag is None:
        raise InputError(f"{where}: an assistant's message needs 'content' or 'tool_calls'")
    calls.add(made, where, number)
    content = text_of(fields.get("content", ""), where)
    thought = "\n".join(text_of(fields[name], where) for name in REASONING_FIELDS if name in fields)
    if tag is None:
        speech = split_reasoning(content)
        content, thought = speech.said, "\n".join(filter(None, (thought, speech.reasoning)))
    return (
        {"content": content}
        | ({"reasoning_content": thought} if thought else {})
        | ({"tool_calls": made} if made else {})
        | ({"role_tag": tag} if tag is not None else {})
    )


def openai_item(item: Mapping[str, Any], where: str) -> Fields:
    """Return an item's fields in OpenAI's current form; ``functions`` become ``tools``.

    Raises:
        InputError: a field of the item is not understood.
    """
    fields = object_of(dict(item), where)
    check_known(fields, (*_ITEM, EXTENSION), where)
    if "functions" in fields:
        if fields.get("tools"):
            raise refused(where, "functions", fields["functions"], "either it or 'tools'")
        fields["tools"] = fields.pop("functions")
    if not isinstance(fields.get("parallel_tool_calls", True), bool):
        raise refused(where, "parallel_tool_calls", fields["parallel_tool_calls"], "true or false")
    return fields


def from_prompt_completion(item: Mapping[str, Any], where: str) -> Fields:
    """Return TRL's prompt and completion as messages; nothing of the prompt is learnt.

    Raises:
        InputError: they are neither two texts nor two lists of messages, or the prompt is to be learnt.
    """
    fields = object_of(dict(item), where)
    prompt: object = fields.pop("prompt", None)
    completion: object = fields.pop("completion", None)
    asked: object = prompt
    if isinstance(prompt, str) and isinstance(completion, str):
        asked = [{"role": "user", "content": prompt}]
        completion = [{"role": "assistant", "content": completion}]
    elif isinstance(prompt, str) or isinstance(completion, str):
        raise InputError(
            f"{where}: 'prompt' and 'completion' must be two texts or two lists of messages, got "
            f"{prompt!r:.40} and {completion!r:.40}"
        )
    context: list[Any] = []
    for number, one in enumerate(list_of(asked, where, "prompt"), 1):
        place = f"{where}, message {number}"
        message = object_of(one, place, "a message with 'role' and 'content'")
        if message.get("role") == "assistant":
            if message.get("weight", 0) != 0:
                raise refused(place, "weight", message["weight"], "0: a prompt is never learnt")
            message["weight"] = 0
        context.append(message)
    return fields | {"messages": [*context, *list_of(completion, where, "completion")]}


def from_sharegpt(item: Mapping[str, Any], where: str) -> Fields:
    """Return ShareGPT's ``conversations`` (also LLaMA-Factory's, with calls) as messages.

    Raises:
        InputError: a speaker or a field is not understood, or a call is no JSON.
    """
    fields = object_of(dict(item), where)
    messages: list[Fields] = []
    system = fields.pop("system", None)
    if system is not None and system != "":
        messages.append({"role": "system", "content": system})
    first = len(messages)
    for number, one in enumerate(list_of(fields.pop("conversations"), where, "conversations"), 1):
        place = f"{where}, turn {number}"
        turn = object_of(one, place, "a turn with 'from' and 'value'")
        check_known(turn, ("from", "value", "weight"), place)
        speaker = turn.get("from")
        if not isinstance(speaker, str) or speaker not in _SPEAKERS:
            raise InputError(
                f"{place}: the speaker {speaker!r:.60} is not understood; expected "
                f"{', '.join(_SPEAKERS)}",
                code="unknown-role",
            )
        message = _turn(_SPEAKERS[speaker], turn.get("value"), place)
        messages.append(message | ({"weight": turn["weight"]} if "weight" in turn else {}))
    if first and len(messages) > first and messages[first]["role"] == "system":
        raise refused(where, "system", system, "either it or a first turn from 'system'")
    return fields | {"messages": messages}


def _turn(kind: str, value: object, where: str) -> Fields:
    if not isinstance(value, str):
        raise InputError(f"{where}: 'value' is {value!r:.60}; expected a text")
    if kind != "call":
        return {"role": kind, "content": value}
    made = json_text(value, where, "value")
    return {"role": "assistant", "tool_calls": made if isinstance(made, list) else [made]}
