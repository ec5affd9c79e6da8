"""Simulated ToolAlpaca APIs: tools of a document, a server that simulates them, and a solver over both."""

from collections.abc import Sequence

from toolmint.agent.agent import AgentLoop
from toolmint.assembly.agents import AgentChoices, RoleModels, agent_policy, search_of
from toolmint.assembly.remote_tools import open_toolbox
from toolmint.core.errors import InputError
from toolmint.core.task import Limits, Task, Trajectory
from toolmint.evaluation.golden import Golden
from toolmint.evaluation.simulated import Simulated, SimulatedUser
from toolmint.evaluation.toolalpaca import Api, ApiTask
from toolmint.tools.openapi import import_document, read_document
from toolmint.tools.toolbox import ToolCollection


def simulated_box(api: Api) -> tuple[ToolCollection, Simulated]:
    """Return an API's operations as tools over a simulated server of its own.

    Raises:
        InputError: its document is no OpenAPI document.
    """
    imported = import_document(read_document(api.document, f"the document of {api.name!r}"))
    secrets = dict.fromkeys(imported.schemes, "simulated")
    server = Simulated(imported.operations)
    user = ToolCollection([SimulatedUser(imported.operations)])
    return open_toolbox(imported, server, secrets).merged(user), server


class SimulatedApiSolver:
    """Solves ToolAlpaca's instructions with an agent, on the simulated server of each one's API.

    Args:
        apis: whose instructions may be asked.
        models: the roles' models; None: the golden calls are played, to see what can be reached.
        choices: how the agent works.
    """

    def __init__(
        self, apis: Sequence[Api], models: RoleModels | None, choices: AgentChoices
    ) -> None:
        self._apis = {api.name: api for api in apis}
        self._boxes: dict[str, ToolCollection] = {}
        self._models, self._choices = models, choices

    def _box(self, api: Api) -> ToolCollection:
        if api.name not in self._boxes:
            self._boxes[api.name] = simulated_box(api)[0]
        return self._boxes[api.name]

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Solve one instruction.

        Raises:
            InputError: the task is no instruction of these APIs, or its API's document cannot be read.
        """
        if not isinstance(task, ApiTask) or task.api not in self._apis:
            raise InputError("this solver knows the instructions of ToolAlpaca's APIs alone")
        api = self._apis[task.api]
        policy = (
            agent_policy(self._models, self._choices)
            if self._models is not None
            else Golden(api.instructions[task.place])
        )
        agent = AgentLoop(
            policy,
            self._box(api),
            search_of(self._choices),
            observation=self._choices.observation,
        )
        return await agent.solve(task, limits)
