"""The default text family: OpenAI tool-calling messages, the part that roles share first, the role's
instruction last, so that one prefix cache serves planner, caller and summarizer.
"""

import re
from functools import cache

from toolwright.core.errors import ToolArgumentsError
from toolwright.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from toolwright.core.model import ToolChoice
from toolwright.core.task import Step
from toolwright.core.values import canonical
from toolwright.roles.prompts import fill, template_digest
from toolwright.roles.view import AgentRole, Prompt, View

CHOICE: dict[AgentRole, ToolChoice] = {
    "planner": "none", "caller": "required", "summarizer": "none", "backbone": "auto",
}  # fmt: skip
KEPT = 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def sendable(call: ToolCall) -> ToolCall:
    """Give a call that every endpoint takes back: a legal name, and arguments that are an object.

    The trajectory keeps what the model wrote; only what is shown to it again is made legal.
    """
    name = _UNSAFE.sub("_", call.name)[:64] or "none"
    try:
        call.parsed()
        arguments = call.arguments
    except ToolArgumentsError:
        arguments = canonical({"unreadable": call.arguments})
    return ToolCall(id=call.id, name=name, arguments=arguments)


def step_messages(step: Step) -> list[Message]:
    """Give one past step as messages: hints, thought with its call, observation, answer."""
    messages: list[Message] = [UserMessage(content=hint) for hint in step.hints]
    if step.thought or step.calls:
        calls = tuple(sendable(call) for call in step.calls)
        messages.append(AssistantMessage(content=step.thought, tool_calls=calls))
    messages += [
        ToolMessage(tool_call_id=result.call_id, content=result.content) for result in step.results
    ]
    if step.answer is not None:
        messages.append(AssistantMessage(content=step.answer))
    return messages


@cache
def _fixed(name: str) -> str:
    return fill(name)


class Native:
    """OpenAI messages with the toolbox in the request's ``tools``.

    The messages of a past step are made once and shared by every later prompt that shows it.
    """

    name = "native"

    def __init__(self) -> None:
        self._made: dict[int, tuple[Step, tuple[Message, ...]]] = {}

    def _messages(self, step: Step) -> tuple[Message, ...]:
        found = self._made.get(id(step))
        if found is None:
            if len(self._made) >= KEPT:
                self._made.clear()
            found = self._made[id(step)] = (step, tuple(step_messages(step)))
        return found[1]

    def prompt(self, role: AgentRole, view: View) -> Prompt:
        """Give a role's prompt (equations 1 to 4, with the shared part first)."""
        messages: list[Message] = [
            SystemMessage(content=_fixed("agent_system")),
            UserMessage(content=view.task.input),
        ]
        for step in view.path:
            messages += self._messages(step)
        messages += [UserMessage(content=hint) for hint in view.hints]
        if view.plan is not None and view.plan.thought:
            messages.append(AssistantMessage(content=view.plan.thought))
        template = (
            f"agent_{role}" if view.program is None or role != "caller" else "agent_programmer"
        )
        messages.append(UserMessage(content=_fixed(template)))
        return Prompt(
            messages=tuple(messages),
            tools=view.task.tools,
            tool_choice=CHOICE[role] if view.program is None else "auto",
            digest=template_digest("agent_system", template),
        )
