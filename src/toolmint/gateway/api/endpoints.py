"""The endpoints that a strong model answers, and tools where they can."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from toolmint.gateway.api.chat import CHAT, CHAT_FIELDS, read_chat
from toolmint.gateway.api.fields import FieldChoice, field_rules
from toolmint.gateway.api.requests import read_other
from toolmint.gateway.api.responses import RESPONSE_FIELDS, RESPONSES, read_response
from toolmint.gateway.call import EndpointKind


def _no_text(_: dict[str, Any]) -> None:
    return None


EMBEDDINGS = EndpointKind("embeddings", "/embeddings", read_other, _no_text)
COMPLETIONS = EndpointKind("completions", "/completions", read_other, _no_text, asks_usage=True)
CONVERSATION_FIELDS = {
    kind.name: frozenset(name.partition(".")[0] for name in table)
    for kind, table in ((CHAT, CHAT_FIELDS), (RESPONSES, RESPONSE_FIELDS))
}
"""Names of the fields that an endpoint's table has, by the endpoint's name."""
KINDS = (CHAT, RESPONSES, EMBEDDINGS, COMPLETIONS)


def endpoint_kinds(choices: Mapping[str, FieldChoice]) -> tuple[EndpointKind, ...]:
    """Return the endpoints, where settings say what is to become of some fields.

    Raises:
        ConfigError: a setting names what is no field, or one that the gateway itself reads.
    """
    chat = partial(read_chat, rules=field_rules(CHAT_FIELDS, choices))
    responses = partial(read_response, rules=field_rules(RESPONSE_FIELDS, choices))
    return (
        CHAT._replace(read=chat),
        RESPONSES._replace(read=responses),
        EMBEDDINGS,
        COMPLETIONS,
    )
