"""Check before the first step that memory and disk suffice for a stage."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple, cast

import psutil

from toolmint.core.errors import ConfigError

_GIB = 2**30
_TRAINING_BYTES = 12
"""Bytes that training adds to a weight: its gradient and the two moments of Adam, in float32."""
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


def check_resources(model: Any, folder: Path, free: FreeResources | None = None) -> None:  # noqa: ANN401 - any architecture
    """Raise where memory or disk is too small. Activations come on top and are not counted.

    Args:
        model: the model to train, in memory already.
        folder: of the checkpoints; two exist while a new one replaces the old one.
        free: what is available; measured unless given.

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
