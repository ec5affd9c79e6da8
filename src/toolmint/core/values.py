"""JSON values, with their canonical text, digest and clipping."""

import hashlib
import json
from typing import TypeAlias

from pydantic import JsonValue

Value: TypeAlias = JsonValue


def canonical(value: object) -> str:
    """Return the canonical JSON of a value: keys sorted, no spaces, Unicode unescaped."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def digest(value: object) -> str:
    """Return the SHA-256 (hex, 64 characters) of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


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
