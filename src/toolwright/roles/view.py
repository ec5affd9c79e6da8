"""What a role is shown, what it is asked, and the protocol of a text family that turns one into the other."""

from typing import Literal, NamedTuple, Protocol

from toolwright.core.messages import Message, ToolSpec
from toolwright.core.model import ToolChoice
from toolwright.core.task import Step, Task
from toolwright.roles.reading import Plan

AgentRole = Literal["planner", "caller", "summarizer", "backbone"]
PROGRAM = "python"
"""The tool whose one argument is a program (appendix D of the paper)."""


class View(NamedTuple):
    """The task, the steps so far, and what this step holds already.

    Attributes:
        task: question and tools.
        path: the steps from the root to here.
        hints: what the program says before this step, such as the siblings already tried.
        plan: this step's plan, once the planner has spoken.
        said: the planner's text as it wrote it.
    """

    task: Task
    path: tuple[Step, ...] = ()
    hints: tuple[str, ...] = ()
    plan: Plan | None = None
    said: str = ""

    @property
    def program(self) -> str | None:
        """The name of the tool that runs programs, where the task has one."""
        return PROGRAM if any(tool.name == PROGRAM for tool in self.task.tools) else None


class Prompt(NamedTuple):
    """A role's prompt: messages, the tools sent beside them, and the digest of its templates."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    digest: str = ""

    @property
    def text(self) -> str:
        """All messages as one text."""
        return "".join(message.content for message in self.messages)


class Family(Protocol):
    """A way to write prompts: the paper's one text, or messages with tool calls."""

    @property
    def name(self) -> str:
        """The family's name, as it stands in reports."""
        ...

    def prompt(self, role: AgentRole, view: View) -> Prompt:
        """Give a role's prompt; pure, so that training and agent write the same."""
        ...
