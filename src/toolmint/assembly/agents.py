"""Build the agent: models by role, tools by source, search by name."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from copy import copy
from typing import Literal, TypeAlias, cast, get_args

from toolmint.agent.agent import AgentLoop
from toolmint.agent.policy import Policy, Sampling, SingleModelPolicy, ThreeRolePolicy
from toolmint.agent.tree import Observe, ignore_step
from toolmint.assembly.agent_choices import (
    AgentChoices,
    FamilyName,
    choices_with,
    family_of,
    search_of,
)
from toolmint.assembly.installed_trio import how_to_install, preferred_trio
from toolmint.assembly.session import Models, Session, place_of
from toolmint.assembly.settings import Settings
from toolmint.assembly.shown_tools import ShownTools
from toolmint.assembly.toolboxes import ToolSource, toolbox_of
from toolmint.assembly.trio_versions import serving_trio
from toolmint.assembly.uri import MARKED, TRIO, ModelLike, as_model, parse_uri
from toolmint.core.errors import ConfigError, StoreError
from toolmint.core.messages import ToolSpec
from toolmint.core.model import Model
from toolmint.core.task import Limits, Task, Trajectory
from toolmint.models.wrap import close
from toolmint.roles.view import AgentRole
from toolmint.serving.ledger import Ledger
from toolmint.tools.toolbox import ToolCollection

_LOG = logging.getLogger("toolmint.agent")
UNNAMED = "no model is named, so the trio that is installed plays; name a model with --model"
NO_MODEL = (
    "an agent needs a model; set one with --model, TOOLMINT_MODEL or `model` in toolmint.toml, such as "
    "openai:NAME?base_url=... or local:FOLDER, or by role with --planner, --caller and --summarizer; "
    f"{TRIO} runs here without a key, but knows ToolWorld's tools alone"
)


RoleName = Literal["planner", "caller", "summarizer"]
AgentModels: TypeAlias = ModelLike | Mapping[str, ModelLike]
"""One model for all roles, or models by role: ``planner``, ``caller``, ``summarizer``."""


def _reads_marks(planner: ModelLike) -> bool:
    """Return whether a planner reads one marked text: a model that runs here, named or given."""
    if isinstance(planner, str):
        return parse_uri(planner).scheme in MARKED
    # Not by class: that would import the extras that such models need.
    return getattr(planner, "raw_prompts", False)


def _family_read(planner: Model) -> FamilyName:
    """Return the family that a loaded local model reads; one on a cluster says nothing about itself."""
    if getattr(planner, "described_tools", False):
        return "chat"
    return "marked" if getattr(planner, "raw_prompts", True) else "native"


class RoleModels:
    """The models of the three roles; one that is not named is the planner's, the planner's is the strong one.

    Args:
        settings: name the models that are not given.
        given: one model for all roles, or models by role.
        otherwise: the URI of what plays where nobody names a model; None: that is an error.

    Attributes:
        reads: the text family of the planner's model.
        unnamed: nobody named a model, ``otherwise`` plays.

    Raises:
        ConfigError: no model is named at all, a URI is wrong, or there is no such role.
    """

    def __init__(
        self,
        settings: Settings,
        given: AgentModels | None = None,
        *,
        otherwise: str | None = None,
    ) -> None:
        by_role = _by_role(given)
        planner = by_role.get("planner")
        if planner is None:
            by_role |= _named(settings, by_role)
            planner = by_role.get("planner", otherwise)
            self.unnamed = "planner" not in by_role
        else:
            self.unnamed = False
        if planner is None:
            raise ConfigError(NO_MODEL + how_to_install(), code="no-model")
        self.reads: FamilyName = "marked" if _reads_marks(planner) else "native"
        known: dict[str, Model] = {}

        def of(model: ModelLike) -> Model:
            if not isinstance(model, str):
                return as_model(model)
            if model not in known:
                known[model] = as_model(model, place_of(settings), settings.price_table)
            return known[model]

        self.planner: Model = of(planner)
        self.caller: Model = of(by_role.get("caller", planner))
        self.summarizer: Model = of(by_role.get("summarizer", planner))
        if self.reads == "marked":
            self.reads = _family_read(self.planner)

    def metered(self, ledger: Ledger) -> "RoleModels":
        """Return the same models, each call entered in a ledger under ``agent``."""
        mine = copy(self)
        mine.planner, mine.caller, mine.summarizer = (
            ledger.metered(model, "agent", None)
            for model in (self.planner, self.caller, self.summarizer)
        )
        return mine

    async def close(self) -> None:
        """Close the models' connections."""
        for model in (self.planner, self.caller, self.summarizer):
            await close(model)


def _by_role(given: AgentModels | None) -> dict[RoleName, ModelLike]:
    """Return given models by role; one model stands for the planner's, and so for all."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return {"planner": given}
    for role in given:
        if role not in get_args(RoleName):
            raise ConfigError(
                f"an agent has no role {role!r}; its roles are {', '.join(get_args(RoleName))}"
            )
    return dict(cast("Mapping[RoleName, ModelLike]", given))


def _named(settings: Settings, given: Mapping[RoleName, ModelLike]) -> dict[RoleName, ModelLike]:
    """Return the models that the settings name for roles that have none."""
    found: dict[RoleName, str | None] = {
        "planner": settings.planner_model or settings.model,
        "caller": settings.caller_model,
        "summarizer": settings.summarizer_model,
    }
    return {role: uri for role, uri in found.items() if uri and role not in given}


def players(
    settings: Settings,
    specs: Sequence[ToolSpec],
    given: RoleModels | None,
    choices: AgentChoices,
) -> tuple[RoleModels, AgentChoices, list[str]]:
    """Return the models that play with some tools, the choices that fit them, and what a user is told.

    Where nobody named a model, the trio that was trained for these tools plays, else the installed one.

    Raises:
        ConfigError: no model is named, and no such trio is there.
        StoreError: the trained trio cannot be read.
    """
    if given is not None and not given.unnamed:
        return given, choices, []
    trained = serving_trio(settings, specs)
    otherwise = trained.uri if trained is not None else preferred_trio()
    models = RoleModels(settings, otherwise=otherwise)
    if not models.unnamed:
        return models, choices, []
    if trained is None:
        return models, choices, [UNNAMED]
    return models, trained.choices(choices), [trained.note]


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
        box: ToolCollection,
        problems: Sequence[str],
        policy: Policy,
        choices: AgentChoices,
    ) -> None:
        self.client, self.box, self.problems = client, box, tuple(problems)
        self.policy, self._choices = policy, choices
        self._shown = ShownTools(tuple(box.specs), choices.shown, choices.embed)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        sources: Sequence[ToolSource],
        choices: AgentChoices | None = None,
        *,
        model: AgentModels | RoleModels | None = None,
    ) -> AsyncGenerator["AgentSession"]:
        """Open everything that an agent needs, and close it at the end.

        Args:
            settings: None of its models is opened where ``model`` is given.
            sources: tools, or where they come from, as on the command line.
            choices: how the agent works.
            model: a model for all roles, or models by role, in place of those that the settings name;
                the planner's makes tools as well.
        """
        chosen = choices_with(settings, choices)
        async with AsyncExitStack() as stack:
            given = model if isinstance(model, RoleModels) else None
            if given is None and model is not None:
                given = RoleModels(settings, model)
            makers = Models(given.planner) if given is not None and not given.unnamed else None
            client = await stack.enter_async_context(Session.open(settings, models=makers))
            box, problems = await toolbox_of(sources, stack, client.store, client.sandbox)
            models, chosen, said = players(settings, box.specs, given, chosen)
            stack.push_async_callback(models.close)
            policy = agent_policy(models.metered(client.ledger), chosen)
            problems = [*said, *problems]
            yield cls(client, box, problems, policy, chosen)

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
        keep: bool = True,
    ) -> tuple[Trajectory, int | None]:
        """Solve a task and keep its trajectory, however the run ends; see ``solve``.

        Args:
            text: the task.
            limits: what may be spent on it.
            resume: an earlier trajectory to continue.
            observe: called with each step as it is taken.
            stopped: called with the trajectory's number where the run is cancelled.
            keep: whether the trajectory is kept.

        Returns:
            the trajectory and its number; None where the store cannot keep it, which is logged: an answer
            must not be lost for that.
        """
        attempt = self.agent(limits).begin(await self.task(text), resume=resume, observe=observe)
        finished = False
        try:
            done = await attempt.finish()
            finished = True
        finally:
            if not finished and keep:
                stopped(await asyncio.shield(self.client.store.traces.log(attempt.so_far())))
        if not keep:
            return done, None
        try:
            return done, await asyncio.shield(self.client.store.traces.log(done))
        except StoreError as fault:
            _LOG.warning("the trajectory cannot be kept: %s", fault)
            return done, None
