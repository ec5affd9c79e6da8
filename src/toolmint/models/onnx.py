"""Run exported decoders with onnxruntime, without torch."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from toolmint.core.errors import ConfigError, boundary
from toolmint.models.codec import TokenizerFile
from toolmint.models.copy_constraint import is_copy_constrained
from toolmint.models.decoding import ROLE_NAMES, Writer
from toolmint.models.grammar import CallGrammars
from toolmint.models.text_model import DecoderModel

_GRAPH = "decoder.onnx"
_BLOCK_TOKENS = 512
"""Tokens by which a cache grows; growing copies it, so it grows rarely."""
_ORT = cast("Any", ort)


class _Buffers:
    """The key-value buffers of one sequence, which the graph writes in place."""

    def __init__(self, names: Sequence[str], heads: int, head: int) -> None:
        self._names, self._heads, self._head = names, heads, head
        self._arrays: dict[str, NDArray[np.float32]] = {}
        self.values: dict[str, Any] = {}
        self.capacity = 0

    def reserve(self, tokens: int, most: int) -> None:
        """Grow to hold ``tokens``, at most ``most``; the content is kept."""
        if tokens <= self.capacity:
            return
        before, self.capacity = (
            self.capacity,
            min(most, -(-tokens // _BLOCK_TOKENS) * _BLOCK_TOKENS),
        )
        for name in self._names:
            wider = np.zeros((1, self._heads, self.capacity, self._head), np.float32)
            if before:
                wider[:, :, :before] = self._arrays[name]
            self._arrays[name] = wider
            self.values[name] = _ORT.OrtValue.ortvalue_from_numpy(wider)


class _Shape(NamedTuple):
    context: int
    heads: int
    head: int


class OnnxDecoder:
    """A decoder from ``decoder.onnx`` and ``config.json``.

    Args:
        folder: holds both files.
        threads: of one forward pass.

    Raises:
        ConfigError: a file is missing or cannot be read.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        def wrong(fault: Exception) -> ConfigError:
            return ConfigError(
                f"{str(folder)!r} holds no exported model: {str(fault).splitlines()[0]}",
                code="model-folder",
            )

        options = _ORT.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.config: dict[str, Any] = boundary(
            lambda: json.loads((folder / "config.json").read_text(encoding="utf-8")), wrong
        )
        self._session: Any = boundary(
            lambda: _ORT.InferenceSession(
                str(folder / _GRAPH), options, providers=["CPUExecutionProvider"]
            ),
            wrong,
        )
        config = self.config
        heads = int(config["num_attention_heads"])
        kv_heads = int(config.get("num_key_value_heads") or heads)
        head = int(config.get("head_dim") or config["hidden_size"] // heads)
        self._shape = _Shape(int(config["max_position_embeddings"]), kv_heads, head)
        names = [one.name for one in self._session.get_inputs()]
        self._past = [name for name in names if name.startswith("past.")]

    @property
    def context(self) -> int:
        """Length of the context in tokens."""
        return self._shape.context

    def start(self) -> _Buffers:
        """Return an empty cache."""
        return _Buffers(self._past, self._shape.heads, self._shape.head)

    def feed(
        self, cache: _Buffers, kept: int, ids: Sequence[int], *, activated: bool = False
    ) -> NDArray[np.float32]:
        """Feed tokens after the first ``kept`` ones and return the next token's scores, ``(vocabulary,)``."""
        del activated
        total = kept + len(ids)
        cache.reserve(total, self.context)
        binding = self._session.io_binding()
        binding.bind_cpu_input("ids", np.array([ids], np.int64))
        binding.bind_cpu_input("last", np.array([total - 1], np.int32))
        binding.bind_cpu_input("total", np.array([total], np.int32))
        binding.bind_output("logits")
        for name, value in cache.values.items():
            binding.bind_ortvalue_input(name, value)
            binding.bind_ortvalue_output(name.replace("past", "present"), value)
        self._session.run_with_iobinding(binding)
        return binding.copy_outputs_to_cpu()[0][0, 0]


def onnx_model(folder: Path, name: str = "") -> DecoderModel:
    """Return an exported model, or an exported trio as one model.

    Args:
        folder: has ``tokenizer.json``, and ``decoder.onnx`` with ``config.json`` in itself or in a folder for
            each role.
        name: in reports.

    Raises:
        ConfigError: a file is missing or cannot be read.
    """
    if all((folder / role / _GRAPH).is_file() for role in ROLE_NAMES):
        decoders = {role: OnnxDecoder(folder / role) for role in ROLE_NAMES}
    else:
        decoders = {"": OnnxDecoder(folder)}
    codec = TokenizerFile(folder)
    first = next(iter(decoders.values()))
    end, size = first.config["eos_token_id"], int(first.config["vocab_size"])
    writers = {role: Writer(decoder, end) for role, decoder in decoders.items()}
    roles = {f"<|{role}|>": one for role, one in writers.items() if role}
    grammars = CallGrammars(
        codec.text, end, size, copy_constraint=is_copy_constrained(first.config)
    )
    return DecoderModel(
        name or f"onnx:{folder.name}",
        next(iter(writers.values())),
        codec,
        guides=grammars.guide,
        roles=roles,
    )
