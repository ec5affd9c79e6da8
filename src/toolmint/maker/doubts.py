"""Decides whether a changed request that a tool answers asks the same as the known one.

A near miss of which only a word was left out, or two were swapped, may be harmless: "please" asks for
nothing. An independent second tool that reads it alike decides, or the strong model.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple

from toolmint.core.errors import ModelError
from toolmint.core.model import Model
from toolmint.core.tool import Evidence
from toolmint.core.values import Value, clip
from toolmint.maker.making_run import Conversation, MakingRun
from toolmint.maker.near_miss import NearMiss
from toolmint.roles import prompts

DOUBTFUL_DETAIL = "doubtful"
"""Where the evidence of a version keeps the verdicts on doubtful near misses."""
_MOST = 20  # changes that a model is asked about at once
_VERDICT = re.compile(r"(\d+)\W{1,4}(same|other)\b", re.IGNORECASE)


class Doubt(NamedTuple):
    """A changed request that the tool answers as it answers the known one.

    Attributes:
        miss: the changed request.
        answer: the tool's.
    """

    miss: NearMiss
    answer: str

    @property
    def change(self) -> tuple[str, ...]:
        """The words that differ, those of the known request first; equal changes are decided once."""
        known, changed = self.miss.of.lower().split(), self.miss.text.lower().split()
        while known and changed and known[0] == changed[0]:
            known, changed = known[1:], changed[1:]
        while known and changed and known[-1] == changed[-1]:
            known, changed = known[:-1], changed[:-1]
        return (*known, "→", *changed)


class Decided(NamedTuple):
    """What was found of a doubt: whether it asks the same, and who says so."""

    doubt: Doubt
    verdict: Literal["same", "other", "undecided"]
    by: str

    def fact(self) -> Value:
        """Return it as evidence."""
        miss = self.doubt.miss
        return {
            "known": miss.of,
            "changed": miss.text,
            "answer": self.doubt.answer,
            "verdict": self.verdict,
            "by": self.by,
        }


Judge = Callable[[Sequence[Doubt]], Awaitable[list[Decided]]]


async def undecided(doubts: Sequence[Doubt]) -> list[Decided]:
    """Return all doubts undecided: nobody can be asked."""
    return [Decided(one, "undecided", "nobody") for one in doubts]


def recorded_judge(evidence: Sequence[Evidence]) -> Judge:
    """Return a judge that repeats the verdicts that a version's evidence keeps, such as for its import."""
    known = dict[tuple[str, ...], str]()
    for row in (row for one in evidence for row in _rows(one.details.get(DOUBTFUL_DETAIL))):
        miss = NearMiss(str(row.get("changed")), "deleted", str(row.get("known")))
        if row.get("verdict") == "same":
            known[Doubt(miss, "").change] = str(row.get("by"))

    async def judge(doubts: Sequence[Doubt]) -> list[Decided]:
        return [
            Decided(one, "same", known[one.change])
            if one.change in known
            else Decided(one, "undecided", "nobody")
            for one in doubts
        ]

    return judge


def _rows(value: Value) -> list[dict[str, Value]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


class DoubtJudge:
    """Asks the strong model, once for each change.

    Args:
        making: the run that the calls belong to.
        model: the strong model.
    """

    def __init__(self, making: MakingRun, model: Model) -> None:
        self._making, self._model = making, model
        self._known: dict[tuple[str, ...], Literal["same", "other", "undecided"]] = {}

    async def __call__(self, doubts: Sequence[Doubt]) -> list[Decided]:
        """Return each doubt with the model's verdict; undecided where it gives none."""
        new = {one.change: one for one in doubts if one.change not in self._known}
        asked = list(new.values())[:_MOST]
        if asked:
            self._known |= await self._ask(asked)
        return [
            Decided(one, self._known.get(one.change, "undecided"), self._model.name)
            for one in doubts
        ]

    async def _ask(
        self, doubts: Sequence[Doubt]
    ) -> dict[tuple[str, ...], Literal["same", "other", "undecided"]]:
        pairs = "\n\n".join(
            f"{number}. Known: {clip(one.miss.of, 2000)}\n   Changed: {clip(one.miss.text, 2000)}\n"
            f"   Answer: {clip(one.answer, 500)}"
            for number, one in enumerate(doubts, 1)
        )
        chat = Conversation(self._making, self._model, purpose="doubts", temperature=0.0)
        try:
            reply = await chat.ask(prompts.fill("proved_same", pairs=pairs))
        except ModelError as fault:
            self._making.note("doubts", f"not decided: [{fault.code}] {fault}")
            return {}
        said = {int(number): word.lower() for number, word in _VERDICT.findall(reply)}
        return {
            one.change: "same" if said[number] == "same" else "other"
            for number, one in enumerate(doubts, 1)
            if number in said
        }
