"""Asks before calls that change something."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal, Protocol

from toolmint.core.errors import ToolArgumentsError, ToolError, aboundary
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.schema import schema_violation
from toolmint.core.toolbox import Toolbox, failed_result

ApprovalMode = Literal["ask", "never", "always"]


class Approve(Protocol):
    """Decides whether a call that changes something is done."""

    def __call__(self, spec: ToolSpec, call: ToolCall, /) -> bool | Awaitable[bool]:
        """Return True where it is; an exception is a no."""
        ...


NOBODY = (
    "nobody can be asked here; pass --approve always, set TOOLMINT_APPROVE=always, or in Python give "
    "approve='always' or a function"
)
_REFUSED = "the user did not approve this call"


def changes_something(spec: ToolSpec) -> bool:
    """Return whether a call has to be approved: its source says, or implies, that it may change something."""
    return spec.read_only is False


def unasked(specs: Iterable[ToolSpec], mode: ApprovalMode) -> str | None:
    """Return what to tell a user where nobody can be asked, in one line; None if no tool needs that."""
    several = tuple(specs)
    changing = [spec.name for spec in several if changes_something(spec)]
    if mode != "ask" or not changing:
        return None
    return (
        f"{len(changing)} of {len(several)} tools change something ({', '.join(changing[:3])}"
        f"{', …' if len(changing) > 3 else ''}) and are not called, as {NOBODY}"
    )


class ApprovedToolbox:
    """A toolbox whose calls that change something are approved first; a refusal is an observation.

    Args:
        box: holds the tools.
        mode: which calls are done: every one (``always``), none that changes something (``never``), or
            those that the asker says (``ask``).
        asker: is asked; None: nobody is there to be asked, and such a call is not done.
    """

    def __init__(self, box: Toolbox, mode: ApprovalMode, asker: Approve | None = None) -> None:
        self._box, self._asker = box, asker
        self._mode: ApprovalMode = mode
        self._specs = {spec.name: spec for spec in box.specs}
        self._one_at_a_time = asyncio.Lock()

    @property
    def warnings(self) -> list[str]:
        """Return what to tell a user where nobody can be asked and a tool needs that: one line, or none."""
        said = None if self._asker is not None else unasked(self.specs, self._mode)
        return [] if said is None else [said]

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """Return the specifications of all tools."""
        return self._box.specs

    async def call(self, call: ToolCall) -> ToolResult:
        """Run one call, approved first where it needs that; nobody is asked about one that cannot be done."""
        spec = self._specs.get(call.name)
        if spec is None or not changes_something(spec) or _misfits(spec, call):
            return await self._box.call(call)
        reason = await self._reason(spec, call)
        if reason is not None:
            text = f"{call.name!r} changes something and was not called: {reason}"
            return failed_result(call, "tool-approval", text)
        return await self._box.call(call)

    async def _reason(self, spec: ToolSpec, call: ToolCall) -> str | None:
        """Return why a call is not done, or None."""
        if self._mode == "always":
            return None
        if self._mode == "never":
            return "such calls are never approved in this run"
        if self._asker is None:
            return NOBODY
        asker: Callable[[ToolSpec, ToolCall], bool | Awaitable[bool]] = self._asker
        async with self._one_at_a_time:
            try:
                found = await aboundary(_asked(asker, spec, call), _no_answer)
            except ToolError as fault:
                return str(fault)
        return None if found else _REFUSED


async def _asked(
    asker: Callable[[ToolSpec, ToolCall], bool | Awaitable[bool]], spec: ToolSpec, call: ToolCall
) -> bool:
    found = asker(spec, call)
    return found is True if isinstance(found, bool) else await found is True


def _no_answer(fault: Exception) -> ToolError:
    return ToolError(f"asking failed: {type(fault).__name__}: {fault}")


def _misfits(spec: ToolSpec, call: ToolCall) -> bool:
    try:
        return schema_violation(spec, call, call.parsed()) is not None
    except ToolArgumentsError:
        return True
