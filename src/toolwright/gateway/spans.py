"""OpenTelemetry spans of requests, by the GenAI conventions (v1.41 names); texts are never in them."""

import time
from typing import Any

from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider

from toolwright.core.traffic import Handled

NANO = 1_000_000_000
OPERATION, PROVIDER = "gen_ai.operation.name", "gen_ai.provider.name"
REQUEST_MODEL, RESPONSE_MODEL = "gen_ai.request.model", "gen_ai.response.model"
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
ERROR = "error.type"
OURS = "toolwright."
"""What no convention names stands under names of our own."""


class Spans:
    """Writes a span for each request once it is over.

    Args:
        provider: where spans go.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("toolwright.gateway")

    def __call__(self, handled: Handled) -> None:
        """Write the span of a request that has just ended."""
        end = time.time_ns()
        facts: dict[str, Any] = {
            OPERATION: "chat", PROVIDER: "openai", REQUEST_MODEL: handled.model,
            RESPONSE_MODEL: handled.model, INPUT: handled.input_tokens, OUTPUT: handled.output_tokens,
            OURS + "request_id": handled.id, OURS + "tier": handled.tier, OURS + "why": handled.why,
            OURS + "stream": handled.streamed,
        }  # fmt: skip
        if handled.version is not None:
            facts[OURS + "class"] = handled.request_class or ""
            facts[OURS + "version"] = handled.version
        if handled.cost is not None:
            facts[OURS + "cost_usd"] = float(handled.cost)
        if handled.saved is not None:
            facts[OURS + "saved_usd"] = float(handled.saved)
        span = self._tracer.start_span(
            f"chat {handled.model}", kind=SpanKind.SERVER, attributes=facts,
            start_time=end - int(handled.seconds * NANO),
        )  # fmt: skip
        if handled.status >= 400:
            span.set_attribute(ERROR, str(handled.status))
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)
