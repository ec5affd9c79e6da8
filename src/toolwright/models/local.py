"""Models of a local folder or of the hub over transformers, whole trios among them, adapters on one trunk.

A trio's folder has a folder for each role, of a whole model or of a LoRA adapter, and the trunk's,
``backbone``. Prompts are one raw text (the ``marked`` family); the mark at their end says whose turn it is.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel
from transformers import AutoModelForCausalLM, DynamicCache

from toolwright.core.errors import ConfigError, boundary
from toolwright.models.codec import TokenizerFile
from toolwright.models.decoding import ROLES, Prefixes, Writer
from toolwright.models.grammar import CallGrammars
from toolwright.models.text_model import DecoderModel

TRUNK = "backbone"
ADAPTER = "adapter_config.json"


class _Kept(NamedTuple):
    """One sequence's keys and values."""

    values: DynamicCache


class TorchDecoder:
    """A causal model of transformers, or one adapter on it.

    Args:
        model: loaded already; several decoders can share one.
        adapter: the name of the adapter that reads; None: the model as it is.
    """

    def __init__(self, model: Any, adapter: str | None = None) -> None:  # noqa: ANN401 - any architecture
        self._model, self._adapter = model, adapter

    @property
    def context(self) -> int:
        """How many tokens it can read."""
        return int(self._model.config.max_position_embeddings)

    def start(self) -> _Kept:
        """Give an empty cache."""
        return _Kept(DynamicCache())

    def feed(
        self, cache: _Kept, kept: int, ids: Sequence[int], *, own: bool = False
    ) -> NDArray[np.float32]:
        """Read tokens behind the first ``kept`` ones, and score what comes next: ``(vocabulary,)``."""
        values: Any = cache.values
        if (length := int(values.get_seq_length())) > kept:
            values.crop(kept - length)
        if self._adapter is not None:
            self._model.set_adapter(self._adapter)
        activated = {"alora_offsets": [len(ids)]} if own else {}
        with torch.inference_mode():
            made = self._model(
                input_ids=torch.tensor([list(ids)], device=self._model.device), cache=values,
                use_cache=True, logits_to_keep=1, **activated,
            )  # fmt: skip
        return made.logits[0, -1].float().cpu().numpy()

    def join(self, caches: Sequence[_Kept], kept: Sequence[int]) -> "_Group":
        """Give the caches of several sequences as one batch."""
        return _Group(self._model, self._adapter, caches, kept)


class _Group:
    """Several sequences in one cache: rows begin with padding, and a mask tells which places count."""

    def __init__(
        self, model: Any, adapter: str | None, caches: Sequence[_Kept], kept: Sequence[int]  # noqa: ANN401
    ) -> None:  # fmt: skip
        self._model, self._adapter, self._lengths = model, adapter, list(kept)
        width = max(kept)

        def stacked(values: Sequence[torch.Tensor]) -> torch.Tensor:
            cut = [one[..., :length, :] for one, length in zip(values, kept, strict=True)]
            wide = [torch.nn.functional.pad(one, (0, 0, width - one.shape[-2], 0)) for one in cut]
            return torch.cat(wide)

        layers: list[list[Any]] = [list(cast("Any", one.values).layers) for one in caches]
        self._values = DynamicCache([
            (stacked([one.keys for one in each]), stacked([one.values for one in each]))
            for each in zip(*layers, strict=True)
        ])  # fmt: skip
        self._mask = _mask(kept, width, model.device)

    def feed(self, fresh: Sequence[Sequence[int]], *, own: bool = False) -> NDArray[np.float32]:
        """Read each row's tokens, and score what comes next: ``(rows, vocabulary)``."""
        sizes = [len(ids) for ids in fresh]
        width, device = max(sizes), self._model.device
        self._mask = torch.cat([self._mask, _mask(sizes, width, device)], dim=1)
        rows = [[0] * (width - len(ids)) + list(ids) for ids in fresh]
        at = torch.tensor(self._lengths, device=device)[:, None]
        behind = torch.tensor(sizes, device=device)[:, None] - width
        places = (at + behind + torch.arange(width, device=device)[None]).clamp(min=0)
        if self._adapter is not None:
            self._model.set_adapter(self._adapter)
        activated = {"alora_offsets": sizes} if own else {}
        with torch.inference_mode():
            made = self._model(
                input_ids=torch.tensor(rows, device=device), attention_mask=self._mask, use_cache=True,
                position_ids=places, cache=self._values, logits_to_keep=1, **activated,
            )  # fmt: skip
        self._lengths = [one + size for one, size in zip(self._lengths, sizes, strict=True)]
        return made.logits[:, -1].float().cpu().numpy()

    def part(self) -> list[_Kept]:
        """Give each row's own cache, without the padding."""
        found: list[_Kept] = []
        for row, mask in enumerate(self._mask.bool()):
            layers: Any = cast("Any", self._values).layers
            found.append(_Kept(DynamicCache([
                (one.keys[row : row + 1, :, mask], one.values[row : row + 1, :, mask])
                for one in layers
            ])))  # fmt: skip
        return found


def _mask(lengths: Sequence[int], width: int, device: Any) -> torch.Tensor:  # noqa: ANN401
    """Give a row of zeros and ones for each length, ones at the end: ``(rows, width)``."""
    rows = [[0] * (width - length) + [1] * length for length in lengths]
    return torch.tensor(rows, device=device)


def load(folder: Path) -> Any:  # noqa: ANN401 - any architecture
    """Give a folder's causal model: on a GPU where there is one, in the files' precision, else in float32.

    Raises:
        ConfigError: the folder holds none.
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
    """Give a model with the adapter of a role beside those that it has."""

    def adapted() -> Any:  # noqa: ANN401
        if isinstance(model, PeftModel):
            cast("Any", model).load_adapter(str(folder / role), adapter_name=role)
            return model
        return cast("Any", PeftModel).from_pretrained(model, str(folder / role), adapter_name=role)

    def wrong(fault: Exception) -> ConfigError:
        where, trunk = str(folder / role), str(folder / TRUNK)
        said = f"the adapter of {where!r} does not fit the model of {trunk!r}"
        return ConfigError(f"{said}: {str(fault).splitlines()[0]}", code="model-folder")

    return boundary(adapted, wrong)


def _adapted(trunk: Any, folder: Path, end: int) -> dict[str, Writer]:  # noqa: ANN401
    """Give a writer for each role's adapter on one trunk; activated ones share their caches."""
    model = trunk
    for role in ROLES:
        model = _with_adapter(model, folder, role)
    model.eval()
    shared = Prefixes(TorchDecoder(model))
    found: dict[str, Writer] = {}
    for role in ROLES:
        activated = bool(model.peft_config[role].alora_invocation_tokens)
        prefixes = shared if activated else None
        found[role] = Writer(TorchDecoder(model, role), end, prefixes, activated=activated)
    return found


def _held(model: Any) -> bool:  # noqa: ANN401 - any architecture
    return bool(getattr(model.config, "held_replies", False))


class _Trio(NamedTuple):
    """A trio's trunk and roles, the end token, the vocabulary's size, and whether replies are held."""

    plain: Writer
    writers: dict[str, Writer]
    end: int
    size: int
    hold: bool


def _roles(folder: Path) -> _Trio:
    if (folder / ROLES[0] / ADAPTER).is_file():
        trunk = load(folder / TRUNK)
        end = _end(trunk, folder / TRUNK)
        plain = Writer(TorchDecoder(trunk), end)
        size = int(trunk.config.vocab_size)
        return _Trio(plain, _adapted(trunk, folder, end), end, size, _held(trunk))
    models = {role: load(folder / role) for role in ROLES}
    ends = {role: _end(model, folder / role) for role, model in models.items()}
    writers = {role: Writer(TorchDecoder(model), ends[role]) for role, model in models.items()}
    first = ROLES[0]
    size = int(models[first].config.vocab_size)
    return _Trio(writers[first], writers, ends[first], size, _held(models[first]))


def local_model(folder: Path) -> DecoderModel:
    """Give the model of a folder, or the three of a trio's folder as one; calls follow the tools' grammar.

    Raises:
        ConfigError: the folder holds no model or tokenizer, names no end token, or an adapter does not fit.
    """
    name = f"local:{folder.name}"
    if not all((folder / role).is_dir() for role in ROLES):
        codec = TokenizerFile(folder)
        model = load(folder)
        end = _end(model, folder)
        grammars = CallGrammars(codec.text, end, int(model.config.vocab_size), hold=_held(model))
        return DecoderModel(name, Writer(TorchDecoder(model), end), codec, guides=grammars.guide)
    codec = TokenizerFile(folder)
    plain, writers, end, size, hold = _roles(folder)
    roles = {codec.encode(f"<|{role}|>")[-1]: writer for role, writer in writers.items()}
    grammars = CallGrammars(codec.text, end, size, hold=hold)
    return DecoderModel(name, plain, codec, guides=grammars.guide, roles=roles)
