"""Suspicion: a learned tool that says less often what the strong model says than it used to is audited more.

Audits alone see a tenth of its answers. But each request that it does not answer is labelled by the strong
model too, and there its best guess can be compared for nothing, sure or not.
"""

import math
from collections import OrderedDict, deque

_RECENT, _LEAST_BEFORE = 20, 60
"""Labelled requests that are compared with those before, and how many of these it takes."""
AUDITS = 20
"""Answers that are all audited once a version is suspected."""
_CHANCE = 1e-3
_MOST = 10_000


def lower_tail(wrong_at_most: int, trials: int, rate: float) -> float:
    """Return the chance of so few successes or fewer among trials, each with a rate of success."""
    return sum(
        math.comb(trials, count) * rate**count * (1 - rate) ** (trials - count)
        for count in range(wrong_at_most + 1)
    )


class _Seen:
    __slots__ = ("agreed", "due", "recent", "trials")

    def __init__(self) -> None:
        self.recent: deque[bool] = deque()
        self.trials = self.agreed = self.due = 0


class LearnedWatch:
    """Compares the best guesses of versions with the strong model's answers, as they come.

    It moves no bound: it only picks more answers to be audited, and these count.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, int], _Seen] = OrderedDict()

    def note(self, name: str, version: int, *, agreed: bool) -> bool:
        """Note a labelled request; return whether the version has just come under suspicion."""
        key = (name, version)
        seen = self._seen.setdefault(key, _Seen())
        self._seen.move_to_end(key)
        while len(self._seen) > _MOST:
            self._seen.popitem(last=False)
        seen.recent.append(agreed)
        if len(seen.recent) > _RECENT:
            seen.trials += 1
            seen.agreed += seen.recent.popleft()
        if len(seen.recent) < _RECENT or seen.trials < _LEAST_BEFORE or seen.due:
            return False
        before = seen.agreed / seen.trials
        if lower_tail(sum(seen.recent), _RECENT, before) >= _CHANCE:
            return False
        seen.due = AUDITS
        seen.recent.clear()
        return True

    def due(self, name: str, version: int) -> bool:
        """Return whether a version's next answer is audited for suspicion; each call counts one."""
        seen = self._seen.get((name, version))
        if seen is None or not seen.due:
            return False
        seen.due -= 1
        return True
