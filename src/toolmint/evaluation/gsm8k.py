"""Program-aided mathematics on GSM8K's format (Cobbe et al., 2021; alpha-UMi appendix D): answers checked."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from toolmint.agent.agent import AgentLoop
from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Move
from toolmint.core.errors import InputError
from toolmint.core.model import Usage
from toolmint.core.task import Limits, Task, Trajectory
from toolmint.core.text_files import json_value, lines_of, read_text
from toolmint.core.toolbox import Toolbox
from toolmint.core.values import Value, canonical
from toolmint.evaluation.benchmark import Item, Row, Score
from toolmint.evaluation.bootstrap import share
from toolmint.evaluation.report import Figure, Line, Report, Section, dollars
from toolmint.roles.reading import Action
from toolmint.roles.view import PROGRAM, View

_NUMBER = re.compile(r"-?\$?-?\d[\d,]*(?:\.\d+)?(?:/\d+)?")
_STEP = re.compile(r"<<([^<>=]+)=([^<>]+)>>")
_SAFE = re.compile(r"[\d\s.+\-*/()%]+")


class Problem(NamedTuple):
    """A question, its number, and the calculations written down beside the answer."""

    question: str
    answer: Decimal
    calculations: tuple[tuple[str, str], ...]


def number_in(text: str) -> Decimal | None:
    """Return the last number of a text; thousands' commas, currency signs and fractions are read."""
    found = _NUMBER.findall(text)
    if not found:
        return None
    digits = found[-1].replace(",", "").replace("$", "")
    top, _, bottom = digits.partition("/")
    try:
        return Decimal(top) / Decimal(bottom) if bottom else Decimal(top)
    except (InvalidOperation, ZeroDivisionError):
        return None


def is_right(answer: str | None, wanted: Decimal) -> bool:
    """Tell whether an answer ends in the wanted number, to one part in a million."""
    number = number_in(answer) if answer else None
    return number is not None and abs(number - wanted) <= Decimal("1e-6") * max(
        Decimal(1), abs(wanted)
    )


def read_problems(path: Path) -> list[Problem]:
    """Read JSON lines of ``{"question", "answer"}`` whose answer ends in ``#### number``.

    Raises:
        InputError: a line is not like that; it is named.
    """
    problems: list[Problem] = []
    for number, line in lines_of(read_text(path)):
        try:
            item = json_value(line)
            question, answer = str(item["question"]), str(item["answer"])
        except (ValueError, KeyError, TypeError) as fault:
            raise InputError(
                f"{path}:{number}: expected a question and an answer: {fault!r}"
            ) from fault
        wanted = number_in(answer.rpartition("####")[2]) if "####" in answer else None
        if wanted is None:
            raise InputError(f"{path}:{number}: the answer does not end in '#### number'")
        problems.append(Problem(question, wanted, tuple(_STEP.findall(answer))))
    return problems


def written_program(problem: Problem) -> str:
    """Return the program that the annotations spell out: a check of the path, never a result of a model."""
    safe = [text.strip() for text, _ in problem.calculations if _SAFE.fullmatch(text)]
    lines = [f"print({expression})" for expression in safe]
    return "\n".join(lines) or "print('nothing was written down')"


class AnnotatedProgramPolicy:
    """Plays a problem by its annotations: runs the program, answers with the last line that it printed."""

    name = "written"

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    async def move(self, view: View, tracker: BudgetTracker) -> Move:
        """Run the program, then answer."""
        del tracker
        if not view.path:
            action = Action(
                name=PROGRAM, arguments=canonical({"code": written_program(self._problem)})
            )
            return Move((), "I compute what is written down.", "call", action)
        printed = view.path[-1].results[0].content.strip().splitlines()
        return Move((), "The last line is the answer.", "answer", answer=printed[-1])


class AnnotatedSolver:
    """Runs the programs that the annotations spell out: what the path can reach, no result of a model.

    Args:
        problems: whose questions may be asked.
        toolbox: holds the tool that runs programs.
    """

    def __init__(self, problems: Sequence[Problem], toolbox: Toolbox) -> None:
        self._problems = {problem.question: problem for problem in problems}
        self._toolbox = toolbox

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Run the program of a known question.

        Raises:
            InputError: the question is not known.
        """
        problem = self._problems.get(task.input)
        if problem is None:
            raise InputError("there is no annotated problem with this question")
        return await AgentLoop(AnnotatedProgramPolicy(problem), self._toolbox).solve(task, limits)


class Gsm8k:
    """Word problems whose last number is checked; measure ``right``."""

    name = "gsm8k"
    measure = "right"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.settings: Mapping[str, Value] = {}
        self.items = tuple(
            Item(f"{number:05d}", Task(input=one.question))
            for number, one in enumerate(problems, 1)
        )
        self._answers = {
            item.id: one.answer for item, one in zip(self.items, problems, strict=True)
        }

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        """Compare the answer's last number with the right one."""
        wanted = self._answers[item.id]
        return Score(
            measures={"right": is_right(trajectory.answer, wanted)},
            details={"answer": trajectory.answer, "right": str(wanted)},
        )

    def summary(self, rows: Sequence[Row]) -> Report:
        """Return the share of right answers by solver; a problem without an answer is wrong."""
        lines: list[Line] = []
        for name in dict.fromkeys(row.solver for row in rows):
            mine = [row for row in rows if row.solver == name]
            used = sum((row.usage for row in mine), start=Usage())
            cells = {
                "problems": len(mine),
                "right": Figure.of(share([row.passed("right") for row in mine])),
                "count": sum(row.passed("right") for row in mine),
                "no answer": sum(row.outcome != "answered" for row in mine),
                "calls": used.requests,
                "tokens": used.tokens,
                "cost": dollars(used),
            }
            lines.append(Line(name=name, cells=cells))
        title = "GSM8K: last number right (%), 95 % intervals"
        return Report(sections=(Section(title=title, lines=tuple(lines)),))
