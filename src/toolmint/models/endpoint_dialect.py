"""What differs between endpoints, learnt from what they refuse, and messages in the form that they take."""

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from toolmint.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from toolmint.core.model import ModelRequest

REFUSING = frozenset({400, 404, 422, 500, 501})
"""Statuses with which endpoints refuse a field, or a template of theirs fails."""
_ALTERNATE = re.compile(
    r"roles? must alternate|alternate user|unexpected role|after role .?.?tool|consecutive (?:user|assistant)"
    r"|expected (?:last )?role",
    re.IGNORECASE,
)
_NO_SYSTEM = re.compile(
    r"system (?:role|message|instruction)s?.{0,20}(?:not|n't) (?:be )?(?:supported|enabled|allowed)"
    r"|(?:not|n't) support.{0,20}system|developer instruction is not enabled",
    re.IGNORECASE,
)
_NO_TOOLS = re.compile(
    r"(?:not|n't) support.{0,12}(?:tool|function)|(?:tool|function)s?(?: use| call(?:ing|s)?)?"
    r"(?: is| are)? not supported|support tool use|enable-auto-tool-choice|tool-call-parser",
    re.IGNORECASE,
)
_HEARD = "I have read the result."
_TOOLS_AS_TEXT = (
    "These tools can be called, one JSON object a line:\n{tools}\n"
    "A call is written as one JSON object between tags, its arguments as the tool's parameters say:\n"
    '<tool_call>\n{{"name": "...", "arguments": {{...}}}}\n</tool_call>'
)


class Dialect(NamedTuple):
    """What an endpoint takes.

    Attributes:
        limit_field: the name of the limit on a reply's tokens.
        temperature: whether it takes a temperature.
        tool_choice: whether it takes ``tool_choice``.
        alternate: its template wants the roles user and assistant in turns.
        system: whether it takes a system message.
        tools: whether it takes tools; else they are described in the text, and calls are read from it.
    """

    limit_field: str = "max_tokens"
    temperature: bool = True
    tool_choice: bool = True
    alternate: bool = False
    system: bool = True
    tools: bool = True


def adapted(dialect: Dialect, said: str, request: ModelRequest) -> Dialect | None:
    """Return the dialect to try next after a refusal; None where it names nothing that can be changed.

    Args:
        dialect: the one that was refused.
        said: the endpoint's words.
        request: what was asked.
    """
    if dialect.temperature and "temperature" in said:
        return dialect._replace(temperature=False)
    if dialect.limit_field == "max_tokens" and "max_completion_tokens" in said:
        return dialect._replace(limit_field="max_completion_tokens")
    if request.tools and dialect.tools and _NO_TOOLS.search(said):
        return dialect._replace(tools=False)
    chosen = request.tools and request.tool_choice != "auto"
    if dialect.tool_choice and chosen and re.search(r"tool[_ ]choice", said, re.IGNORECASE):
        return dialect._replace(tool_choice=False)
    if dialect.system and _NO_SYSTEM.search(said):
        return dialect._replace(system=False)
    if not dialect.alternate and _ALTERNATE.search(said):
        return dialect._replace(alternate=True)
    return None


def shaped(
    messages: Sequence[Message], tools: Sequence[ToolSpec], dialect: Dialect
) -> list[Message]:
    """Return the messages in the form that an endpoint takes."""
    found = list(messages)
    if tools and not dialect.tools:
        found = tools_as_text(found, tools)
    if not dialect.system:
        found = [_without_system(one) for one in found]
    return alternating(found) if dialect.alternate or not dialect.system else found


def _without_system(message: Message) -> Message:
    return UserMessage(content=message.content) if isinstance(message, SystemMessage) else message


def alternating(messages: Sequence[Message]) -> list[Message]:
    """Return messages in which user and assistant take turns; neighbours of one role become one message.

    A user's message after a result would break the turns, so the assistant says that it has read the result.
    """
    found: list[Message] = []
    for one in messages:
        message = (
            UserMessage(content=one.content) if isinstance(one, SystemMessage) and found else one
        )
        last = found[-1] if found else None
        if isinstance(last, UserMessage) and isinstance(message, UserMessage):
            found[-1] = UserMessage(content=_joined(last.content, message.content))
        elif isinstance(last, AssistantMessage) and isinstance(message, AssistantMessage):
            found[-1] = AssistantMessage(
                content=_joined(last.content, message.content),
                tool_calls=last.tool_calls + message.tool_calls,
            )
        else:
            if isinstance(last, ToolMessage) and isinstance(message, UserMessage):
                found.append(AssistantMessage(content=_HEARD))
            found.append(message)
    return found


def _joined(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


def tools_as_text(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> list[Message]:
    """Return messages that describe the tools, and hold calls and results as text."""
    listed = "\n".join(
        json.dumps(
            {"name": one.name, "description": one.description, "parameters": one.parameters},
            ensure_ascii=False,
        )
        for one in tools
    )
    about = _TOOLS_AS_TEXT.format(tools=listed)
    found: list[Message] = []
    for one in messages:
        match one:
            case ToolMessage():
                said = f"<tool_response>\n{one.content}\n</tool_response>"
                found.append(UserMessage(content=said))
            case AssistantMessage() if one.tool_calls:
                calls = "\n".join(
                    f'<tool_call>\n{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}\n'
                    "</tool_call>"
                    for call in one.tool_calls
                )
                found.append(AssistantMessage(content=_joined(one.content, calls)))
            case _:
                found.append(one)
    first = found[0] if found else None
    if isinstance(first, SystemMessage):
        return [SystemMessage(content=_joined(first.content, about)), *found[1:]]
    return [SystemMessage(content=about), *found]
