"""Choose the tools that a task is shown, where a toolbox holds more than an agent should read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolmint.assembly.uri import embed_of
from toolmint.core.errors import ConfigError
from toolmint.core.messages import ToolSpec
from toolmint.tools.prune import pruned_to

if TYPE_CHECKING:
    from toolmint.tools.retrieve import EmbeddingRetriever, Retriever


class ShownTools:
    """The tools that fit a task best; all of them, without any library, where they are few.

    Args:
        specs: every tool.
        most: how many a task is shown.
        tokens: what they may take of a prompt together; schemas are shortened to that.
        embed: URI of embeddings, to choose by meaning as well as by wording.
    """

    def __init__(
        self, specs: Sequence[ToolSpec], most: int, embed: str | None = None, *, tokens: int = 8000
    ) -> None:
        self._specs, self._most, self._embed, self._tokens = tuple(specs), most, embed, tokens
        self._retriever: Retriever | EmbeddingRetriever | None = None

    async def of(self, text: str) -> tuple[ToolSpec, ...]:
        """Return the tools that a task is shown.

        Raises:
            ConfigError: there are more than are shown, and the extra ``toolmint[retrieval]`` is missing.
        """
        if len(self._specs) <= self._most:
            return pruned_to(self._specs, self._tokens)
        if self._retriever is None:
            self._retriever = self._open()
        ranked = self._retriever.rank(text, self._most)
        found = ranked if isinstance(ranked, list) else await ranked
        return pruned_to([one.spec for one in found], self._tokens)

    def _open(self) -> "Retriever | EmbeddingRetriever":
        try:
            from toolmint.tools.retrieve import (  # noqa: PLC0415 - an extra
                EmbeddingRetriever,
                Retriever,
            )
        except ModuleNotFoundError as fault:
            raise ConfigError(
                f"choosing {self._most} of {len(self._specs)} tools needs the extra: "
                "pip install 'toolmint[retrieval]'",
                code="extra",
            ) from fault
        if self._embed is None:
            return Retriever(self._specs)
        return EmbeddingRetriever(self._specs, embed_of(self._embed))
