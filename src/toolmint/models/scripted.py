"""Public test doubles: models that answer from a script or a function."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from toolmint.core.errors import ModelError, ToolmintError
from toolmint.core.model import Model, ModelRequest, ModelResponse, Usage

ScriptedReply: TypeAlias = str | ToolmintError | Callable[[ModelRequest], str]


def estimated_usage(request: ModelRequest, reply: str) -> Usage:
    """Return a usage estimate of characters / 4, rounded up, for replies that no endpoint counted."""
    characters = sum(len(message.content) for message in request.messages)
    inputs, outputs = -(-characters // 4), -(-len(reply) // 4)
    return Usage(requests=1, input_tokens=inputs, output_tokens=outputs, cost=None)


class ScriptedModel:
    """Returns its replies in order, and fails when asked for more.

    Args:
        replies: each a text, an error to raise, or a function of the request.
        name: in reports.

    Attributes:
        requests: the requests received, in order.
    """

    def __init__(self, replies: Iterable[ScriptedReply], *, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        self._replies = list(replies)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the next reply.

        Raises:
            ToolmintError: the script says so, or has ended (``ModelError``).
        """
        self.requests.append(request)
        if not self._replies:
            raise ModelError("the script has no reply left", code="script-ended")
        reply = self._replies.pop(0)
        if isinstance(reply, ToolmintError):
            raise reply
        text = reply if isinstance(reply, str) else reply(request)
        return ModelResponse(content=text, model=self.name, usage=estimated_usage(request, text))


class AnsweringModel:
    """Answers every request by a function."""

    def __init__(self, answer: Callable[[ModelRequest], str], *, name: str = "answering") -> None:
        self.name = name
        self._answer = answer

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the function's answer, with estimated tokens."""
        text = self._answer(request)
        return ModelResponse(content=text, model=self.name, usage=estimated_usage(request, text))


class ObservedModel:
    """Passes requests on and records them, for tests and benchmarks.

    Attributes:
        exchanges: requests and their responses, in order.
    """

    def __init__(self, model: Model) -> None:
        self.name, self._model = model.name, model
        self.exchanges: list[tuple[ModelRequest, ModelResponse]] = []

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the model's reply and record both."""
        reply = await self._model.complete(request)
        self.exchanges.append((request, reply))
        return reply
