"""One fine-tuning stage with TRL, on labels that are ready: the only file that trains."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from datasets import Dataset  # pyright: ignore[reportMissingTypeStubs]
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    PrinterCallback,
    TrainerCallback,
)
from transformers.utils import logging
from trl import SFTConfig, SFTTrainer  # pyright: ignore[reportPrivateImportUsage]

from toolwright.core.errors import InputError, boundary
from toolwright.roles.marked import END
from toolwright.training.recipes import Architecture, Recipe, Stage
from toolwright.training.samples import IGNORED, Sample
from toolwright.training.tokenizer import PAD

TOKENIZER = "tokenizer.json"


class Fitted(NamedTuple):
    """What a stage came to: its folder, first and last loss, optimizer steps, seconds, labelled tokens."""

    folder: Path
    first_loss: float
    last_loss: float
    steps: int
    seconds: float
    learnt: int


def fast_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    """Give the tokenizer as transformers wants it."""
    return PreTrainedTokenizerFast(tokenizer_file=str(path), pad_token=PAD, eos_token=END)


def new_model(
    architecture: Architecture, vocabulary: int, context: int, seed: int
) -> LlamaForCausalLM:
    """Give a decoder with random weights, the same for the same seed."""
    cast("Any", torch).manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=architecture.width, intermediate_size=architecture.inner,
        num_hidden_layers=architecture.layers, num_attention_heads=architecture.heads,
        max_position_embeddings=context, tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def load_model(folder: Path) -> Any:  # noqa: ANN401 - whatever architecture the folder holds
    """Give the model of a folder.

    Raises:
        InputError: the folder holds no model.
    """
    return boundary(
        lambda: cast("Any", AutoModelForCausalLM).from_pretrained(str(folder)),
        lambda fault: InputError(f"{str(folder)!r} holds no model: {str(fault).splitlines()[0]}"),
    )


def _rows(samples: Sequence[Sample], stage: Stage, context: int) -> Dataset:
    rows: list[dict[str, list[int]]] = []
    for sample in samples:
        labels = sample.labels(stage.roles)
        if len(labels) <= context and any(label != IGNORED for label in labels[1:]):
            rows.append({"input_ids": list(sample.ids), "labels": labels})
    if not rows:
        raise InputError(f"no sample has words of {', '.join(stage.roles)}", code="no-spans")
    return cast("Any", Dataset).from_list(rows)


class _Tell(TrainerCallback):
    """Passes on losses and checkpoints, one line each."""

    def __init__(self, name: str, tell: Callable[[str], None]) -> None:
        self._name, self._tell = name, tell

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ANN401
        """Tell a loss."""
        del args, control
        if logs and "loss" in logs:
            done = f"step {state.global_step} of {state.max_steps}"
            self._tell(f"{self._name}: {done}, loss {float(logs['loss']):.3f}")

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Tell a checkpoint."""
        del args, control
        self._tell(f"{self._name}: checkpoint {state.global_step}")


def fit(
    model: Any,  # noqa: ANN401 - a model of any architecture
    samples: Sequence[Sample],
    stage: Stage,
    recipe: Recipe,
    *,
    tokenizer: Path,
    out: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """Train one stage, keep model and tokenizer in ``out``, and give what it came to.

    A stage that was broken off goes on from its last checkpoint, with the curve that it would have had.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    rows = _rows(samples, stage, recipe.context)
    steps = max(1, math.ceil(len(rows) / recipe.batch) * math.ceil(stage.epochs))
    bf16 = torch.cuda.is_available() or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    args = SFTConfig(
        output_dir=str(out / "checkpoints"), per_device_train_batch_size=recipe.batch,
        num_train_epochs=stage.epochs, learning_rate=stage.learning_rate, lr_scheduler_type="cosine",
        warmup_steps=int(stage.warmup * steps), seed=recipe.seed, bf16=bf16, activation_checkpointing=False,
        max_length=None, logging_steps=max(1, steps // 50), save_strategy="steps",
        save_steps=recipe.save_steps, save_total_limit=1, report_to=[], disable_tqdm=True,
        dataloader_pin_memory=False,
        use_cpu=not torch.cuda.is_available(),
    )  # fmt: skip
    fast = fast_tokenizer(tokenizer)
    trainer = SFTTrainer(model=model, args=args, train_dataset=rows, processing_class=fast)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_Tell(stage.name, tell))
    last = sorted(
        (out / "checkpoints").glob("checkpoint-*"), key=lambda one: int(one.name.partition("-")[2])
    )
    result: Any = cast("Any", trainer).train(resume_from_checkpoint=str(last[-1]) if last else None)
    losses = [float(one["loss"]) for one in trainer.state.log_history if "loss" in one]
    model.save_pretrained(str(out))
    (out / TOKENIZER).write_text(tokenizer.read_text(encoding="utf-8"), encoding="utf-8")
    (out / "curve.json").write_text(
        json.dumps(trainer.state.log_history, default=str), encoding="utf-8"
    )
    labels = cast("list[list[int]]", rows["labels"])
    learnt = sum(label != IGNORED for row in labels for label in row)
    seconds = float(result.metrics.get("train_runtime", 0.0))
    return Fitted(out, losses[0], losses[-1], int(result.global_step), seconds, learnt)
