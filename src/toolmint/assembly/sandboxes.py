"""The sandbox that the settings name: a fork server here, or on a Ray cluster."""

from typing import Protocol

from toolmint.assembly.cluster import joined
from toolmint.assembly.settings import Settings
from toolmint.assembly.uri import Place
from toolmint.core.errors import ConfigError
from toolmint.core.sandbox import Sandbox
from toolmint.sandbox.forkserver import ForkServer
from toolmint.sandbox.residents import ResidentLimits
from toolmint.sandbox.unsafe import UnsafeSubprocess


class Closable(Sandbox, Protocol):
    """A sandbox that reports its layers and can be closed."""

    layers: dict[str, object]

    def close(self) -> None:
        """End its processes."""
        ...


def place_of(settings: Settings) -> Place | None:
    """Return where models of a folder run, by the engine that the settings name."""
    if settings.engine == "local":
        return None
    return joined(settings.cluster, settings.workers).model


def sandbox_of(settings: Settings, *, hash_seed: int = 0) -> Closable:
    """Return the sandbox that the settings name; its processes start with the first run."""
    if settings.engine == "ray":
        if settings.sandbox != "forkserver":
            raise ConfigError("the engine ray runs made code in the sandbox 'forkserver' alone")
        return joined(settings.cluster, settings.workers).sandbox(hash_seed)
    match settings.sandbox:
        case "forkserver":
            most = 0 if settings.isolation == "call" else settings.residents
            return ForkServer(hash_seed=hash_seed, resident=ResidentLimits(processes=most))
        case "unsafe":
            return UnsafeSubprocess()
