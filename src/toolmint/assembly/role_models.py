"""Models of the three roles: named, given, trained for the toolbox at hand, or installed."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Literal, TypeAlias, cast, get_args

from toolmint.assembly.agent_choices import (
    AgentChoices,
    FamilyName,
)
from toolmint.assembly.installed_trio import how_to_install, preferred_trio
from toolmint.assembly.session import place_of
from toolmint.assembly.settings import Settings
from toolmint.assembly.trio_versions import TrioRegistry, serving_trio
from toolmint.assembly.uri import MARKED, TRIO, ModelLike, as_model, parse_uri
from toolmint.core.errors import ConfigError
from toolmint.core.messages import ToolSpec
from toolmint.core.model import Model
from toolmint.models.wrap import close
from toolmint.serving.ledger import Ledger

UNNAMED = "no model is named, so the trio that is installed plays; name a model with --model"
NO_MODEL = (
    "an agent needs a model; set one with --model, TOOLMINT_MODEL or `model` in toolmint.toml, such as "
    "openai:NAME?base_url=... or local:FOLDER, or by role with --planner, --caller and --summarizer; "
    f"{TRIO} runs here without a key, but knows ToolWorld's tools alone"
)


RoleName = Literal["planner", "caller", "summarizer"]
AgentModels: TypeAlias = ModelLike | Mapping[str, ModelLike]
"""One model for all roles, or models by role: ``planner``, ``caller``, ``summarizer``."""


def _reads_marks(planner: ModelLike) -> bool:
    """Return whether a planner reads one marked text: a model that runs here, named or given."""
    if isinstance(planner, str):
        return parse_uri(planner).scheme in MARKED
    # Not by class: that would import the extras that such models need.
    return getattr(planner, "raw_prompts", False)


def _family_read(planner: Model) -> FamilyName:
    """Return the family that a loaded local model reads; one on a cluster says nothing about itself."""
    if getattr(planner, "described_tools", False):
        return "chat"
    return "marked" if getattr(planner, "raw_prompts", True) else "native"


class RoleModels:
    """The models of the three roles; one that is not named is the planner's, the planner's is the strong one.

    Args:
        settings: name the models that are not given.
        given: one model for all roles, or models by role.
        otherwise: the URI of what plays where nobody names a model; None: that is an error.

    Attributes:
        reads: the text family of the planner's model.
        unnamed: nobody named a model, ``otherwise`` plays.

    Raises:
        ConfigError: no model is named at all, a URI is wrong, or there is no such role.
    """

    def __init__(
        self,
        settings: Settings,
        given: AgentModels | None = None,
        *,
        otherwise: str | None = None,
    ) -> None:
        by_role = _by_role(given)
        planner = by_role.get("planner")
        if planner is None:
            by_role |= _named(settings, by_role)
            planner = by_role.get("planner", otherwise)
            self.unnamed = "planner" not in by_role
        else:
            self.unnamed = False
        if planner is None:
            raise ConfigError(NO_MODEL + how_to_install(), code="no-model")
        self.reads: FamilyName = "marked" if _reads_marks(planner) else "native"
        known: dict[str, Model] = {}

        def of(model: ModelLike) -> Model:
            if not isinstance(model, str):
                return as_model(model)
            if model not in known:
                known[model] = as_model(model, place_of(settings), settings.price_table)
            return known[model]

        self.planner: Model = of(planner)
        self.caller: Model = of(by_role.get("caller", planner))
        self.summarizer: Model = of(by_role.get("summarizer", planner))
        if self.reads == "marked":
            self.reads = _family_read(self.planner)

    def metered(self, ledger: Ledger) -> "RoleModels":
        """Return the same models, each call entered in a ledger under ``agent``."""
        mine = copy(self)
        mine.planner, mine.caller, mine.summarizer = (
            ledger.metered(model, "agent", None)
            for model in (self.planner, self.caller, self.summarizer)
        )
        return mine

    async def close(self) -> None:
        """Close the models' connections."""
        for model in (self.planner, self.caller, self.summarizer):
            await close(model)


def _by_role(given: AgentModels | None) -> dict[RoleName, ModelLike]:
    """Return given models by role; one model stands for the planner's, and so for all."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return {"planner": given}
    for role in given:
        if role not in get_args(RoleName):
            raise ConfigError(
                f"an agent has no role {role!r}; its roles are {', '.join(get_args(RoleName))}"
            )
    return dict(cast("Mapping[RoleName, ModelLike]", given))


def _named(settings: Settings, given: Mapping[RoleName, ModelLike]) -> dict[RoleName, ModelLike]:
    """Return the models that the settings name for roles that have none."""
    found: dict[RoleName, str | None] = {
        "planner": settings.planner_model or settings.model,
        "caller": settings.caller_model,
        "summarizer": settings.summarizer_model,
    }
    return {role: uri for role, uri in found.items() if uri and role not in given}


def check_named(settings: Settings) -> None:
    """Raise ConfigError where no model is named and no trio can play, before anything is opened."""
    named = settings.planner_model or settings.model
    if not named and preferred_trio() is None and TrioRegistry.of(settings).is_empty:
        raise ConfigError(NO_MODEL, code="no-model")


def players(
    settings: Settings,
    specs: Sequence[ToolSpec],
    given: RoleModels | None,
    choices: AgentChoices,
) -> tuple[RoleModels, AgentChoices, list[str]]:
    """Return the models that play with some tools, the choices that fit them, and what a user is told.

    Where nobody named a model, the trio that was trained for these tools plays, else the installed one.

    Raises:
        ConfigError: no model is named, and no such trio is there.
        StoreError: the trained trio cannot be read.
    """
    if given is not None and not given.unnamed:
        return given, choices, []
    trained = serving_trio(settings, specs)
    otherwise = trained.uri if trained is not None else preferred_trio()
    models = RoleModels(settings, otherwise=otherwise)
    if not models.unnamed:
        return models, choices, []
    if trained is None:
        return models, choices, [UNNAMED]
    return models, trained.choices(choices), [trained.note]
