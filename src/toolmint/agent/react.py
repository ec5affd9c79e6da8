"""ReACT: one chain of steps, without going back."""

from typing import NamedTuple

from toolmint.agent.tree import RunEnd, Tree, end_of
from toolmint.core.errors import LimitExceeded
from toolmint.core.values import Value


class ReACT(NamedTuple):
    """One chain of at most ``max_steps`` steps (Yao et al., 2022; alpha-UMi section 3.1)."""

    max_steps: int = 12
    name: str = "react"

    async def run(self, tree: Tree) -> RunEnd:
        """Take steps until one ends the chain.

        Raises:
            LimitExceeded: the chain has ``max_steps`` steps, or a limit of the run is reached.
        """
        at: int | None = None
        for _ in range(self.max_steps):
            step = await tree.grow(at)
            ending = end_of(step)
            if ending is not None:
                return ending
            at = step.id
        raise LimitExceeded(f"the chain has {self.max_steps} steps, no more are allowed")

    def settings(self) -> dict[str, Value]:
        """Return the parameters, for the record of a run."""
        return {"max_steps": self.max_steps}
