"""What a learned tool is made of: demonstrations that say how they were drawn, and weights by digest."""

import hashlib
from typing import Literal

from toolmint.core.tool import Demonstration

DrawReason = Literal["all", "audit", "abstained"]
"""Why the strong model answered a request: no learned tool served then, it was picked for an audit, or the
learned tool did not answer it."""


class DrawnDemonstration(Demonstration):
    """A demonstration of a class, with the reason for which the strong model answered it.

    Attributes:
        drawn: ``all`` and ``audit`` are drawn without regard to the request; ``abstained`` are those that
            a learned tool found hard, so that they stand in the queue more often than in the traffic.
        at: when it was answered (ISO 8601, UTC); empty: not known.
    """

    drawn: DrawReason = "all"
    at: str = ""


def weights_digest(weights: bytes) -> str:
    """Return the SHA-256 of a learned tool's weights, by which its record names them."""
    return hashlib.sha256(weights).hexdigest()
