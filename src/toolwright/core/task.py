"""Tasks and what solvers make of them: trees of immutable steps that can be kept, shown and learned from."""

from decimal import Decimal
from typing import Literal, Protocol

from pydantic import Field

from toolwright.core.messages import AssistantMessage, Frozen, Message, ToolCall, ToolResult
from toolwright.core.model import Usage

Role = Literal["planner", "caller", "summarizer", "backbone", "tooluser", "dispatcher", "strong"]
Tier = Literal["compiled", "tooluser", "agent", "strong"]
Outcome = Literal["answered", "gave_up", "limit", "failed"]


class Limits(Frozen):
    """What a solver may spend on one task; None means no limit. ``cost`` is in US dollars."""

    seconds: float | None = Field(default=None, gt=0)
    model_calls: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    cost: Decimal | None = None


class Task(Frozen):
    """A question, with the request class that the asker names (None: find it)."""

    input: str
    request_class: str | None = None


class Turn(Frozen):
    """One model call by one role: the unit of training."""

    role: Role
    prompt: tuple[Message, ...]
    answer: AssistantMessage
    usage: Usage
    template_digest: str = ""


class Step(Frozen):
    """A node of the tree: the turns taken, the calls made, what came back."""

    id: int
    parent: int | None = None
    turns: tuple[Turn, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    pruned: bool = False


class Served(Frozen):
    """Who answered and why: tier, class, version, and each attempt that came to nothing before it."""

    tier: Tier
    request_class: str | None = None
    version: int | None = None
    why: str
    attempts: tuple[str, ...] = ()
    seconds: float = 0.0
    usage: Usage = Usage()


class Trajectory(Frozen):
    """How a task was solved: a tree of steps, the leaf that ended it, and the answer."""

    schema_version: Literal[1] = 1
    task: Task
    steps: tuple[Step, ...] = ()
    leaf: int | None = None
    answer: str | None = None
    outcome: Outcome = "answered"
    served: Served | None = None

    def path(self, leaf: int | None = None) -> tuple[Step, ...]:
        """Give the steps from the root to ``leaf`` (by default the one that ended the run)."""
        steps = {step.id: step for step in self.steps}
        found: list[Step] = []
        at = self.leaf if leaf is None else leaf
        while at is not None:
            found.append(steps[at])
            at = steps[at].parent
        return tuple(reversed(found))


class Solver(Protocol):
    """Anything that turns a task into a trajectory: a model, an agent, the dispatcher."""

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Solve one task within the limits."""
        ...
