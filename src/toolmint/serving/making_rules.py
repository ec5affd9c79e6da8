"""When tools are made, how many at once, and who is notified."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from toolmint.maker.making_run import MakeRequest, MakingResult
from toolmint.serving.kinds import NameKinds
from toolmint.serving.ledger import Ledger
from toolmint.serving.request_classes import MAX_LEARNT

Make = Callable[[MakeRequest, Ledger], Awaitable[MakingResult]]
Notify = Callable[[str, str], None]
"""Called with a class's title and the outcome of its making."""


class MakingRules(NamedTuple):
    """When tools are made, and how many at once.

    Attributes:
        needed: demonstrations that a first making takes; each failed one doubles it.
        at_once: makings that run at once in this process.
        settings: a request whose profile, tries and limits every making shares.
        lease_seconds: of a class's lease; it is prolonged until the making ends.
        name_kinds: names the kinds of requests in small classes; None: classes are joined by wording, and
            by what one tool answers.
        kinds_after: requests in small classes after which kinds are named.
        light: where no parser can be verified, make a tool that a light model uses (LATM's own).
        learned_after: demonstrations with closed answers after which a learned tool is fitted first.
        learned_kept: demonstrations that are kept of such a class at most.
    """

    needed: int
    settings: MakeRequest
    at_once: int = 4
    lease_seconds: float = 30.0
    light: bool = False
    name_kinds: NameKinds | None = None
    kinds_after: int = 24
    learned_after: int = 100
    learned_kept: int = MAX_LEARNT


class NextMaking(NamedTuple):
    """What follows a making, or one that was not due.

    Attributes:
        waiting: how many requests of the class have to wait before the next one; None: as before.
        made: a tool was made.
        other: a class to offer at once: the one that this turned out to be, or this one again.
        pause: seconds before the class is looked at again; None: none.
    """

    waiting: int | None = None
    made: bool = False
    other: str | None = None
    pause: float | None = None
