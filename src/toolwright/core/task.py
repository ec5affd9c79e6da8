"""Tasks and what solvers make of them: trees of immutable steps that can be kept, shown and learned from."""

import json
from decimal import Decimal
from typing import Literal, Protocol, cast

from pydantic import Field, ValidationError

from toolwright.core.errors import InputError
from toolwright.core.messages import (
    AssistantMessage,
    Frozen,
    Message,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from toolwright.core.model import Usage
from toolwright.core.values import Value

Role = Literal["planner", "caller", "summarizer", "backbone", "tooluser", "dispatcher", "strong"]
Tier = Literal["compiled", "tooluser", "agent", "strong"]
Outcome = Literal["answered", "gave_up", "limit", "failed"]
Decision = Literal["call", "answer", "give_up"]


class Limits(Frozen):
    """What a solver may spend on one task; None means no limit. ``cost`` is in US dollars.

    ``steps`` counts the nodes of the tree that hold a decision, ``tool_calls`` the calls of tools.
    """

    steps: int | None = Field(default=None, ge=0)
    tool_calls: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, gt=0)
    model_calls: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    cost: Decimal | None = None


class Task(Frozen):
    """A question, with the tools that may answer it, and the request class that the asker names
    (None: find it).
    """

    input: str
    request_class: str | None = None
    tools: tuple[ToolSpec, ...] = ()


class Turn(Frozen):
    """One model call by one role: the unit of training."""

    role: Role
    prompt: tuple[Message, ...]
    answer: AssistantMessage
    usage: Usage
    template_digest: str = ""

    @classmethod
    def told(cls, role: Role, text: str = "", calls: tuple[ToolCall, ...] = ()) -> "Turn":
        """Give a turn that a file tells of: without its prompt, at a price that nobody knows."""
        answer = AssistantMessage(content=text, tool_calls=calls)
        return cls(role=role, prompt=(), answer=answer, usage=Usage(cost=None))


class Step(Frozen):
    """A node of the tree: the turns taken, what they were read as, the calls made, what came back.

    Attributes:
        hints: what the program said to the roles before this step, such as the siblings already tried.
        thought: the planner's rationale, as read from its turn.
        decision: whose turn it is next (alpha-UMi section 3.2); None: a thought without a decision.
        notes: each misreading, in words: a missing marker, an invented tool, a second call that was dropped.
        pruned: the search has left this branch.
    """

    id: int
    parent: int | None = None
    hints: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    thought: str = ""
    decision: Decision | None = None
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    answer: str | None = None
    notes: tuple[str, ...] = ()
    pruned: bool = False

    def turn(self, role: Role) -> Turn | None:
        """Give the step's turn by a role, where it took one."""
        return next((turn for turn in self.turns if turn.role == role), None)


class Served(Frozen):
    """Who answered and why: tier, class, version, and each attempt that came to nothing before it."""

    tier: Tier
    request_class: str | None = None
    version: int | None = None
    why: str
    attempts: tuple[str, ...] = ()
    seconds: float = 0.0
    usage: Usage = Usage()


class Run(Frozen):
    """How a trajectory came about: policy, search with its parameters, seconds, what stopped it.

    ``usage`` is all that was spent, also on a step that a limit or a fault cut off and that was not kept.
    """

    policy: str = ""
    search: str = ""
    settings: dict[str, Value] = Field(default_factory=dict)
    seconds: float = 0.0
    stopped: str = ""
    usage: Usage = Usage()


class Trajectory(Frozen):
    """How a task was solved: a tree of steps, the leaf that ended it, and the answer.

    ``wants`` names, in the planner's words, the tool for want of which it gave up.
    """

    schema_version: Literal[1] = 1
    task: Task
    steps: tuple[Step, ...] = ()
    leaf: int | None = None
    answer: str | None = None
    outcome: Outcome = "answered"
    wants: str | None = None
    served: Served | None = None
    run: Run = Run()

    def path(self, leaf: int | None = None) -> tuple[Step, ...]:
        """Give the steps from the root to ``leaf`` (by default the one that ended the run)."""
        steps = {step.id: step for step in self.steps}
        found: list[Step] = []
        at = self.leaf if leaf is None else leaf
        while at is not None:
            found.append(steps[at])
            at = steps[at].parent
        return tuple(reversed(found))

    @property
    def usage(self) -> Usage:
        """What all model calls of the tree used."""
        return sum((turn.usage for step in self.steps for turn in step.turns), start=Usage())


def read_trajectory(text: str, where: str = "the trajectory") -> Trajectory:
    """Read a trajectory from its JSON text.

    Raises:
        InputError: it is no trajectory, or one that a newer toolwright wrote.
    """
    try:
        found: object = json.loads(text)
    except ValueError as fault:
        raise InputError(f"{where} is no JSON: {fault}") from fault
    if not isinstance(found, dict):
        raise InputError(f"{where} must be a JSON object, got {type(found).__name__}")
    version = cast("dict[str, object]", found).get("schema_version", 1)
    if isinstance(version, int) and version > 1:
        raise InputError(
            f"{where} has schema {version}, this toolwright reads 1; upgrade toolwright",
            code="trajectory-newer",
        )
    try:
        read = Trajectory.model_validate(found)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where} is no trajectory: {place}: {first['msg']}") from fault
    _check_tree(read, where)
    return read


def _check_tree(trajectory: Trajectory, where: str) -> None:
    """Refuse a tree with a repeated id, a parent that comes later or nowhere, or an unknown leaf."""
    seen: set[int] = set()
    for step in trajectory.steps:
        if step.id in seen:
            raise InputError(f"{where} has two steps {step.id}")
        if step.parent is not None and step.parent not in seen:
            raise InputError(
                f"{where}: step {step.id} names step {step.parent}, which is not before it"
            )
        seen.add(step.id)
    if trajectory.leaf is not None and trajectory.leaf not in seen:
        raise InputError(f"{where} ends in step {trajectory.leaf}, which it does not hold")


class Solver(Protocol):
    """Anything that turns a task into a trajectory: a model, an agent, the dispatcher."""

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Solve one task within the limits."""
        ...
