"""Convert a GGUF file into a folder of transformers, with its weights in half precision."""

from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from toolmint.core.errors import ConfigError, boundary


def convert_gguf(path: Path, out: Path) -> None:
    """Write the model and the tokenizer of a GGUF file to a folder.

    Raises:
        ConfigError: the package ``gguf`` is missing, or the file's architecture or content is not known.
    """

    def wrong(fault: Exception) -> ConfigError:
        if isinstance(fault, ImportError):
            return ConfigError(
                "reading GGUF files needs the package: pip install gguf", code="extra"
            )
        said = str(fault).strip().splitlines()
        return ConfigError(
            f"{path.name!r} cannot be read as GGUF: {said[0] if said else repr(fault)}", code="base"
        )

    boundary(lambda: _convert(path, out), wrong)


def _convert(path: Path, out: Path) -> None:
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        where = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
        tokenizer = cast("Any", AutoTokenizer).from_pretrained(**where)
        model = cast("Any", AutoModelForCausalLM).from_pretrained(**where, dtype=torch.float32)
    finally:
        if shown:
            logging.enable_progress_bar()
    # The loaded weights are no longer quantised; transformers refuses to save a model that says so.
    model.hf_quantizer, model.is_quantized = None, False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.half().save_pretrained(str(out))
    tokenizer.save_pretrained(str(out))
