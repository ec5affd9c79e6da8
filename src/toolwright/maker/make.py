"""Make one tool: choose the profile, and leave a report whatever happens."""

from toolwright.core.errors import ToolwrightError
from toolwright.core.model import Model
from toolwright.core.sandbox import Sandbox
from toolwright.maker.latm import make_latm
from toolwright.maker.making import Making, Observer, Order, Outcome, checked, silent
from toolwright.maker.proved import make_proved


class Maker:
    """A strong model with the sandboxes that try its work.

    ``other`` is a sandbox whose hash seed differs, for the determinism stage.
    """

    def __init__(
        self, model: Model, sandbox: Sandbox, other: Sandbox, second: Model | None = None
    ) -> None:
        self.model, self.second = model, second or model
        self._sandbox, self._other = sandbox, other

    async def make(self, order: Order, observe: Observer = silent) -> Outcome:
        """Make a tool, or say in the report why there is none.

        Raises:
            InputError: the demonstrations are too few or contradict each other.
        """
        making = Making(checked(order), observe)
        try:
            match order.profile:
                case "latm":
                    return await make_latm(making, self.model, self._sandbox)
                case "proved":
                    return await make_proved(
                        making, self.model, self.second, self._sandbox, self._other
                    )
        except ToolwrightError as fault:
            making.note("error", f"[{fault.code}] {fault}")
            return Outcome(record=None, body=making.body(str(fault)), usage=making.usage)
