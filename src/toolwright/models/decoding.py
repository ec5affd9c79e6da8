"""Writing a reply token by token over any decoder: kept caches, grammar, sampling."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
CACHES = 8
ROLES = ("planner", "caller", "summarizer")
"""A trio's roles: of its folder, and of the marks that end its prompts."""


class Decoder(Protocol):
    """A language model over tokens, with a cache that can be cut back."""

    @property
    def context(self) -> int:
        """How many tokens it can read."""
        ...

    def start(self) -> Any:  # noqa: ANN401 - each decoder has its own kind of cache
        """Give an empty cache."""
        ...

    def feed(self, cache: Any, kept: int, ids: Sequence[int], *, own: bool = False) -> Logits:  # noqa: ANN401
        """Read tokens behind the first ``kept`` ones of a cache, and score what comes next.

        Args:
            cache: of ``start``.
            kept: so many of its tokens stand, the others are forgotten.
            ids: tokens, one at least.
            own: they are the role's mark and words, which an activated adapter reads in its own way.

        Returns:
            ``(vocabulary,)`` scores behind the last token.
        """
        ...


class Guide(Protocol):
    """Follows a reply through a grammar."""

    def allowed(self) -> NDArray[np.bool_]:
        """Give which tokens may come."""
        ...

    def take(self, token: int) -> list[int]:
        """Take a token, and give those that must follow."""
        ...

    def forced(self) -> list[int]:
        """Give and take the tokens that must come."""
        ...


class _Kept(NamedTuple):
    """A cache and the tokens that it holds."""

    ids: list[int]
    cache: Any


class Prefixes:
    """Caches of the last sequences: the next one that begins alike goes on from there."""

    def __init__(self, decoder: Decoder, most: int = CACHES) -> None:
        self._decoder, self._most = decoder, most
        self._kept: list[_Kept] = []

    def take(self, ids: Sequence[int]) -> tuple[_Kept, int]:
        """Give the cache that shares most tokens with a prompt, and how many; one at least is left."""
        shared = [_common(one.ids, ids) for one in self._kept]
        best = max(range(len(shared)), key=shared.__getitem__, default=None)
        if best is None or (shared[best] < len(ids) // 4 and len(self._kept) < self._most):
            return _Kept([], self._decoder.start()), 0
        return self._kept.pop(best), min(shared[best], len(ids) - 1)

    def put(self, kept: _Kept) -> None:
        """Keep a cache, and forget the oldest one beyond the bound."""
        self._kept.append(kept)
        del self._kept[: -self._most]


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    least = min(len(one), len(other))
    return next((at for at in range(least) if one[at] != other[at]), least)


class Written(NamedTuple):
    """A reply as it stands: its tokens, the prompt's, how many of these were cached, and whether it ended."""

    ids: list[int]
    prompt: int
    cached: int
    ended: bool


class Writer:
    """Writes replies with one decoder, one at a time.

    Args:
        decoder: what scores tokens.
        end: the token that ends a reply.
        prefixes: the caches; several writers over one trunk can share them.
        activated: the decoder's adapter reads the reply alone (activated LoRA, arXiv 2504.12397). What is
            before it is cached as the trunk reads it, so writers of other roles go on from there.
    """

    def __init__(
        self,
        decoder: Decoder,
        end: int,
        prefixes: Prefixes | None = None,
        *,
        activated: bool = False,
    ) -> None:
        self.decoder, self._end, self._activated = decoder, end, activated
        self._prefixes = prefixes or Prefixes(decoder)

    def write(
        self,
        prompt: list[int],
        most: int,
        pick: Callable[[Logits], int],
        guide: Guide | None = None,
    ) -> Generator[Written]:
        """Yield the reply after each reading of the model, until its end, ``most`` tokens, or the consumer's.

        Args:
            prompt: tokens; the last is the role's mark.
            most: tokens of the reply.
            pick: chooses a token by the scores.
            guide: the reply's grammar; its forced tokens cost no reading of their own.
        """
        kept, cached = self._prefixes.take(prompt)
        ids, fresh = kept.ids[:cached], prompt[cached:]
        shared = len(prompt) - 1
        written: list[int] = []
        try:
            if self._activated and len(fresh) > 1:
                self.decoder.feed(kept.cache, len(ids), fresh[:-1])
                ids, fresh = prompt[:-1], prompt[-1:]
            forced = guide.forced() if guide is not None else []
            written += forced[:most]
            fresh = fresh + forced
            while len(written) < most:
                scores = self.decoder.feed(kept.cache, len(ids), fresh, own=self._activated)
                ids += fresh
                if guide is not None:
                    scores = np.where(guide.allowed(), scores, -np.inf)
                token = pick(scores)
                if token == self._end:
                    yield Written(written, len(prompt), cached, ended=True)
                    return
                fresh = [token, *(guide.take(token) if guide is not None else ())]
                written += fresh
                yield Written(written, len(prompt), cached, ended=False)
        finally:
            held = ids[:shared] if self._activated else ids
            self._prefixes.put(_Kept(held, kept.cache))


def picker(temperature: float, seed: int | None) -> Callable[[Logits], int]:
    """Give the choice of a token: the best one at temperature 0, else one by chance."""
    if temperature <= 0:
        return lambda scores: int(np.argmax(scores))
    random = np.random.default_rng(seed)

    def pick(scores: Logits) -> int:
        shares = np.exp((scores - scores.max()) / temperature)
        return int(random.choice(len(shares), p=shares / shares.sum()))

    return pick
