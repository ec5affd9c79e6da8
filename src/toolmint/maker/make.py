"""Makes one tool by the requested profile; a failed making still leaves its report."""

from collections.abc import Coroutine
from traceback import format_exception
from typing import Any

from toolmint.core.errors import ToolmintError, aboundary
from toolmint.core.model import Model
from toolmint.core.sandbox import Sandbox
from toolmint.maker.latm import make_latm
from toolmint.maker.learned_making import make_learned
from toolmint.maker.making_run import (
    MakeRequest,
    MakingRun,
    Observer,
    checked_request,
    silent,
)
from toolmint.maker.proved import make_proved
from toolmint.maker.report import MakingResult


class Maker:
    """Makes tools with a strong model and verifies them in sandboxes.

    Args:
        model: writes the proposals and repairs.
        sandbox: runs the proposals.
        other: a sandbox with another hash seed, for the determinism stage.
        second: writes the independent second tool; None: ``model``.
    """

    def __init__(
        self, model: Model, sandbox: Sandbox, other: Sandbox, second: Model | None = None
    ) -> None:
        self.model, self.second = model, second or model
        self._sandbox, self._other = sandbox, other

    async def make(self, make_request: MakeRequest, observe: Observer = silent) -> MakingResult:
        """Make a tool; the result of a failed making has no record and says why in its report.

        Raises:
            InputError: there are too few demonstrations, or two contradict each other.
        """
        making = MakingRun(checked_request(make_request), observe)
        return await _ended(making, self._making(making))

    async def _making(self, making: MakingRun) -> MakingResult:
        match making.make_request.profile:
            case "latm":
                return await make_latm(making, self.model, self._sandbox)
            case "learned":
                return await make_learned(making)
            case "proved":
                return await make_proved(
                    making, self.model, self.second, self._sandbox, self._other
                )


async def fitted(make_request: MakeRequest, observe: Observer = silent) -> MakingResult:
    """Make a learned tool, which takes neither a model nor a sandbox; see ``Maker.make``.

    Raises:
        InputError: there are too few demonstrations.
    """
    making = MakingRun(checked_request(make_request), observe)
    return await _ended(making, make_learned(making))


async def _ended(making: MakingRun, work: Coroutine[Any, Any, MakingResult]) -> MakingResult:
    """Return the result of a making; one that an error ended has no tool, and a report that says so."""
    try:
        return await aboundary(work, _unexpected)
    except ToolmintError as fault:
        trace = fault.__cause__ if fault.code == "bug" else None
        facts = {"trace": "".join(format_exception(trace))} if trace is not None else {}
        making.note("error", f"[{fault.code}] {fault}", **facts)
        return making.result(None, str(fault))


def _unexpected(fault: Exception) -> ToolmintError:
    return ToolmintError(f"a bug in toolmint, please report it: {fault!r}", code="bug")
