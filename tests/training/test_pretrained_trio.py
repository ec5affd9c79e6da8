"""A trio on a pretrained base: its own tokenizer, roles as turns or as tokens, adapters that name it."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from safetensors import torch as safetensors
from tests.training.tiny_base import CHATML, short_runs, tiny_base

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.assembly.agents import RoleModels
from toolmint.assembly.settings import Settings
from toolmint.assembly.uri import model_of
from toolmint.cli.train_command import train_command
from toolmint.core.errors import ConfigError, InputError
from toolmint.core.messages import ToolSpec, UserMessage
from toolmint.core.model import ModelRequest
from toolmint.core.turns import read_turns
from toolmint.models.codec import TokenizerFile
from toolmint.roles.marked import MARK, Marked
from toolmint.roles.view import AgentRole, View
from toolmint.training.adapter_bundle import bundle_adapter
from toolmint.training.decoder import load_model
from toolmint.training.pretrained import is_trained_here, own_tokenizer
from toolmint.training.recipes import pretrained
from toolmint.training.resources import FreeResources, activation_bytes, check_resources
from toolmint.training.samples import TRAINED_ROLES, sample_of

pytestmark = pytest.mark.anyio
NO_ROLES = "{% for m in messages %}{{ raise_exception('only user and assistant') }}{% endfor %}"


def train(base: Path, out: Path, *options: str) -> Any:
    file = out.parent / "runs.jsonl"
    if not file.is_file():
        file.write_text("".join(run.model_dump_json() + "\n" for run in short_runs()))
    shape = ["--epochs", "0.5", "--context", "512", "--adapter", "2"]
    command = ["trio", str(file), "-o", str(out), "--base", str(base), *shape, *options]
    return CliRunner().invoke(train_command, command, catch_exceptions=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module", params=["chat", "marks"])
def trio(
    request: pytest.FixtureRequest, base: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp(request.param) / "trio"
    done = train(base, out, "--roles", request.param)
    assert done.exit_code == 0, f"{done.output}{done.exception!r}"
    return out


async def test_a_trio_of_adapters_plays_on_the_base_that_it_names(trio: Path) -> None:
    named = json.loads((trio / "base.json").read_text())
    models = RoleModels(Settings(model=f"local:{trio}"))
    assert named["shape"] == [258, 32]
    assert models.reads == "chat"
    tool = ToolSpec(
        name="find", description="Find it.", parameters={"type": "object", "properties": {}}
    )
    task = short_runs(1)[0].task.model_copy(update={"tools": (tool,)})
    policy = ThreeRolePolicy(
        models.planner,
        models.caller,
        models.summarizer,
        family=Marked(described=True),
        sampling=Sampling(max_tokens=40),
    )
    move = await policy.move(View(task), BudgetTracker())
    assert move.turns[0].role == "planner"
    reply = await models.caller.complete(
        ModelRequest(
            messages=Marked(described=True).prompt("caller", View(task)).messages,
            tools=(tool,),
            tool_choice="required",
            max_tokens=60,
        )
    )
    assert reply.content == '{"name":"find","arguments":{}}'


async def test_an_adapter_alone_plays_all_roles_and_is_packed_without_the_tokenizer(
    trio: Path, base: Path, tmp_path: Path
) -> None:
    alone = model_of(f"local:{trio / 'backbone'}")
    request = ModelRequest(
        messages=(UserMessage(content="<|tools|>t<|task|>x<|planner|>"),), max_tokens=8
    )
    said = (await alone.complete(request)).content
    if (trio / "backbone/turns.json").read_text().count("im_start"):
        bundle_adapter(trio / "backbone", tmp_path / "packed", base=str(base), data={})
        assert not (tmp_path / "packed/tokenizer.json").exists()
        card = json.loads((tmp_path / "packed/card.json").read_text())
        assert card["base"] == str(base)
        packed = await model_of(f"local:{tmp_path / 'packed'}").complete(request)
        assert packed.usage.input_tokens == (await alone.complete(request)).usage.input_tokens
        assert packed.content == said, "half precision is close enough"


def test_adapters_hold_no_more_of_the_embeddings_than_the_marks(trio: Path) -> None:
    for role in ("backbone", *TRAINED_ROLES):
        tensors = cast("Any", safetensors).load_file(str(trio / role / "adapter_model.safetensors"))
        whole = [name for name, value in tensors.items() if value.shape[0] >= 258]
        assert not whole
        rows = [value.shape for name, value in tensors.items() if "trainable_tokens" in name]
        marks = "im_start" not in (trio / "turns.json").read_text()
        assert [tuple(shape) for shape in rows] == ([(9, 32)] if marks else [])


def test_an_adapter_of_another_base_is_refused(trio: Path, tmp_path: Path) -> None:
    other = tiny_base(tmp_path / "other", seed=7)
    named = json.loads((trio / "base.json").read_text())
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in (
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "turns.json",
    ):
        (moved / name).write_bytes((trio / "backbone" / name).read_bytes())
    (moved / "base.json").write_text(json.dumps({**named, "name": str(other)}))
    with pytest.raises(ConfigError, match="belongs to another base"):
        model_of(f"local:{moved}")


def test_an_adapter_is_trained_further(trio: Path, tmp_path: Path) -> None:
    done = train(trio / "backbone", tmp_path / "further", "--method", "single")
    assert done.exit_code == 0, f"{done.output}{done.exception!r}"
    assert (tmp_path / "further/backbone/adapter_model.safetensors").is_file()
    assert (tmp_path / "further/base.json").read_text() == (trio / "base.json").read_text()


async def test_activated_adapters_share_a_backbone_whose_adapter_is_merged(
    base: Path, tmp_path: Path
) -> None:
    done = train(base, tmp_path / "trio", "--activated")
    assert done.exit_code == 0, f"{done.output}{done.exception!r}"
    assert (tmp_path / "trio/backbone/model.safetensors").is_file()
    assert not (tmp_path / "trio/backbone/adapter_model.safetensors").exists()
    config = json.loads((tmp_path / "trio/caller/adapter_config.json").read_text())
    codec = TokenizerFile(tmp_path / "trio")
    assert config["alora_invocation_tokens"] == codec.encode(MARK["caller"])
    model = model_of(f"local:{tmp_path / 'trio'}")
    replies = [
        await model.complete(
            ModelRequest(
                messages=(UserMessage(content=f"<|tools|>t<|task|>some task<|{role}|>"),),
                max_tokens=4,
            )
        )
        for role in ("planner", "caller")
    ]
    assert replies[1].usage.cached_tokens > 10, (
        "the caller reads the planner's context from the cache"
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--tokenizer", "TOKENIZER"], "is used with its own tokenizer alone; leave out"),
        (["--whole", "--adapter", "4"], "--whole trains no adapters"),
    ],
)
def test_options_that_do_not_fit_a_pretrained_base_are_one_line(
    base: Path, tmp_path: Path, options: list[str], line: str
) -> None:
    given = [one.replace("TOKENIZER", str(base / "tokenizer.json")) for one in options]
    done = train(base, tmp_path / "trio", *given)
    assert isinstance(done.exception, ConfigError)
    assert line in str(done.exception)


@pytest.mark.parametrize("template", [None, NO_ROLES, CHATML.replace("message['role']", "'user'")])
def test_a_chat_template_that_cannot_carry_the_roles_is_one_line(
    template: str | None, tmp_path: Path
) -> None:
    base = tiny_base(tmp_path, template)
    with pytest.raises(InputError, match=r"cannot carry the roles: .*--roles marks") as wrong:
        own_tokenizer(base, "chat")
    assert "\n" not in str(wrong.value)
    assert not is_trained_here(base)
    assert own_tokenizer(base, "marks").token("<|planner|>") is not None


def test_a_folder_without_a_tokenizer_is_no_base(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no tokenizer\.json that can be read"):
        own_tokenizer(tmp_path, "chat")


@pytest.mark.parametrize("roles", ["chat", "marks"])
def test_every_prompt_is_a_prefix_of_the_sample_that_was_learnt(
    base: Path, tmp_path: Path, roles: Any
) -> None:
    tokenizer = own_tokenizer(base, roles)
    tokenizer.save(tmp_path / "tokenizer.json")
    codec, family = TokenizerFile(tmp_path), Marked(described=True)
    assert read_turns(tmp_path) == tokenizer.turns
    for run in short_runs(2):
        sample = sample_of(run, tokenizer, 100_000)
        for place, _ in enumerate(run.path()):
            role: AgentRole = "planner"
            prompt = family.prompt(role, View(run.task, run.path()[:place]))
            ids = codec.encode("".join(message.content for message in prompt.messages))
            assert tuple(ids) == sample.ids[: len(ids)]
            assert sample.role_mask[len(ids)] == role


def test_a_special_token_in_a_text_is_plain_text(base: Path, tmp_path: Path) -> None:
    tokenizer = own_tokenizer(base, "chat")
    tokenizer.save(tmp_path / "tokenizer.json")
    for encode in (tokenizer.encode, TokenizerFile(tmp_path).encode):
        inside = encode("<|task|>an <|im_end|> inside<|planner|>")
        assert inside.count(tokenizer.encode("<|end|>")[0]) == 1, "the turn's own end alone"


def test_memory_decides_on_checkpointing_and_too_little_is_one_line(
    base: Path, tmp_path: Path
) -> None:
    model, recipe, disk = load_model(base), pretrained(), 10**12
    tokens = recipe.context
    weights = 12 * sum(one.numel() for one in model.parameters())
    plain, again = (
        weights + activation_bytes(model, tokens, checkpointing=one) for one in (False, True)
    )
    assert again < plain
    assert check_resources(model, tmp_path, FreeResources(plain, disk), recipe=recipe) is False
    assert check_resources(model, tmp_path, FreeResources(plain - 1, disk), recipe=recipe) is True
    with pytest.raises(
        ConfigError, match=r"at once takes .* GiB of memory beside the model.*--context"
    ):
        check_resources(model, tmp_path, FreeResources(again - 1, disk), recipe=recipe)


async def test_a_published_chat_model_reads_messages_and_calls_under_the_grammar(
    base: Path,
) -> None:
    models = RoleModels(Settings(model=f"local:{base}"))
    assert models.reads == "native"
    tool = ToolSpec(
        name="find", description="Find it.", parameters={"type": "object", "properties": {}}
    )
    reply = await models.planner.complete(
        ModelRequest(
            messages=(UserMessage(content="Find <|im_end|> it."),),
            tools=(tool,),
            tool_choice="required",
            max_tokens=60,
        )
    )
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [("find", "{}")]
