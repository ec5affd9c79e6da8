"""Models: request, response, usage, and the protocol of anything that answers a prompt."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Literal, Protocol

from pydantic import Field

from toolmint.core.messages import Frozen, Message, ToolCall, ToolSpec

Purpose = Literal["making", "second", "use", "dispatch", "strong", "judge", "agent"]
ToolChoice = Literal["auto", "none", "required"]
Embed = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]
"""Returns one vector for each text, such as an endpoint's ``/embeddings``."""


class Usage(Frozen):
    """What model calls used.

    ``cost`` is in US dollars. None means that it is unknown, which makes every sum unknown too; it is
    never treated as 0, because a bill that counts unknown prices as free is wrong.
    """

    requests: int = Field(default=0, ge=0)
    input_tokens: int = Field(default=0, ge=0)
    cached_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cost: Decimal | None = Decimal(0)

    @property
    def tokens(self) -> int:
        """Return input plus output tokens."""
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


NO_USAGE = Usage()
"""What nothing used."""


class ModelRequest(Frozen):
    """A prompt with its sampling settings."""

    messages: tuple[Message, ...]
    temperature: float = 0.0
    max_tokens: int = Field(default=2048, gt=0)
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"


class ModelResponse(Frozen):
    """A reply: text, tool calls, finish reason, usage, and wall seconds.

    ``reasoning`` is what the model thought before it spoke, where its endpoint gives that apart.
    """

    content: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "unknown"] = "stop"
    model: str
    usage: Usage
    seconds: float = 0.0


class ModelDelta(Frozen):
    """A piece of a streamed reply; the last one carries the complete response."""

    text: str = ""
    response: ModelResponse | None = None


class Model(Protocol):
    """Anything that answers a prompt."""

    @property
    def name(self) -> str:
        """Return the model's name, as it appears in reports and in the ledger."""
        ...

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt.

        Raises:
            ModelError: there is no usable reply; ``retryable`` says whether another try may help.
        """
        ...
