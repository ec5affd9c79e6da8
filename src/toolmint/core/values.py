"""JSON values, with their canonical text, digest and clipping."""

import hashlib
import json
from collections.abc import Sequence
from typing import TypeAlias, cast

from pydantic import JsonValue

Value: TypeAlias = JsonValue
MAX_DEPTH = 100
"""Levels of lists and objects in a value."""


def canonical(value: object) -> str:
    """Return the canonical JSON of a value: keys sorted, no spaces, Unicode unescaped."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def digest(value: object) -> str:
    """Return the SHA-256 (hex, 64 characters) of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def too_deep(value: object) -> bool:
    """Return whether lists and objects are nested deeper than ``MAX_DEPTH`` levels.

    Such a value cannot be kept: JSON writers, pydantic's among them, end at some depth of their own.
    """
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        # By identity: a value of Python may hold one list many times, or itself.
        parts: dict[int, object] = {}
        for one in level:
            if isinstance(one, dict):
                parts.update(
                    {id(part): part for part in cast("dict[object, object]", one).values()}
                )
            elif isinstance(one, (list, tuple)):
                parts.update({id(part): part for part in cast("Sequence[object]", one)})
        if not parts:
            return False
        level = list(parts.values())
    return True


def clip(text: str, limit: int) -> str:
    """Return the first ``limit`` characters of a text, with a note of how many were cut."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text) - limit} characters cut]"


def sound(text: str) -> str:
    """Return a text in valid Unicode: a lone surrogate, which JSON may contain, becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def sound_value(value: Value) -> Value:
    """Return a value in which all texts are valid Unicode."""
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, list):
        return [sound_value(one) for one in value]
    if isinstance(value, dict):
        return {sound(key): sound_value(one) for key, one in value.items()}
    return value
