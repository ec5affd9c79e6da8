"""The record of a tool that passed: its uses for a light model, and which of its arcs are verified."""

from typing import NamedTuple

from toolmint.core.arcs import Arcs, coverage_said
from toolmint.core.model import Model
from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Evidence, ToolRecord
from toolmint.core.values import Value, canonical
from toolmint.maker.exercise import Exercise
from toolmint.maker.making_run import MakingRun
from toolmint.maker.program import run_tool
from toolmint.maker.verified_arcs import verified_arcs
from toolmint.roles import prompts

_USES = 3
_TEMPLATES = (
    "proved_propose",
    "proved_repair",
    "proved_more",
    "proved_best",
    "proved_base",
    "proved_second",
    "proved_same",
    "proved_use",
)
_EXERCISE_TEMPLATES = ("proved_exercise", "proved_answer")


class Wrapping(NamedTuple):
    """Makes the record of a tool.

    Attributes:
        making: the run.
        model: the maker's.
        second: source of the second tool and the name of its model; None: there is none.
        sandbox: runs the tool.
        calls: of models that the making has left.
    """

    making: MakingRun
    model: Model
    second: tuple[str, str] | None
    sandbox: Sandbox
    calls: int

    async def record(self, source: str, evidence: tuple[Evidence, ...]) -> ToolRecord:
        """Return the record of a tool, with requests and their arguments as examples for a light model."""
        making, request = self.making, self.making.make_request
        runs = [(one, await run_tool(self.sandbox, source, one.input)) for one in request.labelled]
        answered = [(one, run.args) for one, run in runs if run.status == "answered"]
        known = [(one.input, args) for one, args in answered]
        arcs = await verified_arcs(source, request.labelled, evidence, self.sandbox)
        if arcs is not None:
            arcs = await self._exercised(source, known, arcs)
            making.note("arcs", coverage_said(arcs))
        templates = _TEMPLATES + (_EXERCISE_TEMPLATES if request.exercise else ())
        second = self.second[1] if self.second is not None else None
        return ToolRecord(
            request_class=request.request_class,
            source=source,
            profile="proved",
            has_parser=True,
            wrap=canonical([[text, args] for text, args in known[:_USES]]),
            demonstrations=tuple(one for one, _ in answered),
            evidence=evidence,
            provenance=making.provenance(
                self.model.name, second, prompts.template_digest(*templates)
            ),
            usage=making.usage,
            arcs=arcs,
        )

    async def _exercised(self, source: str, known: list[tuple[str, Value]], arcs: Arcs) -> Arcs:
        if not self.making.make_request.exercise:
            return arcs
        second = self.second[0] if self.second is not None else None
        exercise = Exercise(self.making, self.model, second, self.sandbox)
        return await exercise.run(source, known, arcs, self.calls)
