"""The command that makes a trio as the package ships one, at the smallest size."""

import json
from pathlib import Path

import pytest

from toolmint.assembly.uri import model_of
from toolmint.core.errors import InputError
from toolmint.core.messages import UserMessage
from toolmint.core.model import ModelRequest
from toolmint.core.sync import run_sync
from toolmint.training.bundled_model import make_bundled_model
from toolmint.training.callbacks import LineCallbacks
from toolmint.training.curriculum import Curriculum
from toolmint.training.recipes import Architecture, Recipe, bundled

pytestmark = pytest.mark.slow
CURRICULUM = Curriculum(single=40, short=20, usual=10, in_domain=10)


def small() -> Recipe:
    """Return the recipe with a decoder that learns nothing, but quickly."""
    tiny = Architecture(width=32, layers=1, heads=1, inner=32)
    return bundled().model_copy(update={"architecture": tiny, "save_steps": 3})


def test_one_command_makes_a_trio_that_runs_without_torch_and_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    card = make_bundled_model(tmp_path, CURRICULUM, small(), callbacks=LineCallbacks(said.append))
    assert card.samples == CURRICULUM.size and card.stages[0].steps == 8
    assert f"{CURRICULUM.size} runs" in " ".join(said)
    trio = tmp_path / "trio"
    assert {one.name for one in trio.iterdir()} == {
        "card.json",
        "config.json",
        "decoder.onnx",
        "model.safetensors",
        "tokenizer.json",
    }
    assert json.loads((trio / "config.json").read_text())["copy_constraint"] is True
    request = ModelRequest(messages=(UserMessage(content="<|task|>x<|planner|>"),), max_tokens=4)
    reply = run_sync(model_of(f"onnx:{trio}").complete(request))
    assert reply.usage.output_tokens > 0

    kept = (tmp_path / "samples.npz").stat().st_mtime_ns, (trio / "decoder.onnx").read_bytes()
    said.clear()
    again = make_bundled_model(tmp_path, CURRICULUM, small(), callbacks=LineCallbacks(said.append))
    assert "backbone: is there already" in said and again.data_digest == card.data_digest
    more = make_bundled_model(
        tmp_path / "more", Curriculum(0, 0, 0, in_domain=16), small(), base=trio
    )
    assert (more.base, more.stages[0].steps) == (str(trio), 2)
    assert more.stages[0].first_loss < card.stages[0].first_loss
    learnt = (tmp_path / "more" / "trio" / "tokenizer.json").read_bytes()
    assert learnt == (trio / "tokenizer.json").read_bytes()
    with pytest.raises(InputError, match="holds 80 runs, the curriculum has 81"):
        make_bundled_model(tmp_path, CURRICULUM._replace(in_domain=11), small())
    assert kept == (
        (tmp_path / "samples.npz").stat().st_mtime_ns,
        (trio / "decoder.onnx").read_bytes(),
    )


def test_an_empty_curriculum_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one run"):
        make_bundled_model(tmp_path, Curriculum(single=0, short=0, usual=0, in_domain=0), small())
