"""What the page of a class shows of its learned versions: coverage, confusions, suspects, thresholds."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, cast

from toolmint.core.errors import ToolmintError
from toolmint.core.namespace import ClassKey
from toolmint.core.tool import ToolRecord
from toolmint.core.totals import DailyTotal
from toolmint.core.traffic import Comparison
from toolmint.serving.learned_models import LearnedModels

_MOST_SHOWN = 30
_LONGEST = 80


class CoverageDay(NamedTuple):
    """How many requests of a class came on a day, and how many a learned tool answered."""

    day: str
    requests: int
    answered: int

    @property
    def share(self) -> float:
        """The share that was answered, 0 to 1."""
        return self.answered / self.requests if self.requests else 0.0


class Confusion(NamedTuple):
    """How often the tool said one thing and the strong model, or a user, another."""

    ours: str
    theirs: str
    times: int


class Suspect(NamedTuple):
    """A request of which the tool at work is sure though the strong model said otherwise.

    ``probability`` is what the tool says now of its answer.
    """

    input: str
    ours: str
    theirs: str
    probability: float


class LabelRow(NamedTuple):
    """A label as the fit found it; ``threshold`` None: the tool never answers it."""

    label: str
    examples: int
    threshold: float | None
    why: str


class LearnedFacts(NamedTuple):
    """All that the page shows of a class's learned versions."""

    coverage: list[CoverageDay]
    confusions: list[Confusion]
    suspects: list[Suspect]
    labels: list[LabelRow]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def coverage_by_day(days: Sequence[DailyTotal], name: str) -> list[CoverageDay]:
    """Return how much of a class learned tools answered, by day."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in days:
        if one.request_class == name:
            counts[one.day][0] += one.requests
            counts[one.day][1] += one.requests if one.tier == "learned" else 0
    return [CoverageDay(day, *both) for day, both in sorted(counts.items())]


def confusions(wrong: Sequence[Comparison]) -> list[Confusion]:
    """Return the most frequent disagreements that were kept with their texts."""
    seen = Counter(
        (_short(one.ours.strip()), _short(one.theirs.strip()))
        for one in wrong
        if one.ours is not None and one.theirs is not None
    )
    return [Confusion(*pair, count) for pair, count in seen.most_common(_MOST_SHOWN)]


def label_rows(record: ToolRecord) -> list[LabelRow]:
    """Return the labels of a version with their thresholds, from the evidence of its fit."""
    fit = next((one for one in record.evidence if one.stage == "fit"), None)
    rows = cast("list[dict[str, object]]", fit.details.get("labels") or []) if fit else []
    return [
        LabelRow(
            _short(str(row.get("label", ""))),
            int(str(row.get("examples", 0))),
            None if row.get("threshold") is None else float(str(row["threshold"])),
            str(row.get("why", "")),
        )
        for row in rows
    ]


async def suspects(
    record: ToolRecord, key: ClassKey, wrong: Sequence[Comparison], models: LearnedModels
) -> list[Suspect]:
    """Return the kept disagreements of which a version is sure, the surest first."""
    try:
        model = await models.get(key, record.weights)
    except ToolmintError:
        return []
    found: list[Suspect] = []
    for one in wrong[:500]:
        if one.input is None or one.theirs is None:
            continue
        said = model.answer(one.input)
        if said.text is not None and said.text.strip() != one.theirs.strip():
            texts = (one.input, _short(said.text), _short(one.theirs))
            found.append(Suspect(*texts, said.probability))
    return sorted(found, key=lambda one: -one.probability)[:_MOST_SHOWN]


async def learned_facts(
    versions: Sequence[tuple[ToolRecord, str]],
    key: ClassKey,
    wrong: Sequence[Comparison],
    days: Callable[[], Awaitable[Sequence[DailyTotal]]],
    models: LearnedModels,
) -> LearnedFacts | None:
    """Return what the page shows of the newest learned version that is not retired; None: there is none."""
    learned = [record for record, state in versions if record.learned and state != "retired"]
    if not learned:
        return None
    return LearnedFacts(
        coverage_by_day(await days(), str(key)),
        confusions(wrong),
        await suspects(learned[-1], key, wrong, models),
        label_rows(learned[-1]),
    )
