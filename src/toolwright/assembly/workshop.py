"""The workshop: store, sandboxes, models and dispatcher, put together and closed together."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from toolwright.assembly.cluster import joined
from toolwright.assembly.settings import Settings, load
from toolwright.assembly.uri import Place, model_of
from toolwright.cache.dispatcher import Dispatcher, Policy
from toolwright.cache.ledger import Ledger
from toolwright.cache.queue import Queue
from toolwright.core.errors import ConfigError, MakerError
from toolwright.core.model import Model
from toolwright.core.sandbox import Sandbox
from toolwright.core.task import Limits, Task, Trajectory
from toolwright.core.tool import Demonstration, Evidence, ToolRecord
from toolwright.maker.case import Case
from toolwright.maker.gate import gate
from toolwright.maker.make import Maker
from toolwright.maker.making import Observer, Order, Outcome, checked, silent
from toolwright.models.wrap import close
from toolwright.sandbox.forkserver import ForkServer
from toolwright.sandbox.unsafe import UnsafeSubprocess
from toolwright.store.sql import SqlStore


class Closable(Sandbox, Protocol):
    """A sandbox that can say what is in force, and be ended."""

    layers: dict[str, object]

    def close(self) -> None:
        """End its processes."""
        ...


def place_of(settings: Settings) -> Place | None:
    """Give where models of a folder run, by the engine that the settings name."""
    if settings.engine == "local":
        return None
    return joined(settings.cluster, settings.workers).model


def sandbox_of(settings: Settings, *, hash_seed: int = 0) -> Closable:
    """Give the sandbox that the settings name; its processes start with the first run."""
    if settings.engine == "ray":
        if settings.sandbox != "forkserver":
            raise ConfigError("the engine ray runs made code in the sandbox 'forkserver' alone")
        return joined(settings.cluster, settings.workers).sandbox(hash_seed)
    match settings.sandbox:
        case "forkserver":
            return ForkServer(hash_seed=hash_seed)
        case "unsafe":
            return UnsafeSubprocess()


class Models:
    """The models of a workshop, by part; None: this part is not there."""

    def __init__(
        self, strong: Model | None, second: Model | None = None, user: Model | None = None
    ) -> None:
        self.strong, self.second, self.user = strong, second or strong, user

    @classmethod
    def named(cls, settings: Settings) -> "Models":
        """Give the models that the settings name."""

        def of(uri: str | None) -> Model | None:
            return model_of(uri, place_of(settings)) if uri else None

        return cls(of(settings.model), of(settings.second_model), of(settings.user_model))

    async def close(self) -> None:
        """Close the models' connections."""
        for model in (self.strong, self.second, self.user):
            await close(model)


class Workshop:
    """Makes tools and answers with them: the Python door to everything."""

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        sandboxes: tuple[Closable, Closable],
        models: Models,
        observe: Observer = silent,
    ) -> None:
        self.settings, self.store = settings, store
        self.sandbox, self._other = sandboxes
        self.models, self._observe = models, observe
        base = Order(request_class="(queue)", labelled=(), second=settings.second)
        self.queue = Queue(self.made, needed=settings.needed, settings=base)
        self.dispatcher = Dispatcher(
            store, self.sandbox, strong=models.strong, user=models.user,
            policy=Policy(dispatch=settings.dispatch), queue=self.queue,
        )  # fmt: skip

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings | None = None,
        *,
        models: Models | None = None,
        observe: Observer = silent,
    ) -> AsyncGenerator["Workshop"]:
        """Open a workshop; everything in it is closed at the end.

        Args:
            settings: None reads them from the environment.
            models: models to use in place of those that the settings name.
            observe: told each step of a making, one line at a time.
        """
        chosen = settings or load()
        async with AsyncExitStack() as stack:
            store = SqlStore.open(chosen.store)
            stack.callback(store.close)
            used = models or Models.named(chosen)
            stack.push_async_callback(used.close)
            sandboxes = sandbox_of(chosen), sandbox_of(chosen, hash_seed=1)
            for sandbox in sandboxes:
                stack.callback(sandbox.close)
            workshop = cls(chosen, store, sandboxes, used, observe)
            await workshop.dispatcher.start()
            stack.push_async_callback(workshop.dispatcher.close)
            yield workshop

    async def made(self, order: Order, ledger: Ledger) -> Outcome:
        """Make a tool of an order and prove it; its model calls are entered in a ledger.

        Raises:
            ConfigError: no strong model is configured.
        """
        order = checked(order)
        strong, second = self.models.strong, self.models.second
        if strong is None or second is None:
            raise ConfigError(
                "making a tool needs a strong model; set one with --model", code="no-model"
            )
        name = order.request_class
        maker = Maker(
            ledger.metered(strong, "making", name), self.sandbox, self._other,
            ledger.metered(second, "second", name),
        )  # fmt: skip
        return await maker.make(order, self._observe)

    async def make(self, order: Order) -> ToolRecord:
        """Make, prove and store a tool, and begin to serve it.

        Raises:
            InputError: the demonstrations are too few or contradict each other.
            MakerError: no tool passed; the report in the store says why.
        """
        record = await self.queue.make(order)
        if record is None:
            reports = await self.store.reports(order.request_class)
            ending = str(reports[-1].body.get("ending", "")) if reports else ""
            first = ending.splitlines()[0] if ending else "no reason is known"
            raise MakerError(
                f"no tool for {order.request_class!r} passed: {first}; "
                f"`toolwright tools report {order.request_class}` shows the whole making"
            )
        return record

    async def prove(self, record: ToolRecord) -> tuple[Evidence, ...]:
        """Take a tool through the gate anew, on its own demonstrations; needs no model."""
        case = Case(source=record.source, labelled=record.demonstrations)
        return await gate(case, self.sandbox, self._other)

    async def solve(
        self, text: str, *, request_class: str | None = None, limits: Limits | None = None
    ) -> Trajectory:
        """Answer one request; the trajectory's ``served`` says which tier, class, version and why."""
        return await self.dispatcher.solve(Task(input=text, request_class=request_class), limits)


def order_of(
    request_class: str, labelled: Sequence[Demonstration], settings: Settings, **more: object
) -> Order:
    """Give an order with the settings' choices; ``more`` sets or replaces fields of the order."""
    fields = {"second": settings.second} | more
    return Order.model_validate(
        {"request_class": request_class, "labelled": tuple(labelled)} | fields
    )
