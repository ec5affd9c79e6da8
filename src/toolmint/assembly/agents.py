"""Build the agent: models by role, tools by source, search by name."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from toolmint.agent.agent import AgentLoop
from toolmint.agent.policy import Policy, Sampling, SingleModelPolicy, ThreeRolePolicy
from toolmint.agent.tree import Observe, ignore_step
from toolmint.assembly.agent_choices import (
    AgentChoices,
    choices_with,
    family_of,
    search_of,
)
from toolmint.assembly.role_models import AgentModels, RoleModels, check_named, players
from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.assembly.shown_tools import ShownTools
from toolmint.assembly.toolboxes import ToolSource, toolbox_of
from toolmint.core.errors import StoreError
from toolmint.core.task import Limits, Task, Trajectory
from toolmint.core.toolbox import Toolbox
from toolmint.roles.view import AgentRole
from toolmint.tools.approval import Approve, ApprovedToolbox

_LOG = logging.getLogger("toolmint.agent")
Keep = Callable[[Trajectory], Coroutine[Any, Any, int | None]]
"""Keeps a trajectory and returns its number; None where it does not."""


def agent_policy(models: RoleModels, choices: AgentChoices) -> Policy:
    """Return a policy of three roles, or of a single model."""
    own: dict[AgentRole, int | None] = {
        "planner": choices.planner_tokens,
        "caller": choices.caller_tokens,
        "summarizer": choices.summarizer_tokens,
    }
    sampling = Sampling(
        temperature=choices.temperature,
        max_tokens=choices.max_tokens,
        by_role={role: tokens for role, tokens in own.items() if tokens is not None},
    )
    family = family_of(choices, models.reads)
    if choices.single:
        return SingleModelPolicy(models.planner, family=family, sampling=sampling)
    return ThreeRolePolicy(
        models.planner, models.caller, models.summarizer, family=family, sampling=sampling
    )


class AgentSession:
    """An agent with its tools, over a session's store and sandbox.

    Attributes:
        box: every tool.
        problems: what could not be read of the sources, in words.
    """

    def __init__(
        self,
        client: Session,
        box: Toolbox,
        problems: Sequence[str],
        policy: Policy,
        choices: AgentChoices,
    ) -> None:
        self.client, self.box, self.problems = client, box, tuple(problems)
        self.policy, self._choices = policy, choices
        self._shown = ShownTools(
            tuple(box.specs), choices.shown, choices.embed, tokens=client.settings.tool_tokens
        )

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        sources: Sequence[ToolSource],
        choices: AgentChoices | None = None,
        *,
        model: AgentModels | RoleModels | None = None,
        approve: Approve | None = None,
    ) -> AsyncGenerator["AgentSession"]:
        """Open everything that an agent needs, and close it at the end.

        Args:
            settings: None of its models is opened where ``model`` is given.
            sources: tools, or where they come from, as on the command line.
            choices: how the agent works.
            model: a model for all roles, or models by role, in place of those that the settings name;
                the planner's makes tools as well.
            approve: asked before calls that change something, where the settings say ``ask``.
        """
        chosen = choices_with(settings, choices)
        if model is None:
            check_named(settings)
        async with AsyncExitStack() as stack:
            given = (
                model
                if isinstance(model, RoleModels) or model is None
                else RoleModels(settings, model)
            )
            makers = Models(given.planner) if given is not None and not given.unnamed else None
            client = await stack.enter_async_context(Session.open(settings, models=makers))
            box, problems = await toolbox_of(sources, stack, client.store, client.sandbox)
            models, chosen, said = players(settings, box.specs, given, chosen)
            stack.push_async_callback(models.close)
            policy = agent_policy(models.metered(client.ledger), chosen)
            approved = ApprovedToolbox(box, settings.approve, approve)
            yield cls(client, approved, [*said, *problems, *approved.warnings], policy, chosen)

    async def task(self, text: str) -> Task:
        """Return the task with the tools that it is shown: all, or those that fit best.

        Raises:
            ConfigError: more tools than are shown, and the extra ``toolmint[retrieval]`` is missing.
        """
        return Task(input=text, tools=await self._shown.of(text))

    def agent(self, limits: Limits | None = None) -> AgentLoop:
        """Return the agent."""
        return AgentLoop(
            self.policy,
            self.box,
            search_of(self._choices),
            observation=self._choices.observation,
            all_calls=self._choices.all_calls,
            check=self._choices.check,
            limits=limits,
        )

    async def solve(
        self, text: str, limits: Limits | None = None, *, observe: Observe = ignore_step
    ) -> Trajectory:
        """Solve a task and keep its trajectory; one that gives up for want of a tool names that tool.

        Args:
            text: the task.
            limits: what may be spent on it.
            observe: called with each step as it is taken.
        """
        return (await self.run(text, limits, observe=observe))[0]

    async def run(
        self,
        text: str,
        limits: Limits | None = None,
        *,
        resume: Trajectory | None = None,
        observe: Observe = ignore_step,
        stopped: Callable[[int], None] = lambda _: None,
        keep: Keep | None = None,
    ) -> tuple[Trajectory, int | None]:
        """Solve a task and keep its trajectory, however the run ends; see ``solve``.

        Args:
            text: the task.
            limits: what may be spent on it.
            resume: an earlier trajectory to continue.
            observe: called with each step as it is taken.
            stopped: called with the trajectory's number where the run is cancelled.
            keep: keeps the trajectory and returns its number; None: the store does.

        Returns:
            the trajectory and its number; None where it is not kept. A store that fails is logged: an answer
            must not be lost for that.
        """
        keep = keep or self.client.store.traces.log
        attempt = self.agent(limits).begin(await self.task(text), resume=resume, observe=observe)
        finished = False
        try:
            done = await attempt.finish()
            finished = True
        finally:
            number = None if finished else await asyncio.shield(keep(attempt.so_far()))
            if number is not None:
                stopped(number)
        try:
            return done, await asyncio.shield(keep(done))
        except StoreError as fault:
            _LOG.warning("the trajectory cannot be kept: %s", fault)
            return done, None
