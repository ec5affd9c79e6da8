"""What both profiles share: the request, the run that records each step, and the conversation."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Literal

from pydantic import Field

from toolmint.core.errors import InputError
from toolmint.core.messages import AssistantMessage, Frozen, Message, UserMessage
from toolmint.core.model import Model, ModelRequest, Usage
from toolmint.core.sameness import same_answer
from toolmint.core.tool import Demonstration, Evidence, Profile, Provenance, ToolRecord
from toolmint.core.values import Value, clip, digest
from toolmint.maker.report import MakingResult, title_of
from toolmint.maker.verification_input import LEAST_COVERAGE
from toolmint.maker.wording_clusters import spread, wording_clusters

MIN_DEMONSTRATIONS = 6
MAX_DEMONSTRATIONS = 300
"""Demonstrations that every stage uses; of a longer file the others are checked against their labels."""
_SAMPLED = 2000  # of which the wordings are found, in a longer file
_MOST_SHOWN = 12  # demonstrations in the first prompt, where they are worded differently
_REPLY_TOKENS = 16_384  # enough for models that reason before they write
Observer = Callable[[str], None]
SecondPolicy = Literal["auto", "always", "never"]


def silent(_: str) -> None:
    """Ignore a message."""


class Learning(Frozen):
    """What a learned tool is fitted for.

    Attributes:
        epsilon: share of its answers that may be wrong.
        confidence: chance that it keeps to that.
        audit_rate: share of served answers that the strong model labels too.
        since: only demonstrations from then on (ISO 8601); empty: all.
        doubtful_since: answers may mean something else from then on; empty: nothing says so.
        previous: weights of the version before; empty: there is none.
    """

    epsilon: float = 0.05
    confidence: float = 0.95
    audit_rate: float = 0.1
    since: str = ""
    doubtful_since: str = ""
    previous: bytes = b""


class MakeRequest(Frozen):
    """A request to make a tool for one class.

    Attributes:
        request_class: the class's name.
        title: what people call the class; empty: its name.
        keep_title: a person gave the title, the maker's does not replace it.
        labelled: demonstrations; the first ``shown`` go into the prompt, and one of each other wording.
        unlabelled: requests of the class without answers, for the second tool.
        foreign: requests of other classes; the tool must refuse all of them.
        profile: ``proved`` (parser, round trip, verification), ``latm`` (the paper's own steps) or
            ``learned`` (fitted on all demonstrations; calls no model).
        shown: number of demonstrations in the prompt.
        tries: largest number of proposals, the first one included (LATM section 3.1: 3). With the
            ``proved`` profile one that gains on the best one before it is not counted, up to twice as
            many in all.
        slowest: upper limit of the 99th percentile of a call's duration, in seconds.
        second: whether to make an independent second tool; ``auto`` makes one if there are unlabelled
            requests, or if the labels contradict the last proposal.
        clustered: the demonstrations came from the queue, where answers may contradict each other.
        least_coverage: least share of the demonstrations that a tool must answer, each wording counted
            once; what it does not answer goes to the next tier.
        exercise: also spend what proposals leave of ``tries`` (two calls at most) on requests for branches
            that no demonstration reaches.
        further: demonstrations beyond those that every stage uses, of a long file.
        neighbours: demonstrations of other classes; a tool may answer them rightly, as one kind of
            request may stand in several classes, and never wrongly.
        base: source of the tool at work, which a repair goes on from; empty: there is none. The result has
            a tool only if one gains on it.
        seen: what was seen of the demonstrations before the making, for its report.
        seed: sampling seed passed to the maker's model, to repeat a making.
        learning: what a learned tool is fitted for; None: the defaults.
    """

    request_class: str = Field(min_length=1)
    title: str = ""
    keep_title: bool = False
    labelled: tuple[Demonstration, ...]
    unlabelled: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    profile: Profile = "proved"
    shown: int = Field(default=5, ge=1)
    tries: int = Field(default=3, ge=1)
    slowest: float = 1.0
    second: SecondPolicy = "auto"
    clustered: bool = False
    least_coverage: float = Field(default=LEAST_COVERAGE, gt=0, le=1)
    exercise: bool = False
    further: tuple[Demonstration, ...] = ()
    neighbours: tuple[Demonstration, ...] = ()
    base: str = ""
    seen: str = ""
    seed: int | None = None
    learning: Learning | None = None

    @property
    def called(self) -> str:
        """What people call the class."""
        return self.title or self.request_class

    def shown_first(self) -> tuple[Demonstration, ...]:
        """Return the demonstrations of the first prompt: the first ones, and one of each other wording."""
        clusters = wording_clusters([one.input for one in self.labelled])
        seen = set(clusters[: self.shown])
        first = list(self.labelled[: self.shown])
        for one, cluster in zip(self.labelled, clusters, strict=True):
            if cluster not in seen and len(first) < max(_MOST_SHOWN, self.shown):
                seen.add(cluster)
                first.append(one)
        return tuple(first)


def checked_request(make_request: MakeRequest) -> MakeRequest:
    """Return the request without repeated demonstrations, and of many those that every stage uses apart.

    Of the queue, whose answers a model gave, a request with contradictory answers is left out. A learned
    tool is fitted on all of them, contradictions too.

    Raises:
        InputError: there are too few demonstrations, one has no answer, or two contradict each
            other.
    """
    if make_request.profile == "learned":
        _check_enough(make_request, len(make_request.labelled) + len(make_request.further))
        return make_request
    kept, doubtful = _different(make_request)
    if doubtful:
        kept = [one for one in kept if one.input not in doubtful]
    _check_enough(make_request, len(kept))
    if len(kept) <= MAX_DEMONSTRATIONS:
        return make_request.model_copy(update={"labelled": tuple(kept)})
    sampled = kept[:: -(-len(kept) // _SAMPLED)]
    chosen = {one.input for one in spread(sampled, lambda one: one.input, MAX_DEMONSTRATIONS)}
    return make_request.model_copy(
        update={
            "labelled": tuple(one for one in kept if one.input in chosen),
            "further": (
                *make_request.further,
                *(one for one in kept if one.input not in chosen),
            ),
        }
    )


def _check_enough(make_request: MakeRequest, count: int) -> None:
    if count < MIN_DEMONSTRATIONS:
        raise InputError(
            f"{make_request.called!r} has {count} different demonstrations, "
            f"making needs {MIN_DEMONSTRATIONS}",
            code="demonstrations-few",
        )


def _different(make_request: MakeRequest) -> tuple[list[Demonstration], frozenset[str]]:
    """Return the different demonstrations, and the requests that the queue answers contradictorily."""
    answers: dict[str, str] = {}
    kept: list[Demonstration] = []
    doubtful = set[str]()
    for number, one in enumerate(make_request.labelled, 1):
        if one.target is None:
            raise InputError(f"demonstration {number} of {make_request.called!r} has no answer")
        before = answers.get(one.input)
        if before is None:
            answers[one.input] = one.target
            kept.append(one)
        elif same_answer(before, one.target) is None:
            if make_request.clustered:
                doubtful.add(one.input)
                continue
            raise InputError(
                f"demonstration {number} of {make_request.called!r} contradicts an earlier one: "
                f"{clip(one.input, 80)!r} is answered {before!r} and {one.target!r}",
                code="demonstrations-contradict",
            )
    return kept, frozenset(doubtful)


class MakingRun:
    """The record of one making in progress: model calls, evidence, usage, title, and facts of the end."""

    def __init__(self, make_request: MakeRequest, observe: Observer) -> None:
        self.make_request, self.observe = make_request, observe
        self.usage = Usage(cost=Decimal(0))
        seen = make_request.seen
        self.steps: list[Value] = [{"kind": "seen", "text": seen}] if seen else []
        self.facts: dict[str, Value] = {}
        self.title: str | None = None

    def note(self, kind: str, text: str, **facts: Value) -> None:
        """Add a step to the report and pass its first line to the observer."""
        self.steps.append({"kind": kind, "text": text, **facts})
        first = text.splitlines()[0] if text else ""
        self.observe(f"{self.make_request.called}: {kind}: {first}")

    def proposed(self, source: str) -> None:
        """Take the class's title from a proposal; the first title given is kept."""
        self.title = self.title or title_of(source)

    def evidence(self, evidence: Sequence[Evidence]) -> None:
        """Add the evidence of each verification stage to the report."""
        for one in evidence:
            self.note(
                "verification", f"{one.stage}: {one.verdict}: {one.summary}", details=one.details
            )

    def body(self, ending: str) -> dict[str, Value]:
        """Return the report's body: every step, the usage, and how the making ended."""
        return {
            "profile": self.make_request.profile,
            "title": self.title,
            "demonstrations": len(self.make_request.labelled) + len(self.make_request.further),
            "unlabelled": len(self.make_request.unlabelled),
            "ending": ending,
            "usage": self.usage.model_dump(mode="json"),
            "steps": self.steps,
            **self.facts,
        }

    def result(
        self,
        record: ToolRecord | None,
        ending: str,
        unanswered: tuple[Demonstration, ...] = (),
    ) -> MakingResult:
        """Return the result of the run; ``ending`` is ``made`` or the reason of the failure."""
        return MakingResult(
            record=record,
            title=self.title,
            body=self.body(ending),
            usage=self.usage,
            unanswered=unanswered,
        )

    def provenance(self, model: str, second: str | None, prompts_digest: str) -> Provenance:
        """Return the provenance of a tool made in this run."""
        shown = [one.model_dump() for one in self.make_request.labelled]
        return Provenance(
            model=model,
            second_model=second,
            demonstrations_digest=digest(shown),
            prompts_digest=prompts_digest,
        )


class Conversation:
    """One chat with a maker's model; each request carries the whole history, as in LATM."""

    def __init__(
        self, making: MakingRun, model: Model, *, purpose: str, temperature: float
    ) -> None:
        self._making, self._model = making, model
        self._purpose, self._temperature = purpose, temperature
        self._messages: tuple[Message, ...] = ()

    @property
    def told(self) -> str:
        """All that the model was told in this chat."""
        return "\n".join(one.content for one in self._messages if isinstance(one, UserMessage))

    async def ask(self, text: str, *, max_tokens: int = _REPLY_TOKENS) -> str:
        """Send a message and return the reply; both are added to the report.

        Raises:
            ModelError: the model gave no usable reply.
        """
        self._messages += (UserMessage(content=text),)
        request = ModelRequest(
            messages=self._messages,
            temperature=self._temperature,
            max_tokens=max_tokens,
            seed=self._making.make_request.seed,
        )
        response = await self._model.complete(request)
        self._making.usage += response.usage
        self._messages += (AssistantMessage(content=response.content),)
        self._making.note(
            "model",
            f"{self._purpose} by {self._model.name}",
            prompt=text,
            reply=response.content,
            usage=response.usage.model_dump(mode="json"),
            seconds=response.seconds,
        )
        return response.content
