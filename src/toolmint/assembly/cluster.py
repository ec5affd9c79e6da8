"""The engine ``ray``: sandbox runs and local models on a Ray cluster.

Everything else stays in the process that was started: the store, the queue, the order of what happens, and
calls of endpoints. So a run over a cluster gives the same results as on one machine.
"""

from collections import OrderedDict
from functools import cache
from typing import Any, NamedTuple, cast

from toolmint.assembly.settings import default_variable
from toolmint.assembly.uri import model_of
from toolmint.core.errors import (
    ConfigError,
    ContextOverflow,
    ModelError,
    SandboxError,
    ToolmintError,
    boundary,
)
from toolmint.core.model import ModelRequest, ModelResponse
from toolmint.core.sandbox import Program, SandboxResult, SandboxRun
from toolmint.core.values import Value
from toolmint.sandbox.forkserver import ForkServer

ACTOR: dict[str, Any] = {
    "num_cpus": 0,
    "max_restarts": -1,
    "max_task_retries": 3,
    "max_concurrency": 64,
    "scheduling_strategy": "SPREAD",
}
"""Actors take no reserved processors, so that they start on a full cluster too; one that dies is started anew
and asked again: nothing that they do leaves a trace.
"""
_PLACES = 10_000


class Fault(NamedTuple):
    """An error of ours on its way back; pickling errors would lose their codes."""

    kind: str
    message: str
    code: str
    retryable: bool

    @classmethod
    def of(cls, error: ToolmintError) -> "Fault":
        """Return the fields of an error, which can be pickled."""
        return cls(type(error).__name__, str(error), error.code, error.retryable)

    def error(self) -> ToolmintError:
        """Return the error again."""
        kinds = {
            one.__name__: one for one in (ContextOverflow, ModelError, SandboxError, ConfigError)
        }
        return kinds.get(self.kind, ToolmintError)(
            self.message, code=self.code, retryable=self.retryable
        )


class SandboxCall(NamedTuple):
    """An input for a verified program, and whose it is."""

    program: Program
    given: Value
    owner: str


class BoxActor:
    """A sandbox on a machine of the cluster."""

    def __init__(self, hash_seed: int) -> None:
        self._box = ForkServer(hash_seed=hash_seed)

    async def do(self, work: SandboxRun | SandboxCall) -> SandboxResult | Fault:
        """Run a program, in a process of its own or in its owner's."""
        try:
            if isinstance(work, SandboxCall):
                return await self._box.call(*work)
            return await self._box.run(work)
        except ToolmintError as error:
            return Fault.of(error)


class ModelActor:
    """A model on a machine of the cluster, with the caches of the conversations that come to it."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._model: Any = None

    async def do(self, request: ModelRequest) -> ModelResponse | Fault:
        """Answer a prompt."""
        try:
            self._model = self._model or model_of(self._uri)
            return await self._model.complete(request)
        except ToolmintError as error:
            return Fault.of(error)


class _Pool:
    """Actors of one kind; each piece of work goes to the one with the least to do."""

    def __init__(self, ray: Any, actors: list[Any]) -> None:  # noqa: ANN401 - of an extra
        self._ray, self._actors = ray, actors
        self._busy = [0] * len(actors)

    def least(self) -> int:
        return min(range(len(self._busy)), key=self._busy.__getitem__)

    async def do(self, place: int, given: object) -> Any:  # noqa: ANN401 - what the actor gives
        self._busy[place] += 1
        try:
            found = await self._actors[place].do.remote(given)
        except self._ray.exceptions.RayError as fault:
            said = str(fault).splitlines()[0]
            raise ToolmintError(f"the Ray cluster failed: {said}", code="cluster") from fault
        finally:
            self._busy[place] -= 1
        if isinstance(found, Fault):
            raise found.error()
        return found

    def close(self) -> None:
        for actor in self._actors:
            self._ray.kill(actor)


class ClusterSandbox:
    """A sandbox whose runs go to the cluster's machines; each has its own layers in force."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self.layers: dict[str, object] = {"engine": "ray"}

    async def run(self, run: SandboxRun) -> SandboxResult:
        """Run a program once, in a worker of its own, somewhere.

        Raises:
            SandboxError: the sandbox there is broken.
            ToolmintError: the cluster failed.
        """
        return await self._pool.do(self._pool.least(), run)

    async def call(self, program: Program, given: Value, owner: str) -> SandboxResult:
        """Answer an input somewhere, in a process of its owner.

        Raises:
            SandboxError: the sandbox there is broken.
            ToolmintError: the cluster failed.
        """
        return await self._pool.do(self._pool.least(), SandboxCall(program, given, owner))

    def close(self) -> None:
        """End its actors."""
        self._pool.close()


class ClusterModel:
    """A model copied to several machines; a conversation stays with the copy that knows its beginning."""

    def __init__(self, name: str, pool: _Pool) -> None:
        self.name, self._pool = name, pool
        self._places: OrderedDict[str, int] = OrderedDict()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt.

        Raises:
            ModelError: as the model itself.
            ToolmintError: the cluster failed.
        """
        begin = "".join(message.content for message in request.messages[:2])[:4000]
        place = self._places.pop(begin, None)
        if place is None:
            place = self._pool.least()
        self._places[begin] = place
        if len(self._places) > _PLACES:
            self._places.popitem(last=False)
        return await self._pool.do(place, request)

    async def close(self) -> None:
        """End its actors."""
        self._pool.close()


class Cluster:
    """A Ray cluster that this process has joined, or one of its own on this machine.

    Args:
        address: such as ``ray://head:10001`` or ``auto``; None: begin one here.
        workers: copies of a sandbox or of a model; None: as many as there are processors, or GPUs for a model
            where the cluster has some.

    Raises:
        ConfigError: the extra is missing, or the cluster cannot be reached.
    """

    def __init__(self, address: str | None, workers: int | None) -> None:
        default_variable("RAY_USAGE_STATS_ENABLED", "0")
        default_variable("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as fault:
            raise ConfigError(
                "the engine ray needs the extra: pip install 'toolmint[ray]'", code="extra"
            ) from fault
        self._ray: Any = cast("Any", ray)
        self._workers = workers
        boundary(
            lambda: self._ray.init(
                address=address,
                include_dashboard=False if address is None else None,
                log_to_driver=False,
                ignore_reinit_error=True,
                logging_level="ERROR",
            ),
            lambda fault: ConfigError(
                f"the Ray cluster {address or 'on this machine'!r} cannot be joined: {fault}",
                code="cluster",
            ),
        )

    def _pool(self, kind: type, given: object, *, gpus: bool) -> _Pool:
        known = self._ray.cluster_resources()
        count = int(known.get("GPU", 0)) if gpus else 0
        options = ACTOR | ({"num_gpus": 1} if count else {})
        number = self._workers or count or max(1, int(known.get("CPU", 1)))
        remote = self._ray.remote(kind).options(**options)
        return _Pool(self._ray, [remote.remote(given) for _ in range(number)])

    def sandbox(self, hash_seed: int = 0) -> ClusterSandbox:
        """Return a sandbox on the cluster."""
        return ClusterSandbox(self._pool(BoxActor, hash_seed, gpus=False))

    def model(self, uri: str) -> ClusterModel:
        """Return the model that a URI names, loaded on the cluster's machines: its folder must be there."""
        return ClusterModel(uri, self._pool(ModelActor, uri, gpus=True))


@cache
def joined(address: str | None, workers: int | None) -> Cluster:
    """Return the cluster at an address, joined once."""
    return Cluster(address, workers)
