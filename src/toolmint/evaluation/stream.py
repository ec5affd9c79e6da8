"""Labelled streams: requests in the order in which they come, and what the strong model says to each."""

import itertools
from collections.abc import Sequence
from random import Random
from typing import NamedTuple, Protocol

from pydantic import Field

from toolmint.core.errors import InputError
from toolmint.core.messages import Frozen
from toolmint.core.sameness import same_answer
from toolmint.core.tool import Demonstration

WINDOWS = 20
"""Parts of a stream whose counts are kept."""
_LAST = 2000


class StreamPlan(Frozen):
    """How a stream is made of labelled requests.

    Attributes:
        noise: share of requests to which the strong model gives another label than the right one.
        change_half: half way, each label changes its name to that of another one.
        unseen: intents of which no request comes in the first half.
        first: requests of the shuffled stream that are played; None: all.
    """

    noise: float = Field(default=0.0, ge=0, lt=1)
    change_half: bool = False
    unseen: int = Field(default=0, ge=0)
    first: int | None = Field(default=None, ge=1)


class StreamRequest(NamedTuple):
    """One request of a stream.

    Attributes:
        text: the request.
        label: the right answer.
        strong: what the strong model answers.
        fresh: it is of an intent that the first half does not have.
    """

    text: str
    label: str
    strong: str
    fresh: bool


class PlayedRequest(NamedTuple):
    """What became of one request.

    Attributes:
        answer: what the asker got.
        strong: whether the strong model was asked.
        serving: the versions that serve after it, such as ``intents v2``; empty: none does.
    """

    answer: str
    strong: bool
    serving: str = ""


class StreamPlayer(Protocol):
    """Answers the requests of a stream, one after the other; it may learn from the strong model's answers."""

    async def play(self, stream: Sequence[StreamRequest], seed: int) -> Sequence[PlayedRequest]:
        """Return what became of each request, in order; ``seed`` fixes what is left to chance."""
        ...


def stream_of(
    labelled: Sequence[Demonstration], plan: StreamPlan, seed: int
) -> list[StreamRequest]:
    """Return a stream, shuffled by a seed; the same seed gives the same stream.

    Raises:
        InputError: there are fewer labels than the plan needs.
    """
    chance = Random(f"stream {seed}")
    pairs = [(one.input, (one.target or "").strip()) for one in labelled]
    chance.shuffle(pairs)
    pairs = pairs[: plan.first]
    labels = sorted({label for _, label in pairs})
    if len(labels) < max(2, plan.unseen + 2):
        raise InputError(
            f"the stream has {len(labels)} labels, {max(2, plan.unseen + 2)} at least are needed",
            code="stream-labels",
        )
    half = len(pairs) // 2
    fresh = frozenset(chance.sample(labels, plan.unseen))
    if fresh:
        known = [pair for pair in pairs if pair[1] not in fresh]
        rest = known[half:] + [pair for pair in pairs if pair[1] in fresh]
        chance.shuffle(rest)
        pairs = known[:half] + rest
        half = min(half, len(known))
    order = labels[:]
    chance.shuffle(order)
    renamed = dict(zip(order, [*order[1:], order[0]], strict=True))
    found: list[StreamRequest] = []
    for place, (text, named) in enumerate(pairs):
        label = renamed[named] if plan.change_half and place >= half else named
        strong = label
        if chance.random() < plan.noise:
            strong = chance.choice([one for one in labels if one != label])
        found.append(StreamRequest(text, label, strong, named in fresh))
    return found


class WindowCounts(Frozen):
    """Counts of one part of a stream.

    Attributes:
        answered: by a tool or a cache; ``wrong`` of them against the label, ``disagreed`` against what the
            strong model would have said.
        strong: calls of the strong model.
    """

    requests: int = 0
    answered: int = 0
    wrong: int = 0
    disagreed: int = 0
    strong: int = 0

    def __add__(self, other: "WindowCounts") -> "WindowCounts":
        return WindowCounts(
            requests=self.requests + other.requests,
            answered=self.answered + other.answered,
            wrong=self.wrong + other.wrong,
            disagreed=self.disagreed + other.disagreed,
            strong=self.strong + other.strong,
        )


class ServingChange(Frozen):
    """From which request on (from 0) which versions serve; empty: none."""

    at: int
    serving: str


class StreamOutcome(Frozen):
    """What became of a stream.

    Attributes:
        windows: counts of its twentieths.
        last: counts of its last 2,000 requests, or of the last fifth of a shorter one.
        fresh: counts of the requests of unseen intents.
        stale: answers that the versions at work at the middle gave after it; None: none was at work.
        back: requests from the middle until other versions serve; None: they never do.
        changes: of what serves.
    """

    windows: tuple[WindowCounts, ...]
    last: WindowCounts
    fresh: WindowCounts
    stale: int | None = None
    back: int | None = None
    changes: tuple[ServingChange, ...] = ()

    @property
    def whole(self) -> WindowCounts:
        """Counts of the whole stream."""
        return sum(self.windows, start=WindowCounts())


def outcome_of(stream: Sequence[StreamRequest], played: Sequence[PlayedRequest]) -> StreamOutcome:
    """Return the counts of a stream that was played."""
    counts = [_counts(one, mine) for one, mine in zip(stream, played, strict=True)]
    size = len(stream)
    edges = [size * part // WINDOWS for part in range(WINDOWS + 1)]
    fresh = [count for one, count in zip(stream, counts, strict=True) if one.fresh]
    stale, back = _after_middle(played)
    return StreamOutcome(
        windows=tuple(
            sum(counts[low:high], start=WindowCounts()) for low, high in itertools.pairwise(edges)
        ),
        last=sum(counts[size - min(_LAST, max(1, size // 5)) :], start=WindowCounts()),
        fresh=sum(fresh, start=WindowCounts()),
        stale=stale,
        back=back,
        changes=_changes(played),
    )


def _counts(one: StreamRequest, mine: PlayedRequest) -> WindowCounts:
    if mine.strong:
        return WindowCounts(requests=1, strong=1)
    return WindowCounts(
        requests=1,
        answered=1,
        wrong=same_answer(mine.answer, one.label) is None,
        disagreed=same_answer(mine.answer, one.strong) is None,
    )


def _after_middle(played: Sequence[PlayedRequest]) -> tuple[int | None, int | None]:
    """Return how many answers the versions of the middle gave after it, and when others serve."""
    middle = len(played) // 2
    before = played[middle - 1].serving if middle else ""
    if not before:
        return None, None
    later = played[middle:]
    # An answer was given by what served before it.
    by = [before, *(one.serving for one in later)]
    stale = sum(not one.strong and mine == before for one, mine in zip(later, by, strict=False))
    back = next(
        (place for place, one in enumerate(later, 1) if one.serving not in {"", before}), None
    )
    return stale, back


def _changes(played: Sequence[PlayedRequest]) -> tuple[ServingChange, ...]:
    found: list[ServingChange] = []
    before = ""
    for place, one in enumerate(played):
        if one.serving != before:
            before = one.serving
            found.append(ServingChange(at=place, serving=before))
    return tuple(found)
