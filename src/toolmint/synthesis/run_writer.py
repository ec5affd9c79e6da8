"""Writes synthetic runs: steps with rationales in plain English, results, and how a run ends."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Decision, Outcome, Step, Task, Trajectory, Turn
from toolmint.core.values import Value, canonical
from toolmint.synthesis.purpose import purpose_of
from toolmint.synthesis.results import failure_of, synthetic_result, told_result

_MOST_PHRASE = 16


class Wanted(NamedTuple):
    """One call that a request asks for, with the request's words."""

    spec: ToolSpec
    arguments: Mapping[str, Value]
    request: str


def said_purpose(spec: ToolSpec) -> str:
    """Return what a tool does as a short phrase after ``to``."""
    purpose = purpose_of(spec)
    phrase = purpose.phrase if purpose.verb else f"get {purpose.thing}"
    return " ".join(phrase.split()[:_MOST_PHRASE])


_CALLS = (
    "I need to {purpose}: `{name}`.",
    "To {purpose}, I call `{name}`.",
    "`{name}` is the tool to {purpose}.",
    "The request is to {purpose}, so I use `{name}`.",
)
_NEXT = ("Next, I have to {purpose}: `{name}`.", "Now I {purpose} with `{name}`.")
_AGAIN = (
    "The call failed for now; I try `{name}` again.",
    "That was a temporary error, so I call `{name}` once more.",
)
_READY = (
    "I have what was asked for.",
    "The result answers the request.",
    "Everything that was asked is there.",
)
_PLAIN = ("This needs no tool.", "I can answer this without a tool.")
_NO_TOOL = (
    "None of the tools can {purpose}.",
    "No tool here is made to {purpose}.",
    "I would need a tool to {purpose}, and there is none.",
)
_BROKEN = (
    "`{name}` does not work and no other tool can {purpose}.",
    "The only tool to {purpose} is out of order.",
)


_STUCK = (
    "None of the tools here leads to what was asked for.",
    "With these tools the request cannot be fulfilled.",
)
_GOING_ON = ("With what is known now, the request still cannot be fulfilled.",)
_RATIONALES = {"first": _CALLS, "next": _NEXT, "again": _AGAIN}


def rationale_of(spec: ToolSpec, random: Random, *, kind: Literal["first", "next", "again"]) -> str:
    """Return why a tool is called, in one of several wordings; it ends with, or names, the tool."""
    template = random.choice(_RATIONALES[kind])
    return template.format(purpose=said_purpose(spec), name=spec.name)


class RunWriter:
    """Writes the steps of a run, with rationales in plain English.

    Args:
        task: request and tools.
        random: decides wordings and results.
    """

    def __init__(self, task: Task, random: Random) -> None:
        self._task, self._random = task, random
        self._steps: list[Step] = []

    def solved(self, wanted: Sequence[Wanted], *, retry: bool = False) -> Trajectory:
        """Return the run that makes these calls and tells their results.

        Args:
            wanted: the calls, in order.
            retry: the first call fails once.
        """
        told: list[str] = []
        for number, one in enumerate(wanted):
            thought = rationale_of(one.spec, self._random, kind="next" if number else "first")
            if retry and not number:
                self.call(
                    one.spec, one.arguments, thought, failure_of(self._random, temporary=True).text
                )
                thought = rationale_of(one.spec, self._random, kind="again")
            result = synthetic_result(one.spec, one.arguments, self._random)
            self.call(one.spec, one.arguments, thought, canonical(result))
            told.append(told_result(result, self._random, reads=purpose_of(one.spec).reads))
        return self.answered(" ".join(told))

    def broken(self, wanted: Wanted) -> Trajectory:
        """Return the run whose one tool is out of order."""
        failure = failure_of(self._random, temporary=False)
        thought = rationale_of(wanted.spec, self._random, kind="first")
        self.call(wanted.spec, wanted.arguments, thought, failure.text)
        return self.out_of_order(wanted.spec)

    def out_of_order(self, spec: ToolSpec) -> Trajectory:
        """Return the run, given up because its last tool does not work."""
        template = self._random.choice(_BROKEN)
        return self._ended(
            template.format(purpose=said_purpose(spec), name=spec.name), "give_up", None
        )

    def gave_up_after(self, calls: bool) -> Trajectory:  # noqa: FBT001 - its one argument
        """Return the run, given up as no tool leads on, after calls or at once."""
        return self._ended(self._random.choice(_GOING_ON if calls else _STUCK), "give_up", None)

    def given_up(self, purpose: str) -> Trajectory:
        """Return the run that gives up at once, as no tool serves this purpose."""
        text = self._random.choice(_NO_TOOL).format(purpose=purpose)
        return self._ended(text, "give_up", None)

    def called(self, spec: ToolSpec, arguments: Mapping[str, Value]) -> Trajectory:
        """Return the run that ends with this call: gold for one step, whose result nobody needs."""
        self.call(spec, arguments, rationale_of(spec, self._random, kind="first"), "")
        return Trajectory(
            task=self._task, steps=tuple(self._steps), leaf=len(self._steps) - 1, outcome="limit"
        )

    def answered(self, answer: str) -> Trajectory:
        """Return the run, ended by an answer."""
        thoughts = _READY if self._steps else _PLAIN
        return self._ended(self._random.choice(thoughts), "answer", answer)

    def call(
        self,
        spec: ToolSpec,
        arguments: Mapping[str, Value],
        thought: str,
        output: str,
        *,
        learnt: bool = True,
    ) -> None:
        """Add a step with one call and what it returned; one that is not learnt is context."""
        weight: Literal[0, 1] = 1 if learnt else 0
        number = len(self._steps)
        call = ToolCall(id=f"call_{number}", name=spec.name, arguments=canonical(dict(arguments)))
        failure = "failed" if output.startswith("Error: ") else None
        self._steps.append(
            Step(
                id=number,
                parent=number - 1 if number else None,
                turns=(
                    Turn.from_file("planner", thought, weight=weight),
                    Turn.from_file("caller", calls=(call,), weight=weight),
                ),
                thought=thought,
                decision="call",
                calls=(call,),
                results=(ToolResult(call_id=call.id, content=output, failure=failure),),
            )
        )

    def _ended(self, thought: str, decision: Decision, answer: str | None) -> Trajectory:
        number = len(self._steps)
        turns = (Turn.from_file("planner", thought),)
        if answer is not None:
            turns = (*turns, Turn.from_file("summarizer", answer))
        step = Step(
            id=number,
            parent=number - 1 if number else None,
            turns=turns,
            thought=thought,
            decision=decision,
            answer=answer,
        )
        outcome: Outcome = "answered" if answer is not None else "gave_up"
        return Trajectory(
            task=self._task,
            steps=(*self._steps, step),
            leaf=number,
            answer=answer,
            outcome=outcome,
        )
