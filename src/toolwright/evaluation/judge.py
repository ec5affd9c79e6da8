"""A model as judge, where no execution is possible: pass, win, and ToolAlpaca's process and answer.

Its spend is kept apart from the runs' own. An unreadable or unsure verdict is ``unsure`` and a tie is a
tie: nothing is decided by a coin, and both stay in the denominator.
"""

import json
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from toolwright.core.messages import Frozen, UserMessage
from toolwright.core.model import Model, ModelRequest, Usage
from toolwright.core.task import Trajectory
from toolwright.roles.prompts import fill
from toolwright.roles.story import story

Verdict = Literal["pass", "fail", "unsure"]
Preference = Literal["first", "second", "tie"]
_VERDICT = re.compile(r"^\W*(?:verdict|process|answer)\W*:\W*(\w+)", re.IGNORECASE | re.MULTILINE)
TOKENS = 1024


class Judged(Frozen):
    """A verdict with the words that it rests on."""

    verdict: Verdict
    said: str


class Preferred(Frozen):
    """Which of two runs a judge prefers, asked in both orders; it must say the same twice."""

    preference: Preference
    said: tuple[str, str]


class ProcessAndAnswer(NamedTuple):
    """ToolAlpaca's two verdicts (Tang et al., 2023)."""

    process: Verdict
    answer: Verdict
    said: str


def _words(text: str) -> list[str]:
    return [word.lower() for word in _VERDICT.findall(text)]


def _verdict(word: str) -> Verdict:
    if word in {"pass", "passed", "yes", "correct", "solved"}:
        return "pass"
    return "fail" if word in {"fail", "failed", "no", "incorrect", "unsolved"} else "unsure"


class Judge:
    """Asks a model for verdicts.

    Attributes:
        usage: what the judge has spent.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.usage = Usage()

    async def _ask(self, name: str, **words: str) -> str:
        text = fill(name, **words)
        request = ModelRequest(messages=(UserMessage(content=text),), max_tokens=TOKENS)
        response = await self._model.complete(request)
        self.usage += response.usage
        return response.content

    async def passes(self, trajectory: Trajectory) -> Judged:
        """Say whether a run solved its task (as ToolEval's pass rate asks; Qin et al., 2023b)."""
        said = await self._ask("judge_pass", task=trajectory.task.input, run=story(trajectory))
        words = _words(said)
        return Judged(verdict=_verdict(words[-1]) if words else "unsure", said=said)

    async def prefers(self, first: Trajectory, second: Trajectory) -> Preferred:
        """Say which of two runs of one task is better; asked twice, with the order turned."""
        runs = story(first), story(second)
        said = [
            await self._ask("judge_win", task=first.task.input, one=one, other=other)
            for one, other in (runs, runs[::-1])
        ]
        votes = [(_words(text) or ["tie"])[-1] for text in said]
        preference: Preference = "tie"
        if votes == ["one", "two"]:
            preference = "first"
        elif votes == ["two", "one"]:
            preference = "second"
        return Preferred(preference=preference, said=(said[0], said[1]))

    async def process_and_answer(
        self, trajectory: Trajectory, documents: str, golden: Sequence[object]
    ) -> ProcessAndAnswer:
        """Say whether process and final answer are right, given the calls that people wrote down."""
        said = await self._ask(
            "judge_process", task=trajectory.task.input, documents=documents, run=story(trajectory),
            golden=json.dumps(list(golden), ensure_ascii=False),
        )  # fmt: skip
        words = [*_words(said), "", ""]
        return ProcessAndAnswer(_verdict(words[0]), _verdict(words[1]), said)
