"""How a model's reply is read: total functions, where every text has a defined reading."""

import json
import re
from typing import cast

from toolwright.core.values import Value

_BLOCK = re.compile(r"```[ \t]*(?:python|py|python3)?[ \t]*\r?\n(.*?)(?:```|\Z)", re.DOTALL)
_KIND = re.compile(r"^\W*kind\W*:\W*(.+?)\W*$", re.IGNORECASE | re.MULTILINE)


def code_in(reply: str) -> str | None:
    """Give the code of a reply: its fenced blocks joined, or None where it holds no code."""
    blocks = [block.strip("\n") for block in _BLOCK.findall(reply)]
    code = "\n\n".join(block for block in blocks if block.strip())
    return code + "\n" if code else None


def first_block(reply: str) -> str | None:
    """Give the first fenced block alone."""
    found = _BLOCK.search(reply)
    return found[1].strip("\n") + "\n" if found and found[1].strip() else None


def object_in(reply: str) -> dict[str, Value] | None:
    """Give the JSON object of a reply; None for ``null``, prose, or anything else."""
    start = reply.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(reply[start:])
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Value]", value) if isinstance(value, dict) else None


def kind_in(reply: str, known: frozenset[str]) -> str | None:
    """Give the class that a dispatcher's reply names, or None for ``unknown`` and all else."""
    for name in cast("list[str]", _KIND.findall(reply)):
        if name in known:
            return name
    return None
