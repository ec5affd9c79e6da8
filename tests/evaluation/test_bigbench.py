"""LATM's tables: counting, the scores, and two real tasks end to end."""

from pathlib import Path

import pytest

from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.assembly.uri import model_of
from toolmint.cli.eval_bigbench_command import make_tool
from toolmint.core.errors import InputError
from toolmint.core.tool import Demonstration
from toolmint.evaluation.bigbench import (
    BigBench,
    is_exact_match,
    read_bigbench_tasks,
    score_dispatch,
)
from toolmint.evaluation.runner import RunConfig, run
from toolmint.evaluation.solvers import AbstainingSolver, ModelSolver
from toolmint.models.scripted import ScriptedModel

pytestmark = pytest.mark.anyio
CASSETTE = Path(__file__).parents[2] / "benchmarks" / "cassettes" / "bbh.jsonl"


async def test_answers_are_compared_exactly_except_latms_conversions() -> None:
    assert is_exact_match(" a ", "a", "code") and not is_exact_match("E", "(E)", "code")
    assert is_exact_match("E", "(E)", "light") and is_exact_match("5", "(E)", "light")
    assert not is_exact_match(None, "a", "strong") and not is_exact_match("a", None, "strong")


async def test_a_folder_without_tasks_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no task file"):
        read_bigbench_tasks(tmp_path, ())


async def test_recorded_tools_answer_real_tasks(data: Path, settings: Settings) -> None:
    tasks = read_bigbench_tasks(data / "bbh", ("word_sorting", "navigate", "snarks"))
    settings = settings.model_copy(update={"accept_unverified": True})
    async with Session.open(settings, models=Models(model_of(f"cassette:{CASSETTE}"))) as client:
        makings = {
            name: await make_tool(client, name, shown[:10], "proved", 1)
            for name, shown in tasks.items()
        }
        made = {name: making.made for name, making in makings.items()}
        assert made == {"word_sorting": True, "navigate": True, "snarks": False}
        again = await make_tool(client, "snarks", tasks["snarks"][:10], "proved", 1)
        assert again.usage == makings["snarks"].usage and again.seeds == (False,)
        client.solver.without_strong()
        benchmark = BigBench(tasks, 10, makings)
        rows = await run(
            benchmark, AbstainingSolver(client.solver), config=RunConfig(concurrency=1)
        )
    for score in benchmark.scores(rows):
        expected = 0.0 if score.task == "snarks" else 1.0
        found = (score.accuracy, score.zero_token_share, score.tokens, score.foreign)
        assert found == (expected, expected, 0.0, 0) and score.requests == 90
    assert all(row.error is None for row in rows)
    notes = " ".join(benchmark.summary(rows).notes)
    assert "66.67% right of 270" in notes and "making: 5 calls" in notes


async def test_a_bare_model_is_a_solver_and_its_wrong_answers_are_in_the_rows() -> None:
    tests = [Demonstration(input="1 + 1", target="2"), Demonstration(input="1 + 2", target="3")]
    benchmark = BigBench({"sums": tests}, 0)
    solver = ModelSolver(ScriptedModel(["2", "4"]))
    rows = await run(benchmark, solver, config=RunConfig(concurrency=1))
    score = benchmark.scores(rows)[0]
    assert score.accuracy == 0.5 and score.tiers["strong"].precision == 0.5
    assert [row.details["answer"] for row in rows if not row.passed("right")] == ["4"]
    assert score.tokens > 0 and all(row.usage.cost is None for row in rows)


async def test_wording_alone_dispatches_the_real_tasks(data: Path) -> None:
    tasks = read_bigbench_tasks(data / "bbh", ())
    shown = {name: examples[:10] for name, examples in tasks.items()}
    tests = {name: examples[10:30] for name, examples in tasks.items()}
    score = score_dispatch(shown, tests)
    assert score.closed > 0.99 and score.open_accept < 0.02 and score.open_reject < 0.1
