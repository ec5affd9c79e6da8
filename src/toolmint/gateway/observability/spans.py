"""OpenTelemetry spans of requests, by the GenAI conventions (v1.41 names); texts are never in them."""

import time
from typing import Any

from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider

from toolmint.core.traffic import RequestRecord

_NANO = 1_000_000_000
OPERATION, PROVIDER = "gen_ai.operation.name", "gen_ai.provider.name"
REQUEST_MODEL, RESPONSE_MODEL = "gen_ai.request.model", "gen_ai.response.model"
INPUT, _OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
ERROR = "error.type"
_OURS = "toolmint."
"""What no convention names stands under names of our own."""


class Spans:
    """Writes a span for each request once it is over.

    Args:
        provider: where spans go.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("toolmint.gateway")

    def __call__(self, request_record: RequestRecord) -> None:
        """Write the span of a request that has just ended."""
        end = time.time_ns()
        facts: dict[str, Any] = {
            OPERATION: "chat",
            PROVIDER: "openai",
            REQUEST_MODEL: request_record.model,
            RESPONSE_MODEL: request_record.model,
            INPUT: request_record.input_tokens,
            _OUTPUT: request_record.output_tokens,
            _OURS + "request_id": request_record.id,
            _OURS + "tier": request_record.tier,
            _OURS + "why": request_record.why,
            _OURS + "stream": request_record.streamed,
        }
        if request_record.version is not None:
            facts[_OURS + "class"] = request_record.request_class or ""
            facts[_OURS + "version"] = request_record.version
        if request_record.cost is not None:
            facts[_OURS + "cost_usd"] = float(request_record.cost)
        if request_record.saved is not None:
            facts[_OURS + "saved_usd"] = float(request_record.saved)
        span = self._tracer.start_span(
            f"chat {request_record.model}",
            kind=SpanKind.SERVER,
            attributes=facts,
            start_time=end - int(request_record.seconds * _NANO),
        )
        if request_record.status >= 400:
            span.set_attribute(ERROR, str(request_record.status))
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)
