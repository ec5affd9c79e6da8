"""The lines of ``toolmint apply``: in order, and on the disk once they have cost money."""

from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from toolmint.assembly.session import Session
from toolmint.cli.apply_command import answer_all
from toolmint.core.errors import NoAnswer
from toolmint.core.model import Usage
from toolmint.core.task import Served, Task, Trajectory
from toolmint.core.tool import Demonstration

pytestmark = pytest.mark.anyio


class Answering:
    """Answers each request by itself; of a paid tier where the request says so."""

    async def solve(self, text: str) -> Trajectory:
        if text == "unknown":
            raise NoAnswer("nobody can")
        paid = text.startswith("paid")
        served = Served(
            tier="strong" if paid else "code",
            why="scripted",
            usage=Usage(output_tokens=7 if paid else 0),
        )
        return Trajectory(task=Task(input=text), answer=text, served=served)


async def answered(texts: list[str], path: Path) -> tuple[Counter[str], list[tuple[int, int]]]:
    """Return the counts, and how many lines were answered and on the disk at each notice."""
    told: list[tuple[int, int]] = []

    def notify(_: Counter[str], number: int) -> None:
        told.append((number, path.read_text().count("\n")))

    requests = [Demonstration(input=text, target=text) for text in texts]
    with path.open("w") as out:
        seen = await answer_all(cast("Session", Answering()), requests, out, notify, most=4)
    return seen, told


async def test_each_line_that_a_model_was_paid_for_is_on_the_disk_at_once(tmp_path: Path) -> None:
    _, told = await answered([f"paid {n}" for n in range(9)], tmp_path / "out")
    assert told[:9] == [(n, n) for n in range(1, 10)]


async def test_lines_of_tools_are_all_there_in_order_and_told_of_now_and_then(
    tmp_path: Path,
) -> None:
    texts = [f"free {n}" for n in range(3000)]
    seen, told = await answered(texts, tmp_path / "out")
    assert seen == {"code": 3000, "right": 3000}
    lines = (tmp_path / "out").read_text().splitlines()
    assert [line.split('"')[3] for line in lines] == texts
    assert told[-1] == (3000, 3000)
    assert len(told) < 1000


async def test_a_request_that_nobody_answers_has_a_line_that_says_why(tmp_path: Path) -> None:
    seen, _ = await answered(["free", "unknown", "free"], tmp_path / "out")
    assert seen == {"code": 2, "none": 1, "right": 2}
    assert "[no-answer] nobody can" in (tmp_path / "out").read_text().splitlines()[1]
