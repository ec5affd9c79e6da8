"""Beyond one process: accelerate's configurations, two processes for real, vLLM's lines."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import jinja2
import pytest
from accelerate.commands.config import config_args  # pyright: ignore[reportMissingTypeStubs]
from click.testing import CliRunner
from tests.training.small_run import recipe, samples

from toolmint.cli.main import toolmint
from toolmint.core.errors import ConfigError
from toolmint.roles.marked import Marked
from toolmint.roles.view import View
from toolmint.training.glpft import CARD, Card, train
from toolmint.training.launch import RAW_CHAT_TEMPLATE, ClusterKind, cluster_config, vllm_commands
from toolmint.world.generate import make_tasks

ROOT = Path(__file__).parents[2]


def read_by_accelerate(path: Path) -> Any:
    return cast("Any", config_args).load_config_from_file(str(path))


@pytest.mark.parametrize(("kind", "known"), [("zero3", "DEEPSPEED"), ("fsdp", "FSDP")])
def test_accelerate_reads_every_configuration(
    tmp_path: Path, kind: ClusterKind, known: str
) -> None:
    path = tmp_path / "cluster.json"
    path.write_text(cluster_config(kind, 16, 2, ip="10.0.0.1", port=1234))
    read = read_by_accelerate(path)
    assert (read.distributed_type.value, read.num_processes, read.num_machines) == (known, 16, 2)
    assert (read.main_process_ip, read.main_process_port) == ("10.0.0.1", 1234)
    if kind == "zero3":
        assert read.deepspeed_config["zero_stage"] == 3


def test_processes_that_cannot_be_shared_evenly_are_refused() -> None:
    with pytest.raises(ConfigError, match="3 processes cannot be shared evenly among 2 machines"):
        cluster_config("fsdp", 3, 2)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        samples(folder / "tokenizer.json")
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    run = [*launch, "--master-port", "29517", "-m", "tests.training.spread_run", str(two)]
    done = subprocess.run(run, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    train(samples(one / "tokenizer.json"), recipe(), one / "tokenizer.json", one)
    cards = [Card.model_validate_json((folder / CARD).read_text()) for folder in (one, two)]
    assert [card.processes for card in cards] == [1, 2]
    first, second = (card.stages[0] for card in cards)
    assert second.steps == first.steps
    assert second.first_loss == pytest.approx(first.first_loss, rel=0.02)
    assert second.last_loss == pytest.approx(first.last_loss, rel=0.1)


def adapters(folder: Path, **given: Any) -> Path:
    for role in ("planner", "caller", "summarizer"):
        (folder / role).mkdir()
        about = {"r": 16, "base_model_name_or_path": "some/base", **given}
        (folder / role / "adapter_config.json").write_text(json.dumps(about))
    return folder


def test_vllm_serves_adapters_from_one_server(tmp_path: Path) -> None:
    done = CliRunner().invoke(toolmint, ["train", "serve", str(adapters(tmp_path))])
    assert done.exit_code == 0, done.output
    line, *names = done.output.splitlines()
    assert line.startswith(
        "vllm serve some/base --enable-lora --max-lora-rank 16 --lora-modules planner="
    )
    assert "export TOOLMINT_CALLER_MODEL='openai:caller?base_url=http://127.0.0.1:8000/v1'" in names
    task = next(make_tasks("unseen", 1)).task()
    prompt = Marked(send_tools=False).prompt("planner", View(task))
    template = jinja2.Environment(autoescape=False).from_string(
        (tmp_path / "marked.jinja").read_text()
    )
    messages = [{"role": one.role, "content": one.content} for one in prompt.messages]
    assert template.render(messages=messages) == prompt.text
    assert not prompt.tools


def test_vllm_serves_whole_models_one_by_one_and_no_activated_adapters(tmp_path: Path) -> None:
    whole, lit = tmp_path / "whole", tmp_path / "lit"
    for role in ("planner", "caller", "summarizer"):
        (whole / role).mkdir(parents=True)
        (whole / role / "config.json").write_text("{}")
    found = vllm_commands(whole, whole / "raw.jinja", 9000)
    assert [line.split("--port ")[1].split()[0] for line in found.lines] == ["9000", "9001", "9002"]
    lit.mkdir()
    with pytest.raises(ConfigError, match="vLLM refuses activated adapters"):
        vllm_commands(adapters(lit, alora_invocation_tokens=[7]), lit / "raw.jinja")
    with pytest.raises(ConfigError, match="holds no trio"):
        vllm_commands(tmp_path, tmp_path / "raw.jinja")
    assert "message" in RAW_CHAT_TEMPLATE


def test_the_command_writes_what_accelerate_reads(tmp_path: Path) -> None:
    path = tmp_path / "zero3.json"
    call = ["train", "cluster", "zero3", "--processes", "8", "-o", str(path)]
    done = CliRunner().invoke(toolmint, call)
    assert done.exit_code == 0, done.output
    assert f"accelerate launch --config_file {path} -m toolmint.cli.main train trio" in done.output
    assert read_by_accelerate(path).num_processes == 8
