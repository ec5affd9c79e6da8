"""Build the gateway's agent from the settings."""

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from decimal import Decimal

from toolmint.assembly.agents import AgentChoices, AgentSession, RoleModels, agent_policy
from toolmint.assembly.redaction import redacted, redaction
from toolmint.assembly.session import Session
from toolmint.assembly.settings import Settings
from toolmint.assembly.toolboxes import toolbox_of
from toolmint.assembly.uri import TRIO, parse_uri
from toolmint.core.errors import InputError
from toolmint.core.model import Usage
from toolmint.core.task import Limits, Trajectory
from toolmint.gateway.api.agent import AgentModel
from toolmint.tools.approval import ApprovedToolbox

_LOG = logging.getLogger("toolmint.gateway")


async def agent_of(settings: Settings, client: Session, stack: AsyncExitStack) -> AgentModel:
    """Return the agent over the settings' toolbox.

    Raises:
        InputError: a source cannot be read.
    """
    models = RoleModels(settings, otherwise=TRIO)
    stack.push_async_callback(models.close)
    choices = AgentChoices()
    policy = agent_policy(models.metered(client.ledger), choices)
    box, problems = await toolbox_of(settings.toolbox, stack, client.store, client.sandbox)
    approved = ApprovedToolbox(box, settings.approve)
    said = [*problems, *approved.warnings]
    session = AgentSession(client, approved, said, policy, choices)
    for problem in session.problems:
        _LOG.warning("toolbox: %s", problem)

    redact = redaction(settings.redact)

    async def solve(text: str, *, keep: bool, cost: Decimal | None) -> Trajectory:
        limits = None if cost is None else Limits(cost=cost)
        done = await session.agent(limits).solve(await session.task(text))
        if keep:
            await _keep(client, done, redact)
        await client.ledger.flush(client.store)
        return done

    named = (settings.planner_model or settings.model or TRIO, settings.caller_model)
    uris = [uri for uri in (*named, settings.summarizer_model) if uri]
    return AgentModel(settings.agent, solve, all(_priced(settings, uri) for uri in uris))


async def _keep(client: Session, done: Trajectory, redact: Callable[[str], str]) -> None:
    """Keep a trajectory; where the function of ``redact`` fails on a text of it, it is not kept."""
    try:
        kept = redacted(done, redact)
    except InputError as fault:
        _LOG.error("a trajectory is not kept: %s", fault)
        return
    await client.store.traces.log(kept)


def _priced(settings: Settings, text: str) -> bool:
    """Return whether a model's price is known; what runs here, or is replayed, tells its own cost."""
    uri = parse_uri(text)
    if uri.scheme != "openai":
        return True
    probe = Usage(requests=1, input_tokens=1, output_tokens=1)
    name = uri.options.get("price_as", uri.rest)
    return settings.price_table.cost(name, probe) is not None
