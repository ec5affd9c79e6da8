"""Check before the first step that memory and disk suffice for a stage."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple, cast

import psutil

from toolmint.core.errors import ConfigError
from toolmint.training.recipes import Recipe

_GIB = 2**30
_TRAINING_BYTES = 12
"""Bytes that training adds to a weight: its gradient and the two moments of Adam, in float32."""
_BYTES_OF_WIDTH, _BYTES_OF_INNER, _SCORED_SHARE = 56, 22, 4
"""Bytes that a token leaves in a layer for the backward pass, a unit of its width and of its inner size
(estimated for bfloat16 autocast), and one in how many tokens the head scores."""
_CHECKPOINT_BYTES = 12
"""Bytes of a trained weight in a checkpoint: itself and two moments, in float32."""


class FreeResources(NamedTuple):
    """Available bytes of memory and of disk."""

    memory: int
    disk: int

    @classmethod
    def on_this_machine(cls, folder: Path) -> "FreeResources":
        """Return what this machine has available, and the disk of a folder."""
        return cls(psutil.virtual_memory().available, shutil.disk_usage(folder).free)


def activation_bytes(model: Any, tokens: int, *, checkpointing: bool) -> int:  # noqa: ANN401
    """Return about how many bytes of activations training a number of tokens at once takes.

    Args:
        model: a decoder of transformers.
        tokens: of a micro-batch.
        checkpointing: each layer's activations are computed again in the backward pass.
    """
    config = model.config
    width, layers = int(config.hidden_size), int(config.num_hidden_layers)
    inner = int(getattr(config, "intermediate_size", 4 * width) or 4 * width)
    layer = _BYTES_OF_WIDTH * width + _BYTES_OF_INNER * inner
    scored = 3 * 4 * int(config.vocab_size)
    kept = layers * 4 * width + layer if checkpointing else layers * layer
    return tokens * (kept + scored // _SCORED_SHARE)


def check_resources(
    model: Any,  # noqa: ANN401 - any architecture
    folder: Path,
    free: FreeResources | None = None,
    *,
    recipe: Recipe | None = None,
) -> bool:
    """Return whether activations have to be computed again; raise where memory or disk is too small.

    Args:
        model: the model to train, in memory already.
        folder: of the checkpoints; two exist while a new one replaces the old one.
        free: what is available; measured unless given.
        recipe: says how many tokens are read at once; None: activations are not counted.

    Raises:
        ConfigError: memory or disk is too small; the message names what is needed and available.
    """
    free = free or FreeResources.on_this_machine(folder)
    trained = sum(cast("int", one.numel()) for one in model.parameters() if one.requires_grad)
    whole = sum(cast("int", one.numel()) for one in model.parameters())
    memory, disk = trained * _TRAINING_BYTES, 2 * trained * _CHECKPOINT_BYTES + 4 * whole
    if memory > free.memory:
        raise ConfigError(
            f"training {trained / 1e6:,.0f} million weights takes {memory / _GIB:.1f} GiB of memory beside "
            f"them, {free.memory / _GIB:.1f} GiB are free; take a smaller model, or adapters (--adapter)",
            code="memory",
        )
    if disk > free.disk:
        raise ConfigError(
            f"checkpoints of {trained / 1e6:,.0f} million weights take {disk / _GIB:.1f} GiB, "
            f"the disk of {str(folder)!r} has {free.disk / _GIB:.1f} GiB; name another folder with --output",
            code="disk",
        )
    if recipe is None or recipe.checkpointing is not None:
        return recipe is not None and bool(recipe.checkpointing)
    tokens = recipe.context * (1 if recipe.packing else recipe.micro_batch or recipe.batch)
    plain, again = (
        memory + activation_bytes(model, tokens, checkpointing=one) for one in (False, True)
    )
    if again > free.memory:
        raise ConfigError(
            f"training on {tokens:,} tokens at once takes {again / _GIB:.1f} GiB of memory beside the model, "
            f"{free.memory / _GIB:.1f} GiB are free; take a smaller model or a shorter --context",
            code="memory",
        )
    return plain > free.memory
