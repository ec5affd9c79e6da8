"""The default text family: OpenAI tool-calling messages.

The shared part comes first and the role's instruction last, so that one prefix cache of the endpoint serves
planner, caller and summarizer.
"""

from functools import cache

from toolmint.core.errors import ToolArgumentsError
from toolmint.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from toolmint.core.model import ToolChoice
from toolmint.core.task import Step
from toolmint.core.tool_names import NAMELESS
from toolmint.core.values import canonical
from toolmint.roles.prompts import fill, template_digest
from toolmint.roles.view import AgentRole, Prompt, View

_TOOL_CHOICE: dict[AgentRole, ToolChoice] = {
    "planner": "none",
    "caller": "required",
    "summarizer": "none",
    "backbone": "auto",
}
_MAX_CACHED_STEPS = 1024  # steps whose messages are cached before the cache is cleared


def legal_call(call: ToolCall) -> ToolCall:
    """Return a call that every endpoint accepts in a history: with a name, and arguments that are an object.

    The trajectory keeps what the model wrote; only the prompt is made valid. The letters of names are the
    endpoint's business (``models.openai_wire``), which knows the tools that they stand for.
    """
    name = call.name or NAMELESS
    try:
        call.parsed()
        arguments = call.arguments
    except ToolArgumentsError:
        arguments = canonical({"unreadable": call.arguments})
    return ToolCall(id=call.id, name=name, arguments=arguments)


def step_messages(step: Step) -> list[Message]:
    """Return one past step as messages: hints, thought with its call, observation, answer."""
    messages: list[Message] = [UserMessage(content=hint) for hint in step.hints]
    if step.thought or step.calls:
        calls = tuple(legal_call(call) for call in step.calls)
        messages.append(AssistantMessage(content=step.thought, tool_calls=calls))
    messages += [
        ToolMessage(tool_call_id=result.call_id, content=result.content) for result in step.results
    ]
    if step.answer is not None:
        messages.append(AssistantMessage(content=step.answer))
    return messages


@cache
def _template(name: str) -> str:
    return fill(name)


class Native:
    """OpenAI messages, with the toolbox in the request's ``tools``.

    Messages of a past step are built once and reused in every later prompt.
    """

    name = "native"

    def __init__(self) -> None:
        self._cached: dict[int, tuple[Step, tuple[Message, ...]]] = {}

    def _messages(self, step: Step) -> tuple[Message, ...]:
        # The step is kept beside its messages, so that its id cannot be reused while it is a key.
        found = self._cached.get(id(step))
        if found is None:
            if len(self._cached) >= _MAX_CACHED_STEPS:
                self._cached.clear()
            found = self._cached[id(step)] = (step, tuple(step_messages(step)))
        return found[1]

    def prompt(self, role: AgentRole, view: View) -> Prompt:
        """Return a role's prompt (equations 1 to 4, with the shared part first)."""
        messages: list[Message] = [
            SystemMessage(content=_template("agent_system")),
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
        messages.append(UserMessage(content=_template(template)))
        return Prompt(
            messages=tuple(messages),
            tools=view.task.tools,
            tool_choice=_TOOL_CHOICE[role] if view.program is None else "auto",
            digest=template_digest("agent_system", template),
        )
