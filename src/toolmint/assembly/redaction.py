"""The user's function that texts pass before they are kept, and trajectories under it."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from toolmint.core.errors import ConfigError, InputError, boundary
from toolmint.core.task import Trajectory

_WORDS = frozenset(
    {
        *("role", "outcome", "decision", "tier", "request_class", "policy", "search", "kind"),
        *("id", "call_id", "tool_call_id", "name", "template_digest", "tools", "usage", "settings"),
    }
)
"""Fields of a trajectory that hold words of the program, or documents of tools, and no text of a user."""


def redaction(named: str | None) -> Callable[[str], str]:
    """Return the function that ``package.module:function`` names.

    Raises:
        ConfigError: there is no such function.
    """
    if named is None:
        return str
    module, _, name = named.partition(":")
    try:
        found: object = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as fault:
        raise ConfigError(f"redact names {named!r}, which cannot be loaded: {fault}") from fault
    if not callable(found):
        raise ConfigError(f"redact names {named!r}, which is no function")
    return cast("Callable[[str], str]", found)


def redacted(trajectory: Trajectory, redact: Callable[[str], str]) -> Trajectory:
    """Return a trajectory all of whose texts have passed a function, also arguments and observations.

    Raises:
        InputError: the function failed on a text, or returned none; its own words are left out, as they may
            hold the text.
    """
    if redact is str:
        return trajectory
    whole = trajectory.model_dump(mode="json")
    return boundary(
        lambda: Trajectory.model_validate(_with_texts(whole, redact, words=_WORDS)),
        lambda fault: InputError(f"the function of 'redact' failed: {type(fault).__name__}"),
    )


def _with_texts(value: object, redact: Callable[[str], str], *, words: frozenset[str]) -> object:
    """Return a JSON value whose texts have passed a function, but for those of some fields."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_with_texts(one, redact, words=words) for one in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, one in cast("dict[str, object]", value).items():
        if name in words:
            found[name] = one
        elif words:
            # What a tool has returned may have any names.
            inner = frozenset[str]() if name == "data" else words
            found[name] = _with_texts(one, redact, words=inner)
        else:
            found[redact(name)] = _with_texts(one, redact, words=words)
    return found
