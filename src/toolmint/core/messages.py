"""What a model reads and writes: messages, tool calls, tool specifications."""

import json
from typing import Annotated, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator

from toolmint.core.errors import ToolArgumentsError
from toolmint.core.values import MAX_DEPTH, Value, too_deep


class Frozen(BaseModel):
    """A value: immutable, without undeclared fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolSpec(Frozen):
    """The specification of a tool: name, description, JSON Schema of the parameters and of the result.

    ``read_only`` is True where a call changes nothing outside, False where it may (its source says so, or
    says nothing and is known to change things), None where nobody said. It is for whoever runs the tool: no
    model is shown it.
    """

    name: str
    description: str
    parameters: dict[str, Value]
    returns: dict[str, Value] | None = None
    read_only: bool | None = None


class ToolCall(Frozen):
    """A tool call of a model; ``arguments`` is the raw text that the model wrote.

    The text is kept unparsed, because a trajectory must hold what the model wrote, also where that is
    not JSON.
    """

    id: str
    name: str
    arguments: str

    def parsed(self) -> dict[str, Value]:
        """Return the arguments as an object.

        Raises:
            ToolArgumentsError: the text is not a JSON object.
        """
        try:
            value: object = json.loads(self.arguments)
        except (ValueError, RecursionError) as fault:
            raise ToolArgumentsError(f"arguments of {self.name!r} are not JSON: {fault}") from fault
        if too_deep(value):
            raise ToolArgumentsError(
                f"arguments of {self.name!r} are nested deeper than {MAX_DEPTH} levels"
            )
        if not isinstance(value, dict):
            raise ToolArgumentsError(f"arguments of {self.name!r} must be a JSON object")
        return cast("dict[str, Value]", value)


class ToolResult(Frozen):
    """The result of a tool call; a failing tool is a result with ``failure`` set, not an exception."""

    call_id: str
    content: str
    data: Value = None
    failure: str | None = None
    seconds: float = 0.0

    @field_validator("data", mode="before")
    @classmethod
    def _keepable(cls, data: object) -> object:
        """Leave out what no JSON writer takes; ``content`` has it as text."""
        return None if too_deep(data) else data


class SystemMessage(Frozen):
    """Instructions for the whole conversation."""

    role: Literal["system"] = "system"
    content: str


class UserMessage(Frozen):
    """A message of the user, or of the program in the user's place."""

    role: Literal["user"] = "user"
    content: str


class AssistantMessage(Frozen):
    """A reply of the model, with its tool calls."""

    role: Literal["assistant"] = "assistant"
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


class ToolMessage(Frozen):
    """The result of one tool call, as the model reads it."""

    role: Literal["tool"] = "tool"
    tool_call_id: str
    content: str


Message: TypeAlias = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]
