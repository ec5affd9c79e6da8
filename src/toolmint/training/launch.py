"""Train and serve beyond one process: configurations of accelerate, commands of vLLM."""

import json
import shlex
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from toolmint.core.errors import ConfigError, boundary
from toolmint.training.samples import TRAINED_ROLES

ClusterKind = Literal["zero3", "fsdp"]
RAW_CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
"""The chat template of the ``marked`` family, whose messages are parts of one text."""
ADAPTER_CONFIG = "adapter_config.json"
_ACCELERATE: dict[ClusterKind, dict[str, Any]] = {
    "zero3": {
        "distributed_type": "DEEPSPEED",
        "mixed_precision": "bf16",
        "use_cpu": False,
        "deepspeed_config": {
            "zero_stage": 3,
            "offload_optimizer_device": "none",
            "offload_param_device": "none",
            "zero3_init_flag": False,
            "zero3_save_16bit_model": True,
            "gradient_clipping": 1.0,
            "deepspeed_multinode_launcher": "standard",
        },
    },
    "fsdp": {
        "distributed_type": "FSDP",
        "mixed_precision": "bf16",
        "use_cpu": False,
        "fsdp_config": {
            "fsdp_version": 2,
            "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_reshard_after_forward": True,
            "fsdp_offload_params": False,
            "fsdp_cpu_ram_efficient_loading": True,
            "fsdp_state_dict_type": "FULL_STATE_DICT",
            "fsdp_activation_checkpointing": False,
        },
    },
}


def cluster_config(
    kind: ClusterKind,
    processes: int,
    machines: int = 1,
    *,
    ip: str = "127.0.0.1",
    port: int = 29500,
) -> str:
    """Return the configuration of ``accelerate launch`` as JSON.

    Args:
        kind: ``zero3`` (DeepSpeed ZeRO-3) or ``fsdp`` (PyTorch FSDP 2).
        processes: in total over all machines, one a GPU.
        machines: each one gets its ``--machine_rank`` at launch.
        ip: of the first machine.
        port: of the first machine.

    Raises:
        ConfigError: the number of processes is no multiple of the number of machines.
    """
    if machines < 1 or processes < machines or processes % machines:
        raise ConfigError(
            f"{processes} processes cannot be shared evenly among {machines} machines",
            code="cluster",
        )
    shape = {
        "compute_environment": "LOCAL_MACHINE",
        "debug": False,
        "num_processes": processes,
        "num_machines": machines,
        "machine_rank": 0,
        "main_process_ip": ip,
        "main_process_port": port,
        "rdzv_backend": "static",
        "same_network": True,
        "main_training_function": "main",
        **_ACCELERATE[kind],
    }
    return json.dumps(shape, indent=1)


class ServingPlan(NamedTuple):
    """Shell commands that start vLLM, and environment variables that point toolmint at it."""

    lines: tuple[str, ...]
    environment: dict[str, str]


def vllm_commands(folder: Path, template: Path, port: int = 8000) -> ServingPlan:
    """Return the commands that serve a trio: one server with three LoRAs, or one server for each model.

    Args:
        folder: written by ``train trio``.
        template: file that holds ``RAW_CHAT_TEMPLATE``.
        port: of the first server; others follow.

    Raises:
        ConfigError: the folder holds no trio, or its adapters are activated ones, which vLLM cannot load.
    """
    if (folder / TRAINED_ROLES[0] / ADAPTER_CONFIG).is_file():
        return _adapter_server(folder, template, port)
    if all((folder / role / "config.json").is_file() for role in TRAINED_ROLES):
        return _model_servers(folder, template, port)
    raise ConfigError(
        f"{str(folder)!r} holds no trio; 'toolmint train trio' makes one with --method glpft or multi",
        code="model-folder",
    )


def _adapter_server(folder: Path, template: Path, port: int) -> ServingPlan:
    configs: dict[str, dict[str, Any]] = {
        role: _read(folder / role / ADAPTER_CONFIG) for role in TRAINED_ROLES
    }
    if any(one.get("alora_invocation_tokens") for one in configs.values()):
        raise ConfigError(
            "vLLM refuses activated adapters; train without --activated, or play with --model local:",
            code="activated",
        )
    base = folder / "backbone"
    backbone = base if base.is_dir() else Path(str(configs["planner"]["base_model_name_or_path"]))
    rank = max(int(one["r"]) for one in configs.values())
    modules = [f"{role}={folder / role}" for role in TRAINED_ROLES]
    line = [
        "vllm",
        "serve",
        str(backbone),
        "--enable-lora",
        "--max-lora-rank",
        str(max(8, rank)),
        "--lora-modules",
        *modules,
        "--chat-template",
        str(template),
        "--port",
        str(port),
        "--enable-prefix-caching",
    ]
    address = f"?base_url=http://127.0.0.1:{port}/v1"
    return ServingPlan((shlex.join(line),), _environment(dict.fromkeys(TRAINED_ROLES, address)))


def _model_servers(folder: Path, template: Path, port: int) -> ServingPlan:
    lines: list[str] = []
    addresses: dict[str, str] = {}
    for number, role in enumerate(TRAINED_ROLES):
        lines.append(
            shlex.join(
                [
                    "vllm",
                    "serve",
                    str(folder / role),
                    "--served-model-name",
                    role,
                    "--chat-template",
                    str(template),
                    "--port",
                    str(port + number),
                    "--enable-prefix-caching",
                ]
            )
        )
        addresses[role] = f"?base_url=http://127.0.0.1:{port + number}/v1"
    return ServingPlan(tuple(lines), _environment(addresses))


def _environment(addresses: dict[str, str]) -> dict[str, str]:
    return {
        f"TOOLMINT_{role.upper()}_MODEL": f"openai:{role}{at}" for role, at in addresses.items()
    }


def _read(path: Path) -> dict[str, Any]:
    found: object = boundary(
        lambda: json.loads(path.read_text(encoding="utf-8")),
        lambda fault: ConfigError(f"{str(path)!r} cannot be read: {fault}", code="model-folder"),
    )
    return cast("dict[str, Any]", found)
