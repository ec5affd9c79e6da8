"""Who decides the next step: a team of three roles, or a single model, over the same view."""

from typing import NamedTuple, Protocol

from toolwright.agent.meter import Meter
from toolwright.core.messages import AssistantMessage, ToolCall
from toolwright.core.model import Model, ModelRequest, ModelResponse
from toolwright.core.task import Decision, Turn
from toolwright.core.values import sound
from toolwright.roles.native import Native
from toolwright.roles.reading import Action, read_action, read_answer, read_plan, read_whole
from toolwright.roles.view import AgentRole, Family, View


class Move(NamedTuple):
    """One step as the policy wants it: turns, what they were read as, and every misreading."""

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
        """What stands in reports: the roles' models."""
        ...

    async def move(self, view: View, meter: Meter) -> Move:
        """Give the next step.

        Raises:
            ModelError: a model gave no usable reply.
            LimitExceeded: the run may not ask a model again.
        """
        ...


class Sampling(NamedTuple):
    """How models are sampled: temperature (0: greedy, as the paper says), tokens of a reply, seed."""

    temperature: float = 0.0
    max_tokens: int = 1024
    seed: int | None = None


def _sound(reply: ModelResponse) -> ModelResponse:
    """Give a reply whose texts can be kept: a model may write half of a surrogate pair."""
    calls = tuple(
        ToolCall(id=sound(one.id), name=sound(one.name), arguments=sound(one.arguments))
        for one in reply.tool_calls
    )
    return reply.model_copy(update={"content": sound(reply.content), "tool_calls": calls})


class _Speaker(NamedTuple):
    """One role with its model: renders, asks, and keeps the turn."""

    role: AgentRole
    model: Model
    family: Family
    sampling: Sampling

    async def say(self, view: View, meter: Meter) -> tuple[Turn, ModelResponse, tuple[str, ...]]:
        prompt = self.family.prompt(self.role, view)
        request = ModelRequest(
            messages=prompt.messages, tools=prompt.tools, tool_choice=prompt.tool_choice,
            temperature=self.sampling.temperature, max_tokens=self.sampling.max_tokens,
            seed=self.sampling.seed,
        )  # fmt: skip
        reply = _sound(await meter.ask(self.model, request))
        answer = AssistantMessage(content=reply.content, tool_calls=reply.tool_calls)
        turn = Turn(
            role=self.role, prompt=prompt.messages, answer=answer, usage=reply.usage,
            template_digest=prompt.digest,
        )  # fmt: skip
        cut = reply.finish_reason == "length"
        notes = (
            (f"the {self.role}'s reply was cut at {self.sampling.max_tokens} tokens",)
            if cut
            else ()
        )
        return turn, reply, notes


class Team:
    """alpha-UMi section 3.2: planner, caller and summarizer, each with its own model."""

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

        def speaker(role: AgentRole, model: Model) -> _Speaker:
            return _Speaker(role, model, self.family, sampling)

        self._planner = speaker("planner", planner)
        self._caller = speaker("caller", caller)
        self._summarizer = speaker("summarizer", summarizer)

    @property
    def name(self) -> str:
        """The three models."""
        names = [one.model.name for one in (self._planner, self._caller, self._summarizer)]
        return f"team({', '.join(names)}; {self.family.name})"

    async def move(self, view: View, meter: Meter) -> Move:
        """Let the planner speak, then the role that it names (equations 2 to 4)."""
        turn, reply, notes = await self._planner.say(view, meter)
        plan = read_plan(reply.content)
        notes += plan.notes
        if reply.tool_calls:
            notes += (f"the planner called {reply.tool_calls[0].name!r}; the call was dropped",)
        decision: Decision = plan.decision or "call"
        if decision == "give_up":
            return Move((turn,), plan.thought, decision, notes=notes)
        shown = view._replace(plan=plan, said=reply.content)
        speaker = self._caller if decision == "call" else self._summarizer
        second, said, more = await speaker.say(shown, meter)
        notes += more
        if decision == "answer":
            answer = read_answer(said.content, said.tool_calls)
            notes += answer.notes
            return Move((turn, second), plan.thought, decision, answer=answer.text, notes=notes)
        action = read_action(said.content, said.tool_calls, program=view.program)
        notes += action.notes
        return Move((turn, second), plan.thought, decision, action, notes=notes)


class Single:
    """The single-LLM baseline: one model writes rationale, call and answer (equation 1)."""

    def __init__(
        self,
        model: Model,
        *,
        family: Family | None = None,
        sampling: Sampling = Sampling(),  # noqa: B008 - immutable
    ) -> None:
        self.family: Family = family or Native()
        self._backbone = _Speaker("backbone", model, self.family, sampling)

    @property
    def name(self) -> str:
        """The one model."""
        return f"single({self._backbone.model.name}; {self.family.name})"

    async def move(self, view: View, meter: Meter) -> Move:
        """Let the one model take the whole step."""
        turn, reply, notes = await self._backbone.say(view, meter)
        whole = read_whole(reply.content, reply.tool_calls, program=view.program)
        notes += whole.plan.notes
        for part in (whole.action, whole.answer):
            notes += part.notes if part is not None else ()
        answer = whole.answer.text if whole.answer is not None else None
        decision: Decision = whole.plan.decision or "call"
        return Move((turn,), whole.plan.thought, decision, whole.action, answer, notes)
