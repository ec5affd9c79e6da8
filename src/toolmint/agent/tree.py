"""The growing tree of a run: asks the policy, calls the tool, keeps the step, notifies the observer."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Move, Policy
from toolmint.core.messages import ToolCall, ToolResult
from toolmint.core.task import Outcome, Run, Step, Task, Trajectory
from toolmint.core.toolbox import Toolbox, failed_result
from toolmint.core.values import Value, clip, sound, sound_value
from toolmint.roles.reading import NO_CALL, missing_tool_in
from toolmint.roles.view import View

Observe = Callable[[Step], None]


def ignore_step(_: Step) -> None:
    """Ignore a step."""


class RunEnd(NamedTuple):
    """The step in which a search ended (None: before the first one), the outcome, and why it stopped."""

    leaf: int | None
    outcome: Outcome
    stopped: str = ""


def end_of(step: Step) -> RunEnd | None:
    """Return the ending that a step stands for; None if the run goes on."""
    if step.decision == "answer":
        if step.answer:
            return RunEnd(step.id, "answered")
        return RunEnd(step.id, "failed", "the summarizer said nothing")
    if step.decision == "give_up":
        return RunEnd(step.id, "gave_up", "the planner gave up")
    return None


class Tree:
    """The steps of one run, in the order in which they were taken.

    Args:
        task: question and tools.
        policy: decides the steps.
        toolbox: runs the calls.
        tracker: keeps the run within its limits.
        observation: largest number of characters of an observation; a cut is marked in the text.
        resume: a trajectory whose steps are replayed, in order, before the policy is asked.
        observe: called with each step, replayed or new.
    """

    def __init__(
        self,
        task: Task,
        policy: Policy,
        toolbox: Toolbox,
        tracker: BudgetTracker,
        *,
        observation: int = 4096,
        resume: Trajectory | None = None,
        observe: Observe = ignore_step,
    ) -> None:
        self.task, self.tracker = task, tracker
        self._policy, self._toolbox = policy, toolbox
        self._observation, self._observe = observation, observe
        self.steps: list[Step] = []
        self._children: dict[int | None, list[int]] = {None: []}
        self._recorded: dict[int | None, list[Step]] = {}
        self._old: dict[int | None, int | None] = {None: None}
        for step in resume.steps if resume is not None else ():
            self._recorded.setdefault(step.parent, []).append(step)

    def children(self, parent: int | None) -> list[Step]:
        """Return the children of the step ``parent`` (None: the root), oldest first."""
        return [self.steps[number] for number in self._children[parent]]

    def path(self, leaf: int | None) -> tuple[Step, ...]:
        """Return the steps from the root to ``leaf``."""
        found: list[Step] = []
        while leaf is not None:
            found.append(self.steps[leaf])
            leaf = self.steps[leaf].parent
        return tuple(reversed(found))

    async def grow(self, parent: int | None, hints: tuple[str, ...] = ()) -> Step:
        """Take the next step after ``parent``.

        Raises:
            LimitExceeded: a limit of the run is reached; the step is not kept, its usage is.
            ModelError: a model gave no usable reply.
        """
        recorded = self._recorded.get(self._old[parent])
        if recorded:
            old = recorded.pop(0)
            step = old.model_copy(update={"id": len(self.steps), "parent": parent, "pruned": False})
            self._old[step.id] = old.id
            self.tracker.take(step)
        else:
            step = await self._new(parent, hints)
            self._old[step.id] = -1
        self.steps.append(step)
        self._children[step.id] = []
        self._children[parent].append(step.id)
        self._observe(step)
        return step

    async def _new(self, parent: int | None, hints: tuple[str, ...]) -> Step:
        self.tracker.step()
        move = await self._policy.move(View(self.task, self.path(parent), hints), self.tracker)
        number = len(self.steps)
        calls, results, notes = (), (), move.notes
        if move.decision == "call":
            call, result = await self._called(number, move)
            if result.failure == "tool-not-found":
                notes += (f"the tool {call.name!r} does not exist",)
            calls, results = (call,), (self._cut(result),)
        return Step(
            id=number,
            parent=parent,
            hints=hints,
            turns=move.turns,
            thought=move.thought,
            decision=move.decision,
            calls=calls,
            results=results,
            answer=move.answer,
            notes=notes,
        )

    async def _called(self, number: int, move: Move) -> tuple[ToolCall, ToolResult]:
        action = move.action
        if action is None or action.name is None:
            written = action.arguments if action is not None else ""
            call = ToolCall(id=f"call_{number}", name=NO_CALL, arguments=written)
            return call, failed_result(
                call, "no-call", "; ".join(move.notes) or "no call was written"
            )
        call = ToolCall(id=f"call_{number}", name=action.name, arguments=action.arguments)
        self.tracker.call()
        return call, await self.tracker.timed(self._toolbox.call(call))

    def _cut(self, result: ToolResult) -> ToolResult:
        """Return a result as it is kept: valid Unicode, and cut visibly; data goes with a cut text."""
        whole = len(result.content) <= self._observation
        kept: dict[str, Value] = {
            "content": clip(sound(result.content), self._observation),
            "data": sound_value(result.data) if whole else None,
        }
        return result.model_copy(update=kept)

    def prune(self, number: int) -> None:
        """Mark a step as abandoned by the search."""
        self.steps[number] = self.steps[number].model_copy(update={"pruned": True})

    def trajectory(self, ending: RunEnd, search: str, settings: dict[str, Value]) -> Trajectory:
        """Return the tree so far as a trajectory with this ending."""
        leaf = self.steps[ending.leaf] if ending.leaf is not None else None
        run = Run(
            policy=self._policy.name,
            search=search,
            settings=settings,
            seconds=self.tracker.seconds,
            stopped=ending.stopped,
            usage=self.tracker.usage,
        )
        return Trajectory(
            task=self.task,
            steps=tuple(self.steps),
            leaf=ending.leaf,
            answer=leaf.answer if leaf is not None and ending.outcome == "answered" else None,
            outcome=ending.outcome,
            wants=missing_tool_in(leaf.thought)
            if leaf is not None and ending.outcome == "gave_up"
            else None,
            run=run,
        )


class Search(Protocol):
    """Decides where a tree grows next."""

    @property
    def name(self) -> str:
        """``react`` or ``dfsdt``."""
        ...

    def settings(self) -> dict[str, Value]:
        """Return the parameters, for the record of a run."""
        ...

    async def run(self, tree: Tree) -> RunEnd:
        """Grow the tree to its end.

        Raises:
            LimitExceeded: a limit of the run, or of the search, is reached.
        """
        ...
