"""Model calls that no request pays for by itself, such as those of makings, and who counts them."""

from toolmint.core.model import Model, ModelRequest, ModelResponse, Purpose
from toolmint.core.store import LedgerEntry, ToolStore


class Ledger:
    """Collects ledger entries, and writes them to the store in one transaction."""

    def __init__(self) -> None:
        self._entries: list[LedgerEntry] = []

    def metered(self, model: Model, purpose: Purpose, request_class: str | None) -> "Metered":
        """Wrap a model so that each of its calls is entered under a purpose and a class."""
        return Metered(model, self, purpose, request_class)

    @property
    def waiting(self) -> int:
        """Model calls that are not written yet."""
        return len(self._entries)

    def enter(self, entry: LedgerEntry) -> None:
        """Add a model call."""
        self._entries.append(entry)

    async def flush(self, store: ToolStore) -> None:
        """Write what waits. What cannot be written is kept for the next time.

        Raises:
            StoreError: the store cannot be written.
        """
        entries, self._entries = self._entries, []
        if not entries:
            return
        written = False
        try:
            await store.record(entries)
            written = True
        finally:
            if not written:
                self._entries = [*entries, *self._entries]


class Metered:
    """A model whose calls are entered in a ledger."""

    def __init__(
        self, model: Model, ledger: Ledger, purpose: Purpose, request_class: str | None
    ) -> None:
        self._model, self._ledger = model, ledger
        self._purpose: Purpose = purpose
        self._class = request_class

    @property
    def name(self) -> str:
        """The metered model's name."""
        return self._model.name

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt and enter what it used."""
        response = await self._model.complete(request)
        self._ledger.enter(
            LedgerEntry(
                purpose=self._purpose,
                request_class=self._class,
                model=response.model,
                usage=response.usage,
                seconds=response.seconds,
            )
        )
        return response
