"""The public test double: a model that says what it was told to, and fails when asked for more."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from toolwright.core.errors import ModelError, ToolwrightError
from toolwright.core.model import Model, ModelRequest, ModelResponse, Usage

Reply: TypeAlias = str | ToolwrightError | Callable[[ModelRequest], str]


def estimated_usage(request: ModelRequest, reply: str) -> Usage:
    """Estimate tokens as characters / 4, rounded up: for replies that no endpoint counted."""
    asked = sum(len(message.content) for message in request.messages)
    inputs, outputs = -(-asked // 4), -(-len(reply) // 4)
    return Usage(requests=1, input_tokens=inputs, output_tokens=outputs, cost=None)


class ScriptedModel:
    """Gives its replies in order. A reply is a text, an error to raise, or a function of the
    request.

    Attributes:
        requests: every request that it was sent, in order.
    """

    def __init__(self, replies: Iterable[Reply], *, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        self._replies = list(replies)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Give the next reply.

        Raises:
            ModelError: the script has ended, or says that this call fails.
        """
        self.requests.append(request)
        if not self._replies:
            raise ModelError("the script has no reply left", code="script-ended")
        reply = self._replies.pop(0)
        if isinstance(reply, ToolwrightError):
            raise reply
        text = reply if isinstance(reply, str) else reply(request)
        return ModelResponse(content=text, model=self.name, usage=estimated_usage(request, text))


class AnsweringModel:
    """Answers every request by one function: a stand-in whose answers are computed, not recorded."""

    def __init__(self, answer: Callable[[ModelRequest], str], *, name: str = "answering") -> None:
        self.name = name
        self._answer = answer

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Give the function's answer, with estimated tokens."""
        text = self._answer(request)
        return ModelResponse(content=text, model=self.name, usage=estimated_usage(request, text))


class Overheard:
    """A model with all that it was asked and said, for tests and benchmarks.

    Attributes:
        heard: requests and their responses, in order.
    """

    def __init__(self, model: Model) -> None:
        self.name, self._model = model.name, model
        self.heard: list[tuple[ModelRequest, ModelResponse]] = []

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Ask the model, and keep both."""
        reply = await self._model.complete(request)
        self.heard.append((request, reply))
        return reply
