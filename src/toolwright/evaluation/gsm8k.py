"""Program-aided mathematics on GSM8K's format (Cobbe et al., 2021; alpha-UMi appendix D): answers checked."""

import json
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from toolwright.agent.meter import Meter
from toolwright.agent.policy import Move
from toolwright.core.errors import InputError
from toolwright.core.values import canonical
from toolwright.roles.reading import Action
from toolwright.roles.view import PROGRAM, View

_NUMBER = re.compile(r"-?\$?-?\d[\d,]*(?:\.\d+)?(?:/\d+)?")
_STEP = re.compile(r"<<([^<>=]+)=([^<>]+)>>")
_SAFE = re.compile(r"[\d\s.+\-*/()%]+")


class Problem(NamedTuple):
    """A question, its number, and the calculations written down beside the answer."""

    question: str
    answer: Decimal
    calculations: tuple[tuple[str, str], ...]


def number_in(text: str) -> Decimal | None:
    """Give the last number of a text; thousands' commas, currency signs and fractions are read."""
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
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as fault:
        raise InputError(f"{str(path)!r} cannot be read: {fault.strerror}") from fault
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
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
    """Give the program that the annotations spell out: a check of the path, never a result of a model."""
    safe = [text.strip() for text, _ in problem.calculations if _SAFE.fullmatch(text)]
    lines = [f"print({expression})" for expression in safe]
    return "\n".join(lines) or "print('nothing was written down')"


class Written:
    """Plays a problem by its annotations: runs the program, answers with the last line that it printed."""

    name = "written"

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    async def move(self, view: View, meter: Meter) -> Move:
        """Run the program, then answer."""
        del meter
        if not view.path:
            action = Action(
                name=PROGRAM, arguments=canonical({"code": written_program(self._problem)})
            )
            return Move((), "I compute what is written down.", "call", action)
        printed = view.path[-1].results[0].content.strip().splitlines()
        return Move((), "The last line is the answer.", "answer", answer=printed[-1])
