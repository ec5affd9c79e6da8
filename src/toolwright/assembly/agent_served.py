"""The gateway's agent, put together from the settings."""

import logging
from contextlib import AsyncExitStack

from toolwright.assembly.agents import AgentChoices, AgentSession, RoleModels, policy_of
from toolwright.assembly.settings import Settings
from toolwright.assembly.toolboxes import toolbox_of
from toolwright.assembly.uri import TRIO
from toolwright.assembly.workshop import Workshop
from toolwright.core.task import Trajectory
from toolwright.gateway.agent import Agent

LOG = logging.getLogger("toolwright.gateway")


async def agent_of(settings: Settings, workshop: Workshop, stack: AsyncExitStack) -> Agent:
    """Give the agent over the settings' toolbox.

    Raises:
        InputError: a source cannot be read.
    """
    models = RoleModels(settings, otherwise=TRIO)
    stack.push_async_callback(models.close)
    choices = AgentChoices()
    policy = policy_of(models.metered(workshop.dispatcher.ledger), choices)
    box, problems = await toolbox_of(settings.toolbox, stack, workshop.store, workshop.sandbox)
    session = AgentSession(workshop, box, problems, policy, choices)
    for problem in session.problems:
        LOG.warning("toolbox: %s", problem)

    async def solve(text: str, *, keep: bool) -> Trajectory:
        done = await session.agent().solve(await session.task(text))
        if keep:
            await workshop.store.traces.log(done)
        await workshop.dispatcher.ledger.flush(workshop.store)
        return done

    return Agent(settings.agent, solve)
