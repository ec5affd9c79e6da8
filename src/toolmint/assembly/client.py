"""The client: makes tools and answers with them, from ordinary code, a notebook or any event loop."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Self

from toolmint.assembly.apply import ApplyResult, apply_all, apply_sync
from toolmint.assembly.making_client import MakingClient
from toolmint.assembly.requests import Requests, requests_of
from toolmint.assembly.sandboxes import place_of
from toolmint.assembly.serving import serving_of
from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings, load_settings
from toolmint.assembly.uri import ModelLike, as_model
from toolmint.core.kept_open import KeptOpen
from toolmint.core.model import Model
from toolmint.core.sync import run_in_background, run_sync
from toolmint.core.task import Limits, Trajectory
from toolmint.maker.making_run import Observer, silent
from toolmint.serving.billing import Bill, read_bill

_CONCURRENCY = 4


class Toolmint(MakingClient):
    """A strong model that makes tools, a store that keeps them, and their answers.

    Every method has an asynchronous twin with the prefix ``a`` (``solve`` and ``asolve``). Both run on
    one background event loop of the process, so that one client may be used from ordinary code, from a
    notebook and from any event loop, in any order and from any thread. Store, sandboxes and connections
    open with the first call, and close with ``close`` or at the end of ``with`` / ``async with``.

    Args:
        model: the strong model, which makes tools and answers what no tool can: a URI such as
            ``openai:gpt-5?base_url=...``, or an object; None: what the settings name.
        light_model: writes the calls of tools that cannot read requests themselves (tier ``light``).
        second_model: makes the independent second tool; None: the strong model.
        store: the store's file, or ``postgresql://user@host/name``; None: what the settings say.
        settings: None reads ``TOOLMINT_...`` variables and ``toolmint.toml``.
        observe: called with each step of a making, one line at a time, on the background thread.

    Raises:
        ConfigError: a model URI or a setting is wrong.

    Example:
        >>> with Toolmint("openai:gpt-5") as client:                        # doctest: +SKIP
        ...     client.make([("2 + 3 =", "5"), ("4 + 1 =", "5"), ...], name="sums")
        ...     client.solve("20 + 22 =").answer
        '42'
    """

    def __init__(
        self,
        model: ModelLike | None = None,
        *,
        light_model: ModelLike | None = None,
        second_model: ModelLike | None = None,
        store: str | Path | None = None,
        settings: Settings | None = None,
        observe: Observer = silent,
    ) -> None:
        chosen = settings or load_settings()
        if store is not None:
            chosen = chosen.model_copy(update={"store": store})
        self._given: ModelLike | None = model if model is not None else chosen.model
        given = (
            self._given,
            second_model if second_model is not None else chosen.second_model,
            light_model if light_model is not None else chosen.light_model,
        )
        self.settings = chosen
        self.models = Models(*(self._model(one) for one in given))
        self._observe = observe
        self._session = KeptOpen(
            lambda: Session.open(chosen, models=self.models, observe=self._observe)
        )

    def _model(self, given: ModelLike | None) -> Model | None:
        prices = self.settings.price_table
        return None if given is None else as_model(given, place_of(self.settings), prices)

    # Answering

    async def asolve(
        self, text: str, *, request_class: str | None = None, limits: Limits | None = None
    ) -> Trajectory:
        """Answer one request at the cheapest tier that is able; see ``solve``."""

        async def work() -> Trajectory:
            session = await self._session.get()
            return await session.solve(text, request_class=request_class, limits=limits)

        return await run_in_background(work())

    def solve(
        self, text: str, *, request_class: str | None = None, limits: Limits | None = None
    ) -> Trajectory:
        """Answer one request at the cheapest tier that is able.

        Args:
            text: the request.
            request_class: its class, where that is known; None: find it.
            limits: what may be spent on it.

        Returns:
            ``answer`` is the text; ``served`` says which tier answered, with which tool, and why.

        Raises:
            NoAnswer: no tool serves the request and no model is configured.
            ModelError: the strong model gave no usable reply.
        """
        return run_sync(self.asolve(text, request_class=request_class, limits=limits))

    def aapply(
        self, requests: Requests, *, concurrency: int = _CONCURRENCY
    ) -> AsyncGenerator[ApplyResult]:
        """Answer many requests, several at once; yield the results in order; see ``apply``."""
        return apply_all(self.asolve, requests_of(requests), max(1, concurrency))

    def apply(
        self, requests: Requests, *, concurrency: int = _CONCURRENCY
    ) -> Generator[ApplyResult]:
        """Answer many requests, several at once; yield the results in their order as they come.

        A request that cannot be answered has its error in its result and does not end the others; an
        endpoint that is down (``retryable``) does.

        Args:
            requests: texts, or the path of a JSON lines file.
            concurrency: requests at once.

        Raises:
            InputError: the requests cannot be read.

        Example:
            >>> for one in client.apply("requests.jsonl"):    # doctest: +SKIP
            ...     print(one.answer, one.right)
        """
        return apply_sync(self.aapply(requests, concurrency=concurrency))

    # Serving

    @asynccontextmanager
    async def aserving(
        self, *, host: str | None = None, port: int | None = None
    ) -> AsyncGenerator[str]:
        """Serve the gateway in the background while the context is open; see ``serving``."""
        kept = self._gateway(host, port)
        try:
            yield await run_in_background(kept.get())
        finally:
            await run_in_background(kept.close())

    @contextmanager
    def serving(self, *, host: str | None = None, port: int | None = None) -> Generator[str]:
        """Serve the OpenAI-compatible gateway in the background while the context is open.

        It passes requests on to the strong model's endpoint, makes tools of what recurs, and answers
        with them once they are proved on live traffic.

        Args:
            host: where it listens; None: the settings' ``127.0.0.1``.
            port: 0 takes a free one; None: the settings' 8080.

        Yields:
            The base URL for any OpenAI client, such as ``http://127.0.0.1:8080/v1``.

        Raises:
            ConfigError: the model is no endpoint, the extra ``toolmint[gateway]`` is missing, or the
                address cannot be listened at.

        Example:
            >>> with Toolmint("openai:gpt-5").serving(port=0) as url:    # doctest: +SKIP
            ...     openai.OpenAI(base_url=url, api_key="none")
        """
        kept = self._gateway(host, port)
        try:
            yield run_sync(kept.get())
        finally:
            run_sync(kept.close())

    async def aserve(self, *, host: str | None = None, port: int | None = None) -> None:
        """Serve the gateway until this is cancelled; see ``serving``."""
        async with self.aserving(host=host, port=port):
            await asyncio.Event().wait()

    def serve(self, *, host: str | None = None, port: int | None = None) -> None:
        """Serve the gateway until an interrupt (Ctrl-C); as ``toolmint serve``."""
        run_sync(self.aserve(host=host, port=port))

    def _gateway(self, host: str | None, port: int | None) -> KeptOpen[str]:
        given = {"host": host, "port": port}
        changes = {name: value for name, value in given.items() if value is not None}
        settings = self.settings.model_copy(update=changes)
        return KeptOpen(lambda: serving_of(self._given, settings, self.models))

    # The bill, and the end

    async def abill(self) -> Bill:
        """Return what everything cost and saved; see ``bill``."""

        async def work() -> Bill:
            session = await self._session.get()
            await session.flush()
            return await read_bill(session.store, session.store.traffic)

        return await run_in_background(work())

    def bill(self) -> Bill:
        """Return what each class cost, what its tools saved, and when making paid for itself.

        Costs are US dollars; a cost that is not known is None or counted as unknown, never 0. It is the
        same bill as that of ``toolmint bill`` and the gateway's dashboard.
        """
        return run_sync(self.abill())

    async def aclose(self) -> None:
        """Write what waits, and close everything; a later call opens it again."""
        await run_in_background(self._session.close())

    def close(self) -> None:
        """Write what waits, and close everything; a later call opens it again."""
        run_sync(self.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
