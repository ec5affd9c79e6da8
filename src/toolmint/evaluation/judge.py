"""A model as judge, where no execution is possible: pass, win, and ToolAlpaca's process and answer.

Its spend is kept apart from the runs' own. An unreadable or unsure verdict is ``unsure`` and a tie is a
tie: nothing is decided by a coin, and both stay in the denominator.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from toolmint.core.errors import InputError
from toolmint.core.messages import Frozen, UserMessage
from toolmint.core.model import Model, ModelRequest, Usage
from toolmint.core.task import Trajectory
from toolmint.core.values import Value
from toolmint.evaluation.benchmark import Item, Row, Score
from toolmint.evaluation.bootstrap import share
from toolmint.evaluation.report import Cell, Figure, Line, Report, Section, spent
from toolmint.evaluation.solvers import RecordedTask
from toolmint.roles.prompts import fill
from toolmint.roles.transcript import transcript

JudgeVerdict = Literal["pass", "fail", "unsure"]
Preference = Literal["first", "second", "tie"]
_VERDICT = re.compile(r"^\W*(?:verdict|process|answer)\W*:\W*(\w+)", re.IGNORECASE | re.MULTILINE)
_TOKENS = 1024


class JudgedRun(Frozen):
    """A verdict with the words that it rests on, and what the judge used."""

    verdict: JudgeVerdict
    said: str
    usage: Usage


class Preferred(Frozen):
    """Which of two runs a judge prefers, asked in both orders; it must say the same twice."""

    preference: Preference
    said: tuple[str, str]
    usage: Usage


class ProcessAndAnswer(NamedTuple):
    """ToolAlpaca's two verdicts (Tang et al., 2023)."""

    process: JudgeVerdict
    answer: JudgeVerdict
    said: str
    usage: Usage


def _words(text: str) -> list[str]:
    return [word.lower() for word in _VERDICT.findall(text)]


def _verdict(word: str) -> JudgeVerdict:
    if word in {"pass", "passed", "yes", "correct", "solved"}:
        return "pass"
    return "fail" if word in {"fail", "failed", "no", "incorrect", "unsolved"} else "unsure"


class ModelJudge:
    """Asks a model for verdicts."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    async def _ask(self, name: str, **words: str) -> tuple[str, Usage]:
        text = fill(name, **words)
        request = ModelRequest(messages=(UserMessage(content=text),), max_tokens=_TOKENS)
        response = await self._model.complete(request)
        return response.content, response.usage

    async def passes(self, trajectory: Trajectory) -> JudgedRun:
        """Return whether a run solved its task (as ToolEval's pass rate asks; Qin et al., 2023b)."""
        said, used = await self._ask(
            "judge_pass", task=trajectory.task.input, run=transcript(trajectory)
        )
        words = _words(said)
        return JudgedRun(verdict=_verdict(words[-1]) if words else "unsure", said=said, usage=used)

    async def prefers(self, first: Trajectory, second: Trajectory) -> Preferred:
        """Say which of two runs of one task is better; asked twice, with the order turned."""
        runs = transcript(first), transcript(second)
        replies = [
            await self._ask("judge_win", task=first.task.input, one=one, other=other)
            for one, other in (runs, runs[::-1])
        ]
        votes = [(_words(text) or ["tie"])[-1] for text, _ in replies]
        preference: Preference = "tie"
        if votes == ["one", "two"]:
            preference = "first"
        elif votes == ["two", "one"]:
            preference = "second"
        (one, used), (other, more) = replies
        return Preferred(preference=preference, said=(one, other), usage=used + more)

    async def process_and_answer(
        self, trajectory: Trajectory, documents: str, golden: Sequence[object]
    ) -> ProcessAndAnswer:
        """Return whether process and final answer are right, given the calls that people wrote down."""
        said, used = await self._ask(
            "judge_process",
            task=trajectory.task.input,
            documents=documents,
            run=transcript(trajectory),
            golden=json.dumps(list(golden), ensure_ascii=False),
        )
        words = [*_words(said), "", ""]
        return ProcessAndAnswer(_verdict(words[0]), _verdict(words[1]), said, used)


class JudgedRuns:
    """Recorded runs that a judge passes or fails, or prefers to other runs of the same tasks.

    The solver is a ``RecordedSolver`` of the first runs. Measures: ``pass``, ``fail``, ``unsure``; with
    other runs ``first``, ``second``, ``tie``.

    Args:
        judge: gives the verdicts.
        runs: what is judged.
        others: runs of the same tasks in the same order; None: each run is judged by itself.

    Raises:
        InputError: the two lists are not of the same tasks.
    """

    def __init__(
        self,
        judge: ModelJudge,
        runs: Sequence[Trajectory],
        others: Sequence[Trajectory] | None = None,
    ) -> None:
        tasks = [one.task.input for one in runs]
        if others is not None and tasks != [one.task.input for one in others]:
            raise InputError("the two files must hold runs of the same tasks, in the same order")
        self._judge, self._others = judge, others
        self.name = "judge-pass" if others is None else "judge-win"
        self.labels = ("pass", "fail", "unsure") if others is None else ("first", "second", "tie")
        self.measure = self.labels[0]
        self.settings: Mapping[str, Value] = {"judge": judge.name}
        self.items = tuple(
            Item(f"{place + 1:05d}", RecordedTask(input=text, place=place))
            for place, text in enumerate(tasks)
        )

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        """Ask the judge about one run, or about both runs of one task.

        Raises:
            ModelError: the judge gave no usable reply.
        """
        if self._others is None:
            one = await self._judge.passes(trajectory)
            return self._score(one.verdict, [one.said], one.usage)
        place = int(item.id) - 1
        both = await self._judge.prefers(trajectory, self._others[place])
        return self._score(both.preference, list(both.said), both.usage)

    def _score(self, word: str, said: list[str], usage: Usage) -> Score:
        measures = {label: label == word for label in self.labels}
        return Score(measures={**measures}, details={"judge": [*said]}, usage=usage)

    def summary(self, rows: Sequence[Row]) -> Report:
        """Return the share of each verdict; a run that could not be judged is none of them."""
        cells: dict[str, Cell] = {"runs": len(rows)}
        for label in self.labels:
            cells[label] = Figure.of(share([row.passed(label) for row in rows]))
        cells["errors"] = sum(row.error is not None for row in rows)
        line = Line(name=rows[0].solver if rows else "-", cells=cells)
        used = sum((row.scoring for row in rows), start=Usage())
        return Report(
            sections=(Section(title="Judged (%), 95 % intervals", first="runs", lines=(line,)),),
            notes=(f"the judge: {spent(used)}",),
        )
