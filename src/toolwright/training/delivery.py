"""A trained folder made ready for the runtime without torch: graphs, configurations, one tokenizer."""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from peft import PeftConfig, PeftModel

from toolwright.core.errors import ConfigError, InputError
from toolwright.training.export import export
from toolwright.training.launch import ADAPTER
from toolwright.training.samples import ROLES
from toolwright.training.sft import TOKENIZER, load_model

GRAPH, CONFIG = "decoder.onnx", "config.json"


def deliver(folder: Path, out: Path, *, tell: Callable[[str], None] = lambda _: None) -> None:
    """Export a model's folder, or a trio's: then ``out`` has a folder for each role, adapters merged in.

    Raises:
        ConfigError: the trio's adapters are activated ones, which cannot be merged.
        InputError: the folder holds no Llama decoder or no tokenizer.
    """
    if not (folder / TOKENIZER).is_file():
        raise InputError(
            f"{str(folder)!r} has no {TOKENIZER}, so it holds nothing that was trained here"
        )
    out.mkdir(parents=True, exist_ok=True)
    if not all((folder / role).is_dir() for role in ROLES):
        _one(folder, out)
        tell(f"{folder} is exported")
    for role in ROLES if (folder / ROLES[0]).is_dir() else ():
        if (folder / role / ADAPTER).is_file():
            _merged(folder, role, out / role)
        else:
            _one(folder / role, out / role)
        tell(f"{role} is exported")
    shutil.copy(folder / TOKENIZER, out / TOKENIZER)


def _one(folder: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    export(folder, out / GRAPH)
    shutil.copy(folder / CONFIG, out / CONFIG)


def _merged(folder: Path, role: str, out: Path) -> None:
    """Export the backbone with a role's adapter added into its weights."""
    where = str(folder / role)
    about: Any = cast("Any", PeftConfig).from_pretrained(where)
    if about.alora_invocation_tokens:
        raise ConfigError(
            "activated adapters read their role's words alone and cannot be merged; "
            "train without --activated",
            code="activated",
        )
    model: Any = cast("Any", PeftModel).from_pretrained(load_model(folder / "backbone"), where)
    with TemporaryDirectory() as place:
        model.merge_and_unload().save_pretrained(place)
        _one(Path(place), out)
