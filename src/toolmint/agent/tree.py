"""The growing tree of a run: asks the policy, calls the tool, keeps the step, notifies the observer."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from toolmint.agent.answer_flags import answer_flags
from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.calls import REPEATED, CallOutcome, StepCalls, repeated
from toolmint.agent.policy import Policy
from toolmint.core.errors import LimitExceeded
from toolmint.core.task import Outcome, Run, Step, Task, Trajectory
from toolmint.core.toolbox import Toolbox
from toolmint.core.values import Value, clip
from toolmint.roles.reading import missing_tool_in
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
    call = repeated(step)
    if call is not None:
        said = f"the same call was made three times: {call.name} {clip(call.arguments, 200)}"
        return RunEnd(step.id, "failed", said)
    return None


class RunChoices(NamedTuple):
    """How the calls of a run are made and its answer is checked.

    Attributes:
        observation: largest number of characters of an observation; a cut is marked in the text.
        all_calls: whether all calls that a role writes at once are made, or the first one alone.
        check: whether the values of an answer are looked for in what the run saw.
    """

    observation: int = 4096
    all_calls: bool = True
    check: bool = True


class Tree:
    """The steps of one run, in the order in which they were taken.

    Args:
        task: question and tools.
        policy: decides the steps.
        toolbox: runs the calls.
        tracker: keeps the run within its limits.
        choices: how calls are made and answers are checked.
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
        choices: RunChoices,
        resume: Trajectory | None = None,
        observe: Observe = ignore_step,
    ) -> None:
        self.task, self.tracker = task, tracker
        self._policy, self._observe = policy, observe
        self._calls = StepCalls(toolbox, tracker, choices.observation)
        self._choices = choices
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
            LimitExceeded: a limit of the run is reached; the step is kept where a call of it began, else its
                usage alone.
            ModelError: a model gave no usable reply.
        """
        recorded = self._recorded.get(self._old[parent])
        if recorded:
            old = recorded.pop(0)
            step = old.model_copy(update={"id": len(self.steps), "parent": parent, "pruned": False})
            self._old[step.id] = old.id
            self.tracker.take(step)
            limit = None
        else:
            step, limit = await self._new(parent, hints)
            self._old[step.id] = -1
        self.steps.append(step)
        self._children[step.id] = []
        self._children[parent].append(step.id)
        self._observe(step)
        if limit is not None:
            raise limit
        return step

    async def _new(
        self, parent: int | None, hints: tuple[str, ...]
    ) -> tuple[Step, LimitExceeded | None]:
        """Return the next step, and the limit that one of its calls has met."""
        self.tracker.step()
        path = self.path(parent)
        move = await self._policy.move(View(self.task, path, hints), self.tracker)
        number, notes = len(self.steps), move.notes
        done: list[CallOutcome] = []
        if move.decision == "call":
            actions = move.actions
            if len(actions) > 1 and not self._choices.all_calls:
                notes += (f"{len(actions) - 1} further calls were dropped: one call a step",)
                actions = actions[:1]
            elif len(actions) > 1:
                notes += (f"{len(actions)} calls at once",)
            done = await self._calls.make(number, actions, "; ".join(move.notes), path)
            for one in done:
                if one.result.failure == "tool-not-found":
                    notes += (f"the tool {one.call.name!r} does not exist",)
                elif one.result.failure == REPEATED:
                    notes += (f"the same call a third time ends the branch: {one.call.name!r}",)
        step = Step(
            id=number,
            parent=parent,
            hints=hints,
            turns=move.turns,
            thought=move.thought,
            decision=move.decision,
            calls=tuple(one.call for one in done),
            results=tuple(one.result for one in done),
            answer=move.answer,
            notes=notes,
        )
        return step, next((one.limit for one in done if one.limit is not None), None)

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
        answered = leaf is not None and ending.outcome == "answered"
        checked = answered and self._choices.check
        path = self.path(ending.leaf) if checked else ()
        return Trajectory(
            task=self.task,
            steps=tuple(self.steps),
            leaf=ending.leaf,
            answer=leaf.answer if leaf is not None and answered else None,
            flags=answer_flags(self.task, path),
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
