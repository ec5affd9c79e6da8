"""JSON values: what crosses every border of the program, and how they are compared and named."""

import hashlib
import json
from typing import TypeAlias

from pydantic import JsonValue

Value: TypeAlias = JsonValue


def canonical(value: object) -> str:
    """Give the one JSON text of a value: keys sorted, no spaces, Unicode kept."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def digest(value: object) -> str:
    """Give the SHA-256 (hex, 64 characters) of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def fold(text: str) -> str:
    """Fold white space: runs become one space, ends are cut. Two texts are equal when folds are."""
    return " ".join(text.split())


def clip(text: str, limit: int) -> str:
    """Cut a text to ``limit`` characters, saying visibly how many were cut."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text) - limit} characters cut]"


def sound(text: str) -> str:
    """Give a text that can be stored and sent: a lone surrogate, which JSON may hold, becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def sound_value(value: Value) -> Value:
    """Give a value all of whose texts are sound."""
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, list):
        return [sound_value(one) for one in value]
    if isinstance(value, dict):
        return {sound(key): sound_value(one) for key, one in value.items()}
    return value
