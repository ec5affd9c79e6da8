"""What the profiles share: the order, the conversation with the maker, and the report it leaves."""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Literal

from pydantic import Field

from toolwright.core.errors import InputError
from toolwright.core.messages import AssistantMessage, Frozen, Message, UserMessage
from toolwright.core.model import Model, ModelRequest, Usage
from toolwright.core.tool import Demonstration, Evidence, Profile, Provenance, ToolRecord
from toolwright.core.values import Value, clip, digest

LEAST = 6
REPLY_TOKENS = 16_384  # room for models that reason before they write
Observer = Callable[[str], None]
SecondPolicy = Literal["auto", "always", "never"]


def silent(_: str) -> None:
    """Say nothing."""


class Order(Frozen):
    """What is to be made, and how.

    Attributes:
        request_class: the class's name.
        labelled: demonstrations; the first ``shown`` go into the prompt, the others are held out.
        unlabelled: requests of the class without answers, for the second tool.
        foreign: requests of other classes, all to be refused.
        profile: ``proved`` (parser, round trip, gate) or ``latm`` (the paper's own steps).
        tries: proposals at most, the first one counted (LATM section 3.1: 3).
        slowest: seconds that the slowest of 100 calls may take.
        second: make a second tool: ``auto`` where unlabelled requests or doubts call for one.
        clustered: the demonstrations were grouped by wording; a few may be of another class.
        seed: passed on to the maker's model, for making the same tool anew.
    """

    request_class: str = Field(min_length=1)
    labelled: tuple[Demonstration, ...]
    unlabelled: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    profile: Profile = "proved"
    shown: int = Field(default=5, ge=1)
    tries: int = Field(default=3, ge=1)
    slowest: float = 1.0
    second: SecondPolicy = "auto"
    clustered: bool = False
    seed: int | None = None


def checked(order: Order) -> Order:
    """Give the order without repeated demonstrations.

    Raises:
        InputError: too few demonstrations, one without an answer, or two that contradict each
            other.
    """
    answers: dict[str, str] = {}
    kept: list[Demonstration] = []
    for number, one in enumerate(order.labelled, 1):
        if one.target is None:
            raise InputError(f"demonstration {number} of {order.request_class!r} has no answer")
        before = answers.setdefault(one.input, one.target)
        if before != one.target:
            raise InputError(
                f"demonstration {number} of {order.request_class!r} contradicts an earlier one: "
                f"{clip(one.input, 80)!r} is answered {before!r} and {one.target!r}",
                code="demonstrations-contradict",
            )
        if Counter(kept)[one] == 0:
            kept.append(one)
    if len(kept) < LEAST:
        raise InputError(
            f"{order.request_class!r} has {len(kept)} different demonstrations, making needs {LEAST}",
            code="demonstrations-few",
        )
    return order.model_copy(update={"labelled": tuple(kept)})


class Making:
    """The record of one making while it goes on: turns, verdicts, usage."""

    def __init__(self, order: Order, observe: Observer) -> None:
        self.order, self.observe = order, observe
        self.usage = Usage(cost=Decimal(0))
        self.steps: list[Value] = []

    def note(self, kind: str, text: str, **facts: Value) -> None:
        """Keep what happened, and tell the observer."""
        self.steps.append({"kind": kind, "text": text, **facts})
        first = text.splitlines()[0] if text else ""
        self.observe(f"{self.order.request_class}: {kind}: {first}")

    def evidence(self, found: Sequence[Evidence]) -> None:
        """Keep what the gate found."""
        for one in found:
            self.note("gate", f"{one.stage}: {one.verdict}: {one.summary}", details=one.details)

    def body(self, ending: str) -> dict[str, Value]:
        """Give the report's body: everything that happened, what it used, how it ended."""
        return {
            "profile": self.order.profile,
            "demonstrations": len(self.order.labelled),
            "unlabelled": len(self.order.unlabelled),
            "ending": ending,
            "usage": self.usage.model_dump(mode="json"),
            "steps": self.steps,
        }

    def provenance(self, model: str, second: str | None, prompts_digest: str) -> Provenance:
        """Give where the tool comes from."""
        shown = [one.model_dump() for one in self.order.labelled]
        return Provenance(
            model=model, second_model=second, demonstrations_digest=digest(shown),
            prompts_digest=prompts_digest,
        )  # fmt: skip


class Conversation:
    """One chat with a maker; the whole history goes along, as in LATM."""

    def __init__(self, making: Making, model: Model, *, purpose: str, temperature: float) -> None:
        self._making, self._model = making, model
        self._purpose, self._temperature = purpose, temperature
        self._messages: tuple[Message, ...] = ()

    async def ask(self, text: str, *, max_tokens: int = REPLY_TOKENS) -> str:
        """Say something and give the reply; both stand in the report."""
        self._messages += (UserMessage(content=text),)
        request = ModelRequest(
            messages=self._messages,
            temperature=self._temperature,
            max_tokens=max_tokens,
            seed=self._making.order.seed,
        )
        response = await self._model.complete(request)
        self._making.usage += response.usage
        self._messages += (AssistantMessage(content=response.content),)
        self._making.note(
            "model", f"{self._purpose} by {self._model.name}", prompt=text,
            reply=response.content, usage=response.usage.model_dump(mode="json"),
            seconds=response.seconds,
        )  # fmt: skip
        return response.content


class Outcome(Frozen):
    """How a making ended: the tool (None: there is none) and the report's body."""

    record: ToolRecord | None
    body: dict[str, Value]
    usage: Usage
