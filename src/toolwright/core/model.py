"""What answers a prompt: the request, the response, the usage, and the protocol of a model."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Literal, Protocol

from pydantic import Field

from toolwright.core.messages import Frozen, Message, ToolCall, ToolSpec

Purpose = Literal["making", "second", "use", "dispatch", "strong", "judge", "agent"]
ToolChoice = Literal["auto", "none", "required"]
Embed = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]
"""Gives one vector for each text, such as an endpoint's ``/embeddings``."""


class Usage(Frozen):
    """What model calls used.

    ``cost`` is in US dollars. None means that it is not known, which makes every sum unknown too;
    it is never taken for 0.
    """

    requests: int = Field(default=0, ge=0)
    input_tokens: int = Field(default=0, ge=0)
    cached_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cost: Decimal | None = Decimal(0)

    @property
    def tokens(self) -> int:
        """Input plus output tokens."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        unknown = self.cost is None or other.cost is None
        return Usage(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=None if unknown else (self.cost or Decimal(0)) + (other.cost or Decimal(0)),
        )


class ModelRequest(Frozen):
    """One prompt with its sampling settings."""

    messages: tuple[Message, ...]
    temperature: float = 0.0
    max_tokens: int = Field(default=2048, gt=0)
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"


class ModelResponse(Frozen):
    """One reply: its text, its tool calls, why it ended, and what it used."""

    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "unknown"] = "stop"
    model: str
    usage: Usage
    seconds: float = 0.0


class ModelDelta(Frozen):
    """A piece of a streamed reply; the last one carries the whole response."""

    text: str = ""
    response: ModelResponse | None = None


class Model(Protocol):
    """Anything that answers a prompt."""

    @property
    def name(self) -> str:
        """The model's name, as it stands in reports and in the ledger."""
        ...

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt.

        Raises:
            ModelError: no usable reply; ``retryable`` says whether trying again may help.
        """
        ...


class StreamingModel(Model, Protocol):
    """A model that can also give its reply piece by piece."""

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta]:
        """Yield text as it comes; the last delta holds the whole response with its usage."""
        ...
