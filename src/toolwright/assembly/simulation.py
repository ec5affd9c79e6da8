"""ToolAlpaca's APIs put together: document to tools, tools to a simulated server, runs to verdicts."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

from toolwright.agent.agent import Agent
from toolwright.assembly.agents import AgentChoices, RoleModels, policy_of, search_of
from toolwright.assembly.settings import Settings
from toolwright.assembly.toolboxes import box_of
from toolwright.assembly.uri import model_of
from toolwright.core.task import Limits, Task, Trajectory
from toolwright.evaluation.golden import Golden
from toolwright.evaluation.judge import Judge, ProcessAndAnswer
from toolwright.evaluation.simulated import Simulated, SimulatedUser
from toolwright.evaluation.toolalpaca import Api, Executed, Instruction, execute
from toolwright.models.wrap import close
from toolwright.tools.box import Box
from toolwright.tools.openapi import import_document, read_document


def simulated_box(api: Api) -> tuple[Box, Simulated]:
    """Give an API's operations as tools over a simulated server of its own.

    Raises:
        InputError: its document is no OpenAPI document.
    """
    imported = import_document(read_document(api.document, f"the document of {api.name!r}"))
    secrets = dict.fromkeys(imported.schemes, "simulated")
    server = Simulated(imported.operations)
    user = Box([SimulatedUser(imported.operations)])
    return box_of(imported, server, secrets).merged(user), server


class Row(NamedTuple):
    """One instruction with its run and its verdicts."""

    instruction: Instruction
    run: Trajectory
    executed: Executed
    judged: ProcessAndAnswer | None


class Simulation:
    """Plays instructions with the models of some settings, and has them judged.

    Args:
        settings: name the roles' models; None: the golden calls are played, to see what can be reached.
        choices: how the agent works.
        limits: what an instruction may spend.
        judge: URI of the judge's model; None: nothing is judged.
    """

    def __init__(
        self,
        settings: Settings | None,
        choices: AgentChoices,
        limits: Limits,
        judge: str | None = None,
    ) -> None:
        self._models = RoleModels(settings) if settings is not None else None
        self._choices, self._limits = choices, limits
        self._judging = model_of(judge) if judge is not None else None
        self.judge = Judge(self._judging) if self._judging is not None else None

    async def play(self, api: Api, most: int | None = None) -> AsyncGenerator[Row]:
        """Play an API's instructions one by one."""
        box, _ = simulated_box(api)
        choices = self._choices
        for one in api.instructions[:most]:
            policy = policy_of(self._models, choices) if self._models is not None else Golden(one)
            search, observation = search_of(choices), choices.observation
            agent = Agent(policy, box, search, observation=observation, limits=self._limits)
            done = await agent.solve(Task(input=one.text))
            golden = [call._asdict() for call in one.golden]
            judged = None
            if self.judge is not None:
                judged = await self.judge.process_and_answer(done, api.described, golden)
            yield Row(one, done, execute(done, one.golden), judged)

    async def close(self) -> None:
        """Close the models' connections."""
        if self._models is not None:
            await self._models.close()
        await close(self._judging)
