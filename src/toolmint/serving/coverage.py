"""How many requests of a class two learned versions answer, of those that are compared."""

from typing import NamedTuple

from toolmint.core.store import Tally


class Coverage(NamedTuple):
    """Requests of a class since a newer version is compared, and how many of them which version answered."""

    seen: float = 0.0
    answered: float = 0.0
    rival: float = 0.0

    def added_to(self, tally: Tally) -> Tally:
        """Return a tally with these requests."""
        return tally.model_copy(
            update={
                "seen": tally.seen + self.seen,
                "answered": tally.answered + self.answered,
                "rival": tally.rival + self.rival,
            }
        )
