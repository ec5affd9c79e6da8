"""Decoders on disk and in memory: load one, make one from random weights, add a LoRA adapter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from toolmint.core.errors import InputError, boundary
from toolmint.core.turns import read_turns
from toolmint.roles.marked import END_MARK
from toolmint.training.induction_init import ROPE_THETA, init_induction_heads
from toolmint.training.recipes import Adapter, Architecture
from toolmint.training.tokenizer import PAD, Tokenizer

TOKENIZER_FILE = "tokenizer.json"


def fast_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    """Return a ``tokenizer.json`` as a tokenizer of transformers; a turn's end is its end token."""
    turns = read_turns(path.parent)
    if turns is None:
        return PreTrainedTokenizerFast(tokenizer_file=str(path), pad_token=PAD, eos_token=END_MARK)
    loaded = Tokenizer.load(path)
    end = loaded.token_text(loaded.encode(END_MARK)[0])
    return PreTrainedTokenizerFast(tokenizer_file=str(path), pad_token=end, eos_token=end)


def new_model(
    architecture: Architecture, vocabulary: int, context: int, seed: int
) -> LlamaForCausalLM:
    """Return a decoder with random weights; the same seed gives the same weights.

    Args:
        architecture: its size.
        vocabulary: number of tokens.
        context: largest number of positions.
        seed: of the weights.

    Raises:
        InputError: induction heads are asked for and the architecture has another shape.
    """
    cast("Any", torch).manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=architecture.width,
        intermediate_size=architecture.inner,
        num_hidden_layers=architecture.layers,
        num_attention_heads=architecture.heads,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        attention_bias=architecture.induction_init,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": ROPE_THETA if architecture.induction_init else 1e4,
        },
    )
    model = LlamaForCausalLM(config)
    if architecture.induction_init:
        init_induction_heads(model)
    return model


def load_model(folder: Path) -> Any:  # noqa: ANN401 - whatever architecture the folder holds
    """Return the causal model of a folder.

    Raises:
        InputError: the folder holds no model.
    """
    return boundary(
        lambda: cast("Any", AutoModelForCausalLM).from_pretrained(str(folder)),
        lambda fault: InputError(f"{str(folder)!r} holds no model: {str(fault).splitlines()[0]}"),
    )


def add_adapter(
    model: Any,  # noqa: ANN401
    adapter: Adapter,
    tokenizer: Path,
    *,
    mark: str | None = None,
    rows: Sequence[int] = (),
) -> Any:  # noqa: ANN401
    """Return a model with a new LoRA adapter on all linear layers; only the adapter is trainable.

    Args:
        model: the backbone.
        adapter: rank and kind.
        tokenizer: the ``tokenizer.json``.
        mark: invokes an activated adapter; None: the adapter is a plain one.
        rows: tokens whose embeddings are trained and kept with the adapter.
    """
    activated = adapter.activated and mark is not None
    invocation = Tokenizer.load(tokenizer).encode(mark) if activated and mark else None
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        trainable_token_indices=list(rows) or None,
        alora_invocation_tokens=invocation,
    )
    return cast("Any", get_peft_model)(model, config)


def continue_adapter(model: Any, folder: Path) -> Any:  # noqa: ANN401
    """Return a model with a folder's adapter, to be trained further.

    Raises:
        InputError: the adapter is of another base.
    """
    return boundary(
        lambda: cast("Any", PeftModel).from_pretrained(model, str(folder), is_trainable=True),
        lambda fault: InputError(
            f"the adapter of {str(folder)!r} does not fit the base: {str(fault).splitlines()[0]}"
        ),
    )


def merge_adapter(model: Any, folder: Path) -> None:  # noqa: ANN401
    """Merge a folder's trained adapter into its model, and save that in the adapter's place."""
    model.merge_and_unload().save_pretrained(str(folder))
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (folder / name).unlink(missing_ok=True)
