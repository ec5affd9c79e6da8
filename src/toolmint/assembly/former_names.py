"""Names of settings and files, and what becomes of those that the project had before it was renamed."""

from collections.abc import Mapping
from pathlib import Path

from toolmint.core.errors import ConfigError

PREFIX = "TOOLMINT_"
FILE = "CONFIG"
DEFAULT_FILE = "toolmint.toml"
_FORMER_PREFIX = "TOOLWRIGHT_"
_FORMER_FILE = "toolwright.toml"
_FORMER_STORE = ".toolwright/tools.db"
FORMER_SETTINGS = {"spool": "write_ahead_log", "user_model": "light_model"}
"""Settings that were renamed."""


def refuse_former_names(variables: Mapping[str, str]) -> None:
    """Refuse variables and a file that carry the project's former name; they would be overlooked.

    Raises:
        ConfigError: there is one; it says what to rename.
    """
    for name in variables:
        if name.startswith(_FORMER_PREFIX):
            field = name.removeprefix(_FORMER_PREFIX).lower()
            is_now = PREFIX + FORMER_SETTINGS.get(field, field).upper()
            raise ConfigError(f"{name} is now {is_now}: rename it", code="setting-renamed")
    beside = Path(_FORMER_FILE).exists() and not Path(DEFAULT_FILE).exists()
    if PREFIX + FILE not in variables and beside:
        raise ConfigError(
            f"{_FORMER_FILE} is now {DEFAULT_FILE}: mv {_FORMER_FILE} {DEFAULT_FILE}",
            code="setting-renamed",
        )


def refuse_former_store(store: Path) -> None:
    """Refuse to begin an empty default store beside one under the project's former name.

    Raises:
        ConfigError: there is one; it says what to rename.
    """
    if Path(_FORMER_STORE).exists() and not store.exists():
        raise ConfigError(
            f"the store {_FORMER_STORE} is now {store}: mv .toolwright .toolmint",
            code="setting-renamed",
        )
