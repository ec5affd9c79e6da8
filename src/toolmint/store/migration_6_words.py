"""Migration 6: stored JSON texts whose words have changed."""

import json
from collections.abc import Callable
from typing import Any

from toolmint.core.task import current_word

_TALLY_WORDS = {"probe": "recheck", "probed": "rechecked", "probed_wrong": "rechecked_wrong"}


def request_words(body: dict[str, Any]) -> None:
    """Replace the former tier of a request."""
    body["tier"] = current_word(body["tier"])


def trajectory_words(body: dict[str, Any]) -> None:
    """Replace the former tier and roles of a trajectory."""
    if body.get("served"):
        body["served"]["tier"] = current_word(body["served"]["tier"])
    for step in body.get("steps", ()):
        for turn in step.get("turns", ()):
            turn["role"] = current_word(turn["role"])


def record_words(body: dict[str, Any]) -> None:
    """Replace the former name of ``has_parser`` in a tool's record."""
    if "compiled" in body:
        body["has_parser"] = body.pop("compiled")


def tally_words(body: dict[str, Any]) -> None:
    """Replace the former names of the recheck's counts in a tally."""
    for was, word in _TALLY_WORDS.items():
        if was in body:
            body[word] = body.pop(was)


def mended(body: str, mend: Callable[[dict[str, Any]], None]) -> str:
    """Return a JSON text in current words; one that cannot be read stays as it is."""
    try:
        found = json.loads(body)
        mend(found)
    except (ValueError, TypeError, KeyError, AttributeError):
        return body
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
