"""Models in one call: an endpoint, a folder or a cassette; nothing is opened before the first request."""

from pathlib import Path

from toolmint.assembly.uri import Endpoint, default_endpoint, model_of, openai_model
from toolmint.core.errors import ConfigError
from toolmint.core.model import Model
from toolmint.models.cassette import CassetteModel
from toolmint.models.sampling import WithSampling
from toolmint.models.wrap import ModelWrapper


class EndpointModel(ModelWrapper):
    """A model behind an OpenAI-compatible endpoint, with the address that a gateway passes requests on to.

    Attributes:
        endpoint: base URL, key and timeout.
    """

    def __init__(self, model: Model, endpoint: Endpoint) -> None:
        self._model, self.endpoint = model, endpoint
        self.complete = model.complete


def openai(
    model: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    timeout: float = 120.0,
    attempts: int = 5,
    price_as: str | None = None,
) -> EndpointModel:
    """Return a model behind an OpenAI-compatible endpoint (OpenAI, vLLM, Ollama, LiteLLM ...).

    Args:
        model: the model's name at the endpoint, such as ``gpt-5``.
        base_url: the endpoint's address up to ``/v1``; None: OpenAI's.
        api_key: None reads ``OPENAI_API_KEY`` from the environment; an endpoint with an address of its
            own may need none.
        temperature: sent with every request; None: each use chooses (0 for making tools and agents).
        max_tokens: of every reply; None: each use chooses.
        timeout: seconds that one request may take.
        attempts: times that a request is sent at most while the endpoint is down or refuses for now.
        price_as: a model whose list price counts, where the endpoint's own is unknown.

    Raises:
        ConfigError: the name is empty, a number is not allowed, or OpenAI's own endpoint has no key.

    Example:
        >>> openai("qwen3", base_url="http://127.0.0.1:8000/v1", temperature=0.2).name
        'qwen3'
    """
    if not model:
        raise ConfigError("a model's name must not be empty; expected such as 'gpt-5'")
    if timeout <= 0 or attempts < 1:
        raise ConfigError(f"timeout={timeout!r} must be positive, attempts={attempts!r} at least 1")
    if max_tokens is not None and max_tokens < 1:
        raise ConfigError(f"max_tokens={max_tokens!r} must be at least 1")
    endpoint = default_endpoint(model, base_url, api_key, timeout)
    opened = openai_model(model, endpoint, attempts=attempts, price_as=price_as)
    if temperature is not None or max_tokens is not None:
        opened = WithSampling(opened, temperature=temperature, max_tokens=max_tokens)
    return EndpointModel(opened, endpoint)


def local(folder: str | Path) -> Model:
    """Return a model that runs here, from a folder or a hub id, with ``transformers``.

    Raises:
        ConfigError: the extra ``toolmint[local]`` is missing, or there is no such model.

    Example:
        ``local("Qwen/Qwen3-0.6B")``
    """
    return model_of(f"local:{folder}")


def onnx(folder: str | Path) -> Model:
    """Return an exported model of a folder, run by ONNX Runtime without PyTorch.

    Raises:
        ConfigError: the extra ``toolmint[trio]`` is missing, or the folder holds no model.

    Example:
        ``onnx("runs/planner-onnx")``
    """
    return model_of(f"onnx:{folder}")


def cassette(path: str | Path) -> CassetteModel:
    """Return a model that replays recorded replies: no key, no network, the same answers each time.

    Raises:
        ConfigError: the file is missing or no cassette.

    Example:
        ``cassette("tests/replies.jsonl")``
    """
    return CassetteModel.load(Path(path))
