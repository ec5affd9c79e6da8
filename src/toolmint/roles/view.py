"""What a role sees (``View``), its prompt, and the protocol of the text family between the two."""

from typing import Literal, NamedTuple, Protocol

from toolmint.core.messages import Message, ToolSpec
from toolmint.core.model import ToolChoice
from toolmint.core.task import Step, Task
from toolmint.roles.reading import Plan

AgentRole = Literal["planner", "caller", "summarizer", "backbone"]
PROGRAM = "python"
"""Name of the tool whose argument is a program (alpha-UMi appendix D)."""


class View(NamedTuple):
    """The input of a role: the task, the steps so far, and this step's plan.

    Attributes:
        task: question and tools.
        path: the steps from the root to here.
        hints: notes of the search before this step, such as the siblings tried already.
        plan: this step's plan, after the planner's turn.
        said: the planner's text, verbatim.
    """

    task: Task
    path: tuple[Step, ...] = ()
    hints: tuple[str, ...] = ()
    plan: Plan | None = None
    said: str = ""

    @property
    def program(self) -> str | None:
        """The name of the tool that runs programs, or None."""
        return PROGRAM if any(tool.name == PROGRAM for tool in self.task.tools) else None


class Prompt(NamedTuple):
    """A role's prompt: messages, tools of the request, and the digest of the templates."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    digest: str = ""

    @property
    def text(self) -> str:
        """All messages as one text."""
        return "".join(message.content for message in self.messages)


class Family(Protocol):
    """A text family: a format of prompts, such as one text, or messages with tool calls."""

    @property
    def name(self) -> str:
        """The family's name in reports."""
        ...

    def prompt(self, role: AgentRole, view: View) -> Prompt:
        """Return a role's prompt; pure, so that training and agent produce the same text."""
        ...
