"""Build the gateway from the settings."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

from toolmint.assembly.redaction import redaction
from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.assembly.uri import Endpoint, endpoint_of, name_of
from toolmint.core.errors import ConfigError
from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import ToolRecord
from toolmint.core.toolbox import Tool, Toolbox
from toolmint.core.traffic import KeyStore, RequestRecord
from toolmint.gateway.api.agent import AgentModel
from toolmint.gateway.api.completions import Completions
from toolmint.gateway.api.endpoints import endpoint_kinds
from toolmint.gateway.api.feedback import Feedback
from toolmint.gateway.app import Gateway, Parts
from toolmint.gateway.asgi import BodyLimits
from toolmint.gateway.auth.keys import KeyRing
from toolmint.gateway.mcp_tools import McpCatalog, ToolboxFactory
from toolmint.gateway.observability.metrics import Metrics
from toolmint.gateway.recording.recorder import Recorder
from toolmint.gateway.recording.request_log import LOG, RequestLog
from toolmint.gateway.recording.write_ahead_log import WriteAheadLog
from toolmint.gateway.upstream.endpoint import Upstream
from toolmint.gateway.upstream.pass_through import PassThrough
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.error_bound import ErrorBound, comparisons_needed
from toolmint.serving.lifecycle import ServingPolicy
from toolmint.tools.made import MadeTool
from toolmint.tools.toolbox import ToolCollection


def serving_policy_of(settings: Settings) -> ServingPolicy:
    """Return how tools are proved on live traffic: compared before they serve, audited after."""
    return ServingPolicy(
        bound=ErrorBound(epsilon=settings.epsilon, confidence=settings.confidence),
        audit_rate=settings.audit_rate,
        approval=settings.approval,
        arc_agreements=settings.arc_agreements,
        accept_unverified=settings.accept_unverified,
    )


def write_ahead_folder(settings: Settings) -> Path:
    """Return the folder where requests wait for the store."""
    if settings.write_ahead_log is not None:
        return settings.write_ahead_log
    where = str(settings.store)
    if "://" in where:
        return Path(".toolmint/write-ahead")
    folder, old = Path(where + ".write-ahead"), Path(where + ".spool")
    if old.is_dir() and not folder.exists():
        old.rename(folder)
    return folder


def loopback(host: str) -> bool:
    """Return whether a host is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def toolbox_factory(sandbox: Sandbox) -> ToolboxFactory:
    """Return the function that builds toolboxes of made tools."""

    def box(records: Sequence[ToolRecord], more: Sequence[Tool], owner: str | None) -> Toolbox:
        made = [MadeTool(record, sandbox, owner=owner) for record in records]
        return ToolCollection([*more, *made])

    return box


def exported_spans() -> Callable[[RequestRecord], None]:
    """Return the function that exports spans, configured by the ``OTEL_...`` variables.

    Raises:
        ConfigError: the extra is missing.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        from toolmint.gateway.observability.spans import Spans  # noqa: PLC0415
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "spans need the extra: pip install 'toolmint[otel]'", code="extra"
        ) from fault
    provider = TracerProvider(resource=Resource.create({"service.name": "toolmint"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


async def _agent(settings: Settings, client: Session, stack: AsyncExitStack) -> AgentModel | None:
    """Return the agent over the settings' toolbox; None where they name no tools."""
    if not settings.toolbox:
        return None
    from toolmint.assembly.agent_served import agent_of  # noqa: PLC0415 - takes 0.3 s to load

    return await agent_of(settings, client, stack)


@asynccontextmanager
async def gateway(
    settings: Settings, models: Models | None = None, *, endpoint: Endpoint | None = None
) -> AsyncGenerator[Gateway]:
    """Open a gateway; it serves once its ``start`` was called.

    Args:
        settings: ``model`` names the strong model's endpoint.
        models: models that make tools, in place of those that the settings name.
        endpoint: where requests are passed on to; None: what ``model`` says.

    Raises:
        ConfigError: no endpoint is named, or it would be open to everybody.
    """
    name = _strong_name(settings)
    upstream = Upstream(*(endpoint or endpoint_of(name)))
    async with AsyncExitStack() as stack:
        policy = serving_policy_of(settings)
        session = await stack.enter_async_context(
            Session.open(settings, models=models, policy=policy)
        )
        store, log, metrics = session.store, session.store.traffic, Metrics()
        if isinstance(session.sandbox, ForkServer):
            metrics.residents = session.sandbox.residents
        ring = await _keys(settings, log)
        needed = comparisons_needed(policy.bound)
        LOG.info("a tool without a fault serves after %d comparisons", needed)
        request_log = RequestLog(log, WriteAheadLog(write_ahead_folder(settings)))
        maker = session.background_maker(_log_making, request_log.flush)
        if settings.making:  # what was due when the last process ended
            session.servers.on_open = maker.offer_all
        spans = exported_spans() if settings.spans else None
        recorder = Recorder(
            request_log, ring, metrics, redact=redaction(settings.redact), spans=spans
        )
        completions = Completions(
            session.servers,
            PassThrough(upstream, settings.read_on),
            recorder,
            maker=maker if settings.making else None,
            prices=settings.price_table,
            agent=await _agent(settings, session, stack),
        )
        factory = toolbox_factory(session.sandbox)
        parts = Parts(
            store=store,
            live=store.live,
            log=log,
            traces=store.traces,
            upstream=upstream,
            servers=session.servers,
            request_log=request_log,
            keys=ring,
            metrics=metrics,
            completions=completions,
            feedback=Feedback(log, session.servers, request_log, recorder),
            maker=maker,
            catalogue=McpCatalog(store, factory, completions, name_of(name)),
            kinds=endpoint_kinds(settings.fields),
        )
        yield Gateway(parts, BodyLimits(most=settings.largest_body), settings.keep_days)


def _strong_name(settings: Settings) -> str:
    """Return the strong model's URI.

    Raises:
        ConfigError: the settings name none.
    """
    if settings.model is None:
        raise ConfigError(
            "a gateway needs a strong model: set one with --model openai:NAME?base_url=...",
            code="no-model",
        )
    return settings.model


async def _keys(settings: Settings, store: KeyStore) -> KeyRing:
    """Return the keys; a gateway that others can reach has to have one.

    Raises:
        ConfigError: it has none.
    """
    host = settings.host
    ring = KeyRing(store, open_access=loopback(host), unknown_prices=settings.unknown_prices)
    await ring.refresh()
    if not ring.known and not loopback(host):
        raise ConfigError(
            f"no key is set, so {host!r} would let everybody in; "
            "make one with `toolmint keys create`, or serve on 127.0.0.1"
        )
    return ring


def _log_making(title: str, said: str) -> None:
    LOG.info("%s: %s", title, said)
