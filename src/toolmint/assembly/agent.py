"""The public agent: a model or three, some tools, and a task."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, Self

from toolmint.agent.tree import Observe, ignore_step
from toolmint.assembly.agent_choices import AgentChoices, choices_with
from toolmint.assembly.agents import AgentSession
from toolmint.assembly.installed_trio import preferred_trio
from toolmint.assembly.role_models import AgentModels, RoleModels
from toolmint.assembly.settings import Settings, load_settings
from toolmint.assembly.toolboxes import ToolSource, checked_source
from toolmint.core.errors import ToolmintError
from toolmint.core.kept_open import KeptOpen
from toolmint.core.sync import run_sync
from toolmint.core.task import Limits, Trajectory
from toolmint.tools.approval import ApprovalMode, Approve

_LOG = logging.getLogger("toolmint.agent")


class Agent:
    """Solves tasks with tools: a planner, a caller and a summarizer (alpha-UMi), by one model or three.

    ``run`` is for ordinary code and notebooks, ``await solve`` for asynchronous code. Each call opens what
    it needs (store, connections to tool servers) and closes it; inside ``with`` or ``async with`` they stay
    open between calls. Trajectories are kept in the store.

    Args:
        model: plays all roles: a URI such as ``openai:gpt-5-mini?base_url=...``, an object, or a mapping
            from ``planner``, ``caller`` and ``summarizer`` to either. A role that is not named is played
            by the planner's model. None: what the settings name, else a trio that is installed.
        tools: Python functions with annotated arguments, ``@tool`` functions, made tools, toolboxes, and
            sources: the path or URL of an OpenAPI document, ``mcp:COMMAND``, ``mcp:http://...``,
            ``python:FILE.py``, ``made`` (all serving tools of the store), ``program``.
        search: ``react`` (one chain) or ``dfsdt`` (depth-first search with siblings).
        limits: what each task may spend.
        store: where trajectories are kept and made tools are found; None: what the settings say.
        settings: None reads ``TOOLMINT_...`` variables and ``toolmint.toml``.
        choices: everything else about how the agent works; ``search`` replaces its own.
        observe: called with each step as it is taken.
        approve: which calls that change something are done (tools over HTTP by their method, of an MCP server
            by its annotations, Python functions with ``@tool(read_only=False)``): ``always``, ``never``, or
            those for which a function, plain or async, returns True; it gets the tool's specification and
            the call. None: what the settings say; nobody is asked, so such a call is refused, and the
            refusal is its observation.

    Raises:
        ConfigError: a model or a source of tools is named wrongly.
        ToolError: a function cannot be a tool.

    Example:
        >>> def founded(company: str) -> int:
        ...     "Return the year in which a company was founded."
        ...     return {"Norda": 1987}[company]
        >>> agent = Agent("openai:gpt-5-mini", tools=[founded, "petstore.yaml"])    # doctest: +SKIP
        >>> agent.run("When was Norda founded?").answer                              # doctest: +SKIP
        'Norda was founded in 1987.'
    """

    def __init__(  # noqa: PLR0913 - the public door
        self,
        model: AgentModels | None = None,
        *,
        tools: Sequence[ToolSource] = (),
        search: Literal["react", "dfsdt", "dfsdt-paper"] | None = None,
        limits: Limits | None = None,
        store: str | Path | None = None,
        settings: Settings | None = None,
        choices: AgentChoices | None = None,
        observe: Observe = ignore_step,
        approve: ApprovalMode | Approve | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        self._approve = approve if callable(approve) else None
        if approve is not None:
            mode = "ask" if callable(approve) else approve
            self.settings = self.settings.model_copy(update={"approve": mode})
        if store is not None:
            self.settings = self.settings.model_copy(update={"store": store})
        self.models = RoleModels(self.settings, model, otherwise=preferred_trio())
        for source in tools:
            checked_source(source)
        self.tools, self.limits, self._observe = tuple(tools), limits, observe
        chosen = choices_with(self.settings, choices)
        self.choices = chosen.model_copy(update={"search": search}) if search else chosen
        self._kept: tuple[KeptOpen[AgentSession], asyncio.AbstractEventLoop] | None = None

    async def solve(self, task: str, limits: Limits | None = None) -> Trajectory:
        """Solve a task; see ``run``. Functions given as tools run on the caller's event loop."""
        if self._kept is None:
            async with self._session() as session:
                return await session.solve(task, limits or self.limits, observe=self._observe)
        kept, loop = self._kept
        if loop is not asyncio.get_running_loop():
            raise ToolmintError(
                "this agent was opened on another event loop: call run inside `with`, and await solve "
                "inside `async with`",
                code="loop",
            )
        session = await kept.get()
        return await session.solve(task, limits or self.limits, observe=self._observe)

    def run(self, task: str, limits: Limits | None = None) -> Trajectory:
        """Solve a task from ordinary code or a notebook.

        Args:
            task: what to do, in words.
            limits: what may be spent on it; None: the agent's own.

        Returns:
            ``answer`` is the text, or None where ``outcome`` is not ``answered``; ``steps`` are all that
            was thought, called and seen. What models write or tools do never raises: it is in the steps.

        Raises:
            ToolmintError: a source of tools cannot be read, or a server cannot be reached.
        """
        return run_sync(self.solve(task, limits))

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[AgentSession]:
        opened = AgentSession.open(
            self.settings, self.tools, self.choices, model=self.models, approve=self._approve
        )
        async with opened as session:
            for problem in session.problems:
                _LOG.warning("%s", problem)
            yield session

    async def aclose(self) -> None:
        """Close what ``async with`` opened."""
        if self._kept is not None:
            kept, self._kept = self._kept[0], None
            await kept.close()

    def close(self) -> None:
        """Close what ``with`` opened."""
        run_sync(self.aclose())

    async def __aenter__(self) -> Self:
        kept = KeptOpen(self._session)
        await kept.get()
        self._kept = kept, asyncio.get_running_loop()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __enter__(self) -> Self:
        return run_sync(self.__aenter__())

    def __exit__(self, *_: object) -> None:
        self.close()
