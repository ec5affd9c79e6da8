"""Build the gateway's agent from the settings."""

import logging
from contextlib import AsyncExitStack

from toolmint.assembly.agents import AgentChoices, AgentSession, RoleModels, agent_policy
from toolmint.assembly.session import Session
from toolmint.assembly.settings import Settings
from toolmint.assembly.toolboxes import toolbox_of
from toolmint.assembly.uri import TRIO
from toolmint.core.task import Trajectory
from toolmint.gateway.api.agent import AgentModel

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
    session = AgentSession(client, box, problems, policy, choices)
    for problem in session.problems:
        _LOG.warning("toolbox: %s", problem)

    async def solve(text: str, *, keep: bool) -> Trajectory:
        done = await session.agent().solve(await session.task(text))
        if keep:
            await client.store.traces.log(done)
        await client.ledger.flush(client.store)
        return done

    return AgentModel(settings.agent, solve)
