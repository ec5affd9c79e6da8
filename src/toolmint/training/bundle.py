"""Export a trained folder for the torch-free runtime: ONNX graphs, configurations and the tokenizer."""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from peft import PeftConfig, PeftModel

from toolmint.core.errors import ConfigError, InputError
from toolmint.training.decoder import TOKENIZER_FILE, load_model
from toolmint.training.export import export
from toolmint.training.launch import ADAPTER_CONFIG
from toolmint.training.samples import TRAINED_ROLES

GRAPH_FILE, _CONFIG_FILE = "decoder.onnx", "config.json"


def export_bundle(
    folder: Path, out: Path, *, notify: Callable[[str], None] = lambda _: None
) -> None:
    """Export the folder of one model or of a trio.

    For a trio, ``out`` gets a folder for each role, with LoRA adapters merged into the weights.

    Args:
        folder: the trained folder, with its ``tokenizer.json``.
        out: the folder to write.
        notify: receives one line for each exported model.

    Raises:
        ConfigError: the adapters are activated ones, which cannot be merged.
        InputError: the folder holds no Llama decoder or no tokenizer.
    """
    if not (folder / TOKENIZER_FILE).is_file():
        raise InputError(
            f"{str(folder)!r} has no {TOKENIZER_FILE}, so it holds nothing that was trained here"
        )
    out.mkdir(parents=True, exist_ok=True)
    if not all((folder / role).is_dir() for role in TRAINED_ROLES):
        _export_model(folder, out)
        notify(f"{folder} is exported")
    for role in TRAINED_ROLES if (folder / TRAINED_ROLES[0]).is_dir() else ():
        if (folder / role / ADAPTER_CONFIG).is_file():
            _export_merged(folder, role, out / role)
        else:
            _export_model(folder / role, out / role)
        notify(f"{role} is exported")
    shutil.copy(folder / TOKENIZER_FILE, out / TOKENIZER_FILE)


def _export_model(folder: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    export(folder, out / GRAPH_FILE)
    shutil.copy(folder / _CONFIG_FILE, out / _CONFIG_FILE)


def _export_merged(folder: Path, role: str, out: Path) -> None:
    """Export the backbone with a role's adapter merged into its weights."""
    where = str(folder / role)
    config: Any = cast("Any", PeftConfig).from_pretrained(where)
    if config.alora_invocation_tokens:
        raise ConfigError(
            # Merged weights would apply to the context too, which an activated adapter never sees.
            "activated adapters apply to their role's spans alone and cannot be merged; "
            "train without --activated",
            code="activated",
        )
    model: Any = cast("Any", PeftModel).from_pretrained(load_model(folder / "backbone"), where)
    with TemporaryDirectory() as place:
        model.merge_and_unload().save_pretrained(place)
        _export_model(Path(place), out)
