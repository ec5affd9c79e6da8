"""The runner: rows stream, a stopped run goes on, one item never ends a run."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from toolmint.core.errors import InputError, ModelUnavailable
from toolmint.core.model import Usage
from toolmint.core.task import Limits, Run, Task, Trajectory
from toolmint.core.values import Value
from toolmint.evaluation.benchmark import Item, Row, Score
from toolmint.evaluation.report import Line, Report, Section
from toolmint.evaluation.rows import Header, RowFile, read_rows
from toolmint.evaluation.runner import RunConfig, RunState, run
from toolmint.evaluation.solvers import ModelSolver, RecordedSolver
from toolmint.models.scripted import ScriptedModel

pytestmark = pytest.mark.anyio


class Squares:
    """Numbers whose square is asked for; a minimal benchmark."""

    name, measure = "squares", "right"
    settings: Mapping[str, Value] = {}

    def __init__(self, count: int = 6, words: str = "square") -> None:
        self.items = tuple(Item(f"{n}", Task(input=f"{words} {n}")) for n in range(count))

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        return Score(measures={"right": trajectory.answer == str(int(item.id) ** 2)})

    def summary(self, rows: Sequence[Row]) -> Report:
        line = Line(name="all", cells={"right": sum(row.passed("right") for row in rows)})
        return Report(sections=(Section(title="Squares", lines=(line,)),))


class Squarer:
    """Answers rightly; knows which tasks it was asked, and how many at once at most."""

    def __init__(self, faults: Mapping[str, Exception] | None = None) -> None:
        self.asked: list[str] = []
        self.most = self._now = 0
        self._faults = faults or {}

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        del limits
        self.asked.append(task.input)
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)  # lets the others begin
        self._now -= 1
        number = task.input.split()[-1]
        if number in self._faults:
            raise self._faults[number]
        used = Usage(requests=1, input_tokens=3, cost=None)
        return Trajectory(task=task, answer=str(int(number) ** 2), run=Run(usage=used))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "rows.jsonl"


def plain(rows: Sequence[Row]) -> list[Row]:
    """Return rows without their times."""
    return [row.model_copy(update={"seconds": 0.0}) for row in rows]


async def test_rows_come_back_in_the_items_order_and_stand_in_the_file(out: Path) -> None:
    solver = Squarer()
    rows = await run(Squares(), solver, out, RunConfig(name="exact", concurrency=3))
    assert [row.id for row in rows] == ["0", "1", "2", "3", "4", "5"]
    assert all(row.passed("right") and row.solver == "exact" for row in rows)
    assert all(row.usage.cost is None and row.trajectory is None for row in rows)
    assert solver.most == 3
    assert read_rows(out).rows == tuple(rows)


async def test_the_same_call_on_the_same_file_solves_only_what_is_missing(out: Path) -> None:
    whole = await run(Squares(), Squarer())
    await run(Squares(4), Squarer(), out)
    solver = Squarer()
    rows = await run(Squares(), solver, out)
    assert solver.asked == ["square 4", "square 5"]
    assert plain(rows) == plain(whole)
    last = Squarer()
    assert await run(Squares(), last, out) == rows
    assert last.asked == []


async def test_a_last_line_that_was_not_written_to_its_end_is_cut(out: Path) -> None:
    await run(Squares(), Squarer(), out)
    content = out.read_bytes()
    for cut in (5, 40, len(content) // 2):
        out.write_bytes(content[:-cut])
        rows = await run(Squares(), Squarer(), out)
        assert len(rows) == len(read_rows(out).rows) == 6
        assert out.read_bytes().count(b"\n") == 7


async def test_a_header_that_was_cut_is_written_anew(out: Path) -> None:
    await run(Squares(), Squarer(), out)
    out.write_bytes(out.read_bytes()[:20])
    assert len(await run(Squares(), Squarer(), out)) == 6
    assert read_rows(out).header.benchmark == "squares"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (RunConfig(name="other"), "its solver is 'solver', not 'other'"),
        (RunConfig(settings={"depth": 3}), "its settings differ: depth is null, not 3"),
    ],
)
async def test_a_file_of_another_run_is_refused_and_left_alone(
    out: Path, config: RunConfig, said: str
) -> None:
    await run(Squares(), Squarer(), out)
    before = out.read_bytes()
    with pytest.raises(InputError, match=said) as refused:
        await run(Squares(), Squarer(), out, config)
    assert refused.value.code == "rows-other"
    assert out.read_bytes() == before


@pytest.mark.parametrize("content", [b"notes\n", b"notes without an end", b'{"kind": 3}\n'])
async def test_a_file_that_holds_no_rows_is_refused_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match="no file of rows"):
        await run(Squares(), Squarer(), path)
    assert path.read_bytes() == content


async def test_a_row_that_is_spoilt_is_named(out: Path) -> None:
    await run(Squares(), Squarer(), out)
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join([*lines[:2], b'{"id": 3}\n', *lines[3:]]))
    with pytest.raises(InputError, match=r"rows\.jsonl:3 is no row"):
        await run(Squares(), Squarer(), out)


async def test_rows_of_other_data_under_the_same_ids_are_refused(out: Path) -> None:
    await run(Squares(), Squarer(), out)
    with pytest.raises(InputError, match="another task"):
        await run(Squares(words="the square of"), Squarer(), out)


async def test_two_runs_do_not_write_one_file(out: Path) -> None:
    busy = pytest.raises(InputError, match="being written by another run")
    with RowFile(out, Header.of("squares", "solver", {})), busy:
        await run(Squares(), Squarer(), out)
    assert len(await run(Squares(), Squarer(), out)) == 6


async def test_a_solver_that_raises_makes_a_failed_row_and_no_lost_run(out: Path) -> None:
    faults = {"1": ModelUnavailable("down"), "2": ZeroDivisionError("oops")}
    states: list[RunState] = []
    rows = await run(Squares(), Squarer(faults), out, observe=states.append)
    assert [row.outcome for row in rows[:3]] == ["answered", "failed", "failed"]
    assert [row.error for row in rows[1:3]] == [
        "[model-unavailable] down",
        "[solver-fault] ZeroDivisionError: oops",
    ]
    assert not rows[1].passed("right")
    assert states[0] == RunState(0, 0, 6, 0, 0)
    assert states[-1] == RunState(6, 0, 6, 4, 2)
    await run(Squares(), kept := Squarer(), out)
    assert kept.asked == []
    again = await run(Squares(), solver := Squarer(), out, RunConfig(retry_failed=True))
    assert solver.asked == ["square 1", "square 2"]
    assert all(row.error is None for row in again)
    assert read_rows(out).rows == tuple(sorted(again, key=lambda row: row.id))


async def test_a_run_that_is_cancelled_keeps_every_finished_row(out: Path) -> None:
    held = asyncio.Event()

    class Slow(Squarer):
        async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
            done = await super().solve(task, limits)
            if len(self.asked) > 3:
                held.set()
                await asyncio.Event().wait()
            return done

    work = asyncio.create_task(run(Squares(), Slow(), out, RunConfig(concurrency=1)))
    await held.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert [row.id for row in read_rows(out).rows] == ["0", "1", "2"]
    rows = await run(Squares(), solver := Squarer(), out)
    assert len(rows) == 6 and len(solver.asked) == 3


async def test_trajectories_are_kept_where_that_is_asked_for(out: Path) -> None:
    rows = await run(Squares(2), Squarer(), out, RunConfig(trajectories=True))
    assert [row.trajectory and row.trajectory.answer for row in rows] == ["0", "1"]
    assert read_rows(out).rows == tuple(rows)


async def test_two_items_with_one_id_are_a_fault_of_the_benchmark(out: Path) -> None:
    benchmark = Squares(2)
    benchmark.items = (benchmark.items[0], benchmark.items[0])
    with pytest.raises(InputError, match="the same id"):
        await run(benchmark, Squarer(), out)


async def test_a_bare_model_is_a_solver_within_limits() -> None:
    model = ScriptedModel(["0", "2"])
    rows = await run(Squares(2), ModelSolver(model), config=RunConfig(concurrency=1))
    assert [row.passed("right") for row in rows] == [True, False]
    assert sum(row.usage.requests for row in rows) == 2
    limited = RunConfig(limits=Limits(model_calls=0))
    refused = await run(Squares(1), ModelSolver(model), config=limited)
    assert refused[0].error is not None and refused[0].error.startswith("[limit]")


async def test_a_recorded_run_is_found_by_its_own_task_alone() -> None:
    with pytest.raises(InputError, match="RecordedTask"):
        await RecordedSolver([]).solve(Task(input="x"))
