"""First weights with which a decoder copies: heads that look back, and heads that find what came after.

A call's arguments, a plan's names and an answer's values are copied from the context. A decoder from random
weights finds out how late and slowly: it needs one head that looks at the token before, and one in a later
layer that looks for the place that its own token stood before (induction heads, Olsson et al. 2022,
arXiv 2209.11895). Here both stand at the start, as Trockman and Kolter (2023, arXiv 2305.09828) begin
attention near what training makes of it, and training bends them as it needs.
"""

from typing import Any, cast

import torch

from toolwright.core.errors import InputError

THETA = 1e6
"""Base of the rotary angles: half of a head's pairs turn so slowly that comparing hardly feels distance."""
NEAR = 10
"""The fastest pairs, which single out a neighbour."""
SHARP, ALIKE = 6.0, 2.0
"""Size of the queries and keys that look back, and of the weights that compare tokens."""
TAKE, LAY, SAY = 0.2, 0.2, 0.3
"""Weights that take an embedding up, that lay it beside the next token, and that say the one found."""
HEADS = 4
FINDING = ((0, 2, 1, 3), (0, 2), (1, 3))
"""Quarters of an embedding that heads compare, head by head, in the layers after the first."""


def look_back(model: Any) -> None:  # noqa: ANN401 - a Llama decoder of transformers
    """Give a decoder's first layers such heads; all else stays by chance.

    Embeddings keep to the first half of the width. Half of the first layer's heads lay the token before into
    the second half; one more looks two tokens back. In the next layers heads compare a token's embedding, a
    half head's width of it each, with what was laid, and say the token that they find there.

    Args:
        model: with biases in its attention, four heads, four layers or more.

    Raises:
        InputError: the decoder has another shape.
    """
    config = model.config
    heads, layers = config.num_attention_heads, config.num_hidden_layers
    if not config.attention_bias or heads != HEADS or layers <= len(FINDING):
        raise InputError(
            f"a decoder that begins with copying has biases in its attention, {HEADS} heads and at least "
            f"{len(FINDING) + 1} layers, not {heads} heads and {layers} layers",
            code="bad-shape",
        )
    size = config.head_dim
    half, pair = config.hidden_size // 2, HEADS // 2
    first, *others = [layer.self_attn for layer in model.model.layers]
    with torch.no_grad():
        embedding = model.model.embed_tokens.weight
        embedding[:, :half] *= 2**0.5
        embedding[:, half:] *= 0.1
        rates = cast("torch.Tensor", model.model.rotary_emb.inv_freq)
        for head in range(pair):
            _neighbour(first, head, rates, 1)
            _carry(first, head, head * size, half + head * size, LAY)
        _neighbour(first, pair, rates, 2)
        for layer, quarters in zip(others, FINDING, strict=False):
            for head, quarter in enumerate(quarters):
                source = head % pair * size
                _compare(layer, head, quarter * size // 2, half)
                _carry(layer, head, source, source, SAY)


def _neighbour(attention: Any, head: int, rates: torch.Tensor, back: int) -> None:  # noqa: ANN401
    """Have a head look so many tokens back: its biases turn together there, and nowhere near it."""
    size = attention.head_dim
    query, key = torch.zeros(size), torch.zeros(size)
    angles = back * rates[:NEAR]
    query[: len(angles)] = SHARP
    key[: len(angles)] = SHARP * angles.cos()
    key[size // 2 :][: len(angles)] = SHARP * angles.sin()
    attention.q_proj.bias[head * size :][:size] = query
    attention.k_proj.bias[head * size :][:size] = key


def _compare(attention: Any, head: int, part: int, half: int) -> None:  # noqa: ANN401
    """Let slow pairs compare a stretch of a token's embedding with what was laid at each place."""
    size = attention.head_dim
    slow = [*range(size // 4, size // 2), *range(3 * size // 4, size)]
    for number, pair in enumerate(slow):
        attention.q_proj.weight[head * size + pair, part + number] += ALIKE
        attention.k_proj.weight[head * size + pair, half + part + number] += ALIKE


def _carry(attention: Any, head: int, source: int, target: int, weight: float) -> None:  # noqa: ANN401
    """Have a head take a head's width of what it looks at, and write it elsewhere."""
    size = attention.head_dim
    taken = attention.v_proj.weight[head * size :][:size]
    given = attention.o_proj.weight[:, head * size :][:, :size]
    taken *= 0.1
    given *= 0.1
    taken[:, source : source + size] += TAKE * torch.eye(size)
    given[target : target + size] += weight * torch.eye(size)
