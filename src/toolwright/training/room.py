"""Whether a machine has the memory and the disk that a stage needs, asked before its first step."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple, cast

import psutil

from toolwright.core.errors import ConfigError

GIB = 2**30
STATE = 12
"""Bytes a trained weight takes beside itself: its gradient and the optimizer's two moments, in float32."""
KEPT = 12
"""Bytes a trained weight takes in a checkpoint: itself and the two moments."""


class Free(NamedTuple):
    """Free bytes of memory and of disk."""

    memory: int
    disk: int

    @classmethod
    def here(cls, folder: Path) -> "Free":
        """Ask this machine, and the disk that a folder is on."""
        return cls(psutil.virtual_memory().available, shutil.disk_usage(folder).free)


def check_room(model: Any, folder: Path, free: Free | None = None) -> None:  # noqa: ANN401 - any architecture
    """Refuse a stage that cannot end well. What activations take comes on top and is not counted.

    Args:
        model: what will be trained, in memory already.
        folder: where checkpoints go; two stand there while one takes the other's place.
        free: what is free; asked of this machine where it is not given.

    Raises:
        ConfigError: memory or disk is too small; what is needed and what is there are named.
    """
    free = free or Free.here(folder)
    trained = sum(cast("int", one.numel()) for one in model.parameters() if one.requires_grad)
    whole = sum(cast("int", one.numel()) for one in model.parameters())
    memory, disk = trained * STATE, 2 * trained * KEPT + 4 * whole
    if memory > free.memory:
        raise ConfigError(
            f"training {trained / 1e6:,.0f} million weights takes {memory / GIB:.1f} GiB of memory beside "
            f"them, {free.memory / GIB:.1f} GiB are free; take a smaller model, or adapters (--adapter)",
            code="memory",
        )
    if disk > free.disk:
        raise ConfigError(
            f"checkpoints of {trained / 1e6:,.0f} million weights take {disk / GIB:.1f} GiB, "
            f"the disk of {str(folder)!r} has {free.disk / GIB:.1f} GiB; name another folder with --output",
            code="disk",
        )
