"""Makes one tool by the requested profile; a failed making still leaves its report."""

from toolmint.core.errors import ToolmintError
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
            match make_request.profile:
                case "latm":
                    return await make_latm(making, self.model, self._sandbox)
                case "proved":
                    return await make_proved(
                        making, self.model, self.second, self._sandbox, self._other
                    )
        except ToolmintError as fault:
            making.note("error", f"[{fault.code}] {fault}")
            return making.result(None, str(fault))
