"""Makes one tool by the requested profile; a failed making still leaves its report."""

from traceback import format_exception

from toolmint.core.errors import ToolmintError, aboundary
from toolmint.core.model import Model
from toolmint.core.sandbox import Sandbox
from toolmint.maker.latm import make_latm
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
        try:
            return await aboundary(self._making(making), _unexpected)
        except ToolmintError as fault:
            trace = fault.__cause__ if fault.code == "bug" else None
            facts = {"trace": "".join(format_exception(trace))} if trace is not None else {}
            making.note("error", f"[{fault.code}] {fault}", **facts)
            return making.result(None, str(fault))

    async def _making(self, making: MakingRun) -> MakingResult:
        match making.make_request.profile:
            case "latm":
                return await make_latm(making, self.model, self._sandbox)
            case "proved":
                return await make_proved(
                    making, self.model, self.second, self._sandbox, self._other
                )


def _unexpected(fault: Exception) -> ToolmintError:
    return ToolmintError(f"a bug in toolmint, please report it: {fault!r}", code="bug")
