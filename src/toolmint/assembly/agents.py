"""Build the agent: models by role, tools by source, search by name."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

from toolmint.agent.agent import AgentLoop
from toolmint.agent.dfsdt import DFSDT, PAPER_DFSDT
from toolmint.agent.policy import Policy, Sampling, SingleModelPolicy, ThreeRolePolicy
from toolmint.agent.react import ReACT
from toolmint.agent.tree import Observe, Search, ignore_step
from toolmint.assembly.paper_words import paper_family
from toolmint.assembly.session import Models, Session, place_of
from toolmint.assembly.settings import Settings
from toolmint.assembly.shown_tools import ShownTools
from toolmint.assembly.toolboxes import ToolSource, toolbox_of
from toolmint.assembly.uri import MARKED, TRIO, ModelLike, as_model, parse_uri
from toolmint.core.errors import ConfigError
from toolmint.core.messages import Frozen
from toolmint.core.model import Model
from toolmint.core.task import Limits, Task, Trajectory
from toolmint.core.toolbox import Toolbox
from toolmint.models.wrap import close
from toolmint.roles.marked import Marked
from toolmint.roles.native import Native
from toolmint.roles.view import Family
from toolmint.serving.ledger import Ledger
from toolmint.tools.approval import Approve, ApprovedToolbox

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
    """Return the search that was chosen."""
    match choices.search:
        case "react":
            return ReACT(max_steps=choices.max_steps)
        case "dfsdt":
            return DFSDT(width=choices.width, max_steps=choices.max_steps, queries=choices.queries)
        case "dfsdt-paper":
            return PAPER_DFSDT


def family_of(choices: AgentChoices, read: FamilyName = "native") -> Family:
    """Return the text family that was chosen, or the one that the models read."""
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


RoleName = Literal["planner", "caller", "summarizer"]
AgentModels: TypeAlias = ModelLike | Mapping[str, ModelLike]
"""One model for all roles, or models by role: ``planner``, ``caller``, ``summarizer``."""


def _reads_marks(planner: ModelLike) -> bool:
    """Return whether a planner reads one marked text: a model that runs here, named or given."""
    if isinstance(planner, str):
        return parse_uri(planner).scheme in MARKED
    # Not by class: that would import the extras that such models need.
    return getattr(planner, "raw_prompts", False)


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
            raise ConfigError(
                "an agent needs a model; set one with --model, or --planner, --caller and --summarizer; "
                f"{TRIO} runs here without a key, and knows ToolWorld alone",
                code="no-model",
            )
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


def agent_policy(models: RoleModels, choices: AgentChoices) -> Policy:
    """Return a policy of three roles, or of a single model."""
    sampling = Sampling(temperature=choices.temperature, max_tokens=choices.max_tokens)
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
        chosen = choices or AgentChoices()
        async with AsyncExitStack() as stack:
            models = (
                model
                if isinstance(model, RoleModels)
                else RoleModels(settings, model, otherwise=TRIO)
            )
            stack.push_async_callback(models.close)
            makers = Models(models.planner) if model is not None and not models.unnamed else None
            client = await stack.enter_async_context(Session.open(settings, models=makers))
            policy = agent_policy(models.metered(client.ledger), chosen)
            box, problems = await toolbox_of(sources, stack, client.store, client.sandbox)
            if models.unnamed:
                problems = [UNNAMED, *problems]
            approved = ApprovedToolbox(box, settings.approve, approve)
            yield cls(client, approved, [*problems, *approved.warnings], policy, chosen)

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
        done = await self.agent(limits).begin(await self.task(text), observe=observe).finish()
        await self.client.store.traces.log(done)
        return done
