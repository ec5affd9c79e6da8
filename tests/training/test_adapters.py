"""Roles as LoRA adapters on one trunk: trained, kept small, played as one model, activated over one cache."""

import asyncio
import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import torch as safetensors
from tests.training.small_run import recipe, runs, samples

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.assembly.uri import model_of
from toolmint.core.errors import ConfigError, InputError
from toolmint.core.model import ModelRequest
from toolmint.roles.marked import Marked
from toolmint.roles.reading import Plan
from toolmint.roles.view import AgentRole, View
from toolmint.training.batches import span_branches
from toolmint.training.bundle import export_bundle
from toolmint.training.decoder import continue_adapter, load_model, new_model
from toolmint.training.forked_loss import collate_forked, forked_loss
from toolmint.training.forks import Branch, ForkedRow
from toolmint.training.glpft import train
from toolmint.training.recipes import Adapter, Architecture, Stage
from toolmint.training.samples import IGNORED, TRAINED_ROLES, Sample
from toolmint.world.generate import make_tasks

pytestmark = pytest.mark.anyio


def trained(folder: Path, adapter: Adapter) -> Path:
    train(
        samples(folder / "tokenizer.json"),
        recipe("glpft", adapter),
        folder / "tokenizer.json",
        folder,
    )
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("lora"), Adapter(rank=2, alpha=64))


@pytest.fixture(scope="module")
def activated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("alora"), Adapter(rank=2, alpha=64, activated=True))


def requests() -> list[ModelRequest]:
    """Return what the roles are asked in one run, in turn."""
    run = runs(3)[2]
    family, found = Marked(), list[ModelRequest]()
    for place, step in enumerate(run.path()):
        view = View(run.task, run.path()[:place])
        planned = view._replace(plan=Plan(thought=step.thought, decision=step.decision))
        seen: list[tuple[AgentRole, View]] = [("planner", view)]
        if step.calls:
            seen.append(("caller", planned))
        if step.answer is not None:
            seen.append(("summarizer", planned))
        found += [
            ModelRequest(messages=family.prompt(role, shown).messages, max_tokens=12)
            for role, shown in seen
        ]
    return found


def test_local_stages_train_adapters_alone(plain: Path) -> None:
    assert not (plain / "planner/model.safetensors").exists()
    sizes = [(plain / role / "adapter_model.safetensors").stat().st_size for role in TRAINED_ROLES]
    assert max(sizes) < (plain / "backbone/model.safetensors").stat().st_size / 4
    for role in TRAINED_ROLES:
        tensors = cast("Any", safetensors).load_file(
            str(plain / role / "adapter_model.safetensors")
        )
        assert any(bool(value.any()) for name, value in tensors.items() if "lora_B" in name)


@pytest.mark.parametrize("kind", ["plain", "activated"])
async def test_a_trio_of_adapters_plays_as_one_model(
    kind: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(kind)
    model = model_of(f"local:{folder}")
    task = next(make_tasks("train", 1)).task()
    move = await ThreeRolePolicy(
        model, model, model, family=Marked(), sampling=Sampling(max_tokens=8)
    ).move(View(task), BudgetTracker())
    assert move.turns[0].role == "planner"
    for asked in requests():
        reply = await model.complete(asked)
        fresh = await model_of(f"local:{folder}").complete(asked)
        assert reply.content == fresh.content, "kept caches change nothing"


@pytest.mark.parametrize("kind", ["plain", "activated"])
async def test_adapters_read_several_replies_in_one_pass(
    kind: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(kind)
    alone = model_of(f"local:{folder}")
    expected = [(await alone.complete(request)).content for request in requests()]
    together = model_of(f"local:{folder}")
    replies = await asyncio.gather(*(together.complete(request) for request in requests()))
    assert [reply.content for reply in replies] == expected


async def test_activated_adapters_share_one_cache_and_plain_ones_do_not(
    plain: Path, activated: Path
) -> None:
    cached: dict[str, list[int]] = {}
    for folder in (plain, activated):
        model = model_of(f"local:{folder}")
        replies = [await model.complete(request) for request in requests()]
        cached[folder.name] = [reply.usage.cached_tokens for reply in replies]
    assert cached[plain.name][1] == 0, "the caller has not read anything yet"
    assert cached[activated.name][1] > 50, "the planner has read the tools for it"
    assert sum(cached[activated.name]) > sum(cached[plain.name])


def scores(model: Any, role: int, ids: list[int]) -> NDArray[np.float32]:
    decoder = list(model._roles.values())[role].decoder
    return decoder.feed(decoder.start(), 0, ids)


async def test_each_role_has_an_adapter_of_its_own(plain: Path) -> None:
    model = model_of(f"local:{plain}")
    ids = [5, 300, 301, 302, 303]
    heard = [scores(model, role, ids) for role in (0, 1, 2, 0)]
    assert not np.array_equal(heard[0], heard[1])
    assert not np.array_equal(heard[1], heard[2])
    assert np.array_equal(heard[0], heard[3])


async def test_an_adapter_of_another_base_is_refused(plain: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    shutil.copytree(plain, odd)
    model = load_model(plain / "backbone")
    wider = new_model(Architecture(width=64, layers=1, heads=2, inner=64), 600, 1024, 0)
    wider.config.eos_token_id = model.config.eos_token_id
    cast("Any", wider).save_pretrained(str(odd / "backbone"))
    with pytest.raises(ConfigError, match=r"the adapter of .* does not fit the model of"):
        model_of(f"local:{odd}")


def test_a_forked_row_gives_an_activated_adapter_the_loss_of_each_span_read_alone(
    activated: Path,
) -> None:
    model = continue_adapter(load_model(activated / "backbone"), activated / "planner").eval()
    stage = Stage(name="planner", roles=("planner",), learning_rate=1, epochs=1)
    for sample in samples(activated / "tokenizer.json")[:4]:
        tree = span_branches(sample, stage, 1)
        assert len(tree.branches) == sample.span_count("planner") > 0
        row = ForkedRow.of([tree])
        batch = collate_forked([{"input_ids": row.ids, **row._asdict()}])
        with torch.inference_mode():
            together = forked_loss(model, batch)
            alone = sum(span_loss(model, sample, branch) for branch in tree.branches)
        assert float(together) == pytest.approx(alone, rel=1e-4)


def span_loss(model: Any, sample: Sample, branch: Branch) -> float:
    """Return the loss of a span behind its whole context, by the model's own forward pass."""
    ids = torch.tensor([[*sample.ids[: branch.fork], *branch.ids]])
    scores = model(input_ids=ids, alora_offsets=[len(branch.ids)]).logits[0].log_softmax(-1)
    return -sum(
        float(scores[branch.fork + at - 1, label])
        for at, label in enumerate(branch.labels)
        if label != IGNORED
    )


async def test_an_exported_trio_of_adapters_writes_what_they_write_on_their_trunk(
    plain: Path, tmp_path: Path
) -> None:
    export_bundle(plain, tmp_path)
    here, exported = model_of(f"local:{plain}"), model_of(f"onnx:{tmp_path}")
    for request in requests():
        one, other = await here.complete(request), await exported.complete(request)
        assert one.content == other.content


async def test_activated_adapters_cannot_be_exported(activated: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be merged"):
        export_bundle(activated, tmp_path)
    with pytest.raises(InputError, match=r"has no tokenizer\.json"):
        export_bundle(tmp_path / "nothing", tmp_path)
