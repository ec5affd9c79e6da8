"""Whether a tool's answer keeps to what the request allows; if not, the strong model answers."""

from typing import Any

import orjson

from toolmint.core.schema import matches_schema
from toolmint.core.values import Value
from toolmint.gateway.call import ParsedRequest


def fits(parsed: ParsedRequest, answer: str) -> bool:
    """Return whether an answer is short enough, holds no stop text, and is the JSON that was asked for.

    A token is at least one byte, so an answer of at most as many bytes as tokens are allowed is never too
    long.
    """
    if parsed.longest is not None and len(answer.encode()) > parsed.longest:
        return False
    if any(stop in answer for stop in parsed.stops):
        return False
    return not parsed.as_json or _is_json(answer, parsed.schema)


def _is_json(answer: str, schema: dict[str, Any] | None) -> bool:
    try:
        value: Value = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return False
    return schema is None or matches_schema(schema, value)
