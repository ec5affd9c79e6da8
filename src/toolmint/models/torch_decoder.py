"""A causal model of transformers as a decoder, one sequence or several at a time."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache


class _TorchCache(NamedTuple):
    """The key-value cache of one sequence."""

    values: DynamicCache


class TorchDecoder:
    """A causal model of transformers, or one adapter of it.

    Args:
        model: a loaded model; several decoders can share one.
        adapter: name of the adapter to activate; None: the model itself.
    """

    def __init__(self, model: Any, adapter: str | None = None) -> None:  # noqa: ANN401 - any architecture
        self._model, self._adapter = model, adapter

    @property
    def context(self) -> int:
        """Length of the context in tokens."""
        return int(self._model.config.max_position_embeddings)

    def start(self) -> _TorchCache:
        """Return an empty cache."""
        return _TorchCache(DynamicCache())

    def feed(
        self, cache: _TorchCache, kept: int, ids: Sequence[int], *, activated: bool = False
    ) -> NDArray[np.float32]:
        """Feed tokens after the first ``kept`` ones and return the next token's scores, ``(vocabulary,)``."""
        values: Any = cache.values
        if (length := int(values.get_seq_length())) > kept:
            values.crop(kept - length)
        if self._adapter is not None:
            self._model.set_adapter(self._adapter)
        # PEFT counts the offset of the adapted tokens from the end of the input.
        options = {"alora_offsets": [len(ids)]} if activated else {}
        with torch.inference_mode():
            made = self._model(
                input_ids=torch.tensor([list(ids)], device=self._model.device),
                cache=values,
                use_cache=True,
                logits_to_keep=1,
                **options,
            )
        return made.logits[0, -1].float().cpu().numpy()

    def join(self, caches: Sequence[_TorchCache], kept: Sequence[int]) -> "_TorchBatch":
        """Return the caches of several sequences as one batch."""
        return _TorchBatch(self._model, self._adapter, caches, kept)


class _TorchBatch:
    """Several sequences in one cache, padded on the left; a mask marks the real positions."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401
        adapter: str | None,
        caches: Sequence[_TorchCache],
        kept: Sequence[int],
    ) -> None:
        self._model, self._adapter, self._lengths = model, adapter, list(kept)
        width = max(kept)

        def stacked(values: Sequence[torch.Tensor]) -> torch.Tensor:
            cut = [one[..., :length, :] for one, length in zip(values, kept, strict=True)]
            wide = [torch.nn.functional.pad(one, (0, 0, width - one.shape[-2], 0)) for one in cut]
            return torch.cat(wide)

        layers: list[list[Any]] = [list(cast("Any", one.values).layers) for one in caches]
        self._values = DynamicCache(
            [
                (stacked([one.keys for one in each]), stacked([one.values for one in each]))
                for each in zip(*layers, strict=True)
            ]
        )
        self._mask = _mask(kept, width, model.device)

    def feed(
        self, fresh: Sequence[Sequence[int]], *, activated: bool = False
    ) -> NDArray[np.float32]:
        """Feed each row's tokens and return the next token's scores, ``(rows, vocabulary)``."""
        sizes = [len(ids) for ids in fresh]
        width, device = max(sizes), self._model.device
        self._mask = torch.cat([self._mask, _mask(sizes, width, device)], dim=1)
        rows = [[0] * (width - len(ids)) + list(ids) for ids in fresh]
        at = torch.tensor(self._lengths, device=device)[:, None]
        behind = torch.tensor(sizes, device=device)[:, None] - width
        places = (at + behind + torch.arange(width, device=device)[None]).clamp(min=0)
        if self._adapter is not None:
            self._model.set_adapter(self._adapter)
        options = {"alora_offsets": sizes} if activated else {}
        with torch.inference_mode():
            made = self._model(
                input_ids=torch.tensor(rows, device=device),
                attention_mask=self._mask,
                use_cache=True,
                position_ids=places,
                cache=self._values,
                logits_to_keep=1,
                **options,
            )
        self._lengths = [one + size for one, size in zip(self._lengths, sizes, strict=True)]
        return made.logits[:, -1].float().cpu().numpy()

    def split(self) -> list[_TorchCache]:
        """Return the cache of each row, without padding."""
        found: list[_TorchCache] = []
        for row, mask in enumerate(self._mask.bool()):
            layers: Any = cast("Any", self._values).layers
            found.append(
                _TorchCache(
                    DynamicCache(
                        [
                            (one.keys[row : row + 1, :, mask], one.values[row : row + 1, :, mask])
                            for one in layers
                        ]
                    )
                )
            )
        return found


def _mask(lengths: Sequence[int], width: int, device: Any) -> torch.Tensor:  # noqa: ANN401
    """Return the attention mask of left-padded rows, ``(rows, width)``."""
    rows = [[0] * (width - length) + [1] * length for length in lengths]
    return torch.tensor(rows, device=device)
