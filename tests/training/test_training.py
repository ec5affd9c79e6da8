"""Training for real, on models of some thousand weights: losses, stages, resuming, playing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from tests.training.small_run import recipe, runs, samples

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.assembly.uri import model_of
from toolmint.core.errors import ConfigError, ContextOverflow, InputError
from toolmint.core.messages import UserMessage
from toolmint.core.model import ModelRequest
from toolmint.core.task import Trajectory
from toolmint.roles.marked import END_MARK, Marked, Piece, pieces_of
from toolmint.roles.reading import Plan
from toolmint.roles.view import View
from toolmint.training.callbacks import LineCallbacks
from toolmint.training.decoder import load_model, new_model
from toolmint.training.glpft import CARD, Card, train
from toolmint.training.heldout_eval import exact_matches, held_out_spans, split_held_out
from toolmint.training.recipes import Architecture, paper, small
from toolmint.training.resources import FreeResources, check_resources
from toolmint.training.samples import IGNORED, TRAINED_ROLES, Sample, sample_of
from toolmint.training.sft import fit_stage
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_tasks

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trio")
    train(samples(folder / "tokenizer.json"), recipe("glpft"), folder / "tokenizer.json", folder)
    return folder


def nll(model: Any, ids: list[int], labels: list[int]) -> float:
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].double()
    wanted = torch.tensor(labels[1:])
    loss = torch.nn.functional.cross_entropy(logits, wanted, ignore_index=IGNORED, reduction="sum")
    return float(loss)


def test_one_pass_has_the_loss_of_a_sample_for_each_step_and_role() -> None:
    found = runs(6)
    tokenizer = Tokenizer.train(found, 600)
    model = cast(
        "Any",
        new_model(Architecture(width=32, layers=2, heads=2, inner=64), tokenizer.size, 4096, 0),
    ).eval()
    family = Marked()
    for run in found:
        sample = sample_of(run, tokenizer)
        path = run.path()
        for role in TRAINED_ROLES:
            steps = 0.0
            for place, step in enumerate(path):
                turn = step.turn(role)
                if turn is None:
                    continue
                view = View(run.task, path[:place], step.hints)
                if role != "planner":
                    view = view._replace(plan=Plan(thought=step.thought, decision=step.decision))
                prompt = tokenizer.encode(family.prompt(role, view).text)
                text = "".join(piece.text for piece in _spoken(run, step.id, role))
                target = tokenizer.encode(text)
                steps += nll(model, prompt + target, [IGNORED] * len(prompt) + target)
            once = nll(model, list(sample.ids), sample.labels({role}))
            assert once == pytest.approx(steps, rel=1e-5)


def _spoken(run: Trajectory, step: int, role: str) -> list[Piece]:
    pieces = pieces_of(run.task, run.path())
    return [piece for piece in pieces if piece.step == step and piece.role == role]


def test_all_stages_run_and_the_card_tells_of_them(trio: Path) -> None:
    card = Card.model_validate_json((trio / CARD).read_text())
    assert [stage.name for stage in card.stages] == ["backbone", "planner", "caller", "summarizer"]
    backbone = card.stages[0]
    assert backbone.last_loss < backbone.first_loss - 0.5
    assert backbone.learnt_tokens == sum(stage.learnt_tokens for stage in card.stages[1:])
    assert card.samples == 40
    assert set(card.versions) == {"torch", "transformers", "trl", "peft", "tokenizers"}
    weights = [load_model(trio / name).state_dict() for name in ("backbone", "planner", "caller")]
    changed = [
        any(not torch.equal(weights[0][key], other[key]) for key in weights[0])
        for other in weights[1:]
    ]
    assert changed == [True, True]


def test_half_precision_is_used_where_the_processor_has_it(tmp_path: Path) -> None:
    tokenizer, shape = tmp_path / "tokenizer.json", recipe("single")
    found = samples(tokenizer)
    assert shape.architecture is not None
    model: Any = new_model(shape.architecture, Tokenizer.load(tokenizer).size, shape.context, 0)
    seen = set[torch.dtype]()

    def hear(_: object, __: object, scores: torch.Tensor) -> None:
        if model.training:
            seen.add(scores.dtype)

    model.lm_head.register_forward_hook(hear)
    fit_stage(model, found, shape.global_stage, shape, tokenizer=tokenizer, out=tmp_path)
    quick = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    assert seen == {torch.bfloat16 if quick else torch.float32}


def test_what_is_trained_already_is_not_trained_again(trio: Path) -> None:
    said: list[str] = []
    train(
        samples(trio / "tokenizer.json"),
        recipe("glpft"),
        trio / "tokenizer.json",
        trio,
        callbacks=LineCallbacks(said.append),
    )
    assert said == [
        f"{name}: is there already" for name in ("backbone", "planner", "caller", "summarizer")
    ]


def test_a_killed_run_goes_on_with_the_curve_that_it_would_have_had(tmp_path: Path) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    child = [sys.executable, "-m", "tests.training.killed_run", str(killed)]
    assert subprocess.run(child, cwd=ROOT, check=False, capture_output=True).returncode == -9
    for folder in (whole, killed):
        train(samples(folder / "tokenizer.json"), recipe(), folder / "tokenizer.json", folder)
    curves = [
        json.loads((folder / "backbone/curve.json").read_text()) for folder in (whole, killed)
    ]
    losses = [[(one["step"], one["loss"]) for one in curve if "loss" in one] for curve in curves]
    assert len(losses[0]) == 16
    assert losses[0] == losses[1]


@pytest.mark.anyio
async def test_a_trained_trio_plays_its_roles(trio: Path) -> None:
    models = [model_of(f"local:{trio / role}") for role in TRAINED_ROLES]
    task = next(make_tasks("train", 1)).task()
    move = await ThreeRolePolicy(*models, family=Marked(), sampling=Sampling(max_tokens=20)).move(
        View(task), BudgetTracker()
    )
    assert move.turns[0].role == "planner"
    assert move.turns[0].usage.output_tokens > 0
    assert END_MARK not in move.turns[0].answer.content


@pytest.mark.anyio
async def test_a_local_model_says_what_is_wrong(trio: Path, tmp_path: Path) -> None:
    model = model_of(f"local:{trio / 'planner'}")
    with pytest.raises(ContextOverflow, match="1024"):
        await model.complete(ModelRequest(messages=(UserMessage(content="word " * 2000),)))
    one = ModelRequest(
        messages=(UserMessage(content="<|task|>q<|planner|>"),),
        temperature=0.9,
        seed=3,
        max_tokens=9,
    )
    first, second = await model.complete(one), await model.complete(one)
    assert first.content == second.content
    assert first.usage.output_tokens <= 9
    with pytest.raises(ConfigError, match=r"no tokenizer\.json"):
        model_of(f"local:{tmp_path}")
    (tmp_path / "tokenizer.json").write_text((trio / "tokenizer.json").read_text())
    with pytest.raises(ConfigError, match="holds no model"):
        model_of(f"local:{tmp_path}")


def test_without_reuse_each_kind_of_stage_has_a_half_of_its_own(tmp_path: Path) -> None:
    tokenizer = tmp_path / "tokenizer.json"
    found = samples(tokenizer)
    apart = recipe("glpft").model_copy(update={"reuse": False})
    card = train(found, apart, tokenizer, tmp_path)
    whole = sum(label != IGNORED for one in found[::2] for label in one.labels(TRAINED_ROLES))
    assert 0 < card.stages[0].learnt_tokens <= whole
    shared = {tuple(one.ids) for one in found[::2]} & {tuple(one.ids) for one in found[1::2]}
    assert not shared


def test_at_each_checkpoint_a_stage_tells_what_it_would_write_of_what_it_never_saw(
    tmp_path: Path,
) -> None:
    tokenizer, said = tmp_path / "tokenizer.json", list[str]()
    found = samples(tokenizer)
    kept, held_out = split_held_out(found)
    assert (len(kept), len(held_out)) == (36, 4)
    train(found, recipe(), tokenizer, tmp_path, callbacks=LineCallbacks(said.append))
    looks = [line for line in said if "held-out spans predicted exactly: planner" in line]
    assert len(looks) >= 2
    model = load_model(tmp_path / "backbone")
    shares = exact_matches(model, held_out, TRAINED_ROLES)
    assert set(shares) == set(TRAINED_ROLES)
    assert all(0 <= share <= 1 for share in shares.values())
    one = held_out[0]
    assert [one.role_mask[begin] for _, begin, _ in held_out_spans(one, TRAINED_ROLES)] == [
        role for role, _, _ in held_out_spans(one, TRAINED_ROLES)
    ]


def test_a_machine_that_is_too_small_is_told_so_before_the_first_step(tmp_path: Path) -> None:
    model = new_model(Architecture(width=32, layers=1, heads=2, inner=64), 600, 128, 0)
    check_resources(model, tmp_path)
    with pytest.raises(
        ConfigError, match=r"takes 0\.0 GiB of memory .* 0\.0 GiB are free"
    ) as small:
        check_resources(model, tmp_path, FreeResources(memory=1000, disk=10**12))
    with pytest.raises(ConfigError, match=r"the disk of .* has 0\.0 GiB") as full:
        check_resources(model, tmp_path, FreeResources(memory=10**12, disk=1000))
    assert (small.value.code, full.value.code) == ("memory", "disk")


def test_what_cannot_be_trained_is_refused(trio: Path, tmp_path: Path) -> None:
    tokenizer = trio / "tokenizer.json"
    with pytest.raises(ConfigError, match="must be given"):
        train(samples(tokenizer), paper(), tokenizer, tmp_path)
    silent = [Sample((1, 2, 3), (None, None, None))]
    with pytest.raises(InputError, match="no sample has spans of planner"):
        train(silent, recipe("multi"), tokenizer, tmp_path / "m")
    with pytest.raises(InputError, match="holds no model"):
        train(samples(tokenizer), recipe(), tokenizer, tmp_path / "b", base=tmp_path)


def test_recipes_have_the_papers_numbers() -> None:
    assert (paper().micro_batch, paper().checkpointing) == (1, True)
    stages = paper().stages()
    assert [(one.name, one.learning_rate, one.epochs) for one in stages] == [
        ("backbone", 5e-5, 2),
        ("planner", 1e-5, 1),
        ("caller", 1e-5, 1),
        ("summarizer", 1e-5, 2),
    ]
    assert (paper().batch, paper().context) == (48, 4096)
    for shape in (
        Architecture(width=64, layers=3, heads=1, inner=192),
        Architecture(width=64, layers=4, heads=4, inner=192, induction_init=True),
    ):
        model = cast("Any", new_model(shape, 1000, 512, 0))
        assert shape.parameters(1000) == model.num_parameters()
    assert [one.name for one in small().model_copy(update={"method": "multi"}).stages()] == list(
        TRAINED_ROLES
    )
