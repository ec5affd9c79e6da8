"""How a trio is trained and served beyond one process: accelerate's configurations, vLLM's lines."""

import json
import shlex
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from toolwright.core.errors import ConfigError, boundary
from toolwright.training.samples import ROLES

Cluster = Literal["zero3", "fsdp"]
RAW = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
"""The chat template of the ``marked`` family: messages are one text already."""
ADAPTER = "adapter_config.json"
_KIND: dict[Cluster, dict[str, Any]] = {
    "zero3": {
        "distributed_type": "DEEPSPEED", "mixed_precision": "bf16", "use_cpu": False,
        "deepspeed_config": {
            "zero_stage": 3, "offload_optimizer_device": "none", "offload_param_device": "none",
            "zero3_init_flag": False, "zero3_save_16bit_model": True, "gradient_clipping": 1.0,
            "deepspeed_multinode_launcher": "standard",
        },
    },
    "fsdp": {
        "distributed_type": "FSDP", "mixed_precision": "bf16", "use_cpu": False,
        "fsdp_config": {
            "fsdp_version": 2, "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_reshard_after_forward": True, "fsdp_offload_params": False,
            "fsdp_cpu_ram_efficient_loading": True, "fsdp_state_dict_type": "FULL_STATE_DICT",
            "fsdp_activation_checkpointing": False,
        },
    },
}  # fmt: skip


def cluster_config(
    kind: Cluster, processes: int, machines: int = 1, *, ip: str = "127.0.0.1", port: int = 29500
) -> str:
    """Give the configuration of ``accelerate launch`` as JSON.

    Args:
        kind: DeepSpeed ZeRO-3, or PyTorch FSDP 2.
        processes: in all, over every machine (one a GPU).
        machines: each is given ``--machine_rank`` at its own launch.
        ip: of the first machine.
        port: of the first machine.

    Raises:
        ConfigError: the processes cannot be shared evenly among the machines.
    """
    if machines < 1 or processes < machines or processes % machines:
        raise ConfigError(
            f"{processes} processes cannot be shared evenly among {machines} machines",
            code="cluster",
        )
    shape = {
        "compute_environment": "LOCAL_MACHINE", "debug": False, "num_processes": processes,
        "num_machines": machines, "machine_rank": 0, "main_process_ip": ip, "main_process_port": port,
        "rdzv_backend": "static", "same_network": True, "main_training_function": "main",
        **_KIND[kind],
    }  # fmt: skip
    return json.dumps(shape, indent=1)


class Serving(NamedTuple):
    """How vLLM serves a trio: the lines that start it, and the environment that toolwright needs for it."""

    lines: tuple[str, ...]
    environment: dict[str, str]


def serving(folder: Path, template: Path, port: int = 8000) -> Serving:
    """Give vLLM's lines for a trio's folder: one server with a LoRA a role, or one server a whole model.

    Args:
        folder: of ``train trio``.
        template: the file of ``RAW``.
        port: of the first server.

    Raises:
        ConfigError: the folder holds no trio, or its adapters are activated ones, which vLLM refuses.
    """
    if (folder / ROLES[0] / ADAPTER).is_file():
        return _adapters(folder, template, port)
    if all((folder / role / "config.json").is_file() for role in ROLES):
        return _models(folder, template, port)
    raise ConfigError(
        f"{str(folder)!r} holds no trio; 'toolwright train trio' makes one with --method glpft or multi",
        code="model-folder",
    )


def _adapters(folder: Path, template: Path, port: int) -> Serving:
    about: dict[str, dict[str, Any]] = {role: _read(folder / role / ADAPTER) for role in ROLES}
    if any(one.get("alora_invocation_tokens") for one in about.values()):
        raise ConfigError(
            "vLLM refuses activated adapters; train without --activated, or play with --model local:",
            code="activated",
        )
    base = folder / "backbone"
    trunk = base if base.is_dir() else Path(str(about["planner"]["base_model_name_or_path"]))
    rank = max(int(one["r"]) for one in about.values())
    modules = [f"{role}={folder / role}" for role in ROLES]
    line = ["vllm", "serve", str(trunk), "--enable-lora", "--max-lora-rank", str(max(8, rank)),
            "--lora-modules", *modules, "--chat-template", str(template), "--port", str(port),
            "--enable-prefix-caching"]  # fmt: skip
    address = f"?base_url=http://127.0.0.1:{port}/v1"
    return Serving((shlex.join(line),), _environment(dict.fromkeys(ROLES, address)))


def _models(folder: Path, template: Path, port: int) -> Serving:
    lines: list[str] = []
    addresses: dict[str, str] = {}
    for number, role in enumerate(ROLES):
        lines.append(
            shlex.join(
                ["vllm", "serve", str(folder / role), "--served-model-name", role, "--chat-template",
                 str(template), "--port", str(port + number), "--enable-prefix-caching"]
            )
        )  # fmt: skip
        addresses[role] = f"?base_url=http://127.0.0.1:{port + number}/v1"
    return Serving(tuple(lines), _environment(addresses))


def _environment(addresses: dict[str, str]) -> dict[str, str]:
    return {
        f"TOOLWRIGHT_{role.upper()}_MODEL": f"openai:{role}{at}" for role, at in addresses.items()
    }


def _read(path: Path) -> dict[str, Any]:
    found: object = boundary(
        lambda: json.loads(path.read_text(encoding="utf-8")),
        lambda fault: ConfigError(f"{str(path)!r} cannot be read: {fault}", code="model-folder"),
    )
    return cast("dict[str, Any]", found)
