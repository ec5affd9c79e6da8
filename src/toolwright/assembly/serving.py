"""The gateway, put together from the settings."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from toolwright.assembly.settings import Settings
from toolwright.assembly.uri import endpoint_of, name_of
from toolwright.assembly.workshop import Models, Workshop
from toolwright.cache.bound import Bound, needed
from toolwright.cache.crew import Crew
from toolwright.cache.lifecycle import Rules
from toolwright.core.errors import ConfigError
from toolwright.core.sandbox import Sandbox
from toolwright.core.tool import ToolRecord
from toolwright.core.toolbox import Tool, Toolbox
from toolwright.core.traffic import Handled
from toolwright.gateway.agent import Agent
from toolwright.gateway.app import Gateway, Parts
from toolwright.gateway.asgi import Gate
from toolwright.gateway.catalogue import Box, Catalogue
from toolwright.gateway.clerk import Clerk
from toolwright.gateway.completions import Completions
from toolwright.gateway.desks import Desks
from toolwright.gateway.feedback import Feedback
from toolwright.gateway.journal import LOG, Journal
from toolwright.gateway.keys import KeyRing
from toolwright.gateway.meters import Meters
from toolwright.gateway.spool import Spool
from toolwright.gateway.strong import Strong
from toolwright.gateway.upstream import Upstream
from toolwright.maker.making import Order
from toolwright.models.prices import price
from toolwright.tools.box import Box as ToolBox
from toolwright.tools.made import MadeTool


def rules_of(settings: Settings) -> Rules:
    """Give how tools are proved on live traffic."""
    bound = Bound(epsilon=settings.epsilon, confidence=settings.confidence)
    return Rules(bound=bound, audit_rate=settings.audit_rate, approval=settings.approval)


def spool_of(settings: Settings) -> Path:
    """Give the folder where requests wait for the store."""
    if settings.spool is not None:
        return settings.spool
    where = str(settings.store)
    return Path(".toolwright/spool") if "://" in where else Path(where + ".spool")


def loopback(host: str) -> bool:
    """Say whether a host is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def box_of(sandbox: Sandbox) -> Box:
    """Give what makes toolboxes of made tools."""

    def box(records: Sequence[ToolRecord], more: Sequence[Tool]) -> Toolbox:
        return ToolBox([*more, *(MadeTool(record, sandbox) for record in records)])

    return box


def redaction(named: str | None) -> Callable[[str], str]:
    """Give the function that ``package.module:function`` names.

    Raises:
        ConfigError: there is no such function.
    """
    if named is None:
        return str
    module, _, name = named.partition(":")
    try:
        found: object = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as fault:
        raise ConfigError(f"redact names {named!r}, which cannot be loaded: {fault}") from fault
    if not callable(found):
        raise ConfigError(f"redact names {named!r}, which is no function")
    return cast("Callable[[str], str]", found)


def exported_spans() -> Callable[[Handled], None]:
    """Give what writes spans to where the ``OTEL_...`` variables say.

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

        from toolwright.gateway.spans import Spans  # noqa: PLC0415
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "spans need the extra: pip install 'toolwright[otel]'", code="extra"
        ) from fault
    provider = TracerProvider(resource=Resource.create({"service.name": "toolwright"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


async def _agent(settings: Settings, workshop: Workshop, stack: AsyncExitStack) -> Agent | None:
    """Give the agent over the settings' toolbox; None where they name no tools."""
    if not settings.toolbox:
        return None
    from toolwright.assembly.agent_served import agent_of  # noqa: PLC0415 - takes 0.3 s to load

    return await agent_of(settings, workshop, stack)


@asynccontextmanager
async def gateway(settings: Settings, models: Models | None = None) -> AsyncGenerator[Gateway]:
    """Open a gateway; it serves once its ``start`` was called.

    Args:
        settings: ``model`` names the strong model's endpoint.
        models: models that make tools, in place of those that the settings name.

    Raises:
        ConfigError: no endpoint is named, or it would be open to everybody.
    """
    if settings.model is None:
        raise ConfigError(
            "a gateway needs a strong model: set one with --model openai:NAME?base_url=...",
            code="no-model",
        )
    base_url, secret, seconds = endpoint_of(settings.model)
    async with AsyncExitStack() as stack:
        workshop = await stack.enter_async_context(Workshop.open(settings, models=models))
        store = workshop.store
        log, meters = store.traffic, Meters()
        ring = KeyRing(log, open_door=loopback(settings.host))
        await ring.refresh()
        if not ring.known and not loopback(settings.host):
            raise ConfigError(
                f"no key is set, so {settings.host!r} would let everybody in; "
                "make one with `toolwright keys create`, or serve on 127.0.0.1"
            )
        rules = rules_of(settings)
        LOG.info("a tool without a fault serves after %d comparisons", needed(rules.bound))
        user = workshop.models.user
        desks = Desks(
            store, store.live, log=log, keys=log, sandbox=workshop.sandbox, rules=rules, user=user
        )  # fmt: skip
        journal = Journal(log, Spool(spool_of(settings)))
        base = Order(request_class="(queue)", labelled=(), second=settings.second)
        crew = Crew(
            workshop.made, store.live, needed=settings.needed, settings=base, told=_tell,
            lease_seconds=settings.lease_seconds, flushed=journal.flush, light=user is not None,
        )  # fmt: skip
        upstream = Upstream(base_url, secret, seconds)
        spans = exported_spans() if settings.spans else None
        clerk = Clerk(journal, ring, meters, redact=redaction(settings.redact), spans=spans)
        completions = Completions(
            desks, Strong(upstream), clerk, crew=crew if settings.making else None, price=price,
            agent=await _agent(settings, workshop, stack),
        )  # fmt: skip
        feedback = Feedback(log, desks, journal)
        catalogue = Catalogue(store, box_of(workshop.sandbox), completions, name_of(settings.model))
        parts = Parts(
            rooms=store, live=store.live, log=log, traces=store.traces, upstream=upstream, desks=desks,
            journal=journal, keys=ring, meters=meters, completions=completions, feedback=feedback, crew=crew,
            catalogue=catalogue,
        )  # fmt: skip
        yield Gateway(parts, Gate(most=settings.largest_body), settings.keep_days)


def _tell(full: str, what: str) -> None:
    LOG.info("%s: %s", full, what)
