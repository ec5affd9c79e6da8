"""Whether a tool's answer keeps to what the request allows; if not, the strong model answers."""

from typing import Any

import orjson

from toolwright.core.schema import meets
from toolwright.core.values import Value
from toolwright.gateway.wire import Asked


def fits(asked: Asked, answer: str) -> bool:
    """Say whether an answer is short enough, holds no stop text, and is the JSON that was asked for.

    A token is at least one byte, so an answer of at most as many bytes as tokens are allowed is never too
    long.
    """
    if asked.longest is not None and len(answer.encode()) > asked.longest:
        return False
    if any(stop in answer for stop in asked.stops):
        return False
    return not asked.as_json or _is_json(answer, asked.schema)


def _is_json(answer: str, schema: dict[str, Any] | None) -> bool:
    try:
        value: Value = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return False
    return schema is None or meets(schema, value)
