"""What a request may use at most, estimated before it is sent: tokens and US dollars."""

from collections.abc import Callable, Mapping, Set
from decimal import Decimal
from typing import Any, NamedTuple

from toolmint.core.budgets import Prices
from toolmint.core.model import Usage
from toolmint.core.traffic import RequestRecord
from toolmint.gateway.auth.request_size import answer_count, is_whole_prompt, limit_of
from toolmint.serving.tiers import DISPATCH_TOKENS, USE_TOKENS

WINDOW = 131_072
"""Tokens of a model's prompt and answer together, where nobody knows them."""
_CONVERSATIONS = frozenset({"chat", "responses"})
_LIGHT_PROMPT, _LIGHT_ANSWER = 16_384, USE_TOKENS + DISPATCH_TOKENS
"""Tokens that a light model reads beside the request, and that it may write."""
_MOST_MODELS = 4096
_ANY: frozenset[str] = frozenset()


class UpperUsage(NamedTuple):
    """The most that a request for a model uses.

    Attributes:
        model: as the client names it.
        tokens: of prompt and answer.
        cost: US dollars; None: the price is not known.
        dearest: US dollars to reserve where they are more than ``cost``.
        learn: is told what the request has used, where it is known.
    """

    model: str
    tokens: int
    cost: Decimal | None
    dearest: Decimal | None = None
    learn: Callable[[RequestRecord], None] | None = None


class UsageEstimates:
    """Estimates the most that requests use, and learns where an endpoint counts more.

    A token is at least one byte, so a prompt has at most as many tokens as its body has bytes, and no more
    than the model reads; one that is not known to be text alone is taken at all that it reads, as it may
    name files, images or earlier answers. An answer has at most the tokens that the request allows under the
    names that its endpoint reads, else as many as the model can give. What an
    endpoint has counted beyond (its own instructions, for example) is added from then on. Until it has
    counted anything for a model, the price of the longest prompt is reserved.

    Args:
        prices: what models cost.
        known: the fields that are known, by the endpoint's name; an endpoint without any knows all.
    """

    def __init__(self, prices: Prices, known: Mapping[str, Set[str]] | None = None) -> None:
        self._prices, self._known = prices, known or {}
        self._beyond: dict[str, tuple[int, int]] = {}

    def upper(
        self, endpoint: str, body: Mapping[str, Any], raw: bytes, light: str | None = None
    ) -> UpperUsage:
        """Return the most that a request uses.

        Args:
            endpoint: its short name, such as ``chat``.
            body: the request, which names the model.
            raw: its bytes.
            light: a light model that may read the request before; None: none does.
        """
        model = str(body["model"])
        window = self._prices.window(model)
        talks, longest = endpoint in _CONVERSATIONS, window or WINDOW
        more = self._beyond.get(model)
        prompt = len(raw) + (more[0] if more else 0)
        if talks:
            whole = is_whole_prompt(endpoint, body, self._known.get(endpoint, _ANY))
            prompt = min(prompt, window or prompt) if whole else longest
        answer = 0
        if endpoint != "embeddings":
            one = limit_of(endpoint, body, self._prices.longest(model) or longest)
            answer = min(one, window or one) * answer_count(body) + (more[1] if more else 0)
        cost = self._cost(model, prompt, answer)
        dearest = self._cost(model, max(prompt, longest), answer) if more is None else cost
        tokens = prompt + answer
        if light is not None and talks:
            read = len(raw) + _LIGHT_PROMPT
            tokens += read + _LIGHT_ANSWER
            # A model that runs here costs nothing, and has no price.
            extra = self._cost(light, read, _LIGHT_ANSWER) or Decimal(0)
            cost = None if cost is None else cost + extra
            dearest = None if dearest is None else dearest + extra

        def learn(record: RequestRecord) -> None:
            self._learn(model, (prompt, answer), record)

        return UpperUsage(model, tokens, cost, dearest, learn)

    def _cost(self, model: str, prompt: int, answer: int) -> Decimal | None:
        used = Usage(requests=1, input_tokens=prompt, output_tokens=answer)
        return self._prices.cost(model, used)

    def _learn(self, model: str, estimated: tuple[int, int], record: RequestRecord) -> None:
        """Keep by how many tokens an endpoint has counted more than was estimated, at most."""
        known = self._beyond.pop(model, (0, 0))
        if len(self._beyond) >= _MOST_MODELS:
            del self._beyond[next(iter(self._beyond))]
        self._beyond[model] = (
            known[0] + max(0, record.input_tokens - estimated[0]),
            known[1] + max(0, record.output_tokens - estimated[1]),
        )
