"""What a request may use at most, estimated before it is sent: tokens and US dollars."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, cast

from toolmint.core.budgets import Prices
from toolmint.core.model import Usage

WINDOW = 131_072
"""Tokens of a model's prompt and answer together, where nobody knows them."""
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_REFERENCES = ("previous_response_id", "conversation", "web_search_options")
_NESTED_REFERENCES = (b'"file_id"', b'"file_url"', b'"image_url"', b'"image_file"')
"""What makes a prompt longer than the request's own body."""


class UpperUsage(NamedTuple):
    """The most that a request for a model uses: tokens, and US dollars (None: the price is not known)."""

    model: str
    tokens: int
    cost: Decimal | None


def upper_usage(
    prices: Prices, endpoint: str, model: str, body: Mapping[str, Any], raw: bytes
) -> UpperUsage:
    """Return the most that a request uses.

    A token is at least one byte, so a prompt has at most as many tokens as its body has bytes, and no more
    than the model reads; one that names files, images or earlier answers is taken at all that it reads. An
    answer has at most the tokens that the request allows, else as many as the model can give.

    Args:
        prices: of models.
        endpoint: the endpoint's short name, such as ``chat``.
        model: as the client names it.
        body: the request.
        raw: its bytes.
    """
    window = prices.window(model)
    prompt = len(raw)
    if endpoint in {"chat", "responses"}:
        if _refers(body, raw):
            prompt = window or WINDOW
        elif window is not None:
            prompt = min(prompt, window)
    answer = 0 if endpoint == "embeddings" else _answer(prices, model, body, window)
    used = Usage(requests=1, input_tokens=prompt, output_tokens=answer)
    return UpperUsage(model, used.tokens, prices.cost(model, used))


def _refers(body: Mapping[str, Any], raw: bytes) -> bool:
    """Return whether a prompt is longer than its body: it names what the endpoint reads beside it."""
    tools: object = body.get("tools")
    hosted = isinstance(tools, list) and any(map(_is_hosted, cast("list[object]", tools)))
    return (
        hosted
        or isinstance(body.get("prompt"), dict)
        or any(body.get(name) is not None for name in _REFERENCES)
        or any(mark in raw for mark in _NESTED_REFERENCES)
    )


def _is_hosted(tool: object) -> bool:
    """Return whether the endpoint itself runs a tool, and reads what it finds."""
    if not isinstance(tool, dict):
        return True
    return cast("dict[str, object]", tool).get("type") not in {"function", "custom"}


def _answer(prices: Prices, model: str, body: Mapping[str, Any], window: int | None) -> int:
    """Return the tokens of all answers together, at most."""
    given = max((_count(body.get(name)) for name in _LIMITS), default=0)
    one = given or prices.longest(model) or window or WINDOW
    choices = max(1, _count(body.get("n")), _count(body.get("best_of")))
    prompts: object = body.get("prompt")
    if isinstance(prompts, list) and not all(
        isinstance(p, int) for p in cast("list[object]", prompts)
    ):
        choices *= max(1, len(cast("list[object]", prompts)))
    return (one if window is None else min(one, window)) * choices


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
