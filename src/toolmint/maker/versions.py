"""The proposals of one making: which is the best, whether one gains on it, and what is said of them next."""

from collections.abc import Sequence
from typing import NamedTuple, cast

from toolmint.core.tool import Demonstration, Evidence
from toolmint.core.values import Value, clip
from toolmint.maker.making_run import MakeRequest
from toolmint.maker.verify import failed_stage
from toolmint.roles import prompts

_ENOUGH_COVERAGE = 0.9  # what is left then comes back as repair work
_MAX_EVIDENCE = 9000  # characters of evidence in a repair prompt
LABELS_STAGE = "2 labels"


class Version(NamedTuple):
    """A proposal with the evidence of its verification."""

    source: str
    evidence: tuple[Evidence, ...]

    @property
    def failure(self) -> Evidence | None:
        """The stage that failed; None: the proposal passed."""
        return failed_stage(self.evidence)

    @property
    def labels(self) -> dict[str, Value]:
        """What stage 2 found, as data; empty where it was not reached."""
        found = [one.details for one in self.evidence if one.stage == LABELS_STAGE]
        return found[0] if found else {}

    @property
    def coverage(self) -> float:
        """The share of the demonstrations that it answers, counted by wording."""
        return cast("float", self.labels.get("coverage", 0.0))

    @property
    def enough(self) -> bool:
        """Whether a further proposal could gain too little to be worth a model call."""
        missing, met = len(self.unanswered), cast("int", self.labels.get("met", 0))
        by_requests = met / (met + missing) if met else 0.0
        return max(self.coverage, by_requests) >= _ENOUGH_COVERAGE

    @property
    def wrong(self) -> tuple[str, ...]:
        """The demonstrations that it answers wrongly."""
        return self._inputs("wrong")

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The demonstrations that it does not answer."""
        return self._inputs("unanswered")

    def _inputs(self, name: str) -> tuple[str, ...]:
        found = cast("list[dict[str, str]]", self.labels.get(name, []))
        return tuple(one["input"] for one in found)

    @property
    def rank(self) -> tuple[bool, int, float]:
        """What makes a version better: it passed, it passed more stages, it meets more labels.

        Among versions that fail the labels, a wrong answer weighs as much as two right ones.
        """
        passed = sum(one.verdict != "failed" for one in self.evidence)
        if self.failure is None:
            return True, 0, self.coverage
        met = cast("int", self.labels.get("met", 0))
        return False, passed, met - 2 * len(self.wrong)


def next_prompt(version: Version, best: Version) -> str:
    """Return what the maker is told after a version: what it lacks, or where to go on from."""
    text = _prompt(version)
    if best.source == version.source:
        return text
    said = failed_stage(best.evidence) or _labels_of(best)
    return prompts.fill(
        "proved_best", next=text, source=best.source, evidence=clip(_said(said), _MAX_EVIDENCE)
    )


def first_prompt(request: MakeRequest, base: Version | None) -> str:
    """Return the first prompt of a making; ``base`` is the tool at work, with its evidence."""
    text = prompts.proved_propose(request.shown_first(), request.slowest)
    if base is None:
        return text
    said = clip(_said(base.failure or _labels_of(base)), _MAX_EVIDENCE)
    return prompts.fill("proved_base", propose=text, source=base.source, evidence=said)


def _prompt(version: Version) -> str:
    failure = version.failure
    if failure is None:
        evidence = _said(_labels_of(version))
        return prompts.fill("proved_more", evidence=clip(evidence, _MAX_EVIDENCE))
    return prompts.fill("proved_repair", evidence=clip(_said(failure), _MAX_EVIDENCE))


def _labels_of(version: Version) -> Evidence | None:
    return next((one for one in version.evidence if one.stage == LABELS_STAGE), None)


def _said(evidence: Evidence | None) -> str:
    return f"{evidence.stage}: {evidence.summary}" if evidence is not None else ""


class Leftover(NamedTuple):
    """The demonstrations that an accepted tool does not answer.

    Attributes:
        repair: some other tool of the making answered them, or there was no other: work for a repair.
        set_apart: refused by each of several tools, so probably of another kind.
    """

    repair: tuple[Demonstration, ...]
    set_apart: tuple[Demonstration, ...]


def leftover(
    labelled: Sequence[Demonstration],
    chosen: Version,
    versions: Sequence[Version],
    second: frozenset[str] | None,
) -> Leftover:
    """Return what a chosen version does not answer, by whether any tool of the making does.

    Args:
        labelled: the demonstrations.
        chosen: the accepted version.
        versions: all that reached stage 2.
        second: the demonstrations that the second tool answers; None: there is none.
    """
    reached = {one.source: one for one in versions if one.labels}
    missing = set(chosen.unanswered)
    never = missing.intersection(*(one.unanswered for one in reached.values()))
    tools = len(reached) + (second is not None)
    apart = never - (second or frozenset()) if tools > 1 else set[str]()
    return Leftover(
        repair=tuple(one for one in labelled if one.input in missing - apart),
        set_apart=tuple(one for one in labelled if one.input in apart),
    )
