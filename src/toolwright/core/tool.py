"""Made tools: demonstrations, the immutable record of one version, and its evidence."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from toolwright.core.messages import Frozen
from toolwright.core.model import Usage
from toolwright.core.values import Value, digest

Profile = Literal["latm", "proved"]
Verdict = Literal["passed", "failed", "skipped"]
State = Literal["proposed", "verified", "shadowing", "serving", "demoted", "retired"]

TRANSITIONS: dict[State, frozenset[State]] = {
    "proposed": frozenset({"verified", "retired"}),
    "verified": frozenset({"shadowing", "serving", "retired"}),
    "shadowing": frozenset({"serving", "demoted", "retired"}),
    "serving": frozenset({"shadowing", "demoted", "retired"}),
    "demoted": frozenset({"shadowing", "serving", "retired"}),
    "retired": frozenset(),
}


class Demonstration(Frozen):
    """A request with its right answer (None: the answer is not known)."""

    input: str
    target: str | None


class Evidence(Frozen):
    """What one stage of the gate found, in words and as data."""

    stage: str
    verdict: Verdict
    summary: str
    details: dict[str, Value] = Field(default_factory=dict)


class Provenance(Frozen):
    """Where a version comes from: models, prompts, demonstrations, time."""

    model: str
    second_model: str | None = None
    demonstrations_digest: str
    prompts_digest: str
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))


class ToolRecord(Frozen):
    """One immutable version of a made tool, with the evidence that it rests on.

    ``version`` is 0 until a store has taken it. ``entry`` is the function that computes:
    ``solve``, or the name that the maker chose under the ``latm`` profile. ``wrap`` is what a tool
    user is shown.
    """

    schema_version: Literal[1] = 1
    request_class: str = Field(min_length=1, max_length=120)
    version: int = Field(default=0, ge=0)
    source: str
    entry: str = "solve"
    profile: Profile = "proved"
    compiled: bool = False
    wrap: str = ""
    demonstrations: tuple[Demonstration, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    provenance: Provenance
    usage: Usage = Usage()

    @property
    def digest(self) -> str:
        """SHA-256 of the source: two versions with one digest compute the same."""
        return digest(self.source)

    @property
    def label(self) -> str:
        """Class and version, as people read it: ``sorting v2``."""
        return f"{self.request_class} v{self.version}"
