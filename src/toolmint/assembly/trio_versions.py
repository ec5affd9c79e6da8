"""Versions of trios that were trained for a toolbox: a folder for each, with a JSON file that lists them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError

from toolmint.assembly.agent_choices import AgentChoices
from toolmint.assembly.settings import Settings
from toolmint.core.errors import StoreError
from toolmint.core.messages import Frozen, ToolSpec
from toolmint.core.text_files import read_text
from toolmint.core.values import clip, digest

VERSIONS = "versions.json"
TrioState = Literal["serving", "retired", "not better"]


class TrioVersion(Frozen):
    """One trained trio.

    Attributes:
        version: from 1.
        state: the newest better one serves; one that is not better by its interval never does.
        folder: of its model, below the toolbox's folder.
        base: URI of the trio that it was trained from and measured against.
        exact: share of held-out tasks that it did exactly, ``base_exact`` that of the base.
        low: lower end of the interval of the difference; ``high`` the upper one.
        tasks: held-out calls.
        learnt: runs that it was trained on.
        shown: tools that a task shows at most; it was trained on no more.
    """

    version: int
    state: TrioState
    folder: str
    base: str
    exact: float
    base_exact: float
    low: float | None
    high: float | None
    tasks: int
    learnt: int
    shown: int
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def better(self) -> bool:
        """Whether it is better than its base by the interval of the difference."""
        return self.low is not None and self.low > 0


class TrioVersions(Frozen):
    """All versions for one toolbox."""

    schema_version: Literal[1] = 1
    tools: tuple[str, ...]
    versions: tuple[TrioVersion, ...] = ()

    @property
    def serving(self) -> TrioVersion | None:
        """The version that serves, if any."""
        return next((one for one in reversed(self.versions) if one.state == "serving"), None)


def toolbox_digest(specs: Sequence[ToolSpec]) -> str:
    """Return what names a toolbox: 16 hex digits of its tools' names and parameters, whatever their order."""
    return digest(sorted([spec.name, digest(spec.parameters)] for spec in specs))[:16]


class TrioRegistry:
    """The trios that were trained for toolboxes.

    Args:
        folder: has a folder for each toolbox.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, settings: Settings) -> "TrioRegistry":
        """Return the registry beside the store's file, or in ``.toolmint`` where the store is no file."""
        store = str(settings.store)
        return cls((Path(".toolmint") if "://" in store else Path(store).parent) / "trios")

    @property
    def is_empty(self) -> bool:
        """Whether no trio was ever registered."""
        return not self._folder.is_dir()

    def place(self, specs: Sequence[ToolSpec]) -> Path:
        """Return the folder of a toolbox."""
        return self._folder / toolbox_digest(specs)

    def versions(self, specs: Sequence[ToolSpec]) -> TrioVersions:
        """Return the versions for a toolbox.

        Raises:
            StoreError: the file cannot be read.
        """
        path = self.place(specs) / VERSIONS
        if not path.is_file():
            return TrioVersions(tools=tuple(sorted(spec.name for spec in specs)))
        try:
            return TrioVersions.model_validate_json(read_text(path))
        except ValidationError as fault:
            raise StoreError(
                f"{str(path)!r} does not list versions of a trio: {clip(str(fault), 160)}"
            ) from fault

    def serving(self, specs: Sequence[ToolSpec]) -> tuple[str, TrioVersion] | None:
        """Return the URI of the trio that serves a toolbox, and its version; None where none does.

        Raises:
            StoreError: the versions cannot be read, or the folder of the one that serves is gone.
        """
        found = self.versions(specs).serving
        if found is None:
            return None
        folder = self.place(specs) / found.folder
        if not folder.is_dir():
            raise StoreError(
                f"version {found.version} of the trio for these tools serves, and its folder {str(folder)!r} "
                "is gone; train it again, or name a model with --model"
            )
        return f"local:{folder}", found

    def next_version(self, specs: Sequence[ToolSpec]) -> tuple[int, Path]:
        """Return the number of the version to be trained, and its folder; one that was stopped goes on."""
        number = len(self.versions(specs).versions) + 1
        return number, self.place(specs) / f"v{number}"

    def add(self, specs: Sequence[ToolSpec], version: TrioVersion) -> TrioVersion:
        """Register a version; it serves in place of the one before where it is better than its base."""
        state: TrioState = "serving" if version.better else "not better"
        entered = version.model_copy(update={"state": state})
        before = self.versions(specs)
        older = [
            one.model_copy(update={"state": "retired"})
            if version.better and one.state == "serving"
            else one
            for one in before.versions
        ]
        found = before.model_copy(update={"versions": (*older, entered)})
        path = self.place(specs) / VERSIONS
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
        part.replace(path)
        return entered


class ServingTrio(NamedTuple):
    """The trio that was trained for a toolbox: its URI, and its version."""

    uri: str
    version: TrioVersion

    @property
    def note(self) -> str:
        """What a user is told."""
        one = self.version
        return (
            f"no model is named, so version {one.version} of the trio that was trained for these tools plays "
            f"({100 * one.exact:.0f} % exact calls on {one.tasks} held-out ones)"
        )

    def choices(self, given: AgentChoices) -> AgentChoices:
        """Return an agent's choices with as many tools shown as the trio was trained on, unless they say."""
        if "shown" in given.model_fields_set:
            return given
        return given.model_copy(update={"shown": self.version.shown})


def serving_trio(settings: Settings, specs: Sequence[ToolSpec]) -> ServingTrio | None:
    """Return the trio that was trained for a toolbox and serves it; None where there is none.

    Raises:
        StoreError: its versions cannot be read, or its folder is gone.
    """
    found = TrioRegistry.of(settings).serving(specs) if specs else None
    return ServingTrio(*found) if found is not None else None
