"""What a model reads and writes: messages, tool calls, tool documents."""

import json
from typing import Annotated, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field

from toolwright.core.errors import ToolArgumentsError
from toolwright.core.values import Value


class Frozen(BaseModel):
    """A value: immutable, and without fields that nobody declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolSpec(Frozen):
    """The document of a callable tool: name, description, JSON Schema of parameters and of the return."""

    name: str
    description: str
    parameters: dict[str, Value]
    returns: dict[str, Value] | None = None


class ToolCall(Frozen):
    """A model's wish to call a tool; ``arguments`` stays the raw text that the model wrote."""

    id: str
    name: str
    arguments: str

    def parsed(self) -> dict[str, Value]:
        """Give the arguments as an object.

        Raises:
            ToolArgumentsError: the text is no JSON object.
        """
        try:
            value: object = json.loads(self.arguments)
        except ValueError as fault:
            raise ToolArgumentsError(f"arguments of {self.name!r} are no JSON: {fault}") from fault
        if not isinstance(value, dict):
            raise ToolArgumentsError(f"arguments of {self.name!r} must be a JSON object")
        return cast("dict[str, Value]", value)


class ToolResult(Frozen):
    """What a call gave back; a failure of the world is data here, never an exception."""

    call_id: str
    content: str
    data: Value = None
    failure: str | None = None
    seconds: float = 0.0


class SystemMessage(Frozen):
    """Standing instructions."""

    role: Literal["system"] = "system"
    content: str


class UserMessage(Frozen):
    """What the user, or the program in the user's place, says."""

    role: Literal["user"] = "user"
    content: str


class AssistantMessage(Frozen):
    """What the model said, with the tool calls that it asked for."""

    role: Literal["assistant"] = "assistant"
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


class ToolMessage(Frozen):
    """The observation of one tool call."""

    role: Literal["tool"] = "tool"
    tool_call_id: str
    content: str


Message: TypeAlias = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]
