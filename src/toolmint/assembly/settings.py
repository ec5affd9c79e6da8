"""The settings, and the only reading of the environment."""

import json
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ConfigDict, Field, ValidationError, field_validator

from toolmint.assembly.former_names import (
    DEFAULT_FILE,
    FILE,
    FORMER_SETTINGS,
    PREFIX,
    refuse_former_names,
    refuse_former_store,
)
from toolmint.assembly.toolbox_setting import sources_of_setting
from toolmint.core.errors import ConfigError
from toolmint.core.messages import Frozen
from toolmint.core.values import Value
from toolmint.models.prices import OwnPrice, PriceTable
from toolmint.tools.approval import ApprovalMode

FieldChoices = dict[str, Literal["served", "scope", "model"]]
"""What becomes of fields of requests, by name; see the setting ``fields``."""


class Settings(Frozen):
    """The settings of a program that uses toolmint.

    Each field can be set by a flag, as ``TOOLMINT_<FIELD>``, or in ``toolmint.toml``.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    store: str | Path = ".toolmint/tools.db"
    """The SQLite file that keeps tools, queue and ledger, or ``postgresql://user@host/name``."""
    model: str | None = None
    """URI of the strong model, such as ``openai:gpt-5``."""
    second_model: str | None = None
    """URI of the model that makes the independent second tool; None: the strong model."""
    light_model: str | None = None
    """URI of the light model that uses tools; None: there is no light tier."""
    planner_model: str | None = None
    """URI of the agent's planner; None: the strong model."""
    caller_model: str | None = None
    """URI of the agent's caller; None: the planner's."""
    summarizer_model: str | None = None
    """URI of the agent's summarizer; None: the planner's."""
    toolbox: tuple[str, ...] = ()
    """Sources of the gateway's agent's tools, as ``toolmint agent --tools`` takes them, or tables with
    ``source`` and its options (a variable: with spaces between, or JSON); none: the gateway has no agent.
    """
    approve: ApprovalMode = "ask"
    """Which calls of an agent that change something are done; ``ask``: those that a person approves."""
    tool_tokens: int = Field(default=8000, ge=1)
    """Tokens that the tools of a task may take of a prompt; schemas are shortened to that."""
    agent: str = "agent"
    """The name of a model under which the gateway's agent answers."""
    agent_options: Mapping[str, Value] = Field(default={})
    """How agents work, by the names of ``AgentChoices``, such as ``[agent_options]`` with ``temperature`` and
    ``max_tokens``. In a variable: as JSON.
    """
    sandbox: Literal["forkserver", "unsafe"] = "forkserver"
    """Where made code runs. ``unsafe`` is no sandbox and warns at every start."""
    isolation: Literal["resident", "call"] = "resident"
    """Whether a verified tool of a tenant keeps its process, or each call has one of its own."""
    residents: int | None = Field(default=None, ge=1)
    """Processes that verified tools may keep at most; None: by the machine's memory."""
    models: Path = Path("~/.cache/toolmint/models")
    """Folder in which pretrained bases are kept, fetched and converted once."""
    engine: Literal["local", "ray"] = "local"
    """Where made code and models of a folder run: here, or on a Ray cluster (``toolmint[ray]``)."""
    cluster: str | None = None
    """The Ray cluster's address, such as ``ray://head:10001`` or ``auto``; None: begin one here."""
    workers: int | None = Field(default=None, ge=1)
    """Copies of a sandbox or a model on the cluster; None: as many as it has processors, or GPUs."""
    dispatch: Literal["wording", "model"] = "wording"
    """Who picks the class for the light tier."""
    second: Literal["auto", "always", "never"] = "auto"
    """When an independent second tool is made."""
    needed: int = Field(default=10, ge=6)
    """Queued demonstrations that start a making."""
    least_coverage: float = Field(default=0.5, gt=0, le=1)
    """Least share of its demonstrations that a tool answers, by wording; it refuses the rest."""
    exercise: bool = False
    """Spend up to two model calls of a making on requests for branches that no demonstration reaches."""
    profile: Literal["proved", "learned"] = "proved"
    """What is made in the background: code, and learned tools where none passes; or these alone."""
    learned_after: int = Field(default=100, ge=20)
    """Demonstrations with closed answers after which a learned tool is fitted first."""
    learned_examples: int = Field(default=20_000, ge=100)
    """Demonstrations that are kept of a class with learned tools."""
    kinds_after: int = Field(default=24, ge=0)
    """Requests in small classes after which the strong model is asked to name their kinds; 0: never."""
    host: str = "127.0.0.1"
    """Where the gateway listens; anything but this machine takes keys."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Its port."""
    epsilon: float = Field(default=0.05, gt=0, lt=1)
    """Share of answers that a tool may get wrong on live traffic."""
    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Chance that a tool that is promoted keeps to ``epsilon``."""
    audit_rate: float = Field(default=0.1, gt=0, le=1)
    """Share of a tool's requests that the strong model answers, to be compared."""
    arc_agreements: int = Field(default=2, ge=1)
    """Agreements with the strong model that verify a tool's branch which its verification did not reach."""
    accept_unverified: bool = False
    """Serve answers too that took a branch which nothing has verified."""
    approval: bool = False
    """A person has to approve before a proved tool serves."""
    making: bool = True
    """The gateway makes tools in the background."""
    makings: int = Field(default=4, ge=1)
    """Makings that run at once in a process."""
    write_ahead_log: Path | None = None
    """Folder where requests wait for the store; None: beside the store's file, or in ``.toolmint``."""
    redact: str | None = None
    """``package.module:function``, applied to each text before it is kept; None: texts are kept as they
    are.
    """
    spans: bool = False
    """Write OpenTelemetry spans (``toolmint[otel]``); ``OTEL_...`` variables say where to."""
    lease_seconds: float = Field(default=30.0, gt=0)
    """How long a gateway that died in the middle of a making keeps others from it."""
    keep_days: int | None = Field(default=None, ge=1)
    """Days for which requests and disagreements are kept; None: for good. What was spent and saved stays."""
    prices: Mapping[str, OwnPrice] = Field(default_factory=dict)
    """Prices of one's own by the models' names, in US dollars for a million tokens, such as
    ``[prices."my-model"]`` with ``input``, ``output`` and ``cached`` (in a variable: as JSON). They come
    before list prices.
    """
    unknown_prices: Literal["refuse", "allow"] = "refuse"
    """Whether a key with a budget may ask for a model of unknown price. ``allow``: its budget does not hold
    for such a model.
    """
    longest_answer: int | None = Field(default=None, ge=1)
    """Tokens to reserve for the answer to a request without ``max_tokens``; None: the model's limit."""
    log: Literal["text", "json"] = "text"
    """How the gateway writes its log: lines for people, or a JSON object a line."""
    largest_body: int = Field(default=20 << 20, ge=1024)
    """Bytes that a request's body may have."""
    fields: FieldChoices = Field(default={})
    """What the gateway does with fields of requests, by name: ``served`` (a tool's answer is the same for
    each value), ``scope`` (tools answer only where the value is the same), ``model`` (the model answers). In
    a variable: ``temperature=scope user=model``.
    """
    read_on: float = Field(default=60.0, ge=0)
    """Seconds for which the gateway reads an answer on after its client has left, so that the bill knows what
    it used; 0: the request to the model is broken off at once, and its cost is unknown.
    """
    data: Path | None = None
    """Folder with benchmark data, see ``toolmint eval fetch``."""

    @field_validator("fields", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return {name: choice for name, _, choice in (one.partition("=") for one in value.split())}

    @field_validator("toolbox", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return sources_of_setting(value)

    @field_validator("prices", "agent_options", mode="before")
    @classmethod
    def _table(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as fault:
            raise ValueError(f"in a variable it is JSON: {fault}") from fault

    @property
    def price_table(self) -> PriceTable:
        """Prices of one's own, and list prices for the rest."""
        return PriceTable(self.prices, self.longest_answer)


def environment() -> Mapping[str, str]:
    """Return the process environment."""
    return os.environ


def default_variable(name: str, value: str) -> None:
    """Set an environment variable that a library reads, unless it is set."""
    os.environ.setdefault(name, value)


def secret(name: str) -> str | None:
    """Return a key from the environment; it is never stored nor shown."""
    return environment().get(name) or None


class Effective(NamedTuple):
    """The settings, and for each the place that it comes from: a flag, a variable, the file, or the
    default.
    """

    settings: Settings
    origins: dict[str, str]


def _known(name: str, where: str, shown: str) -> None:
    """Refuse a name that is no setting, with the nearest one that is."""
    if name in Settings.model_fields:
        return
    if name in FORMER_SETTINGS:
        change = f"is now {FORMER_SETTINGS[name]!r}: rename it"
        raise ConfigError(f"the setting {shown!r} in {where} {change}", code="setting-renamed")
    near = get_close_matches(name, Settings.model_fields, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(Settings.model_fields)}"
    raise ConfigError(f"unknown setting {shown!r} in {where}; {hint}", code="setting-unknown")


def _file() -> tuple[dict[str, object], str]:
    """Return what the settings' file says, and its name; nothing where there is none."""
    named = environment().get(PREFIX + FILE)
    path = Path(named or DEFAULT_FILE)
    if not path.exists():
        if named:
            raise ConfigError(f"there is no file {named!r}, which {PREFIX + FILE} names")
        return {}, ""
    try:
        values: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise ConfigError(f"{path} cannot be read as TOML: {fault}") from fault
    for name in values:
        _known(name, str(path), name)
    return values, str(path)


def effective(**given: object) -> Effective:
    """Return the settings with their origins: flags first, then the environment, the file, and the defaults.

    The file is ``toolmint.toml`` in the working folder, or what ``TOOLMINT_CONFIG`` names.

    Raises:
        ConfigError: a value is not allowed, or a setting is not known; both are named with their origin.
    """
    refuse_former_names(environment())
    values, path = _file()
    origins = dict.fromkeys(Settings.model_fields, "default") | dict.fromkeys(values, path)
    for name, text in environment().items():
        if name.startswith(PREFIX) and name != PREFIX + FILE:
            field = name.removeprefix(PREFIX).lower()
            _known(field, "the environment", name)
            values[field], origins[field] = text, name
    for name, value in given.items():
        if value is not None:
            values[name], origins[name] = value, "--" + name.replace("_", "-")
    if origins["store"] == "default":
        refuse_former_store(Path(str(Settings.model_fields["store"].default)))
    try:
        return Effective(Settings.model_validate(values), origins)
    except ValidationError as fault:
        first = fault.errors()[0]
        name, *inner = map(str, first["loc"])
        whole = ".".join([name, *(f'"{one}"' if not one.isidentifier() else one for one in inner)])
        where = origins.get(name, "a flag")
        if first["type"] == "missing":
            raise ConfigError(f"{whole} (in {where}) is missing", code="setting-value") from fault
        said = f"{whole} = {first['input']!r:.200} (from {where})"
        if first["type"] == "extra_forbidden":
            known = ", ".join(OwnPrice.model_fields)
            raise ConfigError(
                f"{said} is not known; known are {known}", code="setting-value"
            ) from fault
        raise ConfigError(f"{said} is not allowed: {first['msg']}", code="setting-value") from fault


def load_settings(**given: object) -> Settings:
    """Return the settings alone; see ``effective``.

    Raises:
        ConfigError: a value is not allowed, or a setting is not known.
    """
    return effective(**given).settings
