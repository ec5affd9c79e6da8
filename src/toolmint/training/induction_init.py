"""Initial weights with induction heads, so that a decoder copies from the first step.

A call's arguments, a plan's names and an answer's values are copied from the context. A decoder from random
weights learns that late and slowly: it needs a head that attends to the previous token, and a head in a later
layer that attends to the position after an earlier occurrence of its token (induction heads, Olsson et al.
2022, arXiv 2209.11895). Both are set at the start, as Trockman and Kolter (2023, arXiv 2305.09828) initialise
attention near what training makes of it; training then changes them freely.
"""

from typing import Any, cast

import torch

from toolmint.core.errors import InputError

ROPE_THETA = 1e6
"""Base of the rotary angles. With it half of a head's pairs rotate so slowly that content matching barely
depends on distance.
"""
_FAST_PAIRS = 10
"""Number of the fastest rotary pairs, which encode the relative position of a near token."""
_POSITION_SCALE, _MATCH_WEIGHT = 6.0, 2.0
"""Scale of the position queries and keys, and of the weights that match embeddings."""
_VALUE_WEIGHT, _SHIFT_WEIGHT, _OUTPUT_WEIGHT = 0.2, 0.2, 0.3
"""Weights that read an embedding, write it beside the next token, and write the matched token."""
_HEADS = 4
_MATCHED_QUARTERS = ((0, 2, 1, 3), (0, 2), (1, 3))
"""Quarters of an embedding that each head matches, for the layers after the first."""


def init_induction_heads(model: Any) -> None:  # noqa: ANN401 - a Llama decoder of transformers
    """Set induction heads in a decoder's first layers, in place; other weights stay random.

    Embeddings use the first half of the width. Two heads of the first layer copy the previous token's
    embedding into the second half; a third one attends two tokens back. In the next layers heads match a
    token's embedding, half a head's width each, against the copied ones, and write the matched token.

    Args:
        model: a Llama decoder with attention biases, four heads, and at least four layers.

    Raises:
        InputError: the decoder has another shape.
    """
    config = model.config
    heads, layers = config.num_attention_heads, config.num_hidden_layers
    if not config.attention_bias or heads != _HEADS or layers <= len(_MATCHED_QUARTERS):
        raise InputError(
            f"a decoder with induction heads has biases in its attention, {_HEADS} heads and at least "
            f"{len(_MATCHED_QUARTERS) + 1} layers, not {heads} heads and {layers} layers",
            code="bad-shape",
        )
    size = config.head_dim
    half, pair = config.hidden_size // 2, _HEADS // 2
    first, *others = [layer.self_attn for layer in model.model.layers]
    with torch.no_grad():
        embedding = model.model.embed_tokens.weight
        embedding[:, :half] *= 2**0.5
        embedding[:, half:] *= 0.1
        rates = cast("torch.Tensor", model.model.rotary_emb.inv_freq)
        for head in range(pair):
            _attend_to_offset(first, head, rates, 1)
            _copy_values(first, head, head * size, half + head * size, _SHIFT_WEIGHT)
        _attend_to_offset(first, pair, rates, 2)
        for layer, quarters in zip(others, _MATCHED_QUARTERS, strict=False):
            for head, quarter in enumerate(quarters):
                source = head % pair * size
                _match_embeddings(layer, head, quarter * size // 2, half)
                _copy_values(layer, head, source, source, _OUTPUT_WEIGHT)


def _attend_to_offset(attention: Any, head: int, rates: torch.Tensor, back: int) -> None:  # noqa: ANN401
    """Make a head attend ``back`` tokens back: its query and key biases align at that rotary offset only."""
    size = attention.head_dim
    query, key = torch.zeros(size), torch.zeros(size)
    angles = back * rates[:_FAST_PAIRS]
    query[: len(angles)] = _POSITION_SCALE
    key[: len(angles)] = _POSITION_SCALE * angles.cos()
    key[size // 2 :][: len(angles)] = _POSITION_SCALE * angles.sin()
    attention.q_proj.bias[head * size :][:size] = query
    attention.k_proj.bias[head * size :][:size] = key


def _match_embeddings(attention: Any, head: int, part: int, half: int) -> None:  # noqa: ANN401
    """Make slow rotary pairs match part of a token's embedding against the copied embeddings."""
    size = attention.head_dim
    slow = [*range(size // 4, size // 2), *range(3 * size // 4, size)]
    for number, pair in enumerate(slow):
        attention.q_proj.weight[head * size + pair, part + number] += _MATCH_WEIGHT
        attention.k_proj.weight[head * size + pair, half + part + number] += _MATCH_WEIGHT


def _copy_values(attention: Any, head: int, source: int, target: int, weight: float) -> None:  # noqa: ANN401
    """Make a head read a head's width at ``source`` of the attended token and write it to ``target``."""
    size = attention.head_dim
    value = attention.v_proj.weight[head * size :][:size]
    output = attention.o_proj.weight[:, head * size :][:, :size]
    value *= 0.1
    output *= 0.1
    value[:, source : source + size] += _VALUE_WEIGHT * torch.eye(size)
    output[target : target + size] += weight * torch.eye(size)
