"""A session: store, sandboxes, models, tool servers and maker, opened and closed together."""

import shlex
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from toolmint.assembly.sandboxes import Closable, place_of, sandbox_of
from toolmint.assembly.settings import Settings, load_settings
from toolmint.assembly.uri import ModelLike, as_model, model_of
from toolmint.core.errors import ConfigError, MakerError
from toolmint.core.model import Model
from toolmint.core.task import Limits, Task, Trajectory
from toolmint.core.tool import Demonstration, Evidence, ToolRecord
from toolmint.maker.doubts import recorded_judge
from toolmint.maker.make import Maker, fitted
from toolmint.maker.making_run import (
    Learning,
    MakeRequest,
    MakingResult,
    Observer,
    checked_request,
    silent,
)
from toolmint.maker.report import short_reason
from toolmint.maker.verification_input import VerificationInput
from toolmint.maker.verified_arcs import verified_arcs
from toolmint.maker.verify import verify
from toolmint.models.wrap import close
from toolmint.serving.background_maker import BackgroundMaker
from toolmint.serving.error_bound import ErrorBound
from toolmint.serving.kinds import name_kinds
from toolmint.serving.ledger import Ledger
from toolmint.serving.lifecycle import Auditor, ServingPolicy
from toolmint.serving.making_rules import MakingRules, Notify
from toolmint.serving.request_classes import class_name_for, title_for
from toolmint.serving.servers import Storage, ToolServers
from toolmint.serving.solver import CachedSolver
from toolmint.store.sql import SqlStore


class Models:
    """The models of a session, by part; None: this part is not there."""

    def __init__(
        self,
        strong: ModelLike | None,
        second: ModelLike | None = None,
        light: ModelLike | None = None,
    ) -> None:
        self.strong = as_model(strong) if strong is not None else None
        self.second = as_model(second) if second is not None else self.strong
        self.light = as_model(light) if light is not None else None

    @classmethod
    def named(cls, settings: Settings) -> "Models":
        """Return the models that the settings name."""

        def of(uri: str | None) -> Model | None:
            return model_of(uri, place_of(settings), settings.price_table) if uri else None

        return cls(of(settings.model), of(settings.second_model), of(settings.light_model))

    async def close(self) -> None:
        """Close the models' connections."""
        for model in (self.strong, self.second, self.light):
            await close(model)


class Session:
    """Makes tools and answers with them, over one store.

    Attributes:
        servers: the tool servers, by namespace.
        maker: makes tools in the background of what the solver queues.
        solver: answers requests of the command line's namespace.
        ledger: model calls that belong to no request, such as an agent's.
    """

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        sandboxes: tuple[Closable, Closable],
        models: Models,
        *,
        policy: ServingPolicy | None = None,
        auditor: Auditor | None = None,
        observe: Observer = silent,
    ) -> None:
        self.settings, self.store = settings, store
        self.sandbox, self._other = sandboxes
        self.models, self._observe = models, observe
        self.ledger = Ledger()
        storage = Storage(store, store.live, store.traffic, store.traffic)
        serving = policy or command_line_policy(settings)
        self.servers = ToolServers(storage, self.sandbox, serving, models.light)
        self.servers.auditor = auditor or self.servers.auditor
        self.maker = self.background_maker(lambda title, said: observe(f"{title}: {said}"))
        self.solver = CachedSolver(self.servers, models.strong, self.maker)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings | None = None,
        *,
        models: Models | None = None,
        policy: ServingPolicy | None = None,
        auditor: Auditor | None = None,
        observe: Observer = silent,
    ) -> AsyncGenerator["Session"]:
        """Open a session; everything in it is closed at the end, makings that run are waited for.

        Args:
            settings: None reads them from the environment.
            models: models to use in place of those that the settings name.
            policy: how tools serve; None: as soon as they are verified.
            auditor: picks the answers to be audited; None: one that draws by chance.
            observe: called with each step of a making, one line at a time.
        """
        chosen = settings or load_settings()
        async with AsyncExitStack() as stack:
            store = SqlStore.open(chosen.store)
            stack.callback(store.close)
            used = models or Models.named(chosen)
            stack.push_async_callback(used.close)
            sandboxes = sandbox_of(chosen), sandbox_of(chosen, hash_seed=1)
            for sandbox in sandboxes:
                stack.callback(sandbox.close)
            session = cls(
                chosen, store, sandboxes, used, policy=policy, auditor=auditor, observe=observe
            )
            stack.push_async_callback(session.flush)
            stack.push_async_callback(session.maker.close)
            yield session
            # Only a session that ends well waits: one that was interrupted breaks its makings off.
            await session.maker.idle()

    async def flush(self) -> None:
        """Write what waits: records of requests, and model calls.

        Raises:
            StoreError: the store cannot be written.
        """
        await self.solver.flush()
        await self.ledger.flush(self.store)

    def background_maker(
        self, notify: Notify, flushed: Callable[[], Awaitable[None]] | None = None
    ) -> BackgroundMaker:
        """Return a maker over this session's models and sandboxes; see ``BackgroundMaker``."""
        chosen = self.settings
        base = MakeRequest(
            request_class="(queue)",
            labelled=(),
            second=chosen.second,
            least_coverage=chosen.least_coverage,
            exercise=chosen.exercise,
            profile=chosen.profile,
        )
        named = chosen.kinds_after and self.models.strong and chosen.profile != "learned"
        rules = MakingRules(
            needed=chosen.needed,
            settings=base,
            at_once=chosen.makings,
            lease_seconds=chosen.lease_seconds,
            light=self.models.light is not None and self.servers.policy.shadow,
            name_kinds=self._name_kinds if named else None,
            kinds_after=chosen.kinds_after,
            learned_after=chosen.learned_after,
            learned_kept=chosen.learned_examples,
        )
        return BackgroundMaker(self.made, self.store.live, rules, notify=notify, flushed=flushed)

    async def _name_kinds(
        self, known: Mapping[str, Sequence[str]], texts: Sequence[str], ledger: Ledger
    ) -> list[str | None]:
        if self.models.strong is None:
            return [None for _ in texts]
        return await name_kinds(ledger.metered(self.models.strong, "dispatch", None), known, texts)

    async def sort_rest(self) -> None:
        """Join what waits in small classes by its kind, such as after a file of requests."""
        await self.maker.sort_rest(await self.solver.server())

    async def made(self, make_request: MakeRequest, ledger: Ledger) -> MakingResult:
        """Make a tool and verify it; its model calls are entered in a ledger.

        Raises:
            ConfigError: no strong model is configured.
        """
        if make_request.profile == "learned":
            return await fitted(self._learning(make_request), self._observe)
        make_request = checked_request(make_request)
        strong, second = self.models.strong, self.models.second
        if strong is None or second is None:
            raise ConfigError(
                "making a tool needs a strong model; set one with --model", code="no-model"
            )
        name = make_request.request_class
        maker = Maker(
            ledger.metered(strong, "making", name),
            self.sandbox,
            self._other,
            ledger.metered(second, "second", name),
        )
        return await maker.make(make_request, self._observe)

    def _learning(self, make_request: MakeRequest) -> MakeRequest:
        """Return a request for a learned tool with the bound of the settings, unless it has one."""
        if make_request.learning is not None:
            return make_request
        chosen = self.settings
        learning = Learning(
            epsilon=chosen.epsilon, confidence=chosen.confidence, audit_rate=chosen.audit_rate
        )
        return make_request.model_copy(update={"learning": learning})

    async def make(self, make_request: MakeRequest) -> ToolRecord:
        """Make, verify and store a tool, and begin to serve it.

        Raises:
            InputError: the demonstrations are too few or contradict each other.
            MakerError: no tool passed; the report in the store says why.
        """
        name, server = make_request.request_class, await self.solver.server()
        record = await self.maker.make(server, make_request)
        if record is None:
            reports = await self.store.reports(name)
            ending = str(reports[-1].body.get("ending", "")) if reports else ""
            reason = short_reason(ending, case=True)
            raise MakerError(
                f"no tool for {make_request.called!r} passed: {reason}; "
                f"`toolmint tools report {shlex.quote(name)}` shows the whole making. Correct what is wrong "
                "in the demonstrations, add more of the wordings that fail, or allow more proposals (--tries)"
            )
        return record

    async def reverify(self, record: ToolRecord) -> tuple[Evidence, ...]:
        """Take a tool through verification anew, on its own demonstrations; needs no model.

        What a model or a second tool has decided of doubtful near misses holds.
        """
        inputs = VerificationInput(source=record.source, labelled=record.demonstrations)
        return await verify(inputs, self.sandbox, self._other, recorded_judge(record.evidence))

    async def with_arcs(self, record: ToolRecord) -> ToolRecord:
        """Return a record whose verified arcs are those that its demonstrations take here.

        What a file says of them is another store's evidence, and no proof.
        """
        found = await verified_arcs(record.source, record.demonstrations, (), self.sandbox)
        return record.model_copy(update={"arcs": found})

    async def solve(
        self, text: str, *, request_class: str | None = None, limits: Limits | None = None
    ) -> Trajectory:
        """Answer one request; the trajectory's ``served`` says which tier, class, version and why."""
        return await self.solver.solve(Task(input=text, request_class=request_class), limits)


def command_line_policy(settings: Settings) -> ServingPolicy:
    """Return the policy of the command line: tools serve once verified, and answer for the bound alone."""
    return ServingPolicy(
        shadow=False,
        bound=ErrorBound(epsilon=settings.epsilon, confidence=settings.confidence),
        dispatch=settings.dispatch,
        light_after_unparsed=True,
        arc_agreements=settings.arc_agreements,
        accept_unverified=settings.accept_unverified,
    )


def make_request_of(
    request_class: str | None, labelled: Sequence[Demonstration], settings: Settings, **more: object
) -> MakeRequest:
    """Return a request to make a tool with the settings' choices; ``more`` sets or replaces its fields.

    A class that is named is called so, unless ``more`` has a title; the maker names the others.
    """
    fields: dict[str, object] = {
        "labelled": tuple(labelled),
        "second": settings.second,
        "least_coverage": settings.least_coverage,
        "exercise": settings.exercise,
    }
    if request_class is None:
        first = labelled[0].input if labelled else "unnamed"
        fields |= {"request_class": class_name_for(first), "title": title_for(first)}
    else:
        fields |= {"request_class": request_class}
        fields |= {"title": request_class, "keep_title": True} if "title" not in more else {}
    return MakeRequest.model_validate(fields | more)
