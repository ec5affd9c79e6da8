"""What several training processes share: their number, and files that only the first one writes."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import PartialState  # pyright: ignore[reportMissingTypeStubs]


def _process_state() -> PartialState:
    return PartialState(cpu=not torch.cuda.is_available())


def processes() -> int:
    """Return the number of training processes."""
    return int(cast("Any", _process_state()).num_processes)


def main_process_first() -> AbstractContextManager[None]:
    """Return a context that the first process leaves before the others enter it."""
    return cast("AbstractContextManager[None]", cast("Any", _process_state()).main_process_first())


def write_once(path: Path, text: str) -> None:
    """Write a file in the first process, whole or not at all; the others wait for it."""
    state = _process_state()
    if state.is_main_process:
        part = path.with_name(f"{path.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    state.wait_for_everyone()
