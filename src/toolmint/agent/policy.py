"""Policies decide the next step: three roles with a model each, or a single model."""

from typing import NamedTuple, Protocol

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.core.messages import AssistantMessage, ToolCall
from toolmint.core.model import Model, ModelRequest, ModelResponse
from toolmint.core.task import Decision, Turn
from toolmint.core.values import sound
from toolmint.roles.native import Native
from toolmint.roles.reading import Action, read_action, read_answer, read_backbone, read_plan
from toolmint.roles.view import AgentRole, Family, View


class Move(NamedTuple):
    """A decided step: the turns, what they were read as, and a note for each misreading."""

    turns: tuple[Turn, ...]
    thought: str
    decision: Decision
    action: Action | None = None
    answer: str | None = None
    notes: tuple[str, ...] = ()


class Policy(Protocol):
    """Decides the next step of a task."""

    @property
    def name(self) -> str:
        """Return the name for reports, made of the models' names."""
        ...

    async def move(self, view: View, tracker: BudgetTracker) -> Move:
        """Return the next step.

        Raises:
            ModelError: a model gave no usable reply.
            LimitExceeded: the run may make no further model call.
        """
        ...


class Sampling(NamedTuple):
    """Sampling settings: temperature (0: greedy, as in the paper), tokens of a reply, seed."""

    temperature: float = 0.0
    max_tokens: int = 1024
    seed: int | None = None


def _sound(reply: ModelResponse) -> ModelResponse:
    """Return a reply in valid Unicode: a model may write half of a surrogate pair, which cannot be stored."""
    calls = tuple(
        ToolCall(id=sound(one.id), name=sound(one.name), arguments=sound(one.arguments))
        for one in reply.tool_calls
    )
    return reply.model_copy(update={"content": sound(reply.content), "tool_calls": calls})


class _RoleModel(NamedTuple):
    """One role with its model: renders the prompt, calls the model, and returns the turn."""

    role: AgentRole
    model: Model
    family: Family
    sampling: Sampling

    async def say(
        self, view: View, tracker: BudgetTracker
    ) -> tuple[Turn, ModelResponse, tuple[str, ...]]:
        prompt = self.family.prompt(self.role, view)
        request = ModelRequest(
            messages=prompt.messages,
            tools=prompt.tools,
            tool_choice=prompt.tool_choice,
            temperature=self.sampling.temperature,
            max_tokens=self.sampling.max_tokens,
            seed=self.sampling.seed,
        )
        reply = _sound(await tracker.ask(self.model, request))
        answer = AssistantMessage(content=reply.content, tool_calls=reply.tool_calls)
        turn = Turn(
            role=self.role,
            prompt=prompt.messages,
            answer=answer,
            usage=reply.usage,
            template_digest=prompt.digest,
        )
        cut = reply.finish_reason == "length"
        notes = (
            (f"the {self.role}'s reply was cut at {self.sampling.max_tokens} tokens",)
            if cut
            else ()
        )
        return turn, reply, notes


class ThreeRolePolicy:
    """Planner, caller and summarizer, each with its own model (alpha-UMi section 3.2)."""

    def __init__(
        self,
        planner: Model,
        caller: Model,
        summarizer: Model,
        *,
        family: Family | None = None,
        sampling: Sampling = Sampling(),  # noqa: B008 - immutable
    ) -> None:
        self.family: Family = family or Native()

        def role_model(role: AgentRole, model: Model) -> _RoleModel:
            return _RoleModel(role, model, self.family, sampling)

        self._planner = role_model("planner", planner)
        self._caller = role_model("caller", caller)
        self._summarizer = role_model("summarizer", summarizer)

    @property
    def name(self) -> str:
        """Return the names of the three models."""
        names = [one.model.name for one in (self._planner, self._caller, self._summarizer)]
        return f"three_roles({', '.join(names)}; {self.family.name})"

    async def move(self, view: View, tracker: BudgetTracker) -> Move:
        """Call the planner, then the role that it names (alpha-UMi equations 2 to 4).

        A planner that names no role is read as naming the caller. A tool call in the planner's own turn
        is dropped, because the roles are trained on turns of one kind only.
        """
        turn, reply, notes = await self._planner.say(view, tracker)
        plan = read_plan(reply.content)
        notes += plan.notes
        if reply.tool_calls:
            notes += (f"the planner called {reply.tool_calls[0].name!r}; the call was dropped",)
        decision: Decision = plan.decision or "call"
        if decision == "give_up":
            return Move((turn,), plan.thought, decision, notes=notes)
        shown = view._replace(plan=plan, said=reply.content)
        speaker = self._caller if decision == "call" else self._summarizer
        second, said, more = await speaker.say(shown, tracker)
        notes += more
        if decision == "answer":
            answer = read_answer(said.content, said.tool_calls)
            notes += answer.notes
            return Move((turn, second), plan.thought, decision, answer=answer.text, notes=notes)
        action = read_action(said.content, said.tool_calls, program=view.program)
        notes += action.notes
        return Move((turn, second), plan.thought, decision, action, notes=notes)


class SingleModelPolicy:
    """The single-model baseline: one model writes rationale, call and answer (alpha-UMi equation 1)."""

    def __init__(
        self,
        model: Model,
        *,
        family: Family | None = None,
        sampling: Sampling = Sampling(),  # noqa: B008 - immutable
    ) -> None:
        self.family: Family = family or Native()
        self._backbone = _RoleModel("backbone", model, self.family, sampling)

    @property
    def name(self) -> str:
        """Return the name of the model."""
        return f"single({self._backbone.model.name}; {self.family.name})"

    async def move(self, view: View, tracker: BudgetTracker) -> Move:
        """Call the model once for the whole step."""
        turn, reply, notes = await self._backbone.say(view, tracker)
        whole = read_backbone(reply.content, reply.tool_calls, program=view.program)
        notes += whole.plan.notes
        for part in (whole.action, whole.answer):
            notes += part.notes if part is not None else ()
        answer = whole.answer.text if whole.answer is not None else None
        decision: Decision = whole.plan.decision or "call"
        return Move((turn,), whole.plan.thought, decision, whole.action, answer, notes)
