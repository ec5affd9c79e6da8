"""Models of a local folder over transformers, for prompts that are one raw text (the ``marked`` family)."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from toolwright.core.errors import ConfigError, ContextOverflow, boundary
from toolwright.core.model import ModelRequest, ModelResponse, Usage


class LocalModel:
    """A decoder with its ``tokenizer.json``; greedy where the temperature is 0, one request at a time.

    Raises:
        ConfigError: the folder holds no model, or its configuration names no end token.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"local:{folder.name}"
        self._tokenizer = boundary(
            lambda: PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json")),
            lambda fault: ConfigError(
                f"{str(folder)!r} has no tokenizer.json: {fault}", code="model-folder"
            ),
        )
        self._model: Any = boundary(
            lambda: cast("Any", AutoModelForCausalLM).from_pretrained(str(folder)).eval(),
            lambda fault: ConfigError(
                f"{str(folder)!r} holds no model: {str(fault).splitlines()[0]}", code="model-folder"
            ),
        )
        self._end: int | None = self._model.config.eos_token_id
        if not isinstance(self._end, int):
            raise ConfigError(
                f"the model of {str(folder)!r} names no end token", code="model-folder"
            )
        self._context = int(self._model.config.max_position_embeddings)
        self._lock = asyncio.Lock()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Go on from the prompt's text to the model's end token.

        Raises:
            ContextOverflow: the prompt leaves no room in the model's context.
        """
        text = "".join(message.content for message in request.messages)
        start = time.perf_counter()
        async with self._lock:
            ids, written = await asyncio.to_thread(self._generate, text, request)
        ended = bool(written) and written[-1] == self._end
        content = cast("Any", self._tokenizer).decode(written[:-1] if ended else written)
        usage = Usage(requests=1, input_tokens=ids, output_tokens=len(written), cost=Decimal(0))
        return ModelResponse(
            content=str(content), finish_reason="stop" if ended else "length", model=self.name, usage=usage,
            seconds=time.perf_counter() - start,
        )  # fmt: skip

    def _generate(self, text: str, request: ModelRequest) -> tuple[int, list[int]]:
        ids: list[int] = (
            cast("Any", self._tokenizer)
            .backend_tokenizer.encode(text, add_special_tokens=False)
            .ids
        )
        room = min(request.max_tokens, self._context - len(ids))
        if room < 1:
            raise ContextOverflow(
                f"the prompt has {len(ids)} tokens, {self.name!r} reads {self._context}"
            )
        if request.seed is not None:
            cast("Any", torch).manual_seed(request.seed)
        sampling: dict[str, Any] = {"do_sample": request.temperature > 0}
        if request.temperature > 0:
            sampling["temperature"] = request.temperature
        with torch.inference_mode():
            made = self._model.generate(
                input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                max_new_tokens=room, eos_token_id=self._end, pad_token_id=self._end, **sampling,
            )  # fmt: skip
        return len(ids), [int(token) for token in made[0][len(ids) :]]
