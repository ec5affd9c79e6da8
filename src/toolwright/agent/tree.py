"""A run's growing tree: asks the policy, calls the tool, keeps the step, tells whoever watches."""

from collections.abc import Callable
from typing import NamedTuple

from toolwright.agent.meter import Meter
from toolwright.agent.policy import Move, Policy
from toolwright.core.messages import ToolCall, ToolResult
from toolwright.core.task import Outcome, Run, Step, Task, Trajectory
from toolwright.core.toolbox import Toolbox, failed
from toolwright.core.values import Value, clip, sound, sound_value
from toolwright.roles.reading import NO_CALL, wants_in
from toolwright.roles.view import View

Observe = Callable[[Step], None]


def unwatched(_: Step) -> None:
    """Tell nobody."""


class Ending(NamedTuple):
    """Where a search ended, and why."""

    leaf: int | None
    outcome: Outcome
    stopped: str = ""


class Tree:
    """The steps of one run, in the order in which they were taken.

    Args:
        task: question and tools.
        policy: decides steps.
        toolbox: runs calls.
        meter: holds the run to its limits.
        observation: characters of an observation that are kept; what is cut is said in its place.
        resume: a trajectory whose steps are taken over, in order, before the policy is asked.
        observe: told each step, taken over or new.
    """

    def __init__(
        self,
        task: Task,
        policy: Policy,
        toolbox: Toolbox,
        meter: Meter,
        *,
        observation: int = 4096,
        resume: Trajectory | None = None,
        observe: Observe = unwatched,
    ) -> None:
        self.task, self.meter = task, meter
        self._policy, self._toolbox = policy, toolbox
        self._observation, self._observe = observation, observe
        self.steps: list[Step] = []
        self._children: dict[int | None, list[int]] = {None: []}
        self._recorded: dict[int | None, list[Step]] = {}
        self._old: dict[int | None, int | None] = {None: None}
        for step in resume.steps if resume is not None else ():
            self._recorded.setdefault(step.parent, []).append(step)

    def children(self, parent: int | None) -> list[Step]:
        """Give the steps that grew from ``parent`` (None: the root), oldest first."""
        return [self.steps[number] for number in self._children[parent]]

    def path(self, leaf: int | None) -> tuple[Step, ...]:
        """Give the steps from the root to ``leaf``."""
        found: list[Step] = []
        while leaf is not None:
            found.append(self.steps[leaf])
            leaf = self.steps[leaf].parent
        return tuple(reversed(found))

    async def grow(self, parent: int | None, hints: tuple[str, ...] = ()) -> Step:
        """Take the next step after ``parent``.

        Raises:
            LimitExceeded: a limit of the run is reached; nothing of the step is kept.
            ModelError: a model gave no usable reply.
        """
        recorded = self._recorded.get(self._old[parent])
        if recorded:
            old = recorded.pop(0)
            step = old.model_copy(update={"id": len(self.steps), "parent": parent, "pruned": False})
            self._old[step.id] = old.id
            self.meter.take(step)
        else:
            step = await self._new(parent, hints)
            self._old[step.id] = -1
        self.steps.append(step)
        self._children[step.id] = []
        self._children[parent].append(step.id)
        self._observe(step)
        return step

    async def _new(self, parent: int | None, hints: tuple[str, ...]) -> Step:
        self.meter.step()
        move = await self._policy.move(View(self.task, self.path(parent), hints), self.meter)
        number = len(self.steps)
        calls, results, notes = (), (), move.notes
        if move.decision == "call":
            call, result = await self._called(number, move)
            if result.failure == "tool-not-found":
                notes += (f"the tool {call.name!r} does not exist",)
            calls, results = (call,), (self._cut(result),)
        return Step(
            id=number, parent=parent, hints=hints, turns=move.turns, thought=move.thought,
            decision=move.decision, calls=calls, results=results, answer=move.answer, notes=notes,
        )  # fmt: skip

    async def _called(self, number: int, move: Move) -> tuple[ToolCall, ToolResult]:
        action = move.action
        if action is None or action.name is None:
            written = action.arguments if action is not None else ""
            call = ToolCall(id=f"call_{number}", name=NO_CALL, arguments=written)
            return call, failed(call, "no-call", "; ".join(move.notes) or "no call was written")
        call = ToolCall(id=f"call_{number}", name=action.name, arguments=action.arguments)
        self.meter.call()
        return call, await self.meter.timed(self._toolbox.call(call))

    def _cut(self, result: ToolResult) -> ToolResult:
        """Give a result as it is kept: sound, and cut visibly; data as long as a cut text is dropped."""
        whole = len(result.content) <= self._observation
        kept: dict[str, Value] = {
            "content": clip(sound(result.content), self._observation),
            "data": sound_value(result.data) if whole else None,
        }
        return result.model_copy(update=kept)

    def prune(self, number: int) -> None:
        """Mark a branch as left."""
        self.steps[number] = self.steps[number].model_copy(update={"pruned": True})

    def trajectory(self, ending: Ending, search: str, settings: dict[str, Value]) -> Trajectory:
        """Give the tree as it stands, with its ending."""
        leaf = self.steps[ending.leaf] if ending.leaf is not None else None
        run = Run(
            policy=self._policy.name, search=search, settings=settings,
            seconds=self.meter.seconds, stopped=ending.stopped, usage=self.meter.usage,
        )  # fmt: skip
        return Trajectory(
            task=self.task, steps=tuple(self.steps), leaf=ending.leaf,
            answer=leaf.answer if leaf is not None and ending.outcome == "answered" else None,
            outcome=ending.outcome,
            wants=wants_in(leaf.thought) if leaf is not None and ending.outcome == "gave_up" else None,
            run=run,
        )  # fmt: skip
