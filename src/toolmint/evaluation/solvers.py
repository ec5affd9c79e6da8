"""Adapters that make solvers of what is not one yet: a bare model, recorded runs, a cache that abstains."""

import time
from collections.abc import Sequence

from toolmint.core.errors import InputError, NoAnswer
from toolmint.core.messages import AssistantMessage, UserMessage
from toolmint.core.model import Model, ModelRequest, Usage
from toolmint.core.spend import check_limits
from toolmint.core.task import Limits, Run, Solver, Step, Task, Trajectory, Turn


class ModelSolver:
    """A bare model: it is sent the task's text, and its reply is the answer.

    Args:
        model: what answers.
        max_tokens: of a reply.
    """

    def __init__(self, model: Model, *, max_tokens: int = 2048) -> None:
        self._model, self._max_tokens = model, max_tokens

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Ask once.

        Raises:
            LimitExceeded: the limits allow no call.
            ModelError: the model gave no usable reply.
        """
        check_limits(self._model.name, Usage(), limits or Limits())
        begun = time.perf_counter()
        prompt = (UserMessage(content=task.input),)
        reply = await self._model.complete(
            ModelRequest(messages=prompt, max_tokens=self._max_tokens)
        )
        answer = reply.content.strip()
        turn = Turn(
            role="strong",
            prompt=prompt,
            answer=AssistantMessage(content=reply.content, tool_calls=reply.tool_calls),
            usage=reply.usage,
        )
        step = Step(id=0, turns=(turn,), decision="answer", answer=answer)
        run = Run(policy=self._model.name, seconds=time.perf_counter() - begun, usage=reply.usage)
        return Trajectory(task=task, steps=(step,), leaf=0, answer=answer, run=run)


class AbstainingSolver:
    """A solver whose ``NoAnswer`` is a result and no fault: the trajectory gives up, without an answer."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Solve, or give up where no tier may answer."""
        try:
            return await self._solver.solve(task, limits)
        except NoAnswer as fault:
            return Trajectory(task=task, outcome="gave_up", run=Run(stopped=str(fault)))


class RecordedTask(Task):
    """The task of a recorded run; ``place`` counts from 0, as one task may have been run twice."""

    place: int


class RecordedSolver:
    """Returns recorded trajectories in place of solving, so that a judge can score them."""

    def __init__(self, trajectories: Sequence[Trajectory]) -> None:
        self._trajectories = trajectories

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Return the recorded run of a task.

        Raises:
            InputError: the task is not one of a recorded run.
        """
        del limits
        if not isinstance(task, RecordedTask):
            raise InputError("a recorded run is found by a RecordedTask alone")
        return self._trajectories[task.place]
