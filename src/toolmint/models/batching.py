"""Continuous batching: one forward pass reads the weights once for several replies.

Decoding is bound by memory bandwidth, so a pass over eight rows takes hardly longer than one over one row.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from toolmint.models.decoding import Logits, ReplyDecoder, Writer

MAX_BATCH = 8
"""Replies that are decoded in one batch."""


class BatchedCache(Protocol):
    """The caches of several sequences as one batch."""

    def feed(self, fresh: Sequence[Sequence[int]], *, activated: bool = False) -> Logits:
        """Feed each row's tokens (one or more) and return the next scores, ``(rows, vocabulary)``."""
        ...

    def split(self) -> list[Any]:
        """Return the rows' caches as single ones, as the decoder's ``start`` makes them."""
        ...


@runtime_checkable
class BatchDecoder(Protocol):
    """A decoder that can feed several sequences in one pass."""

    def join(self, caches: Sequence[Any], kept: Sequence[int]) -> BatchedCache:
        """Return a batch of caches, each cut to its first ``kept`` tokens."""
        ...


class ReplyBatch:
    """The replies of one writer that are decoded together; their set may change between steps."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._rows: list[ReplyDecoder] = []
        self._group: BatchedCache | None = None

    def read(self, replies: Sequence[ReplyDecoder]) -> None:
        """Feed the fresh tokens of all replies, in one pass where the decoder supports it."""
        decoder = self._writer.decoder
        if len(replies) == 1 or not isinstance(decoder, BatchDecoder):
            self.split()
            for reply in replies:
                self._writer.read(reply)
            return
        if self._group is None or list(replies) != self._rows:
            self.split()
            self._rows = list(replies)
            self._group = decoder.join(
                [one.cache for one in replies], [len(one.ids) for one in replies]
            )
        scores = self._group.feed([one.fresh for one in replies], activated=self._writer.activated)
        for reply, row in zip(replies, scores, strict=True):
            reply.take(row)

    def split(self) -> None:
        """Split a batch's cache into one cache for each reply."""
        if self._group is not None:
            for reply, cache in zip(self._rows, self._group.split(), strict=True):
                reply.cache = cache
        self._rows, self._group = [], None
