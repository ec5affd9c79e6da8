"""Export a trained Llama decoder as one ONNX graph with a key-value cache, for a runtime without torch.

The cache is two buffers a layer of shape ``(1, kv_heads, capacity, head)``. The runtime owns them and the
graph writes in place, so that no step copies the cache.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors import numpy as safetensors

from toolmint.core.errors import InputError, boundary

_OPSET = 23


class _Shape(NamedTuple):
    layers: int
    heads: int
    kv_heads: int
    head: int
    context: int
    epsilon: float
    theta: float


class _Graph:
    """Collects the nodes and weights of a graph."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def weight(self, name: str, value: NDArray[Any]) -> str:
        """Store a weight in float16; a cast to float32 runs once, when a session starts."""
        half = name + "_half"
        self.weights.append(numpy_helper.from_array(np.asarray(value, np.float16), half))
        self.nodes.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
        return name

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Store a constant in its own precision."""
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node with one output and return the output's name."""
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


def _shape(config: dict[str, Any]) -> _Shape:
    heads = int(config["num_attention_heads"])
    rope = cast("dict[str, Any]", config.get("rope_parameters") or {})
    return _Shape(
        layers=int(config["num_hidden_layers"]),
        heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head=int(config.get("head_dim") or config["hidden_size"] // heads),
        context=int(config["max_position_embeddings"]),
        epsilon=float(config["rms_norm_eps"]),
        theta=float(config.get("rope_theta") or rope.get("rope_theta") or 10000.0),
    )


class _Exporter:
    """Builds the graph of a decoder layer by layer."""

    def __init__(self, shape: _Shape, weights: dict[str, NDArray[Any]]) -> None:
        self.shape, self.source, self.graph = shape, weights, _Graph()

    def linear(self, source: str, name: str, output: str) -> str:
        """Add a linear projection, with its bias if it has one."""
        weight = self.graph.weight(f"{name}.w", self.source[f"{name}.weight"].T)
        if f"{name}.bias" not in self.source:
            return self.graph.add("MatMul", [source, weight], output)
        product = self.graph.add("MatMul", [source, weight], f"{output}.product")
        bias = self.graph.weight(f"{name}.b", self.source[f"{name}.bias"])
        return self.graph.add("Add", [product, bias], output)

    def norm(self, source: str, name: str, output: str) -> str:
        """Add an RMS normalisation."""
        weight = self.graph.weight(f"{name}.w", self.source[f"{name}.weight"])
        return self.graph.add(
            "RMSNormalization", [source, weight], output, axis=-1, epsilon=self.shape.epsilon
        )

    def layer(self, number: int, source: str) -> str:
        """Add one decoder layer and return the name of its output."""
        graph, shape, at = self.graph, self.shape, f"model.layers.{number}"
        normed = self.norm(source, f"{at}.input_layernorm", f"{at}.normed")
        names = [f"{at}.self_attn.{part}_proj" for part in "qkv"]
        queries, keys, values = (self.linear(normed, name, name) for name in names)
        past, present = (
            [f"{kind}.{number}.{side}" for side in ("key", "value")] for kind in ("past", "present")
        )
        inputs = [queries, keys, values, *past, "last", "total", "cosines", "sines"]
        attention = helper.make_node(
            "GroupQueryAttention",
            inputs,
            [f"{at}.seen", *present],
            domain="com.microsoft",
            num_heads=shape.heads,
            kv_num_heads=shape.kv_heads,
            do_rotary=1,
        )
        graph.nodes.append(attention)
        out = self.linear(f"{at}.seen", f"{at}.self_attn.o_proj", f"{at}.attended")
        first = graph.add("Add", [source, out], f"{at}.first")
        normed = self.norm(first, f"{at}.post_attention_layernorm", f"{at}.normed2")
        gate = self.linear(normed, f"{at}.mlp.gate_proj", f"{at}.gate")
        up = self.linear(normed, f"{at}.mlp.up_proj", f"{at}.up")
        graph.add("Sigmoid", [gate], f"{at}.sigmoid")
        graph.add("Mul", [gate, f"{at}.sigmoid"], f"{at}.silu")
        inner = graph.add("Mul", [f"{at}.silu", up], f"{at}.inner")
        down = self.linear(inner, f"{at}.mlp.down_proj", f"{at}.down")
        return graph.add("Add", [first, down], f"{at}.out")

    def build(self) -> Any:  # noqa: ANN401 - an onnx model
        """Return the ONNX model."""
        graph, shape = self.graph, self.shape
        angles = np.outer(
            np.arange(shape.context), shape.theta ** -(np.arange(0, shape.head, 2) / shape.head)
        )
        graph.constant("cosines", np.cos(angles).astype(np.float32))
        graph.constant("sines", np.sin(angles).astype(np.float32))
        embedding = graph.weight("embedding", self.source["model.embed_tokens.weight"])
        hidden = graph.add("Gather", [embedding, "ids"], "hidden")
        for number in range(shape.layers):
            hidden = self.layer(number, hidden)
        graph.constant("end", np.array([-1], np.int64))
        graph.add("Gather", [hidden, "end"], "last_hidden", axis=1)
        normed = self.norm("last_hidden", "model.norm", "normed")
        if "lm_head.weight" in self.source:
            head = graph.weight("head", self.source["lm_head.weight"].T)
        else:
            head = graph.add("Transpose", [embedding], "head", perm=[1, 0])
        graph.add("MatMul", [normed, head], "logits")
        return self._model()

    def _model(self) -> Any:  # noqa: ANN401 - an onnx model
        shape = self.shape
        cache = [1, shape.kv_heads, "capacity", shape.head]

        def caches(kind: str) -> list[Any]:
            return [
                helper.make_tensor_value_info(f"{kind}.{number}.{side}", TensorProto.FLOAT, cache)
                for number in range(shape.layers)
                for side in ("key", "value")
            ]

        inputs = [
            helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "length"]),
            helper.make_tensor_value_info("last", TensorProto.INT32, [1]),
            helper.make_tensor_value_info("total", TensorProto.INT32, [1]),
            *caches("past"),
        ]
        vocabulary = self.source["model.embed_tokens.weight"].shape[0]
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1, vocabulary])
        made = helper.make_graph(
            self.graph.nodes, "decoder", inputs, [logits, *caches("present")], self.graph.weights
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(made, opset_imports=opsets, ir_version=11)


def _load_weights(folder: Path) -> dict[str, NDArray[Any]]:
    return cast("Any", safetensors).load_file(str(folder / "model.safetensors"))


def export(folder: Path, out: Path) -> None:
    """Write the ONNX graph of a folder's model to the file ``out``.

    Raises:
        InputError: the folder holds no Llama decoder.
    """
    config: dict[str, Any] = boundary(
        lambda: json.loads((folder / "config.json").read_text(encoding="utf-8")),
        lambda fault: InputError(f"{str(folder)!r} holds no model: {fault}"),
    )
    if config.get("model_type") != "llama":
        raise InputError(
            f"only Llama decoders can be exported, {str(folder)!r} is {config.get('model_type')!r}"
        )
    weights = {name: np.asarray(value, np.float32) for name, value in _load_weights(folder).items()}
    model = _Exporter(_shape(config), weights).build()
    cast("Any", onnx).save(model, str(out))
