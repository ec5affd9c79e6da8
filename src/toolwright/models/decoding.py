"""Writing a reply token by token over any decoder: kept caches, grammar, sampling."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
Pick = Callable[[Logits], int]
CACHES = 16
"""Sequences whose keys and values are kept."""
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
        if best is None or shared[best] < len(ids) // 4:
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


class Reply:
    """One reply in the making: what the decoder has to read next, and what has come of it.

    Attributes:
        cache: what the decoder has read, of its ``start``.
        ids: the tokens in the cache.
        fresh: the tokens to read next, one at least.
        written: where the reply stands.
        done: nothing is to come: its end was written, or its room is used up.
    """

    def __init__(
        self, prompt: list[int], most: int, pick: Pick, guide: Guide | None, end: int
    ) -> None:
        self._pick, self._guide, self._end, self._most = pick, guide, end, most
        self.cache: Any = None
        self.ids: list[int] = []
        forced = guide.forced()[:most] if guide is not None else []
        self.fresh = [*prompt, *forced]
        self.written = Written(forced, len(prompt), 0, ended=False)
        self.done = len(forced) >= most

    def resume(self, cache: Any, ids: Sequence[int], cached: int) -> None:  # noqa: ANN401
        """Go on from a cache that holds some tokens of the prompt."""
        self.fresh = self.fresh[len(ids) - len(self.ids) :]
        self.cache, self.ids = cache, list(ids)
        self.written = self.written._replace(cached=cached)

    def take(self, scores: Logits) -> Written:
        """Take the scores behind the fresh tokens, which are read now: choose what follows."""
        self.ids += self.fresh
        guide = self._guide
        if guide is not None:
            scores = np.where(guide.allowed(), scores, -np.inf)
        token = self._pick(scores)
        if token == self._end:
            self.written, self.done = self.written._replace(ended=True), True
            return self.written
        self.fresh = [token, *(guide.take(token) if guide is not None else ())]
        self.written = self.written._replace(ids=self.written.ids + self.fresh)
        self.done = len(self.written.ids) >= self._most
        return self.written


class Writer:
    """Writes replies with one decoder.

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
        self.decoder, self._end, self.activated = decoder, end, activated
        self._prefixes = prefixes or Prefixes(decoder)

    def begin(self, prompt: list[int], most: int, pick: Pick, guide: Guide | None = None) -> Reply:
        """Begin a reply with the cache that knows most of its prompt.

        Args:
            prompt: tokens; the last is the role's mark.
            most: tokens of the reply.
            pick: chooses a token by the scores.
            guide: the reply's grammar; its forced tokens cost no reading of their own.
        """
        reply = Reply(prompt, most, pick, guide, self._end)
        kept, cached = self._prefixes.take(prompt)
        reply.resume(kept.cache, kept.ids[:cached], cached)
        if self.activated and cached < len(prompt) - 1:
            self.decoder.feed(kept.cache, cached, prompt[cached:-1])
            reply.resume(kept.cache, prompt[:-1], cached)
        return reply

    def read(self, reply: Reply) -> Written:
        """Read a reply's fresh tokens, and give where it then stands."""
        return reply.take(
            self.decoder.feed(reply.cache, len(reply.ids), reply.fresh, own=self.activated)
        )

    def finish(self, reply: Reply) -> None:
        """Keep what was read for the next prompt that begins alike."""
        shared = reply.written.prompt - 1
        held = reply.ids[:shared] if self.activated else reply.ids
        self._prefixes.put(_Kept(held, reply.cache))


def picker(temperature: float, seed: int | None) -> Pick:
    """Give the choice of a token: the best one at temperature 0, else one by chance."""
    if temperature <= 0:
        return lambda scores: int(np.argmax(scores))
    random = np.random.default_rng(seed)

    def pick(scores: Logits) -> int:
        shares = np.exp((scores - scores.max()) / temperature)
        return int(random.choice(len(shares), p=shares / shares.sum()))

    return pick
