"""The agent put together: models by role, tools by source, search by name; and the wishes that it leaves."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Literal

from toolwright.agent.agent import Agent
from toolwright.agent.policy import Policy, Sampling, Single, Team
from toolwright.agent.search import PAPER, Dfsdt, React, Search
from toolwright.assembly.paper_words import paper_family
from toolwright.assembly.settings import Settings
from toolwright.assembly.toolboxes import toolbox_of
from toolwright.assembly.uri import MARKED, TRIO, embed_of, model_of, parse
from toolwright.assembly.workshop import Models, Workshop, place_of
from toolwright.cache.ledger import Ledger
from toolwright.core.errors import ConfigError
from toolwright.core.messages import Frozen
from toolwright.core.model import Model
from toolwright.core.task import Limits, Task, Trajectory
from toolwright.models.wrap import close
from toolwright.roles.marked import Marked
from toolwright.roles.native import Native
from toolwright.roles.view import Family
from toolwright.tools.box import Box
from toolwright.tools.retrieve import EmbeddingRetriever, Retriever

FamilyName = Literal["native", "paper", "marked"]


class AgentChoices(Frozen):
    """How an agent works.

    Attributes:
        single: one model takes whole steps (the baseline), not three roles.
        family: ``native`` (OpenAI messages), ``paper`` (one text, as the paper's checkpoints read it), or
            ``marked`` (one sequence with role marks, as models that this project trains read it). None: what
            the planner's model reads.
        words: a folder of the paper's training samples, to read its exact instructions from.
        search: ``react``, ``dfsdt``, or ``dfsdt-paper`` with the official run's limits.
        shown: tools that a task is shown; more are narrowed by wording.
        embed: URI of embeddings, such as ``openai:text-embedding-3-small``, to narrow by meaning as well.
        temperature: 0 is greedy, as the paper says.
        max_tokens: of a role's reply.
        observation: characters of an observation that are kept.
    """

    single: bool = False
    family: FamilyName | None = None
    words: Path | None = None
    search: Literal["react", "dfsdt", "dfsdt-paper"] = "react"
    max_steps: int = 12
    width: int = 2
    queries: int = 60
    shown: int = 20
    embed: str | None = None
    temperature: float = 0.0
    max_tokens: int = 1024
    observation: int = 4096


def search_of(choices: AgentChoices) -> Search:
    """Give the search that was chosen."""
    match choices.search:
        case "react":
            return React(max_steps=choices.max_steps)
        case "dfsdt":
            return Dfsdt(width=choices.width, max_steps=choices.max_steps, queries=choices.queries)
        case "dfsdt-paper":
            return PAPER


def family_of(choices: AgentChoices, read: FamilyName = "native") -> Family:
    """Give the text family that was chosen, or the one that the models read."""
    match choices.family or read:
        case "native":
            return Native()
        case "marked":
            return Marked(send_tools=read == "marked")
        case "paper":
            return paper_family(choices.words)


UNNAMED = (
    "no model is named, so the trio that ships plays: it knows ToolWorld's kind of tools and little else; "
    "name a model with --model"
)


class RoleModels:
    """The models of the three roles; one that is not named is the planner's, the planner's is the strong one.

    Args:
        settings: name the models.
        model: plays all roles, whatever the settings name.
        otherwise: the URI of what plays where the settings name none; None: that is an error.

    Attributes:
        reads: the text family of the planner's model.
        unnamed: nobody named a model, ``otherwise`` plays.

    Raises:
        ConfigError: no model is named at all.
    """

    def __init__(
        self, settings: Settings, model: Model | None = None, *, otherwise: str | None = None
    ) -> None:
        self.reads: FamilyName = "native"
        self.unnamed = model is None and not (settings.planner_model or settings.model)
        if model is not None:
            self.planner = self.caller = self.summarizer = model
            return
        named = settings.planner_model or settings.model or otherwise
        if named is None:
            raise ConfigError(
                "an agent needs a model; set one with --model, or --planner, --caller and --summarizer; "
                f"{TRIO} runs here without a key, and knows ToolWorld alone",
                code="no-model",
            )
        if parse(named).scheme in MARKED:
            self.reads = "marked"
        known: dict[str, Model] = {}

        def of(uri: str | None) -> Model:
            text = uri or named
            return known.setdefault(text, known.get(text) or model_of(text, place_of(settings)))

        self.planner: Model = of(named)
        self.caller: Model = of(settings.caller_model)
        self.summarizer: Model = of(settings.summarizer_model)

    def metered(self, ledger: Ledger) -> "RoleModels":
        """Give the same models, each call entered in a ledger under ``agent``."""
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


def policy_of(models: RoleModels, choices: AgentChoices) -> Policy:
    """Give a team of the roles' models, or a single one."""
    sampling = Sampling(temperature=choices.temperature, max_tokens=choices.max_tokens)
    family = family_of(choices, models.reads)
    if choices.single:
        return Single(models.planner, family=family, sampling=sampling)
    return Team(models.planner, models.caller, models.summarizer, family=family, sampling=sampling)


class AgentSession:
    """An agent with its tools, over a workshop's store and sandbox.

    Attributes:
        box: every tool.
        problems: what could not be read of the sources, in words.
    """

    def __init__(
        self,
        workshop: Workshop,
        box: Box,
        problems: Sequence[str],
        policy: Policy,
        choices: AgentChoices,
    ) -> None:
        self.workshop, self.box, self.problems = workshop, box, tuple(problems)
        self.policy, self._choices = policy, choices
        self._wording: Retriever | None = None
        self._near: EmbeddingRetriever | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        sources: Sequence[str],
        choices: AgentChoices | None = None,
        *,
        model: Model | None = None,
    ) -> AsyncGenerator["AgentSession"]:
        """Open everything that an agent needs, and close it at the end.

        Args:
            settings: None of its models is opened where ``model`` is given.
            sources: where tools come from, as on the command line.
            choices: how the agent works.
            model: a model for all roles and for making, in place of those that the settings name.
        """
        chosen = choices or AgentChoices()
        async with AsyncExitStack() as stack:
            models = RoleModels(settings, model, otherwise=TRIO)
            stack.push_async_callback(models.close)
            workshop = await stack.enter_async_context(
                Workshop.open(settings, models=Models(model) if model is not None else None)
            )
            policy = policy_of(models.metered(workshop.dispatcher.ledger), chosen)
            box, problems = await toolbox_of(sources, stack, workshop.store, workshop.sandbox)
            if models.unnamed:
                problems = [UNNAMED, *problems]
            yield cls(workshop, box, problems, policy, chosen)

    async def task(self, text: str) -> Task:
        """Give the task with the tools that it is shown: all, or those that fit best."""
        specs, most = tuple(self.box.specs), self._choices.shown
        if len(specs) > most and self._choices.embed is not None:
            self._near = self._near or EmbeddingRetriever(specs, embed_of(self._choices.embed))
            specs = tuple(found.spec for found in await self._near.rank(text, most))
        elif len(specs) > most:
            self._wording = self._wording or Retriever(specs)
            specs = self._wording.choose(text, most)
        return Task(input=text, tools=specs)

    def agent(self, limits: Limits | None = None) -> Agent:
        """Give the agent."""
        return Agent(
            self.policy,
            self.box,
            search_of(self._choices),
            observation=self._choices.observation,
            limits=limits,
        )

    async def solve(self, text: str, limits: Limits | None = None) -> Trajectory:
        """Solve a task, and keep its trajectory; one that gives up for want of a tool leaves a wish."""
        done = await self.agent(limits).solve(await self.task(text))
        await self.workshop.store.traces.log(done)
        return done
