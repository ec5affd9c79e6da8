"""Synthetic runs over a toolbox: calls, failures with a second try, requests that no tool fits."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Literal

from toolmint.core.messages import Frozen, ToolSpec
from toolmint.core.task import Task, Trajectory
from toolmint.synthesis.argument_values import arguments_for
from toolmint.synthesis.run_writer import RunWriter, Wanted, said_purpose
from toolmint.synthesis.wording import Wordings, request_text

Nearest = Callable[[str, int], Sequence[ToolSpec]]
"""Returns the tools nearest to a text, best first: a retriever."""
TaskKind = Literal["call", "calls", "retry", "broken", "irrelevant", "talk"]
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


def wanted_call(
    spec: ToolSpec, random: Random, optional: float = 0.35, *, wordings: Wordings = "all"
) -> Wanted | None:
    """Return a call of a tool with a request for it; None where no values are known for its arguments."""
    arguments = arguments_for(spec, random, optional=optional)
    if arguments is None:
        return None
    return Wanted(spec, arguments, request_text(spec, arguments, random, wordings))


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


class TaskSynthesis:
    """Makes runs over the tools of a toolbox.

    Args:
        specs: the tools.
        nearest: finds the distractors among them.
        shares: of the kinds of tasks.
        others: tools outside, for requests that no tool fits; empty: the tools themselves.
        wordings: of the requests.
    """

    def __init__(
        self,
        specs: Sequence[ToolSpec],
        nearest: Nearest,
        shares: TaskShares = TaskShares(),  # noqa: B008 - immutable
        *,
        others: Sequence[ToolSpec] = (),
        wordings: Wordings = "all",
    ) -> None:
        self._specs, self._nearest, self._shares = tuple(specs), nearest, shares
        self._others = tuple(others) or self._specs
        self._wordings: Wordings = wordings

    def wanted(self, spec: ToolSpec, random: Random) -> Wanted | None:
        """Return a call of a tool with its request; None where a required argument has no known value."""
        return wanted_call(spec, random, self._shares.optional, wordings=self._wordings)

    def runs(self, spec: ToolSpec, random: Random) -> list[Trajectory]:
        """Return runs over one set of shown tools: of a tool, and of the tools that are shown beside it.

        Runs that show the same tools in the same order can be trained behind one reading of them. A tool
        whose required arguments have no known values gives none.
        """
        first = self.wanted(spec, random)
        if first is None:
            return []
        size = random.randint(self._shares.fewest, self._shares.most)
        tools = shown_tools([spec], first.request, self._nearest, random, size)
        found = [self.run(first, tools, random)]
        while len(found) < self._shares.requests:
            about = self.wanted(random.choice(tools), random)
            if about is None:
                break
            found.append(self.run(about, tools, random))
        return found

    def run(self, wanted: Wanted, tools: tuple[ToolSpec, ...], random: Random) -> Trajectory:
        """Return a run of a drawn kind about a call, with these tools shown."""
        asked, kind = [wanted], self._shares.kind(random)
        if kind == "talk":
            said, reply = random.choice(_TALK)
            return RunWriter(Task(input=said, tools=tools), random).answered(reply)
        other = self._unfit(tools, random) if kind == "irrelevant" else None
        if other is not None:
            writer = RunWriter(Task(input=other.request, tools=tools), random)
            return writer.given_up(said_purpose(other.spec))
        if kind == "calls":
            second = self.wanted(random.choice(tools), random)
            if second is not None and second.spec.name != wanted.spec.name:
                asked.append(second)
        request = _joined_requests([one.request for one in asked], random)
        writer = RunWriter(Task(input=request, tools=tools), random)
        return (
            writer.broken(wanted)
            if kind == "broken"
            else writer.solved(asked, retry=kind == "retry")
        )

    def _unfit(self, tools: Sequence[ToolSpec], random: Random) -> Wanted | None:
        """Return a request that none of the tools fits: none of them is among the nearest to it."""
        shown = {tool.name for tool in tools}
        for _ in range(_TRIES):
            wanted = self.wanted(random.choice(self._others), random)
            if wanted is None or wanted.spec.name in shown:
                continue
            near = {one.name for one in self._nearest(wanted.request, _NEAR)}
            if self._others != self._specs or not shown & near:
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
