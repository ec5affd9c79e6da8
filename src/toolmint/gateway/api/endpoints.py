"""The endpoints that a strong model answers, and tools where they can."""

from typing import Any

from toolmint.gateway.api.chat import CHAT
from toolmint.gateway.api.requests import read_other
from toolmint.gateway.api.responses import RESPONSES
from toolmint.gateway.call import EndpointKind


def _no_text(_: dict[str, Any]) -> None:
    return None


EMBEDDINGS = EndpointKind("embeddings", "/embeddings", read_other, _no_text)
COMPLETIONS = EndpointKind("completions", "/completions", read_other, _no_text, asks_usage=True)
KINDS = (CHAT, RESPONSES, EMBEDDINGS, COMPLETIONS)
