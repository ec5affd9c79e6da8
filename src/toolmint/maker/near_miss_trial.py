"""Tries a tool on near misses: which it answers, and which of those ask the same after all."""

from collections.abc import Sequence
from typing import NamedTuple

from toolmint.core.sameness import same_answer
from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Demonstration
from toolmint.maker.doubts import Decided, Doubt, Judge
from toolmint.maker.each import each
from toolmint.maker.near_miss import NearMiss, NearMisses
from toolmint.maker.program import ToolRun, answer_program, run_tool, serve_tool, trial_owner
from toolmint.maker.slot_words import SlotWords

_ALONE = 16  # near misses that are also tried in a process of their own


class NearMissTrial(NamedTuple):
    """What a tool does with near misses.

    Attributes:
        tried: number of them.
        wrong: those that it answers, in words.
        decided: those that ask the same, or may, with who says so.
        slots: what the class's slots may contain.
    """

    tried: int
    wrong: list[str]
    decided: list[Decided]
    slots: SlotWords


class NearMissTrials:
    """Tries one tool.

    Args:
        source: the tool's module.
        second: source of the independent second tool, if there is one.
        sandbox: runs both.
        judge: decides what the second tool does not.
    """

    def __init__(self, source: str, second: str | None, sandbox: Sandbox, judge: Judge) -> None:
        self._source, self._sandbox, self._judge = source, sandbox, judge
        self._program, self._owner = answer_program(source), trial_owner()
        self._second = answer_program(second) if second else None

    async def run(
        self, known: Sequence[tuple[Demonstration, ToolRun]], foreign: Sequence[str], count: int
    ) -> NearMissTrial:
        """Try near misses of the known requests that the tool answered, and requests of other classes.

        A change of the wording is refused by the tool itself. A word in a slot that no demonstration has
        there is refused as in service, where ``SlotWords`` decides beside the tool.
        """
        answers = {demo.input: run.answer for demo, run in known if run.status == "answered"}
        made = NearMisses([(demo.input, run.args) for demo, run in known if run.answer is not None])
        misses = [*made.make(count), *(NearMiss(text, "foreign") for text in foreign)]
        slots = made.known.slots
        # Where a process of its own and the shared one disagree, the tool keeps state: stage 5 says so too.
        alone = {one.text for one in misses[:: max(1, len(misses) // _ALONE)]}

        async def answered(miss: NearMiss) -> str | None:
            allowed = slots if miss.where == "slot" else None
            run = await serve_tool(self._sandbox, self._program, miss.text, self._owner, allowed)
            if run.status != "answered" and miss.text in alone and allowed is None:
                run = await run_tool(self._sandbox, self._source, miss.text)
            return run.answer

        found = zip(misses, await each(answered, misses), strict=True)
        doubts, wrong = list[Doubt](), list[str]()
        for miss, answer in found:
            if answer is not None and miss.doubtful and answer == answers.get(miss.of):
                doubts.append(Doubt(miss, answer))
            elif answer is not None:
                wrong.append(f"{miss.text!r} is answered with {answer!r} ({miss.kind})")
        decided = await self._decide(doubts) if not wrong else []
        wrong += [
            f"{one.doubt.miss.text!r} is answered with {one.doubt.answer!r} ({one.doubt.miss.kind}; "
            f"whether it asks the same as {one.doubt.miss.of!r}: {one.verdict}, says {one.by})"
            for one in decided
            if one.verdict != "same"
        ]
        return NearMissTrial(len(misses), wrong, decided, slots)

    async def _decide(self, doubts: Sequence[Doubt]) -> list[Decided]:
        """Return what the second tool decides, and the judge of the others."""
        second = self._second
        if second is None or not doubts:
            return await self._judge(doubts) if doubts else []

        async def alike(doubt: Doubt) -> bool:
            run = await serve_tool(self._sandbox, second, doubt.miss.text, self._owner)
            return run.answer is not None and same_answer(run.answer, doubt.answer) is not None

        same = await each(alike, doubts)
        open_doubts = [one for one, agreed in zip(doubts, same, strict=True) if not agreed]
        return [
            *(
                Decided(one, "same", "the second tool")
                for one, agreed in zip(doubts, same, strict=True)
                if agreed
            ),
            *(await self._judge(open_doubts) if open_doubts else []),
        ]
