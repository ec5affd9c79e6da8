"""Pack a trained adapter for the package: half precision, turns, the name of its base, a card of its data."""

import json
import shutil
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import torch as safetensors

from toolmint.core.base_model import BASE_FILE
from toolmint.core.errors import InputError, boundary
from toolmint.core.turns import TURNS_FILE
from toolmint.training.launch import ADAPTER_CONFIG

WEIGHTS = "adapter_model.safetensors"
_CARD = "card.json"


def bundle_adapter(folder: Path, out: Path, *, base: str, data: dict[str, Any]) -> dict[str, Any]:
    """Write one adapter's folder as the package holds it, without the tokenizer, which is the base's.

    Args:
        folder: of a stage, with ``card.json``.
        out: the folder to write.
        base: name of the base, in place of the path where it lay.
        data: what the card says of the data.

    Returns:
        The card.

    Raises:
        InputError: the folder holds no adapter.
    """
    weights = boundary(
        lambda: cast("Any", safetensors).load_file(str(folder / WEIGHTS)),
        lambda fault: InputError(f"{str(folder)!r} holds no adapter: {fault}"),
    )
    out.mkdir(parents=True, exist_ok=True)
    half = {name: value.to(torch.float16) for name, value in weights.items()}
    cast("Any", safetensors).save_file(half, str(out / WEIGHTS), metadata={"format": "pt"})
    config: dict[str, Any] = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base
    text = json.dumps(config, indent=1, sort_keys=True) + "\n"
    (out / ADAPTER_CONFIG).write_text(text, encoding="utf-8")
    for name in (TURNS_FILE, BASE_FILE):
        shutil.copy(folder / name, out / name)
    run: dict[str, Any] = json.loads((folder.parent / _CARD).read_text(encoding="utf-8"))
    card = {
        "base": base,
        "weights": sum(int(value.numel()) for value in half.values()),
        **{name: run[name] for name in ("recipe", "stages", "samples", "data_digest", "versions")},
        "data": data,
    }
    (out / _CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card
