"""Decoders on disk and in memory: load one, make one from random weights, add a LoRA adapter."""

from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from toolmint.core.errors import InputError, boundary
from toolmint.roles.marked import END_MARK, MARK
from toolmint.training.induction_init import ROPE_THETA, init_induction_heads
from toolmint.training.recipes import Adapter, Architecture, Stage
from toolmint.training.tokenizer import PAD, Tokenizer

TOKENIZER_FILE = "tokenizer.json"


def fast_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    """Return a ``tokenizer.json`` as a tokenizer of transformers."""
    return PreTrainedTokenizerFast(tokenizer_file=str(path), pad_token=PAD, eos_token=END_MARK)


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


def add_adapter(model: Any, adapter: Adapter, tokenizer: Path, stage: Stage) -> Any:  # noqa: ANN401
    """Return a model with a new LoRA adapter on all linear layers; only the adapter is trainable."""
    mark = Tokenizer.load(tokenizer).token(MARK[stage.roles[0]])
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        alora_invocation_tokens=[mark] if adapter.activated and mark is not None else None,
    )
    return cast("Any", get_peft_model)(model, config)
