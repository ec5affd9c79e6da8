"""Run models of a folder with transformers: single models, trios of models, trios of adapters.

A trio's folder has a folder for each role, with a full model or a LoRA adapter, and ``backbone``. Prompts are
one raw text (the ``marked`` family, or ``chat`` for pretrained models); the mark at its end selects the role.
Adapters on a pretrained model name it in ``base.json``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from toolmint.core.base_model import read_base
from toolmint.core.errors import ConfigError, boundary
from toolmint.models.chat_text import ChatModel, has_chat_template, template_writer
from toolmint.models.codec import TokenizerFile
from toolmint.models.copy_constraint import is_copy_constrained
from toolmint.models.decoding import ROLE_NAMES, PrefixCache, Writer
from toolmint.models.grammar import CallGrammars
from toolmint.models.hub import folder_of
from toolmint.models.pretrained import check_base
from toolmint.models.text_model import DecoderModel
from toolmint.models.torch_decoder import TorchDecoder

_BACKBONE = "backbone"
_ADAPTER = "adapter_config.json"
BaseFolder = Callable[[str], Path]
"""Returns the folder of a base by its name, fetched where it is not there."""


def load_decoder(folder: Path) -> Any:  # noqa: ANN401 - any architecture
    """Return a folder's causal model: on a GPU in the stored precision, on a CPU in float32.

    Raises:
        ConfigError: the folder holds no model.
    """
    gpu = torch.cuda.is_available()
    return boundary(
        lambda: (
            cast("Any", AutoModelForCausalLM)
            .from_pretrained(str(folder), dtype="auto" if gpu else torch.float32)
            .to("cuda" if gpu else "cpu")
            .eval()
        ),
        lambda fault: ConfigError(
            f"{str(folder)!r} holds no model: {str(fault).splitlines()[0]}", code="model-folder"
        ),
    )


def _with_adapter(model: Any, folder: Path, role: str) -> Any:  # noqa: ANN401
    """Return a model with the adapter of a folder loaded in addition."""

    def adapted() -> Any:  # noqa: ANN401
        if isinstance(model, PeftModel):
            cast("Any", model).load_adapter(str(folder), adapter_name=role)
            return model
        return cast("Any", PeftModel).from_pretrained(model, str(folder), adapter_name=role)

    def wrong(fault: Exception) -> ConfigError:
        said = f"the adapter of {str(folder)!r} does not fit the model of its base"
        return ConfigError(f"{said}: {str(fault).splitlines()[0]}", code="model-folder")

    return boundary(adapted, wrong)


class _Loaded(NamedTuple):
    """Loaded models; ``plain`` serves prompts that end with no role's mark, ``roles`` the others by mark."""

    plain: Writer
    roles: dict[str, Writer]
    model: Any
    end: int


def _pretrained(folder: Path, base_of: BaseFolder) -> Path | None:
    """Return the folder of the pretrained base that a folder's adapters name; None: they name none."""
    named = read_base(folder)
    if named is None:
        return None
    there = base_of(named.name)
    check_base(named, there, folder)
    return there


def _base(folder: Path, codec: TokenizerFile, there: Path | None) -> Any:  # noqa: ANN401
    """Return the model that a folder's adapters change: the pretrained one, or its own backbone."""
    model = load_decoder(there or folder / _BACKBONE)
    if there is not None and codec.size > int(model.config.vocab_size):
        # The rows of added marks come with the adapters.
        model.resize_token_embeddings(codec.size, mean_resizing=False)
    return model


def _end_of(model: Any, codec: TokenizerFile, folder: Path) -> int:  # noqa: ANN401 - any architecture
    if codec.end is not None:
        return codec.end
    end: object = model.config.eos_token_id
    if not isinstance(end, int):
        raise ConfigError(f"the model of {str(folder)!r} names no end token", code="model-folder")
    return end


def _load_adapters(folder: Path, codec: TokenizerFile, there: Path | None) -> _Loaded:
    """Load a base with an adapter for each role; writers of activated adapters share the prefix cache."""
    model = _base(folder, codec, there)
    end = _end_of(model, codec, folder)
    plain = None
    if (folder / _BACKBONE / _ADAPTER).is_file():
        model = _with_adapter(model, folder / _BACKBONE, _BACKBONE)
        plain = Writer(TorchDecoder(model, _BACKBONE), end)
    for role in ROLE_NAMES:
        model = _with_adapter(model, folder / role, role)
    model.eval()
    shared = PrefixCache(TorchDecoder(model))
    roles: dict[str, Writer] = {}
    for role in ROLE_NAMES:
        activated = bool(model.peft_config[role].alora_invocation_tokens)
        roles[f"<|{role}|>"] = Writer(
            TorchDecoder(model, role),
            end,
            shared if activated else None,
            activated=activated,
            mark=len(codec.encode(f"<|{role}|>")),
        )
    return _Loaded(plain or Writer(TorchDecoder(model.get_base_model()), end), roles, model, end)


def _load_models(folder: Path, codec: TokenizerFile) -> _Loaded:
    """Load a whole model for each role."""
    models = {role: load_decoder(folder / role) for role in ROLE_NAMES}
    ends = {role: _end_of(model, codec, folder / role) for role, model in models.items()}
    roles = {
        f"<|{role}|>": Writer(TorchDecoder(model), ends[role]) for role, model in models.items()
    }
    first = ROLE_NAMES[0]
    return _Loaded(roles[f"<|{first}|>"], roles, models[first], ends[first])


def _load(folder: Path, codec: TokenizerFile, there: Path | None) -> _Loaded:
    if all((folder / role).is_dir() for role in ROLE_NAMES):
        adapters = (folder / ROLE_NAMES[0] / _ADAPTER).is_file()
        return _load_adapters(folder, codec, there) if adapters else _load_models(folder, codec)
    if (folder / _ADAPTER).is_file():
        # One adapter plays all roles, so it is merged, and a token costs what it costs the base.
        model = _with_adapter(_base(folder, codec, there), folder, _BACKBONE)
        model = model.merge_and_unload().eval()
    else:
        model = load_decoder(folder)
    end = _end_of(model, codec, folder)
    return _Loaded(Writer(TorchDecoder(model), end), {}, model, end)


def local_model(
    folder: Path, base_of: BaseFolder = folder_of, *, name: str = ""
) -> DecoderModel | ChatModel:
    """Return the model of a folder, or a trio's models as one; required calls follow the tools' grammar.

    A chat model that was not trained here, so that its tokenizer has no marks, reads chat messages.

    Args:
        folder: a model, an adapter, or a trio of either, with its ``tokenizer.json``.
        base_of: returns the folder of the pretrained base that adapters name.
        name: in reports.

    Raises:
        ConfigError: the folder has no model or tokenizer, its config has no end token, or an adapter does not
            fit its base.
    """
    there = _pretrained(folder, base_of)
    codec = TokenizerFile(folder, there)
    found = _load(folder, codec, there)
    config = found.model.config.to_dict()
    grammars = CallGrammars(
        codec.text,
        found.end,
        int(config["vocab_size"]),
        copy_constraint=is_copy_constrained(config),
    )
    model = DecoderModel(
        name or f"local:{folder.name}",
        found.plain,
        codec,
        guides=grammars.guide,
        roles=found.roles,
        described=codec.turns is not None,
    )
    untrained = codec.turns is None and len(codec.encode(f"<|{ROLE_NAMES[0]}|>")) > 1
    if untrained and has_chat_template(folder):
        return ChatModel(model, template_writer(folder))
    return model
