"""Resolve a model's folder: a local one, or a download from the Hugging Face hub."""

import re
from pathlib import Path
from typing import Any, cast

import huggingface_hub as hub

from toolmint.core.errors import ConfigError, boundary
from toolmint.core.values import clip

_REPO = re.compile(r"[\w.-]+/[\w.-]+")


def folder_of(name: str, endpoint: str | None = None) -> Path:
    """Return the folder of a model; the hub's cache keeps downloads.

    Args:
        name: a folder, or ``OWNER/MODEL`` on the hub.
        endpoint: URL of another hub.

    Raises:
        ConfigError: no such folder exists, and the model cannot be downloaded.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    if not _REPO.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no folder; give one, or OWNER/MODEL of the hub", code="model-folder"
        )

    def missing(fault: Exception) -> ConfigError:
        said = clip(str(fault).strip().splitlines()[0], 160) if str(fault).strip() else repr(fault)
        return ConfigError(
            f"{name!r} is no folder here, and could not be fetched from the hub: {said}", code="hub"
        )

    return boundary(
        lambda: Path(cast("Any", hub).snapshot_download(name, endpoint=endpoint)), missing
    )
