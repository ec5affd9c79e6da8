"""Decode replies token by token over any decoder: prefix cache, grammar, sampling."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
TokenSampler = Callable[[Logits], int]
_MAX_CACHES = 16
"""Sequences whose key-value caches are retained."""
ROLE_NAMES = ("planner", "caller", "summarizer")
"""The roles of a trio: names of its folders, and of the marks that end its prompts."""


class Decoder(Protocol):
    """A language model over tokens, with a key-value cache that can be truncated."""

    @property
    def context(self) -> int:
        """Length of the context in tokens."""
        ...

    def start(self) -> Any:  # noqa: ANN401 - each decoder has its own kind of cache
        """Return an empty cache."""
        ...

    def feed(self, cache: Any, kept: int, ids: Sequence[int], *, activated: bool = False) -> Logits:  # noqa: ANN401
        """Feed tokens after the first ``kept`` ones of a cache and score the next token.

        Args:
            cache: from ``start``.
            kept: number of cached tokens to keep; later ones are dropped.
            ids: tokens to feed, at least one.
            activated: the tokens are the role's mark and reply, to which an activated adapter applies.

        Returns:
            ``(vocabulary,)`` scores (logits) of the next token.
        """
        ...


class TokenGuide(Protocol):
    """Tracks a reply through a grammar."""

    def allowed(self) -> NDArray[np.bool_]:
        """Return the mask of allowed next tokens, ``(vocabulary,)``."""
        ...

    def take(self, token: int) -> list[int]:
        """Accept a token; return and accept the tokens that must follow."""
        ...

    def forced(self) -> list[int]:
        """Return and accept the tokens that must come next."""
        ...


class CachedPrefix(NamedTuple):
    """A key-value cache and the tokens in it."""

    ids: list[int]
    cache: Any


class PrefixCache:
    """Caches of recent sequences, reused by prompts with the same beginning.

    The roles of an agent and its successive steps share most of their prompt; without reuse each call would
    feed all of it again.

    Args:
        decoder: makes the caches.
        most: number of caches to retain.
    """

    def __init__(self, decoder: Decoder, most: int = _MAX_CACHES) -> None:
        self._decoder, self._most = decoder, most
        self._caches: list[CachedPrefix] = []

    def take(self, ids: Sequence[int]) -> tuple[CachedPrefix, int]:
        """Return the cache with the longest common prefix, and the length that can be reused.

        At least one token of the prompt is left to feed. A prefix below a quarter of the prompt is not worth
        losing the cache to other prompts, so a new cache is started.
        """
        shared = [_common_length(one.ids, ids) for one in self._caches]
        best = max(range(len(shared)), key=shared.__getitem__, default=None)
        if best is None or shared[best] < len(ids) // 4:
            return CachedPrefix([], self._decoder.start()), 0
        return self._caches.pop(best), min(shared[best], len(ids) - 1)

    def put(self, kept: CachedPrefix) -> None:
        """Retain a cache; the oldest one beyond the bound is dropped."""
        self._caches.append(kept)
        del self._caches[: -self._most]


def _common_length(one: Sequence[int], other: Sequence[int]) -> int:
    least = min(len(one), len(other))
    return next((at for at in range(least) if one[at] != other[at]), least)


class DecodedReply(NamedTuple):
    """The state of a reply.

    Attributes:
        ids: tokens of the reply so far.
        prompt: number of prompt tokens.
        cached: prompt tokens that came from the prefix cache.
        ended: the end token was chosen.
    """

    ids: list[int]
    prompt: int
    cached: int
    ended: bool


class ReplyDecoder:
    """The decoding loop of one reply, one step at a time.

    Args:
        prompt: tokens of the prompt.
        most: bound on the reply's tokens.
        pick: chooses a token from scores.
        guide: the reply's grammar; None: free text.
        end: the end token.

    Attributes:
        cache: the decoder's cache.
        ids: the tokens in the cache.
        fresh: the tokens to feed next, at least one.
        written: the state of the reply.
        done: the end token was chosen, or the bound is reached.
    """

    def __init__(
        self, prompt: list[int], most: int, pick: TokenSampler, guide: TokenGuide | None, end: int
    ) -> None:
        self._pick, self._guide, self._end, self._most = pick, guide, end, most
        self.cache: Any = None
        self.ids: list[int] = []
        forced = guide.forced()[:most] if guide is not None else []
        self.fresh = [*prompt, *forced]
        self.written = DecodedReply(forced, len(prompt), 0, ended=False)
        self.done = len(forced) >= most

    def resume(self, cache: Any, ids: Sequence[int], cached: int) -> None:  # noqa: ANN401
        """Continue from a cache that holds the first tokens of the prompt."""
        self.fresh = self.fresh[len(ids) - len(self.ids) :]
        self.cache, self.ids = cache, list(ids)
        self.written = self.written._replace(cached=cached)

    def take(self, scores: Logits) -> DecodedReply:
        """Choose the next token from the scores after the fresh tokens."""
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
    """Decodes replies with one decoder.

    Args:
        decoder: scores tokens.
        end: the token that ends a reply.
        prefixes: the prefix cache; writers over one backbone can share it.
        activated: the decoder's adapter applies to the reply alone (activated LoRA, arXiv 2504.12397). The
            prompt's cache is the backbone's, so writers of other roles can reuse it.
        mark: tokens of the role's mark, which an activated adapter reads as well.
    """

    def __init__(
        self,
        decoder: Decoder,
        end: int,
        prefixes: PrefixCache | None = None,
        *,
        activated: bool = False,
        mark: int = 1,
    ) -> None:
        self.decoder, self._end, self.activated = decoder, end, activated
        self._mark = mark if activated else 1
        self._prefixes = prefixes or PrefixCache(decoder)

    def begin(
        self, prompt: list[int], most: int, pick: TokenSampler, guide: TokenGuide | None = None
    ) -> ReplyDecoder:
        """Start a reply from the cache with the longest common prefix.

        Args:
            prompt: tokens; the last ones are the role's mark.
            most: bound on the reply's tokens.
            pick: chooses a token from scores.
            guide: the reply's grammar; its forced tokens need no step of their own.
        """
        reply = ReplyDecoder(prompt, most, pick, guide, self._end)
        kept, cached = self._prefixes.take(prompt)
        context = len(prompt) - self._mark
        cached = min(cached, context)
        reply.resume(kept.cache, kept.ids[:cached], cached)
        if self.activated and cached < context:
            self.decoder.feed(kept.cache, cached, prompt[cached:context])
            reply.resume(kept.cache, prompt[:context], cached)
        return reply

    def read(self, reply: ReplyDecoder) -> DecodedReply:
        """Feed a reply's fresh tokens and return its new state."""
        return reply.take(
            self.decoder.feed(reply.cache, len(reply.ids), reply.fresh, activated=self.activated)
        )

    def finish(self, reply: ReplyDecoder) -> None:
        """Return a finished reply's cache to the prefix cache."""
        # Behind the mark an activated adapter changed the keys and values: no other role may reuse those.
        shared = reply.written.prompt - self._mark
        ids = reply.ids[:shared] if self.activated else reply.ids
        self._prefixes.put(CachedPrefix(ids, reply.cache))


def token_sampler(temperature: float, seed: int | None) -> TokenSampler:
    """Return a sampler: argmax at temperature 0, else a softmax draw with this seed."""
    if temperature <= 0:
        return lambda scores: int(np.argmax(scores))
    random = np.random.default_rng(seed)

    def pick(scores: Logits) -> int:
        shares = np.exp((scores - scores.max()) / temperature)
        return int(random.choice(len(shares), p=shares / shares.sum()))

    return pick
