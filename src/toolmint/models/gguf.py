"""Convert a GGUF file into a folder of transformers, with its weights in half precision."""

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

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
    where = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    with redirect_stderr(StringIO()):  # bars of progress, which no setting of transformers hides
        tokenizer = cast("Any", AutoTokenizer).from_pretrained(**where)
        model = cast("Any", AutoModelForCausalLM).from_pretrained(**where, dtype=torch.float32)
        # The loaded weights are not quantised any more; transformers saves no model that says it is.
        model.hf_quantizer, model.is_quantized = None, False
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.half().save_pretrained(str(out))
        tokenizer.save_pretrained(str(out))
