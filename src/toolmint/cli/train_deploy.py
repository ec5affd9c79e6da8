"""``toolmint train cluster``, ``train serve`` and ``train export``: many processes, vLLM, ONNX."""

from pathlib import Path
from typing import cast

import click

from toolmint.cli.common import say
from toolmint.core.errors import ConfigError


@click.command("cluster")
@click.argument("kind", type=click.Choice(["zero3", "fsdp"]))
@click.option("--processes", type=click.IntRange(1), required=True, help="In all, one a GPU.")
@click.option("--machines", type=click.IntRange(1), default=1, show_default=True)
@click.option("--ip", default="127.0.0.1", show_default=True, help="Of the first machine.")
@click.option("--port", type=click.IntRange(1, 65535), default=29500, show_default=True)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The .json to write."
)
def train_cluster(
    *, kind: str, processes: int, machines: int, ip: str, port: int, output: Path
) -> None:
    """Write a configuration of accelerate for many processes, and print the command that uses it.

    zero3 is DeepSpeed's (pip install deepspeed), fsdp PyTorch's own. Processes without a GPU need no
    configuration: torchrun --nproc-per-node N -m toolmint.cli.main train trio ...
    """
    from toolmint.training.launch import ClusterKind, cluster_config

    if output.suffix != ".json":
        raise ConfigError(f"accelerate reads JSON from a .json file, not from {output.name!r}")
    text = cluster_config(cast("ClusterKind", kind), processes, machines, ip=ip, port=port)
    output.write_text(text, encoding="utf-8")
    rank = " --machine_rank N" if machines > 1 else ""
    line = f"accelerate launch --config_file {output}{rank} -m toolmint.cli.main train trio"
    click.echo(f"{line} RUNS.jsonl -o TRIO --recipe paper --base MODEL")


@click.command("serve")
@click.argument("trio", type=click.Path(path_type=Path, file_okay=False))
@click.option("--port", type=click.IntRange(1, 65533), default=8000, show_default=True)
def train_serve(*, trio: Path, port: int) -> None:
    """Print the commands that serve a TRIO with vLLM, and the variables that point toolmint at it.

    Adapters share one server, full models have one each. The chat template is written to the trio's folder.
    """
    from toolmint.training.launch import RAW_CHAT_TEMPLATE, vllm_commands

    found = vllm_commands(trio, trio / "marked.jinja", port)
    (trio / "marked.jinja").write_text(RAW_CHAT_TEMPLATE, encoding="utf-8")
    for line in found.lines:
        click.echo(line)
    for name, value in found.environment.items():
        click.echo(f"export {name}='{value}'")
    click.echo("toolmint eval toolworld --family marked")


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The folder to write."
)
def export_model(*, folder: Path, output: Path) -> None:
    """Export a trained FOLDER (a model or a trio) for the torch-free runtime; adapters are merged."""
    try:
        from toolmint.training.bundle import export_bundle
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "exporting needs the extra: pip install 'toolmint[train]'", code="extra"
        ) from fault
    export_bundle(folder, output, notify=say)
    say(f"play with: toolmint eval toolworld --model onnx:{output}")
