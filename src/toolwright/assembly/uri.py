"""Model URIs: ``openai:gpt-5?base_url=...``, ``replay:tape.jsonl``, ``transcript:chat.json``."""

from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from toolwright.assembly.settings import secret
from toolwright.core.errors import ConfigError
from toolwright.core.model import Embed, Model
from toolwright.embedded import trio_path
from toolwright.models.openai_wire import DEFAULT_BASE_URL
from toolwright.models.replay import Recorder, Replay, from_transcript
from toolwright.models.wrap import Budgeted, Concurrent, Later, PricedAs, RateLimited, Retrying

OPTIONS = (
    "base_url", "key", "timeout", "price_as", "attempts", "rpm", "concurrency", "record", "budget",
    "tokens",
)  # fmt: skip


TRIO = "embedded:trio"
"""The planner, caller and summarizer that ship with the package."""
MARKED = frozenset({"local", "onnx", "embedded"})
"""Schemes of models that read the ``marked`` family."""


class ModelUri(NamedTuple):
    """A scheme, what it names, and options."""

    scheme: str
    rest: str
    options: dict[str, str]


def parse(uri: str) -> ModelUri:
    """Read a model URI.

    Raises:
        ConfigError: there is no scheme, or an option is not known.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or not rest:
        raise ConfigError(
            f"{uri!r} is no model URI; expected openai:NAME, local:FOLDER, replay:FILE or transcript:FILE"
        )
    name, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    for option in options:
        if option not in OPTIONS:
            near = get_close_matches(option, OPTIONS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(OPTIONS)}"
            raise ConfigError(f"unknown option {option!r} in {uri!r}{hint}")
    return ModelUri(scheme, name, options)


def _number(uri: ModelUri, option: str, default: float) -> float:
    text = uri.options.get(option)
    try:
        value = float(text) if text is not None else default
    except ValueError:
        value = -1.0
    if value <= 0:
        raise ConfigError(f"option {option!r} must be a positive number, got {text!r}")
    return value


def _endpoint(uri: ModelUri) -> tuple[str, str | None]:
    """Give an endpoint's base URL and key."""
    base_url = uri.options.get("base_url", DEFAULT_BASE_URL)
    variable = uri.options.get("key", "OPENAI_API_KEY")
    key = secret(variable)
    if key is None and base_url == DEFAULT_BASE_URL:
        raise ConfigError(f"no key for {uri.rest!r}: set the variable {variable}", code="model-key")
    return base_url, key


def name_of(text: str) -> str:
    """Give the model's own name in a URI."""
    return parse(text).rest


def endpoint_of(text: str) -> tuple[str, str | None, float]:
    """Give the base URL, the key, and the seconds of patience of ``openai:NAME?base_url=...``.

    Raises:
        ConfigError: the URI is wrong, of another scheme, or the key is missing.
    """
    uri = parse(text)
    if uri.scheme != "openai":
        raise ConfigError(f"a gateway passes on to openai:NAME?base_url=..., not to {uri.scheme!r}")
    return *_endpoint(uri), _number(uri, "timeout", 600.0)


def _openai(uri: ModelUri) -> Model:
    base_url, key = _endpoint(uri)
    timeout = _number(uri, "timeout", 120.0)

    def endpoint() -> Model:
        from toolwright.models.openai import OpenAIModel  # noqa: PLC0415 - aiohttp takes 0.3 s to load

        return OpenAIModel(
            uri.rest, api_key=key, base_url=base_url, timeout=timeout,
            price_as=uri.options.get("price_as"),
        )  # fmt: skip

    model: Model = Retrying(Later(uri.rest, endpoint), attempts=int(_number(uri, "attempts", 5)))
    if "rpm" in uri.options:
        model = RateLimited(model, requests=_number(uri, "rpm", 60))
    if "concurrency" in uri.options:
        model = Concurrent(model, most=int(_number(uri, "concurrency", 4)))
    return model


def _local(name: str) -> Model:
    try:
        from toolwright.models.hub import folder_of  # noqa: PLC0415 - an extra
        from toolwright.models.local import local_model  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "local models need the extra: pip install 'toolwright[local]'", code="extra"
        ) from fault
    return local_model(folder_of(name))


def _onnx(folder: Path, name: str = "") -> Model:
    try:
        from toolwright.models.onnx import onnx_model  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "exported models need the extra: pip install 'toolwright[trio]'", code="extra"
        ) from fault
    return onnx_model(folder, name=name)


def _embedded(name: str) -> Model:
    if name != "trio":
        raise ConfigError(f"no model {name!r} ships with toolwright; embedded:trio does")
    return _onnx(trio_path(), TRIO)


def embed_of(text: str) -> Embed:
    """Give the embeddings that a URI names: ``openai:NAME?base_url=...``.

    Raises:
        ConfigError: the URI is wrong, of another scheme, or a key is missing.
    """
    from toolwright.models.embeddings import OpenAIEmbeddings  # noqa: PLC0415 - aiohttp takes 0.3 s to load

    uri = parse(text)
    if uri.scheme != "openai":
        raise ConfigError(f"embeddings come from openai:NAME, not from {uri.scheme!r}")
    base_url, key = _endpoint(uri)
    return OpenAIEmbeddings(
        uri.rest, api_key=key, base_url=base_url, timeout=_number(uri, "timeout", 60.0)
    )


def _plain(uri: ModelUri, text: str) -> Model:
    match uri.scheme:
        case "openai":
            return _openai(uri)
        case "replay":
            return Replay.load(Path(uri.rest))
        case "transcript":
            return from_transcript(Path(uri.rest))
        case "local":
            return _local(uri.rest)
        case "onnx":
            return _onnx(Path(uri.rest))
        case "embedded":
            return _embedded(uri.rest)
        case _:
            raise ConfigError(
                f"unknown model scheme {uri.scheme!r} in {text!r}; "
                "known are openai, embedded, local, onnx, replay and transcript"
            )


Place = Callable[[str], Model]
"""Gives a model that runs elsewhere, such as on a cluster, by its URI without options."""


def model_of(text: str, place: Place | None = None) -> Model:
    """Give the model that a URI names; one that runs from a folder where ``place`` puts it, else here.

    Raises:
        ConfigError: the URI is wrong, a key is missing, or a tape cannot be read.
    """
    uri = parse(text)
    if place is not None and uri.scheme in MARKED:
        model = place(f"{uri.scheme}:{uri.rest}")
    else:
        model = _plain(uri, text)
    if "price_as" in uri.options and uri.scheme != "openai":
        model = PricedAs(model, uri.options["price_as"])
    if "budget" in uri.options or "tokens" in uri.options:
        cost = Decimal(str(_number(uri, "budget", 1))) if "budget" in uri.options else None
        tokens = int(_number(uri, "tokens", 1)) if "tokens" in uri.options else None
        model = Budgeted(model, tokens=tokens, cost=cost)
    if "record" in uri.options:
        model = Recorder(model, Path(uri.options["record"]), note=f"recorded from {uri.rest}")
    return model
