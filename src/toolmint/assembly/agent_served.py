"""Build the gateway's agent from the settings."""

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from decimal import Decimal

from toolmint.assembly.agent_choices import choices_with
from toolmint.assembly.agents import AgentSession, agent_policy, players
from toolmint.assembly.redaction import redacted, redaction
from toolmint.assembly.session import Session
from toolmint.assembly.settings import Settings
from toolmint.assembly.toolboxes import toolbox_of
from toolmint.assembly.uri import parse_uri
from toolmint.core.errors import InputError
from toolmint.core.model import Usage
from toolmint.core.task import Limits, Trajectory
from toolmint.gateway.api.agent import AgentModel
from toolmint.tools.approval import ApprovedToolbox

_LOG = logging.getLogger("toolmint.gateway")


async def agent_of(settings: Settings, client: Session, stack: AsyncExitStack) -> AgentModel:
    """Return the agent over the settings' toolbox.

    Raises:
        ConfigError: no model is named and no trio is installed.
        InputError: a source cannot be read.
    """
    box, problems = await toolbox_of(settings.toolbox, stack, client.store, client.sandbox)
    models, choices, said = players(settings, box.specs, None, choices_with(settings))
    stack.push_async_callback(models.close)
    policy = agent_policy(models.metered(client.ledger), choices)
    approved = ApprovedToolbox(box, settings.approve)
    session = AgentSession(
        client, approved, [*said, *problems, *approved.warnings], policy, choices
    )
    for problem in session.problems:
        _LOG.warning("toolbox: %s", problem)

    redact = redaction(settings.redact)

    async def solve(text: str, *, keep: bool, cost: Decimal | None) -> Trajectory:
        limits = None if cost is None else Limits(cost=cost)

        async def kept(done: Trajectory) -> int | None:
            return await _keep(client, done, redact) if keep else None

        done, _ = await session.run(text, limits, keep=kept)
        await client.ledger.flush(client.store)
        return done

    named = (settings.planner_model or settings.model, settings.caller_model)
    uris = [uri for uri in (*named, settings.summarizer_model) if uri]
    return AgentModel(settings.agent, solve, all(_priced(settings, uri) for uri in uris))


async def _keep(client: Session, done: Trajectory, redact: Callable[[str], str]) -> int | None:
    """Keep a trajectory and return its number; where ``redact`` fails on a text of it, it is not kept."""
    try:
        kept = redacted(done, redact)
    except InputError as fault:
        _LOG.error("a trajectory is not kept: %s", fault)
        return None
    return await client.store.traces.log(kept)


def _priced(settings: Settings, text: str) -> bool:
    """Return whether a model's price is known; what runs here, or is replayed, tells its own cost."""
    uri = parse_uri(text)
    if uri.scheme != "openai":
        return True
    probe = Usage(requests=1, input_tokens=1, output_tokens=1)
    name = uri.options.get("price_as", uri.rest)
    return settings.price_table.cost(name, probe) is not None
