"""The learned models at work in this process: read from the store when first asked, a bounded number kept."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from toolmint.core.errors import ConfigError, ToolmintError
from toolmint.core.namespace import ClassKey
from toolmint.maker.learned import LearnedAnswer

_LOG = logging.getLogger("toolmint.serving")
MOST_BYTES = 256 << 20
"""Weights that are kept in memory at most; those that were asked longest ago are read again."""
_PAUSE_SECONDS = 60.0
"""Time before weights that could not be read are tried again."""

Load = Callable[[ClassKey, str], Awaitable[bytes]]


class Answering(Protocol):
    """A learned model: answers a request or abstains."""

    def answer(self, request: str) -> LearnedAnswer:
        """Return its answer; a text of None means that it abstains, ``why`` says in words why."""
        ...


class _Kept(NamedTuple):
    model: Answering
    size: int


class LearnedModels:
    """Reads learned models by the digest of their weights.

    Args:
        load: returns the weights of a class's version, by their digest.
        most: bytes of weights that are kept.
        clock: seconds.
    """

    def __init__(
        self,
        load: Load,
        *,
        most: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load, self._most, self._clock = load, most, clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._faults: dict[str, tuple[float, ToolmintError]] = {}
        self._reading = asyncio.Lock()
        self.size = 0

    def __len__(self) -> int:
        """Return how many models are kept."""
        return len(self._kept)

    async def get(self, key: ClassKey, weights: str) -> Answering:
        """Return a version's model.

        Raises:
            StoreError: the store has no such weights, or damaged ones.
            ToolmintError: they are of a newer version, or need what is not installed.
        """
        kept = self._kept.get(weights)
        if kept is not None:
            self._kept.move_to_end(weights)
            return kept.model
        async with self._reading:
            if (kept := self._kept.get(weights)) is not None:
                return kept.model
            until, fault = self._faults.get(weights, (0.0, None))
            if fault is not None and self._clock() < until:
                raise fault
            return await self._read(key, weights)

    async def _read(self, key: ClassKey, weights: str) -> Answering:
        try:
            data = await self._load(key, weights)
            model = await asyncio.to_thread(_model_of, data)
        except ToolmintError as fault:
            _LOG.warning("the learned tool of %s rests: %s", key, fault)
            self._faults[weights] = (self._clock() + _PAUSE_SECONDS, fault)
            raise
        self._faults.pop(weights, None)
        self._kept[weights] = _Kept(model, len(data))
        self.size += len(data)
        while self.size > self._most and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self.size -= dropped.size
        return model


def _model_of(data: bytes) -> Answering:
    """Return the model that weights hold.

    Raises:
        ConfigError: numpy is not installed.
        StoreError: they are damaged, or of a newer version.
    """
    try:
        from toolmint.maker.learned import LearnedModel  # noqa: PLC0415 - it takes numpy, an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "learned tools need the extra: pip install 'toolmint[learned]'", code="extra"
        ) from fault
    return LearnedModel.from_bytes(data)
