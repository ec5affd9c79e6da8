"""Parse code, JSON and class names from a model's reply; total functions."""

import json
import re
from typing import cast

from toolmint.core.values import Value, too_deep

_BLOCK = re.compile(r"```[ \t]*(?:python|py|python3)?[ \t]*\r?\n(.*?)(?:```|\Z)", re.DOTALL)
_CLASS = re.compile(r"^\W*kind\W*:\W*(.+?)\W*$", re.IGNORECASE | re.MULTILINE)


def code_in(reply: str) -> str | None:
    """Return the fenced code blocks of a reply, joined, or None where there is none."""
    blocks = [block.strip("\n") for block in _BLOCK.findall(reply)]
    code = "\n\n".join(block for block in blocks if block.strip())
    return code + "\n" if code else None


def first_block(reply: str) -> str | None:
    """Return the first fenced code block of a reply, or None."""
    found = _BLOCK.search(reply)
    return found[1].strip("\n") + "\n" if found and found[1].strip() else None


def object_in(reply: str) -> dict[str, Value] | None:
    """Return the first JSON object of a reply, or None."""
    start = reply.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(reply[start:])
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or too_deep(cast("object", value)):
        return None
    return cast("dict[str, Value]", value)


def class_in(reply: str, known: frozenset[str]) -> str | None:
    """Return the known class that a dispatcher's reply names, or None."""
    for name in cast("list[str]", _CLASS.findall(reply)):
        if name in known:
            return name
    return None
