"""Policies decide the next step: three roles with a model each, or a single model."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.core.errors import ContextOverflow
from toolmint.core.messages import AssistantMessage, ToolCall
from toolmint.core.model import Model, ModelRequest, ModelResponse
from toolmint.core.task import Decision, Turn
from toolmint.core.values import sound
from toolmint.roles.compaction import MOST_COMPACT, compacted
from toolmint.roles.direct_answer import direct_answer
from toolmint.roles.native import Native
from toolmint.roles.reading import Action, read_actions, read_answer, read_backbone, read_plan
from toolmint.roles.reasoning import split_reasoning
from toolmint.roles.view import AgentRole, Family, Prompt, View


class Move(NamedTuple):
    """A decided step: the turns, what they were read as, and a note for each misreading.

    ``more`` are the calls after the first one, where a role wrote several at once.
    """

    turns: tuple[Turn, ...]
    thought: str
    decision: Decision
    action: Action | None = None
    answer: str | None = None
    notes: tuple[str, ...] = ()
    more: tuple[Action, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """All calls of the step."""
        return (self.action, *self.more) if self.action is not None else ()


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
    """Sampling settings: temperature (0: greedy, as in the paper), tokens of a reply, seed.

    ``by_role`` are the tokens of the roles that have a limit of their own.
    """

    temperature: float = 0.0
    max_tokens: int = 1024
    seed: int | None = None
    by_role: Mapping[AgentRole, int] = MappingProxyType({})

    def tokens_of(self, role: AgentRole) -> int:
        """Return the tokens that a role's reply may have."""
        return self.by_role.get(role, self.max_tokens)


def _apart(reply: ModelResponse) -> ModelResponse:
    """Return a reply in valid Unicode, its reasoning apart from its speech.

    A model may write half of a surrogate pair, which cannot be stored.
    """
    speech = split_reasoning(sound(reply.content))
    if speech.said is reply.content and not (reply.tool_calls or reply.reasoning):
        return reply
    calls = tuple(
        ToolCall(id=sound(one.id), name=sound(one.name), arguments=sound(one.arguments))
        for one in reply.tool_calls
    )
    thought = [one for one in (sound(reply.reasoning), speech.reasoning) if one]
    return reply.model_copy(
        update={"content": speech.said, "reasoning": "\n".join(thought), "tool_calls": calls}
    )


class _RoleModel(NamedTuple):
    """One role with its model: renders the prompt, calls the model, and returns the turn."""

    role: AgentRole
    model: Model
    family: Family
    sampling: Sampling

    async def say(
        self, view: View, tracker: BudgetTracker
    ) -> tuple[Turn, ModelResponse, tuple[str, ...]]:
        prompt, response, notes = await self._asked(view, tracker)
        reply = _apart(response)
        cut = reply.finish_reason == "length"
        answer = AssistantMessage(content=reply.content, tool_calls=reply.tool_calls)
        turn = Turn(
            role=self.role,
            prompt=prompt.messages,
            answer=answer,
            usage=reply.usage,
            template_digest=prompt.digest,
        )
        if cut or reply.reasoning:
            turn = turn.model_copy(update={"reasoning": reply.reasoning, "cut": cut})
        if cut:
            most = self.sampling.tokens_of(self.role)
            silent = ", before it said anything" if reply.reasoning and not reply.content else ""
            notes += (f"the {self.role}'s reply was cut at {most} tokens{silent}",)
        return turn, reply, notes

    async def _asked(
        self, view: View, tracker: BudgetTracker
    ) -> tuple[Prompt, ModelResponse, tuple[str, ...]]:
        """Ask the model; where the prompt is too long for it, with less and less of the history.

        Raises:
            ContextOverflow: the prompt is too long without any history, too.
        """
        while True:
            shown, notes = view, ()
            if tracker.compaction and view.path:
                shown, note = compacted(view, tracker.compaction)
                notes = (note,)
            prompt = self.family.prompt(self.role, shown)
            request = ModelRequest(
                messages=prompt.messages,
                tools=prompt.tools,
                tool_choice=prompt.tool_choice,
                temperature=self.sampling.temperature,
                max_tokens=self.sampling.tokens_of(self.role),
                seed=self.sampling.seed,
            )
            try:
                return prompt, await tracker.ask(self.model, request), notes
            except ContextOverflow:
                if tracker.compaction == MOST_COMPACT or not view.path:
                    raise
                tracker.compaction += 1


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

        A planner that names no role is read as naming the caller, but where it plainly has answered the user
        itself. A tool call in the planner's own turn is dropped, because the roles are trained on turns of
        one kind only.
        """
        turn, reply, notes = await self._planner.say(view, tracker)
        plan = read_plan(reply.content)
        notes += plan.notes
        if reply.tool_calls:
            notes += (f"the planner called {reply.tool_calls[0].name!r}; the call was dropped",)
        elif plan.decision is None and self.family.name == Native.name:
            # Other families are trained on markers; there the official rule holds.
            direct = direct_answer(reply.content, view.task, view.path)
            if direct is not None:
                notes += ("the planner named no role, and its text was read as the answer",)
                return Move((turn,), "", "answer", answer=direct, notes=notes)
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
        actions = read_actions(
            said.content, said.tool_calls, program=view.program, tools=view.task.tools
        )
        notes += _notes_of(actions)
        return Move(
            (turn, second), plan.thought, decision, actions[0], notes=notes, more=actions[1:]
        )


def _notes_of(actions: Sequence[Action]) -> tuple[str, ...]:
    return tuple(note for action in actions for note in action.notes)


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
        whole = read_backbone(
            reply.content, reply.tool_calls, program=view.program, tools=view.task.tools
        )
        notes += whole.plan.notes + _notes_of(whole.actions)
        notes += whole.answer.notes if whole.answer is not None else ()
        answer = whole.answer.text if whole.answer is not None else None
        decision: Decision = whole.plan.decision or "call"
        return Move(
            (turn,),
            whole.plan.thought,
            decision,
            whole.action,
            answer,
            notes,
            whole.actions[1:],
        )
