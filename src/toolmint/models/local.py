"""Run models of a folder with transformers: single models, trios of models, trios of adapters.

A trio's folder has a folder for each role, with a full model or a LoRA adapter, and ``backbone``. Prompts are
one raw text (the ``marked`` family); the mark at its end selects the role.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel
from transformers import AutoModelForCausalLM, DynamicCache

from toolmint.core.errors import ConfigError, boundary
from toolmint.models.codec import TokenizerFile
from toolmint.models.copy_constraint import is_copy_constrained
from toolmint.models.decoding import ROLE_NAMES, PrefixCache, Writer
from toolmint.models.grammar import CallGrammars
from toolmint.models.text_model import DecoderModel

_BACKBONE = "backbone"
_ADAPTER = "adapter_config.json"


class _TorchCache(NamedTuple):
    """The key-value cache of one sequence."""

    values: DynamicCache


class TorchDecoder:
    """A causal model of transformers, or one adapter of it.

    Args:
        model: a loaded model; several decoders can share one.
        adapter: name of the adapter to activate; None: the model itself.
    """

    def __init__(self, model: Any, adapter: str | None = None) -> None:  # noqa: ANN401 - any architecture
        self._model, self._adapter = model, adapter

    @property
    def context(self) -> int:
        """Length of the context in tokens."""
        return int(self._model.config.max_position_embeddings)

    def start(self) -> _TorchCache:
        """Return an empty cache."""
        return _TorchCache(DynamicCache())

    def feed(
        self, cache: _TorchCache, kept: int, ids: Sequence[int], *, activated: bool = False
    ) -> NDArray[np.float32]:
        """Feed tokens after the first ``kept`` ones and return the next token's scores, ``(vocabulary,)``."""
        values: Any = cache.values
        if (length := int(values.get_seq_length())) > kept:
            values.crop(kept - length)
        if self._adapter is not None:
            self._model.set_adapter(self._adapter)
        # PEFT counts the offset of the adapted tokens from the end of the input.
        options = {"alora_offsets": [len(ids)]} if activated else {}
        with torch.inference_mode():
            made = self._model(
                input_ids=torch.tensor([list(ids)], device=self._model.device),
                cache=values,
                use_cache=True,
                logits_to_keep=1,
                **options,
            )
        return made.logits[0, -1].float().cpu().numpy()

    def join(self, caches: Sequence[_TorchCache], kept: Sequence[int]) -> "_TorchBatch":
        """Return the caches of several sequences as one batch."""
        return _TorchBatch(self._model, self._adapter, caches, kept)


class _TorchBatch:
    """Several sequences in one cache, padded on the left; a mask marks the real positions."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401
        adapter: str | None,
        caches: Sequence[_TorchCache],
        kept: Sequence[int],
    ) -> None:
        self._model, self._adapter, self._lengths = model, adapter, list(kept)
        width = max(kept)

        def stacked(values: Sequence[torch.Tensor]) -> torch.Tensor:
            cut = [one[..., :length, :] for one, length in zip(values, kept, strict=True)]
            wide = [torch.nn.functional.pad(one, (0, 0, width - one.shape[-2], 0)) for one in cut]
            return torch.cat(wide)

        layers: list[list[Any]] = [list(cast("Any", one.values).layers) for one in caches]
        self._values = DynamicCache(
            [
                (stacked([one.keys for one in each]), stacked([one.values for one in each]))
                for each in zip(*layers, strict=True)
            ]
        )
        self._mask = _mask(kept, width, model.device)

    def feed(
        self, fresh: Sequence[Sequence[int]], *, activated: bool = False
    ) -> NDArray[np.float32]:
        """Feed each row's tokens and return the next token's scores, ``(rows, vocabulary)``."""
        sizes = [len(ids) for ids in fresh]
        width, device = max(sizes), self._model.device
        self._mask = torch.cat([self._mask, _mask(sizes, width, device)], dim=1)
        rows = [[0] * (width - len(ids)) + list(ids) for ids in fresh]
        at = torch.tensor(self._lengths, device=device)[:, None]
        behind = torch.tensor(sizes, device=device)[:, None] - width
        places = (at + behind + torch.arange(width, device=device)[None]).clamp(min=0)
        if self._adapter is not None:
            self._model.set_adapter(self._adapter)
        options = {"alora_offsets": sizes} if activated else {}
        with torch.inference_mode():
            made = self._model(
                input_ids=torch.tensor(rows, device=device),
                attention_mask=self._mask,
                use_cache=True,
                position_ids=places,
                cache=self._values,
                logits_to_keep=1,
                **options,
            )
        self._lengths = [one + size for one, size in zip(self._lengths, sizes, strict=True)]
        return made.logits[:, -1].float().cpu().numpy()

    def split(self) -> list[_TorchCache]:
        """Return the cache of each row, without padding."""
        found: list[_TorchCache] = []
        for row, mask in enumerate(self._mask.bool()):
            layers: Any = cast("Any", self._values).layers
            found.append(
                _TorchCache(
                    DynamicCache(
                        [
                            (one.keys[row : row + 1, :, mask], one.values[row : row + 1, :, mask])
                            for one in layers
                        ]
                    )
                )
            )
        return found


def _mask(lengths: Sequence[int], width: int, device: Any) -> torch.Tensor:  # noqa: ANN401
    """Return the attention mask of left-padded rows, ``(rows, width)``."""
    rows = [[0] * (width - length) + [1] * length for length in lengths]
    return torch.tensor(rows, device=device)


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


def _end(model: Any, folder: Path) -> int:  # noqa: ANN401 - any architecture
    end: object = model.config.eos_token_id
    if not isinstance(end, int):
        raise ConfigError(f"the model of {str(folder)!r} names no end token", code="model-folder")
    return end


def _with_adapter(model: Any, folder: Path, role: str) -> Any:  # noqa: ANN401
    """Return a model with a role's adapter loaded in addition."""

    def adapted() -> Any:  # noqa: ANN401
        if isinstance(model, PeftModel):
            cast("Any", model).load_adapter(str(folder / role), adapter_name=role)
            return model
        return cast("Any", PeftModel).from_pretrained(model, str(folder / role), adapter_name=role)

    def wrong(fault: Exception) -> ConfigError:
        where, backbone = str(folder / role), str(folder / _BACKBONE)
        said = f"the adapter of {where!r} does not fit the model of {backbone!r}"
        return ConfigError(f"{said}: {str(fault).splitlines()[0]}", code="model-folder")

    return boundary(adapted, wrong)


def _adapter_writers(backbone: Any, folder: Path, end: int) -> dict[str, Writer]:  # noqa: ANN401
    """Return a writer for each role's adapter; writers of activated adapters share the prefix cache."""
    model = backbone
    for role in ROLE_NAMES:
        model = _with_adapter(model, folder, role)
    model.eval()
    shared = PrefixCache(TorchDecoder(model))
    found: dict[str, Writer] = {}
    for role in ROLE_NAMES:
        activated = bool(model.peft_config[role].alora_invocation_tokens)
        prefixes = shared if activated else None
        found[role] = Writer(TorchDecoder(model, role), end, prefixes, activated=activated)
    return found


def _is_copy_constrained(model: Any) -> bool:  # noqa: ANN401 - any architecture
    return is_copy_constrained(model.config.to_dict())


class _TrioParts(NamedTuple):
    """A loaded trio; ``plain`` serves prompts that end with no role's mark."""

    plain: Writer
    writers: dict[str, Writer]
    end: int
    size: int
    copy_constraint: bool


def _load_trio(folder: Path) -> _TrioParts:
    if (folder / ROLE_NAMES[0] / _ADAPTER).is_file():
        backbone = load_decoder(folder / _BACKBONE)
        end = _end(backbone, folder / _BACKBONE)
        plain = Writer(TorchDecoder(backbone), end)
        size = int(backbone.config.vocab_size)
        return _TrioParts(
            plain,
            _adapter_writers(backbone, folder, end),
            end,
            size,
            _is_copy_constrained(backbone),
        )
    models = {role: load_decoder(folder / role) for role in ROLE_NAMES}
    ends = {role: _end(model, folder / role) for role, model in models.items()}
    writers = {role: Writer(TorchDecoder(model), ends[role]) for role, model in models.items()}
    first = ROLE_NAMES[0]
    size = int(models[first].config.vocab_size)
    return _TrioParts(
        writers[first], writers, ends[first], size, _is_copy_constrained(models[first])
    )


def local_model(folder: Path) -> DecoderModel:
    """Return the model of a folder, or a trio's models as one; required calls follow the tools' grammar.

    Raises:
        ConfigError: the folder has no model or tokenizer, its config has no end token, or an adapter does not
            fit the backbone.
    """
    name = f"local:{folder.name}"
    if not all((folder / role).is_dir() for role in ROLE_NAMES):
        codec = TokenizerFile(folder)
        model = load_decoder(folder)
        end = _end(model, folder)
        grammars = CallGrammars(
            codec.text,
            end,
            int(model.config.vocab_size),
            copy_constraint=_is_copy_constrained(model),
        )
        return DecoderModel(name, Writer(TorchDecoder(model), end), codec, guides=grammars.guide)
    codec = TokenizerFile(folder)
    plain, writers, end, size, constrained = _load_trio(folder)
    roles = {codec.encode(f"<|{role}|>")[-1]: writer for role, writer in writers.items()}
    grammars = CallGrammars(codec.text, end, size, copy_constraint=constrained)
    return DecoderModel(name, plain, codec, guides=grammars.guide, roles=roles)
