"""Tasks and trajectories: trees of immutable steps that can be stored, shown and trained on."""

import json
from decimal import Decimal
from typing import Annotated, Literal, Protocol, cast

from pydantic import BeforeValidator, Field, ValidationError

from toolmint.core.errors import InputError
from toolmint.core.messages import (
    AssistantMessage,
    Frozen,
    Message,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from toolmint.core.model import Usage
from toolmint.core.values import Value

Role = Literal["planner", "caller", "summarizer", "backbone", "light", "dispatcher", "strong"]
Tier = Literal["code", "learned", "light", "agent", "strong"]


Outcome = Literal["answered", "gave_up", "limit", "failed"]
FlagKind = Literal["cut", "ungrounded"]
Decision = Literal["call", "answer", "give_up"]
_FORMER_WORDS = {"compiled": "code", "tooluser": "light"}


def current_word(word: object) -> object:
    """Return a tier's or a role's name, given the one that files from before version 0.2 hold."""
    return _FORMER_WORDS.get(word, word) if isinstance(word, str) else word


class Limits(Frozen):
    """The budget of one task; None means no limit.

    ``steps`` counts the nodes of the tree, ``seconds`` wall time, ``cost`` US dollars.
    """

    steps: int | None = Field(default=None, ge=0)
    tool_calls: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, gt=0)
    model_calls: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    cost: Decimal | None = None


class Task(Frozen):
    """A question, its request class (None: to be found), and the tools that may answer it."""

    input: str
    request_class: str | None = None
    tools: tuple[ToolSpec, ...] = ()


class Turn(Frozen):
    """One model call by one role: the unit of training; with weight 0 it is context and gives no loss.

    Attributes:
        answer: what the role said and called.
        reasoning: what the model thought before it spoke; no prompt shows it and nothing is read from it.
        cut: the reply ended at its limit of tokens.
    """

    role: Annotated[Role, BeforeValidator(current_word)]
    prompt: tuple[Message, ...]
    answer: AssistantMessage
    usage: Usage
    template_digest: str = ""
    weight: Literal[0, 1] = 1
    reasoning: str = ""
    cut: bool = False

    @classmethod
    def from_file(
        cls,
        role: Role,
        text: str = "",
        calls: tuple[ToolCall, ...] = (),
        *,
        weight: Literal[0, 1] = 1,
        reasoning: str = "",
    ) -> "Turn":
        """Return a turn read from a file: without its prompt, with unknown usage."""
        answer = AssistantMessage(content=text, tool_calls=calls)
        return cls(
            role=role,
            prompt=(),
            answer=answer,
            usage=Usage(cost=None),
            weight=weight,
            reasoning=reasoning,
        )


class Step(Frozen):
    """A node of the tree: turns, what they were read as, calls and results.

    Attributes:
        hints: what the roles were told before this step, such as the siblings already tried.
        thought: the planner's rationale, as read from its turn.
        decision: the planner's decision (alpha-UMi section 3.2); None: a thought without one.
        notes: misreadings in words: a missing marker, an invented tool, a dropped second call.
        pruned: the search has abandoned this branch.
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
        """Return the step's turn by a role, or None."""
        return next((turn for turn in self.turns if turn.role == role), None)


class Served(Frozen):
    """Who answered and why: tier, class, version, and the attempts of other tiers before it."""

    tier: Annotated[Tier, BeforeValidator(current_word)]
    request_class: str | None = None
    version: int | None = None
    why: str
    attempts: tuple[str, ...] = ()
    seconds: float = 0.0
    usage: Usage = Usage()


class Run(Frozen):
    """The run behind a trajectory: policy, search with its parameters, wall seconds, why it stopped.

    ``usage`` is everything that was used, also by a step that an error cut off and that was not kept.
    """

    policy: str = ""
    search: str = ""
    settings: dict[str, Value] = Field(default_factory=dict)
    seconds: float = 0.0
    stopped: str = ""
    usage: Usage = Usage()


class AnswerFlag(Frozen):
    """Why an answer is not to be relied on.

    Attributes:
        kind: ``cut``: the answer ended at its limit of tokens. ``ungrounded``: it states values (numbers,
            names, dates, quoted words) that stand neither in an observation nor in the task.
        why: the same in words.
        values: the ungrounded values, as the answer writes them.
    """

    kind: FlagKind
    why: str
    values: tuple[str, ...] = ()


class Trajectory(Frozen):
    """A task, its tree of steps, the leaf that ended the run, and the answer.

    ``wants`` is the planner's description of a missing tool, if it gave up for want of one; ``flags`` say
    what speaks against an answer.
    """

    schema_version: Literal[1] = 1
    task: Task
    steps: tuple[Step, ...] = ()
    leaf: int | None = None
    answer: str | None = None
    outcome: Outcome = "answered"
    wants: str | None = None
    flags: tuple[AnswerFlag, ...] = ()
    served: Served | None = None
    run: Run = Field(default_factory=Run)  # a default would be copied deeply each time

    def path(self, leaf: int | None = None) -> tuple[Step, ...]:
        """Return the steps from the root to ``leaf`` (None: the leaf that ended the run)."""
        steps = {step.id: step for step in self.steps}
        found: list[Step] = []
        at = self.leaf if leaf is None else leaf
        while at is not None:
            found.append(steps[at])
            at = steps[at].parent
        return tuple(reversed(found))

    @property
    def usage(self) -> Usage:
        """Return what all model calls of the tree used."""
        return sum((turn.usage for step in self.steps for turn in step.turns), start=Usage())


def read_trajectory(text: str, where: str = "the trajectory") -> Trajectory:
    """Read a trajectory from its JSON text.

    Raises:
        InputError: it is not a trajectory, or was written by a newer version of toolmint.
    """
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{where} is not JSON: {fault}") from fault
    if not isinstance(found, dict):
        raise InputError(f"{where} must be a JSON object, got {type(found).__name__}")
    version = cast("dict[str, object]", found).get("schema_version", 1)
    if isinstance(version, int) and version > 1:
        raise InputError(
            f"{where} has schema {version}, this toolmint reads 1; upgrade toolmint",
            code="trajectory-newer",
        )
    _complete_tools(cast("dict[str, object]", found))
    try:
        read = Trajectory.model_validate(found)
    except (ValidationError, RecursionError) as fault:
        if isinstance(fault, RecursionError):
            raise InputError(f"{where} is not a trajectory: it is nested too deeply") from fault
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where} is not a trajectory: {place}: {first['msg']}") from fault
    _check_tree(read, where)
    return read


def _complete_tools(item: dict[str, object]) -> None:
    """Add an empty description to tools without one; ``strict`` holds anyway, so it is no field of ours."""
    task = item.get("task")
    tools: object = cast("dict[str, object]", task).get("tools") if isinstance(task, dict) else None
    for tool in cast("list[object]", tools) if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            fields = cast("dict[str, object]", tool)
            if fields.get("description") is None:
                fields["description"] = ""
            if isinstance(fields.get("strict"), bool):
                del fields["strict"]


def _check_tree(trajectory: Trajectory, where: str) -> None:
    """Raise InputError for a repeated id, a parent that does not come before, or an unknown leaf."""
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
    """Anything that turns a task into a trajectory: a model, an agent, the tool server."""

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Solve one task within the limits."""
        ...
