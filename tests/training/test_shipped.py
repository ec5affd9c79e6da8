"""The command that makes a trio as the package ships one, at the smallest size."""

import json
from pathlib import Path

import pytest

from toolwright.assembly.uri import model_of
from toolwright.core.doors import run_sync
from toolwright.core.errors import InputError
from toolwright.core.messages import UserMessage
from toolwright.core.model import ModelRequest
from toolwright.training.lessons import Course
from toolwright.training.recipes import Architecture, Recipe, shipped
from toolwright.training.shipped import make
from toolwright.training.watch import Lines

pytestmark = pytest.mark.slow
COURSE = Course(single=40, short=20, usual=10, home=10)


def small() -> Recipe:
    """Give the recipe with a decoder that learns nothing, but quickly."""
    tiny = Architecture(width=32, layers=1, heads=1, inner=32)
    return shipped().model_copy(update={"architecture": tiny, "save_steps": 3})


def test_one_command_makes_a_trio_that_runs_without_torch_and_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    card = make(tmp_path, COURSE, small(), watcher=Lines(said.append))
    assert card.samples == COURSE.size and card.stages[0].steps == 8
    assert f"{COURSE.size} lessons" in " ".join(said)
    trio = tmp_path / "trio"
    assert {one.name for one in trio.iterdir()} == {
        "card.json", "config.json", "decoder.onnx", "model.safetensors", "tokenizer.json",
    }  # fmt: skip
    assert json.loads((trio / "config.json").read_text())["held_replies"] is True
    asked = ModelRequest(messages=(UserMessage(content="<|task|>x<|planner|>"),), max_tokens=4)
    reply = run_sync(model_of(f"onnx:{trio}").complete(asked))
    assert reply.usage.output_tokens > 0

    kept = (tmp_path / "samples.npz").stat().st_mtime_ns, (trio / "decoder.onnx").read_bytes()
    said.clear()
    again = make(tmp_path, COURSE, small(), watcher=Lines(said.append))
    assert "backbone: is there already" in said and again.data_digest == card.data_digest
    more = make(tmp_path / "more", Course(0, 0, 0, home=16), small(), base=trio)
    assert (more.base, more.stages[0].steps) == (str(trio), 2)
    assert more.stages[0].first_loss < card.stages[0].first_loss
    learnt = (tmp_path / "more" / "trio" / "tokenizer.json").read_bytes()
    assert learnt == (trio / "tokenizer.json").read_bytes()
    with pytest.raises(InputError, match="holds 80 lessons, the course has 81"):
        make(tmp_path, COURSE._replace(home=11), small())
    assert kept == (
        (tmp_path / "samples.npz").stat().st_mtime_ns,
        (trio / "decoder.onnx").read_bytes(),
    )


def test_a_course_without_lessons_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one lesson"):
        make(tmp_path, Course(single=0, short=0, usual=0, home=0), small())
