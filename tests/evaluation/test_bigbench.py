"""LATM's tables: counting, the dispatcher's scores, and two real tasks end to end."""

from pathlib import Path

import pytest

from toolwright.assembly.settings import Settings
from toolwright.assembly.uri import model_of
from toolwright.assembly.workshop import Models, Workshop
from toolwright.cli.eval_bigbench_command import make_tool, read_tasks
from toolwright.core.errors import InputError
from toolwright.evaluation.bigbench import right, score_dispatch, score_task
from toolwright.models.scripted import ScriptedModel

pytestmark = pytest.mark.anyio
TAPE = Path(__file__).parents[2] / "benchmarks" / "tapes" / "bbh.jsonl"


async def test_answers_are_compared_exactly_except_latms_conversions() -> None:
    assert right(" a ", "a", "compiled") and not right("E", "(E)", "compiled")
    assert right("E", "(E)", "tooluser") and right("5", "(E)", "tooluser")
    assert not right(None, "a", "strong") and not right("a", None, "strong")


async def test_a_folder_without_tasks_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no task file"):
        read_tasks(tmp_path, ())


async def test_recorded_tools_answer_real_tasks(data: Path, settings: Settings) -> None:
    tasks = read_tasks(data / "bbh", ("word_sorting", "navigate", "snarks"))
    async with Workshop.open(settings, models=Models(model_of(f"replay:{TAPE}"))) as shop:
        makings = {
            name: await make_tool(shop, name, shown[:10], "proved", 1)
            for name, shown in tasks.items()
        }
        assert {name: making.made for name, making in makings.items()} == {
            "word_sorting": True, "navigate": True, "snarks": False,
        }  # fmt: skip
        shop.dispatcher.without_strong()
        for name, examples in tasks.items():
            score = await score_task(
                shop.dispatcher, name, examples[10:], makings[name], lambda: None
            )
            expected = 0.0 if name == "snarks" else 1.0
            assert (score.accuracy, score.zero_token_share, score.tokens) == (
                expected,
                expected,
                0.0,
            )
            assert score.foreign == 0 and score.wrong == ()


async def test_wrong_answers_are_listed(settings: Settings) -> None:
    from toolwright.core.model import Usage
    from toolwright.core.tool import Demonstration
    from toolwright.evaluation.bigbench import Making

    making = Making(made=False, why="none", usage=Usage(), seeds=(False,))
    tests = [Demonstration(input="1 + 1", target="2"), Demonstration(input="1 + 2", target="3")]
    async with Workshop.open(settings, models=Models(ScriptedModel(["2", "4"]))) as shop:
        score = await score_task(shop.dispatcher, "sums", tests, making, lambda: None)
    assert score.accuracy == 0.5 and score.tiers["strong"].precision == 0.5
    assert [one["answer"] for one in score.wrong] == ["4"] and score.tokens > 0


async def test_wording_alone_dispatches_the_real_tasks(data: Path) -> None:
    tasks = read_tasks(data / "bbh", ())
    shown = {name: examples[:10] for name, examples in tasks.items()}
    tests = {name: examples[10:30] for name, examples in tasks.items()}
    score = score_dispatch(shown, tests)
    assert score.closed > 0.99 and score.open_accept < 0.02 and score.open_reject < 0.1
