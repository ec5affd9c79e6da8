"""Several replies at once: one reading of the decoder goes through its weights once for all of them."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from toolwright.models.decoding import Logits, Reply, Writer

BATCH = 8
"""Replies that are written together."""


class Group(Protocol):
    """Caches of several sequences as one."""

    def feed(self, fresh: Sequence[Sequence[int]], *, own: bool = False) -> Logits:
        """Read each row's tokens, one at least: ``(rows, vocabulary)`` scores behind each row's last."""
        ...

    def part(self) -> list[Any]:
        """Give each row's cache back, as the decoder's ``start`` makes them."""
        ...


@runtime_checkable
class Joint(Protocol):
    """A decoder that can read several sequences in one pass."""

    def join(self, caches: Sequence[Any], kept: Sequence[int]) -> Group:
        """Give caches as one, of each its first ``kept`` tokens."""
        ...


class Rows:
    """Replies of one writer that are read together; who comes and who goes may change at each reading."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._rows: list[Reply] = []
        self._group: Group | None = None

    def read(self, replies: Sequence[Reply]) -> None:
        """Read the fresh tokens of all replies, in one pass where the decoder can."""
        decoder = self._writer.decoder
        if len(replies) == 1 or not isinstance(decoder, Joint):
            self.part()
            for reply in replies:
                self._writer.read(reply)
            return
        if self._group is None or list(replies) != self._rows:
            self.part()
            self._rows = list(replies)
            self._group = decoder.join(
                [one.cache for one in replies], [len(one.ids) for one in replies]
            )
        scores = self._group.feed([one.fresh for one in replies], own=self._writer.activated)
        for reply, row in zip(replies, scores, strict=True):
            reply.take(row)

    def part(self) -> None:
        """Give each reply its own cache back."""
        if self._group is not None:
            for reply, cache in zip(self._rows, self._group.part(), strict=True):
                reply.cache = cache
        self._rows, self._group = [], None
