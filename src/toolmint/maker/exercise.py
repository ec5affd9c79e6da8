"""Exercises the arcs of a tool that no verified request took, so that it may answer there from the start.

Requests that take them are generated, and where that reaches too little, the maker's model writes some with
the branches in view. An answer counts where somebody who has not seen the source gives it too: an independent
second tool, or the strong model. Whatever is contradicted stays unverified, and so is never served unseen.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from toolmint.core.arcs import NO_SUCH_ARC, Arcs, arc_numbers, read_arcs, write_arcs
from toolmint.core.errors import ModelError
from toolmint.core.model import Model
from toolmint.core.sameness import same_answer
from toolmint.core.sandbox import Sandbox
from toolmint.core.values import Value, clip
from toolmint.maker.arc_requests import Reaching, generated_requests
from toolmint.maker.each import each
from toolmint.maker.making_run import Conversation, MakingRun
from toolmint.maker.program import answer_program, serve_tool, trial_owner
from toolmint.roles import prompts

AGREEMENTS = 2
"""Requests on which the strong model agrees that verify an arc; one may agree by chance."""
_MOST_ASKED, _MOST_SHOWN, _SPOILT = 16, 24, 3
_SOURCE = 24_000  # characters of source in a prompt
_IDLE = re.compile(
    r"does not match|no key of the table|no pass|: nothing| of solve is | of render is |no case matches"
    rf"|the default|: part \d+$|{NO_SUCH_ARC}$"
)
"""What says of an arc that no sensible request takes it, or that nobody could say which one would."""


class _Tried(NamedTuple):
    """A request that took an open arc, and the answer that its writer gives (None: nobody wrote one)."""

    reaching: Reaching
    label: str | None = None


class Exercise:
    """Exercises one tool.

    Args:
        making: the run that the model calls belong to.
        model: writes requests, and in a conversation of its own answers them.
        second: source of an independent second tool; None: there is none.
        sandbox: runs both.
    """

    def __init__(
        self, making: MakingRun, model: Model, second: str | None, sandbox: Sandbox
    ) -> None:
        self._making, self._model = making, model
        self._second, self._sandbox = second, sandbox
        self._agreed, self._split = 0, list[Value]()

    async def run(
        self, source: str, known: Sequence[tuple[str, Value]], arcs: Arcs, calls: int
    ) -> Arcs:
        """Return a tool's arcs with those that were verified here.

        Args:
            source: the tool's module.
            known: requests that it answers, with their arguments.
            arcs: the tool's, as verified so far.
            calls: of models, at most.
        """
        before = read_arcs(arcs.verified)
        if calls <= 0 or not self._open(arcs):
            return arcs
        tried = [_Tried(one) for one in await generated_requests(source, known, self._sandbox)]
        verified, used = before, 0
        try:
            left = self._open(arcs) - _reached(tried) - await self._refusing(source, known)
            if left and calls > (self._second is None):
                used += 1
                tried += await self._written(source, arcs, left)
            asked = _chosen(tried, before)
            verified |= await self._by_second(asked)
            rest = _chosen(tried, verified)
            if rest and used < calls:
                verified |= await self._by_model(rest)
        except ModelError as fault:
            self._making.note("exercise", f"broken off: [{fault.code}] {fault}")
        return self._noted(arcs, before, verified)

    def _open(self, arcs: Arcs) -> set[int]:
        """Return the arcs that are not verified and that a sensible request may take."""
        verified = read_arcs(arcs.verified)
        return {
            number
            for number, line in enumerate(arcs.lines)
            if not verified >> number & 1 and not _IDLE.search(line)
        }

    async def _refusing(self, source: str, known: Sequence[tuple[str, Value]]) -> set[int]:
        """Return arcs that refused requests take: an answer does not come that way."""
        program, owner = answer_program(source, arcs=True), trial_owner()
        texts = [""]
        for text, _ in known[:: max(1, len(known) // _SPOILT)][:_SPOILT]:
            words = text.split(" ")
            texts += [" ".join(words[:at] + words[at + 1 :]) for at in range(len(words))]

        async def arcs_of(text: str) -> int:
            run = await serve_tool(self._sandbox, program, text, owner)
            return read_arcs(run.arcs) if run.status == "refused" else 0

        taken = 0
        for one in await each(arcs_of, texts):
            taken |= one
        return set(arc_numbers(taken))

    def _noted(self, arcs: Arcs, before: int, verified: int) -> Arcs:
        new = (verified & ~before).bit_count()
        said = f"{new} more arcs are verified by {self._agreed} agreements on requests for them"
        if self._split:
            said += f", {len(self._split)} requests are contradicted and stay unverified"
        self._making.facts["exercised"] = {"arcs": new, "contradicted": self._split}
        self._making.note("exercise", said, contradicted=self._split)
        return arcs.model_copy(update={"verified": write_arcs(verified)})

    async def _written(self, source: str, arcs: Arcs, left: set[int]) -> list[_Tried]:
        """Let the model write requests for arcs; return those that the tool answers."""
        lines = [arcs.lines[one] for one in sorted(left)[:_MOST_SHOWN]]
        marked = {line.partition(":")[0].removeprefix("line ") for line in lines}
        shown = "\n".join(
            f"{'>>' if str(number) in marked else '  '} {number:3d} {line}"
            for number, line in enumerate(source.splitlines(), 1)
        )
        chat = Conversation(self._making, self._model, purpose="exercise", temperature=0.2)
        reply = await chat.ask(
            prompts.fill(
                "proved_exercise",
                demonstrations=prompts.show_demonstrations(self._making.make_request.shown_first()),
                branches="\n".join(f"- {line}" for line in lines),
                source=clip(shown, _SOURCE),
            )
        )
        labels: dict[str, str | None] = {}
        for row in _rows(reply):
            text, label = row.get("request"), row.get("answer")
            if isinstance(text, str):
                labels[text] = label if isinstance(label, str) else None
        program, owner = answer_program(source, arcs=True), trial_owner()

        async def run(text: str) -> Reaching:
            return Reaching(text, await serve_tool(self._sandbox, program, text, owner))

        found = await each(run, labels)
        return [_Tried(one, labels[one.text]) for one in found]

    async def _by_second(self, tried: Sequence[_Tried]) -> int:
        """Return the arcs of the requests to which the second tool gives the same answer."""
        if self._second is None:
            return 0
        program, owner = answer_program(self._second), trial_owner()
        verified = 0

        async def answer(one: _Tried) -> str | None:
            return (await serve_tool(self._sandbox, program, one.reaching.text, owner)).answer

        for one, theirs in zip(tried, await each(answer, tried), strict=True):
            if theirs is not None and self._same(one, theirs, "the second tool"):
                verified |= read_arcs(one.reaching.run.arcs)
        return verified

    async def _by_model(self, tried: Sequence[_Tried]) -> int:
        """Return the arcs on which the strong model, which sees no source, agrees often enough."""
        chat = Conversation(self._making, self._model, purpose="exercise", temperature=0.0)
        listed = "\n\n".join(f"{n}. {one.reaching.text}" for n, one in enumerate(tried, 1))
        demonstrations = prompts.show_demonstrations(self._making.make_request.shown_first())
        reply = await chat.ask(
            prompts.fill("proved_answer", demonstrations=demonstrations, requests=listed)
        )
        counts = Counter[int]()
        for row in _rows(reply):
            number, answer = row.get("number"), row.get("answer")
            if not isinstance(number, int) or not 1 <= number <= len(tried):
                continue
            if isinstance(answer, str) and self._same(tried[number - 1], answer, self._model.name):
                counts.update(arc_numbers(read_arcs(tried[number - 1].reaching.run.arcs)))
        return sum(1 << arc for arc, count in counts.items() if count >= AGREEMENTS)

    def _same(self, one: _Tried, theirs: str, who: str) -> bool:
        """Return whether all that was said of a request is what the tool says; note where it is not."""
        text, ours = one.reaching.text, one.reaching.run.answer or ""
        labelled = one.label is None or same_answer(ours, one.label) is not None
        if same_answer(ours, theirs) is not None and labelled:
            self._agreed += 1
            return True
        self._split.append(
            {"request": text, "tool": ours, "other": theirs, "by": who, "written": one.label}
        )
        return False


def _reached(tried: Sequence[_Tried]) -> set[int]:
    taken = 0
    for one in tried:
        taken |= read_arcs(one.reaching.run.arcs) if one.reaching.run.answer is not None else 0
    return set(arc_numbers(taken))


def _chosen(tried: Sequence[_Tried], verified: int) -> list[_Tried]:
    """Return few requests that take open arcs: each arc in as many as have to agree, where there are."""
    counts, chosen = Counter[int](), list[_Tried]()
    answered = [one for one in tried if one.reaching.run.answer is not None]
    # Those of the model first, as they were written for the arcs that nothing else takes.
    for one in sorted(answered, key=lambda one: one.label is None):
        missing = [
            arc
            for arc in arc_numbers(read_arcs(one.reaching.run.arcs) & ~verified)
            if counts[arc] < AGREEMENTS
        ]
        if missing and len(chosen) < _MOST_ASKED:
            counts.update(missing)
            chosen.append(one)
    return chosen


def _rows(reply: str) -> list[dict[str, Value]]:
    """Return the JSON objects of a reply, one a line; other lines are passed over."""
    found: list[dict[str, Value]] = []
    for line in reply.splitlines():
        text = line.strip().removesuffix(",")
        if not text.startswith("{"):
            continue
        try:
            row: Value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            found.append(row)
    return found
