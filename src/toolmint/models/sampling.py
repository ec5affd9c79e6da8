"""Sampling settings that a user fixes for a model, whatever a request asks for."""

from toolmint.core.model import Model, ModelRequest, ModelResponse
from toolmint.models.wrap import ModelWrapper


class WithSampling(ModelWrapper):
    """Sends each request with a fixed temperature, reply length, or both.

    Args:
        model: answers.
        temperature: replaces the request's own; None: that one is kept.
        max_tokens: replaces the request's own; None: that one is kept.
    """

    def __init__(
        self, model: Model, *, temperature: float | None = None, max_tokens: int | None = None
    ) -> None:
        self._model = model
        fixed = {"temperature": temperature, "max_tokens": max_tokens}
        self._fixed = {name: value for name, value in fixed.items() if value is not None}

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt with the fixed settings."""
        return await self._model.complete(request.model_copy(update=self._fixed))
