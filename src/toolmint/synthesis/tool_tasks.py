"""Synthetic runs over a toolbox: one call or several, failures with a second try, requests that no tool fits."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from toolmint.core.messages import Frozen, ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Decision, Outcome, Step, Task, Trajectory, Turn
from toolmint.core.values import Value, canonical
from toolmint.synthesis.argument_values import arguments_for
from toolmint.synthesis.results import failure_of, result_of, told_result
from toolmint.synthesis.wording import purpose_of, request_text

Nearest = Callable[[str, int], Sequence[ToolSpec]]
"""Returns the tools nearest to a text, best first: a retriever."""
TaskKind = Literal["call", "calls", "retry", "broken", "irrelevant", "talk"]
_MOST_PHRASE = 16
_NEAR = 12  # a tool among so many nearest ones may do what a request asks for
_TRIES = 8


class TaskShares(Frozen):
    """Shares (0 to 1) of the kinds of synthetic tasks; what is left asks for one call.

    Attributes:
        calls: two calls, one after the other.
        retry: the first call fails for a time, the second try succeeds.
        broken: the tool that is needed is out of order, and the planner gives up.
        irrelevant: no tool fits, and the planner gives up.
        talk: the request needs no tool, and is answered at once.
        requests: tasks that show the same tools.
        fewest: tools that a task shows at least.
        most: tools that a task shows at most.
        optional: chance that an optional argument is given.
    """

    calls: float = 0.12
    retry: float = 0.06
    broken: float = 0.04
    irrelevant: float = 0.12
    talk: float = 0.02
    requests: int = 3
    fewest: int = 2
    most: int = 7
    optional: float = 0.35

    def kind(self, random: Random) -> TaskKind:
        """Draw the kind of a task."""
        chance = random.random()
        shares: tuple[tuple[TaskKind, float], ...] = (
            ("calls", self.calls),
            ("retry", self.retry),
            ("broken", self.broken),
            ("irrelevant", self.irrelevant),
            ("talk", self.talk),
        )
        for kind, share in shares:
            if chance < share:
                return kind
            chance -= share
        return "call"


class Wanted(NamedTuple):
    """One call that a request asks for, with the request's words."""

    spec: ToolSpec
    arguments: Mapping[str, Value]
    request: str


def wanted_call(spec: ToolSpec, random: Random, optional: float = 0.35) -> Wanted | None:
    """Return a call of a tool with a request for it; None where no values are known for its arguments."""
    arguments = arguments_for(spec, random, optional=optional)
    if arguments is None:
        return None
    return Wanted(spec, arguments, request_text(spec, arguments, random))


def shown_tools(
    wanted: Sequence[ToolSpec], request: str, nearest: Nearest, random: Random, size: int
) -> tuple[ToolSpec, ...]:
    """Return the tools that a task shows, in random order: those wanted, and the nearest to the request."""
    found = {spec.name: spec for spec in wanted}
    for spec in nearest(request, size + len(wanted)):
        if len(found) >= size:
            break
        found.setdefault(spec.name, spec)
    listed = list(found.values())
    random.shuffle(listed)
    return tuple(listed)


def synthetic_runs(
    spec: ToolSpec,
    others: Sequence[ToolSpec],
    nearest: Nearest,
    random: Random,
    shares: TaskShares = TaskShares(),  # noqa: B008 - immutable
) -> list[Trajectory]:
    """Return runs over one set of shown tools: of a tool, and of the tools that are shown beside it.

    Runs that show the same tools in the same order can be trained behind one reading of them. A tool whose
    required arguments have no known values gives none.

    Args:
        spec: the tool that the first request is about.
        others: where requests that no tool fits are drawn from.
        nearest: finds the distractors.
        random: decides everything else.
        shares: of the kinds of tasks.
    """
    first = wanted_call(spec, random, shares.optional)
    if first is None:
        return []
    size = random.randint(shares.fewest, shares.most)
    tools = shown_tools([spec], first.request, nearest, random, size)
    found = [_run(shares.kind(random), first, tools, others, nearest, random, shares)]
    while len(found) < shares.requests:
        about = wanted_call(random.choice(tools), random, shares.optional)
        if about is None:
            break
        found.append(_run(shares.kind(random), about, tools, others, nearest, random, shares))
    return found


def _run(
    kind: TaskKind,
    wanted: Wanted,
    tools: tuple[ToolSpec, ...],
    others: Sequence[ToolSpec],
    nearest: Nearest,
    random: Random,
    shares: TaskShares,
) -> Trajectory:
    asked = [wanted]
    match kind:
        case "talk":
            said, reply = random.choice(_TALK)
            return RunWriter(Task(input=said, tools=tools), random).answered(reply)
        case "irrelevant":
            other = _unfit(tools, others, nearest, random)
            if other is not None:
                task = Task(input=other.request, tools=tools)
                return RunWriter(task, random).given_up(said_purpose(other.spec))
        case "calls":
            second = wanted_call(random.choice(tools), random, shares.optional)
            if second is not None and second.spec.name != wanted.spec.name:
                asked.append(second)
        case _:
            pass
    request = _joined_requests([one.request for one in asked], random)
    writer = RunWriter(Task(input=request, tools=tools), random)
    return (
        writer.broken(wanted) if kind == "broken" else writer.solved(asked, retry=kind == "retry")
    )


def _unfit(
    tools: Sequence[ToolSpec], others: Sequence[ToolSpec], nearest: Nearest, random: Random
) -> Wanted | None:
    """Return a request that none of the tools fits: none of them is among the nearest to it."""
    shown = {tool.name for tool in tools}
    for _ in range(_TRIES):
        wanted = wanted_call(random.choice(others), random)
        if wanted is not None and not shown & {one.name for one in nearest(wanted.request, _NEAR)}:
            return wanted
    return None


def irrelevant_run(wanted: Wanted, nearest: Nearest, random: Random, size: int) -> Trajectory:
    """Return a run whose tools do not fit the request: the planner says so, and gives up."""
    near = [one for one in nearest(wanted.request, size * 12) if one.name != wanted.spec.name]
    # The nearest of all may do what was asked for under another name.
    far = near[size * 2 :] or near[len(near) // 2 :]
    tools = tuple(random.sample(far, min(size, len(far))))
    run = RunWriter(Task(input=wanted.request, tools=tools), random)
    return run.given_up(said_purpose(wanted.spec))


def _joined_requests(texts: Sequence[str], random: Random) -> str:
    if len(texts) < 2:
        return texts[0]
    link = random.choice(("Also, ", "Then ", "After that, ", "And "))
    second = texts[1]
    plain = second[:1].lower() + second[1:] if second[1:2].islower() else second
    return f"{texts[0]} {link}{plain}"


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


_TALK = (
    ("Hello!", "Hello! What can I do for you?"),
    ("Hi, how are you?", "I am fine, thank you. What can I do for you?"),
    ("Good morning.", "Good morning! How can I help you?"),
    ("Thanks, that was very helpful.", "You are welcome."),
    ("Thank you!", "You are welcome!"),
    ("Who are you?", "I am an assistant that answers requests with tools."),
    ("What can you do?", "I answer requests with the tools that I am given."),
    ("That is all for today, goodbye.", "Goodbye!"),
    ("What is two plus two?", "Two plus two is four."),
    ("Which day comes after Monday?", "Tuesday comes after Monday."),
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
            result = result_of(one.spec, one.arguments, self._random)
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
