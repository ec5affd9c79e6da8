"""Make the calls of one step: in order, side by side where the tools change nothing, within the limits."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.core.errors import LimitExceeded, ToolArgumentsError
from toolmint.core.messages import ToolCall, ToolResult
from toolmint.core.task import Step
from toolmint.core.toolbox import Toolbox, contained_call, failed_result
from toolmint.core.values import Value, canonical, clip, sound, sound_value
from toolmint.roles.reading import NO_CALL, Action

REPEATED = "repeated-call"
_MOST_EQUAL = 2  # equal calls with equal results on one branch; a third one would bring nothing new


class CallOutcome(NamedTuple):
    """A call with its result, and the limit that it met, if any."""

    call: ToolCall
    result: ToolResult
    limit: LimitExceeded | None = None


class StepCalls:
    """Makes the calls of the steps of one run.

    Args:
        toolbox: runs the calls.
        tracker: keeps the run within its limits.
        observation: largest number of characters of an observation; a cut is marked in the text.
    """

    def __init__(self, toolbox: Toolbox, tracker: BudgetTracker, observation: int) -> None:
        self._toolbox, self._tracker, self._observation = toolbox, tracker, observation
        self._read_only: frozenset[str] | None = None

    async def make(
        self, number: int, actions: Sequence[Action], why: str, path: Sequence[Step]
    ) -> list[CallOutcome]:
        """Make the calls of a step and return them with their results, in order.

        A limit that is met after the first call began is in the last outcomes, and not raised: what a call
        has done must stand in the trajectory.

        Args:
            number: of the step, for the calls' ids.
            actions: what the role wrote.
            why: the result where it wrote no call.
            path: the steps before.

        Raises:
            LimitExceeded: a limit is reached before any call was made.
            SandboxError: the sandbox itself is broken.
        """
        calls = [
            ToolCall(
                id=f"call_{number}_{place}" if place else f"call_{number}",
                name=action.name if action.name is not None else NO_CALL,
                arguments=action.arguments,
            )
            for place, action in enumerate(actions)
        ]
        if not calls or actions[0].name is None:
            call = calls[0] if calls else ToolCall(id=f"call_{number}", name=NO_CALL, arguments="")
            return [self._refused(call, "no-call", why or "no call was written", path)]
        if len(calls) == 1:
            return [await self._one(calls[0], path, first=True)]
        done: list[CallOutcome] = []
        for group in self._groups(calls):
            done += await self._group(group, path, first=not done)
        return done

    def _groups(self, calls: Sequence[ToolCall]) -> Iterator[list[ToolCall]]:
        """Yield the calls in order; read-only ones that follow each other are one group."""
        if self._read_only is None:
            self._read_only = frozenset(one.name for one in self._toolbox.specs if one.read_only)
        group: list[ToolCall] = []
        for call in calls:
            if call.name not in self._read_only:
                if group:
                    yield group
                yield [call]
                group = []
            else:
                group.append(call)
        if group:
            yield group

    async def _group(
        self, group: Sequence[ToolCall], path: Sequence[Step], *, first: bool
    ) -> list[CallOutcome]:
        if len(group) == 1:
            return [await self._one(group[0], path, first=first)]
        work = (
            self._one(call, path, first=first and not place) for place, call in enumerate(group)
        )
        found = await asyncio.gather(*work, return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return [one for one in found if isinstance(one, CallOutcome)]

    async def _one(self, call: ToolCall, path: Sequence[Step], *, first: bool) -> CallOutcome:
        if _repeats(call, path):
            said = "this very call was made twice before and gave the same result"
            return self._kept(call, failed_result(call, REPEATED, said))
        try:
            self._tracker.call()
        except LimitExceeded as limit:
            if first:
                raise
            return self._kept(call, failed_result(call, "limit", f"not called: {limit}"), limit)
        try:
            result = await self._tracker.timed(contained_call(self._toolbox, call))
        except LimitExceeded as limit:
            said = f"no result in time, and nobody knows what the call has done: {limit}"
            return self._kept(call, failed_result(call, "tool-timeout", said), limit)
        return self._kept(call, result)

    def _refused(self, call: ToolCall, kind: str, why: str, path: Sequence[Step]) -> CallOutcome:
        if _repeats(call, path):
            kind, why = REPEATED, f"the third time in a row: {why}"
        return self._kept(call, failed_result(call, kind, why))

    def _kept(
        self, call: ToolCall, result: ToolResult, limit: LimitExceeded | None = None
    ) -> CallOutcome:
        """Return a result as it is kept: valid Unicode, and cut visibly; data goes with a cut text."""
        whole = len(result.content) <= self._observation
        kept: dict[str, Value] = {
            "call_id": call.id,
            "content": clip(sound(result.content), self._observation),
            "data": sound_value(result.data) if whole else None,
        }
        return CallOutcome(call, result.model_copy(update=kept), limit)


def _repeats(call: ToolCall, path: Sequence[Step]) -> bool:
    """Return whether a call was made on this branch before, so often and with equal results."""
    if len(path) < _MOST_EQUAL:
        return False
    results: list[str] = []
    for step in reversed(path):
        for before, result in zip(step.calls, step.results, strict=False):
            if before.name != call.name:
                continue
            if before.arguments != call.arguments and not _alike(before.arguments, call.arguments):
                continue
            results.append(result.content)
    latest = results[:_MOST_EQUAL]
    return len(latest) == _MOST_EQUAL and len(set(latest)) == 1


def _alike(one: str, other: str) -> bool:
    """Return whether two texts of arguments mean the same; most differ in their letters already."""
    return _letters(one) == _letters(other) and _key(one) == _key(other)


@lru_cache(maxsize=4096)
def _letters(arguments: str) -> str:
    return "".join(sorted("".join(arguments.split())))


@lru_cache(maxsize=4096)
def _key(arguments: str) -> str:
    """Return arguments in one form, whatever their order and their spaces."""
    try:
        return canonical(ToolCall(id="", name="", arguments=arguments).parsed())
    except (ToolArgumentsError, ValueError):
        return arguments


def repeated(step: Step) -> ToolCall | None:
    """Return the call of a step that was one repetition too many, or None."""
    for call, result in zip(step.calls, step.results, strict=False):
        if result.failure == REPEATED:
            return call
    return None
