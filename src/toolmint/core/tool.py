"""Made tools: demonstrations, the immutable record of one version, and its evidence."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from toolmint.core.arcs import ARCS_SCHEME, Arcs
from toolmint.core.messages import Frozen
from toolmint.core.model import Usage
from toolmint.core.values import Value, digest

Profile = Literal["latm", "proved", "learned"]
Verdict = Literal["passed", "failed", "skipped"]
State = Literal["proposed", "verified", "shadowing", "serving", "demoted", "retired"]

ALLOWED_TRANSITIONS: dict[State, frozenset[State]] = {
    "proposed": frozenset({"verified", "retired"}),
    "verified": frozenset({"shadowing", "serving", "retired"}),
    "shadowing": frozenset({"serving", "demoted", "retired"}),
    "serving": frozenset({"shadowing", "demoted", "retired"}),
    "demoted": frozenset({"shadowing", "serving", "retired"}),
    "retired": frozenset(),
}


class Demonstration(Frozen):
    """A request with its right answer (None: unknown)."""

    input: str
    target: str | None


class Evidence(Frozen):
    """What one verification stage found, in words and as data."""

    stage: str
    verdict: Verdict
    summary: str
    details: dict[str, Value] = Field(default_factory=dict)


class Provenance(Frozen):
    """The origin of a version: models, prompts, demonstrations, time."""

    model: str
    second_model: str | None = None
    demonstrations_digest: str
    prompts_digest: str
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))


class ToolRecord(Frozen):
    """One immutable version of a made tool, with the evidence of its verification.

    ``version`` is 0 until a store assigns one. ``entry`` is the function that computes: ``solve``, or
    the name that the maker chose under the ``latm`` profile. ``wrap`` is the text that a light model is
    shown (LATM section 3.1, tool wrapping). ``arcs`` is None where a version was made before arcs were
    recorded, or cannot be instrumented: it answers all that it understands.

    A learned tool (profile ``learned``) has no source. ``weights`` is the SHA-256 of its weights, which the
    store keeps beside the record; ``demonstrations`` are a few of those that it was fitted on.
    """

    schema_version: Literal[1] = 1
    request_class: str = Field(min_length=1, max_length=120)
    version: int = Field(default=0, ge=0)
    source: str = ""
    weights: str = ""
    entry: str = "solve"
    profile: Profile = "proved"
    has_parser: bool = False
    wrap: str = ""
    demonstrations: tuple[Demonstration, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    provenance: Provenance
    usage: Usage = Usage()
    arcs: Arcs | None = None

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the source, or of the weights of a learned tool."""
        return self.weights or digest(self.source)

    @property
    def learned(self) -> bool:
        """Return whether it is a learned tool: weights in place of a source."""
        return self.profile == "learned"

    @property
    def kind(self) -> str:
        """Return how it answers: ``code`` (its own parser), ``learned``, or ``light`` (a light model)."""
        if self.learned:
            return "learned"
        return "code" if self.has_parser else "light"

    @property
    def guarded(self) -> bool:
        """Return whether it is known which of its arcs are verified, so that no other may answer."""
        return self.arcs is not None and self.arcs.scheme == ARCS_SCHEME

    @property
    def label(self) -> str:
        """Return class and version for people to read: ``sorting v2``."""
        return f"{self.request_class} v{self.version}"
