"""The settings, and the only reading of the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from toolwright.core.errors import ConfigError
from toolwright.core.messages import Frozen

PREFIX = "TOOLWRIGHT_"


class Settings(Frozen):
    """What a program of toolwright needs to know; each field can be set as ``TOOLWRIGHT_<FIELD>``."""

    store: Path = Path(".toolwright/tools.db")
    """The SQLite file that keeps tools, queue and ledger."""
    model: str | None = None
    """URI of the strong model, such as ``openai:gpt-5``."""
    second_model: str | None = None
    """URI of the model that makes the independent second tool; None: the strong model."""
    user_model: str | None = None
    """URI of the light model that uses tools (tier 2); None: tier 2 is off."""
    planner_model: str | None = None
    """URI of the agent's planner; None: the strong model."""
    caller_model: str | None = None
    """URI of the agent's caller; None: the planner's."""
    summarizer_model: str | None = None
    """URI of the agent's summarizer; None: the planner's."""
    sandbox: Literal["forkserver", "unsafe"] = "forkserver"
    """Where made code runs. ``unsafe`` is no sandbox and warns at every start."""
    dispatch: Literal["wording", "model"] = "wording"
    """Who picks the class for tier 2."""
    second: Literal["auto", "always", "never"] = "auto"
    """When an independent second tool is made."""
    needed: int = Field(default=10, ge=6)
    """Queued demonstrations that start a making."""
    data: Path = Path("../shared/data")
    """Folder of data sets for development; it is no part of the package."""


def environment() -> Mapping[str, str]:
    """Give the process environment."""
    return os.environ


def secret(name: str) -> str | None:
    """Give a key from the environment; it is never stored nor shown."""
    return environment().get(name) or None


def load(**given: object) -> Settings:
    """Give the settings: arguments first, then the environment, then the defaults.

    Raises:
        ConfigError: a value is not allowed, or a ``TOOLWRIGHT_`` variable is not known.
    """
    values: dict[str, object] = {}
    for name, text in environment().items():
        if name.startswith(PREFIX):
            field = name.removeprefix(PREFIX).lower()
            if field not in Settings.model_fields:
                known = ", ".join(PREFIX + one.upper() for one in Settings.model_fields)
                raise ConfigError(f"unknown setting {name!r}; known are {known}")
            values[field] = text
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return Settings.model_validate(values)
    except ValueError as fault:
        raise ConfigError(f"a setting is not allowed: {fault}") from fault
