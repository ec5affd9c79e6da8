"""Exported decoders: token for token what torch writes; folders that hold none; the trio that ships."""

import re
import shutil
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from tests.training.small_run import runs

from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.agent.react import ReACT
from toolmint.assembly.uri import TRIO, model_of
from toolmint.core.errors import ConfigError, InputError
from toolmint.embedded import trio_path
from toolmint.evaluation.runner import RunConfig, run
from toolmint.evaluation.toolworld import PlayerSolver, ToolWorld
from toolmint.models.scripted import ObservedModel
from toolmint.roles.marked import Marked
from toolmint.training.decoder import new_model
from toolmint.training.export import export
from toolmint.training.recipes import Architecture
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_tasks
from toolmint.world.players import play_task

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("wild")
    words = Tokenizer.train(runs(20), 700)
    words.save(made / "tokenizer.json")
    shape = Architecture(width=64, layers=4, heads=4, inner=128, induction_init=True)
    model = new_model(shape, words.size, 2048, 0)
    model.config.eos_token_id = words.token("<|end|>")
    cast("Any", model).to(torch.float16).save_pretrained(str(made))
    export(made, made / "decoder.onnx")
    return made


async def test_an_exported_decoder_writes_what_torch_writes_token_for_token(folder: Path) -> None:
    observed = ObservedModel(model_of(f"onnx:{folder}"))
    policy = ThreeRolePolicy(
        observed, observed, observed, family=Marked(), sampling=Sampling(max_tokens=60)
    )
    for task in make_tasks("train", 3):
        await play_task(task, policy, ReACT(max_steps=4))
    torch_model = model_of(f"local:{folder}")
    assert len(observed.exchanges) > 8
    for request, reply in observed.exchanges:
        again = await torch_model.complete(request)
        assert again.content == reply.content
        assert again.usage.output_tokens == reply.usage.output_tokens


async def test_a_cache_that_grows_keeps_what_it_holds(folder: Path) -> None:
    model, other = model_of(f"onnx:{folder}"), model_of(f"local:{folder}")
    observed = ObservedModel(model)
    policy = ThreeRolePolicy(
        observed, observed, observed, family=Marked(), sampling=Sampling(max_tokens=900)
    )
    task = next(iter(make_tasks("train", 1)))
    await play_task(task, policy, ReACT(max_steps=1))
    request, reply = observed.exchanges[0]
    assert reply.usage.tokens > 1024, "more than one block of the cache"
    assert (await other.complete(request)).content == reply.content


async def test_a_folder_without_an_exported_model_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ConfigError, match="holds no exported model"):
        model_of(f"onnx:{tmp_path}")
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(folder / name, tmp_path / name)
    (tmp_path / "decoder.onnx").write_bytes(b"no graph")
    with pytest.raises(ConfigError, match="holds no exported model"):
        model_of(f"onnx:{tmp_path}")


async def test_only_llama_decoders_are_exported(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}', encoding="utf-8")
    with pytest.raises(InputError, match=r"only Llama decoders can be exported, .* is 'gpt2'"):
        export(tmp_path, tmp_path / "decoder.onnx")
    with pytest.raises(InputError, match="holds no model"):
        export(tmp_path / "none", tmp_path / "decoder.onnx")


def test_no_other_model_ships() -> None:
    with pytest.raises(ConfigError, match="no model 'quartet' ships with toolmint; embedded:trio"):
        model_of("embedded:quartet")


async def test_the_trio_that_ships_fits_in_the_package_and_writes_what_torch_writes() -> None:
    assert sum(one.stat().st_size for one in trio_path().iterdir()) < 30_000_000
    observed = ObservedModel(model_of(TRIO))
    policy = ThreeRolePolicy(
        observed, observed, observed, family=Marked(), sampling=Sampling(max_tokens=128)
    )
    for task in make_tasks("unseen", 2):
        await play_task(task, policy, ReACT(max_steps=8))
    torch_model = model_of(f"local:{trio_path()}")
    for request, reply in observed.exchanges:
        assert (await torch_model.complete(request)).content == reply.content


async def test_the_trio_that_ships_solves_tasks_and_calls_no_tool_that_is_not_there() -> None:
    model = model_of(TRIO)
    policy = ThreeRolePolicy(
        model, model, model, family=Marked(), sampling=Sampling(max_tokens=256)
    )
    rows = await run(
        ToolWorld(list(make_tasks("train", 20))),
        PlayerSolver(lambda _: policy, ReACT(max_steps=16)),
        config=RunConfig(trajectories=True),
    )
    assert sum(row.passed("passed") for row in rows) >= 10
    runs = [row.trajectory for row in rows if row.trajectory is not None]
    failures = [result.failure for one in runs for step in one.steps for result in step.results]
    assert len(failures) > 50
    assert not {"tool-not-found", "tool-arguments"} & set(failures)
    for one in runs:
        known = {tool.name for tool in one.task.tools}
        assert {
            name for step in one.steps for name in re.findall(r"`([^`]*)`", step.thought)
        } <= known
