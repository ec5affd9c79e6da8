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
