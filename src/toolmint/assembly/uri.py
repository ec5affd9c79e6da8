"""Model URIs: ``openai:gpt-5?base_url=...``, ``cassette:replies.jsonl``, ``transcript:chat.json``."""

from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast
from urllib.parse import parse_qsl

from toolmint.assembly.bases import base_of
from toolmint.assembly.settings import secret
from toolmint.core.budgets import Prices
from toolmint.core.errors import ConfigError
from toolmint.core.model import Embed, Model
from toolmint.embedded import english_trio_path, trio_path
from toolmint.models.cassette import CassetteModel, RecordingModel, from_transcript
from toolmint.models.openai_wire import DEFAULT_BASE_URL
from toolmint.models.prices import LIST_PRICES
from toolmint.models.wrap import (
    Budgeted,
    ConcurrencyLimited,
    LazyModel,
    PricedAs,
    RateLimited,
    Retrying,
)

_OPTIONS = (
    "base_url",
    "key",
    "timeout",
    "price_as",
    "attempts",
    "rpm",
    "concurrency",
    "record",
    "budget",
    "tokens",
    "roles",
)
KEY_VARIABLE = "OPENAI_API_KEY"
TRIO = "embedded:trio"
"""The planner, caller and summarizer that ship with the package."""
MARKED = frozenset({"local", "onnx", "embedded"})
"""Schemes of models that read the ``marked`` family."""
ModelLike: TypeAlias = Model | str
"""A model: an object with ``name`` and ``complete``, or the text of a model URI."""


class ModelUri(NamedTuple):
    """A scheme, what it names, and options."""

    scheme: str
    rest: str
    options: dict[str, str]


def parse_uri(uri: str) -> ModelUri:
    """Read a model URI.

    Raises:
        ConfigError: there is no scheme, or an option is not known.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or not rest:
        raise ConfigError(
            f"{uri!r} is no model URI; expected openai:NAME, local:FOLDER, cassette:FILE or transcript:FILE"
        )
    if scheme == "replay":
        raise ConfigError(f"the model scheme 'replay' is now 'cassette': cassette:{rest}")
    name, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    for option in options:
        if option not in _OPTIONS:
            near = get_close_matches(option, _OPTIONS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(_OPTIONS)}"
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


class Endpoint(NamedTuple):
    """Where an OpenAI-compatible model answers: the address up to ``/v1``, the key, and seconds to wait."""

    base_url: str
    key: str | None
    timeout: float


def default_endpoint(
    model: str, base_url: str | None, key: str | None, timeout: float, variable: str = KEY_VARIABLE
) -> Endpoint:
    """Return a model's endpoint; the address defaults to OpenAI's, the key to an environment variable.

    Raises:
        ConfigError: the address is no URL, or OpenAI's own endpoint has no key.
    """
    address = base_url or DEFAULT_BASE_URL
    if not address.startswith(("http://", "https://")):
        raise ConfigError(f"base_url={address!r} must begin with http:// or https://")
    found = key or secret(variable)
    if found is None and address == DEFAULT_BASE_URL:
        raise ConfigError(f"no key for {model!r}: set the variable {variable}", code="model-key")
    return Endpoint(address, found, timeout)


def _endpoint(uri: ModelUri, timeout: float) -> Endpoint:
    return default_endpoint(
        uri.rest,
        uri.options.get("base_url"),
        None,
        _number(uri, "timeout", timeout),
        uri.options.get("key", KEY_VARIABLE),
    )


def name_of(text: str) -> str:
    """Return the model's own name in a URI."""
    return parse_uri(text).rest


def endpoint_of(text: str) -> Endpoint:
    """Return the endpoint that ``openai:NAME?base_url=...`` names.

    Raises:
        ConfigError: the URI is wrong, of another scheme, or the key is missing.
    """
    uri = parse_uri(text)
    if uri.scheme != "openai":
        raise ConfigError(f"a gateway passes on to openai:NAME?base_url=..., not to {uri.scheme!r}")
    return _endpoint(uri, 600.0)


def openai_model(
    name: str,
    endpoint: Endpoint,
    *,
    attempts: int = 5,
    price_as: str | None = None,
    prices: Prices = LIST_PRICES,
    alternate: bool = False,
) -> Model:
    """Return the model of an endpoint; it connects with its first request, and tries again on a refusal."""

    def opened() -> Model:
        from toolmint.models.openai import OpenAIModel  # noqa: PLC0415 - aiohttp takes 0.3 s to load

        return OpenAIModel(
            name,
            api_key=endpoint.key,
            base_url=endpoint.base_url,
            timeout=endpoint.timeout,
            price_as=price_as,
            prices=prices,
            alternate=alternate,
        )

    return Retrying(LazyModel(name, opened), attempts=attempts)


def _openai(uri: ModelUri, prices: Prices) -> Model:
    roles = uri.options.get("roles", "alternate")
    if roles != "alternate":
        raise ConfigError(f"option 'roles' must be 'alternate', got {roles!r}")
    model = openai_model(
        uri.rest,
        _endpoint(uri, 120.0),
        attempts=int(_number(uri, "attempts", 5)),
        price_as=uri.options.get("price_as"),
        prices=prices,
        alternate="roles" in uri.options,
    )
    if "rpm" in uri.options:
        model = RateLimited(model, requests=_number(uri, "rpm", 60))
    if "concurrency" in uri.options:
        model = ConcurrencyLimited(model, most=int(_number(uri, "concurrency", 4)))
    return model


def _local(name: str, known_as: str = "") -> Model:
    try:
        from toolmint.models.hub import folder_of  # noqa: PLC0415 - an extra
        from toolmint.models.local import local_model  # noqa: PLC0415 - an extra
        from toolmint.models.pretrained import KNOWN_BASES  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "local models need the extra: pip install 'toolmint[local]'", code="extra"
        ) from fault
    folder = base_of(name) if name in KNOWN_BASES else folder_of(name)
    return local_model(folder, base_of, name=known_as)


def _onnx(folder: Path, name: str = "") -> Model:
    try:
        from toolmint.models.onnx import onnx_model  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "exported models need the extra: pip install 'toolmint[trio]'", code="extra"
        ) from fault
    return onnx_model(folder, name=name)


def _embedded(name: str) -> Model:
    if name == "trio":
        return _onnx(trio_path(), TRIO)
    if name != "english" or not english_trio_path().is_dir():
        raise ConfigError(f"no model {name!r} ships with toolmint; embedded:trio does")
    return _local(str(english_trio_path()), f"embedded:{name}")


def embed_of(text: str) -> Embed:
    """Return the embeddings that a URI names: ``openai:NAME?base_url=...``.

    Raises:
        ConfigError: the URI is wrong, of another scheme, or a key is missing.
    """
    from toolmint.models.embeddings import OpenAIEmbeddings  # noqa: PLC0415 - aiohttp takes 0.3 s to load

    uri = parse_uri(text)
    if uri.scheme != "openai":
        raise ConfigError(f"embeddings come from openai:NAME, not from {uri.scheme!r}")
    base_url, key, timeout = _endpoint(uri, 60.0)
    return OpenAIEmbeddings(uri.rest, api_key=key, base_url=base_url, timeout=timeout)


def _plain(uri: ModelUri, text: str, prices: Prices) -> Model:
    match uri.scheme:
        case "openai":
            return _openai(uri, prices)
        case "cassette":
            return CassetteModel.load(Path(uri.rest))
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
                "known are openai, embedded, local, onnx, cassette and transcript"
            )


Place = Callable[[str], Model]
"""Returns a model that runs elsewhere, such as on a cluster, by its URI without options."""


def model_of(text: str, place: Place | None = None, prices: Prices = LIST_PRICES) -> Model:
    """Return the model that a URI names; one that runs from a folder where ``place`` puts it, else here.

    Raises:
        ConfigError: the URI is wrong, a key is missing, or a cassette cannot be read.
    """
    uri = parse_uri(text)
    if place is not None and uri.scheme in MARKED:
        model = place(f"{uri.scheme}:{uri.rest}")
    else:
        model = _plain(uri, text, prices)
    if "price_as" in uri.options and uri.scheme != "openai":
        model = PricedAs(model, uri.options["price_as"], prices)
    if "budget" in uri.options or "tokens" in uri.options:
        cost = Decimal(str(_number(uri, "budget", 1))) if "budget" in uri.options else None
        tokens = int(_number(uri, "tokens", 1)) if "tokens" in uri.options else None
        model = Budgeted(model, tokens=tokens, cost=cost)
    if "record" in uri.options:
        model = RecordingModel(model, Path(uri.options["record"]), note=f"recorded from {uri.rest}")
    return model


def as_model(model: ModelLike, place: Place | None = None, prices: Prices = LIST_PRICES) -> Model:
    """Return a model that is given as an object, or as a URI.

    Raises:
        ConfigError: the URI is wrong, or the object is no model.
    """
    if isinstance(model, str):
        return model_of(model, place, prices)
    given = cast("object", model)
    if not (hasattr(given, "complete") and hasattr(given, "name")):
        raise ConfigError(
            f"{given!r:.80} is no model; expected a URI such as 'openai:gpt-5', or an object with "
            "a name and an async method complete"
        )
    return model
