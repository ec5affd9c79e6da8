"""One fine-tuning stage with TRL, on labels that are ready: the only file that trains."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, cast

import torch
from datasets import Dataset  # pyright: ignore[reportMissingTypeStubs]
from peft import LoraConfig, PeftModel, get_peft_model
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
from toolwright.roles.marked import END, MARK
from toolwright.roles.view import AgentRole
from toolwright.training.optimizer import MuonWithAdamW
from toolwright.training.recipes import Adapter, Architecture, Recipe, Stage
from toolwright.training.samples import IGNORED, Sample
from toolwright.training.tokenizer import PAD, Words

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


WINDOW = 32
"""So many batches are arranged by length together where the samples' order is kept."""


def arranged(samples: Sequence[Sample], batch: int, seed: int) -> list[Sample]:
    """Give samples in nearly their order, so that each batch of consecutive ones is of like length."""
    random, found = Random(seed), list[Sample]()
    for start in range(0, len(samples), WINDOW * batch):
        window = sorted(samples[start : start + WINDOW * batch], key=lambda one: len(one.ids))
        batches = [window[at : at + batch] for at in range(0, len(window), batch)]
        last = [batches.pop()] if len(batches[-1]) < batch else []
        random.shuffle(batches)
        found += [one for some in batches + last for one in some]
    return found


def adapted(model: Any, adapter: Adapter, tokenizer: Path, stage: Stage) -> Any:  # noqa: ANN401
    """Give a model with a new LoRA adapter on all its linear layers, which alone is trained."""
    mark = Words.load(tokenizer).token(MARK[stage.roles[0]])
    config = LoraConfig(
        r=adapter.rank, lora_alpha=adapter.alpha, target_modules="all-linear", task_type="CAUSAL_LM",
        alora_invocation_tokens=[mark] if adapter.activated and mark is not None else None,
    )  # fmt: skip
    return cast("Any", get_peft_model)(model, config)


def one_a_span(sample: Sample, stage: Stage) -> list[Sample]:
    """Give a sample for each stretch of a stage's words, cut at its end, what is before it as context.

    An activated adapter reads the last of its role's stretches alone, so each needs a sample.
    """
    found: list[Sample] = []
    begin = None
    for place, owner in enumerate((*sample.owners, None)):
        own = owner in stage.roles
        if own and begin is None:
            begin = place
        if not own and begin is not None:
            owners: tuple[AgentRole | None, ...] = (*(None,) * begin, *sample.owners[begin:place])
            found.append(Sample(sample.ids[:place], owners))
            begin = None
    return found


def _rows(samples: Sequence[Sample], stage: Stage, recipe: Recipe) -> Dataset:
    rows: list[dict[str, list[int]]] = []
    context = recipe.context
    if recipe.adapter is not None and recipe.adapter.activated and stage in recipe.local:
        samples = [one for sample in samples for one in one_a_span(sample, stage)]
    if recipe.order == "given":
        samples = arranged(samples, recipe.batch, recipe.seed)
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


def _activated(model: Any) -> bool:  # noqa: ANN401
    return isinstance(model, PeftModel) and bool(
        cast("Any", model).active_peft_config.alora_invocation_tokens
    )


class _Trainer(SFTTrainer):
    """TRL's trainer, with a loss that is fast on a CPU: there TRL scores every position in full precision."""

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - the signature is given
        num_items_in_batch: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Give the mean loss of the labelled tokens; the head scores these alone.

        Rows are padded on the right, so a causal attention needs no mask.
        """
        plain = cast("Any", self).accelerator.num_processes == 1 and not torch.cuda.is_available()
        if not plain or return_outputs or _activated(model):
            return cast("Any", super()).compute_loss(
                model, inputs, return_outputs, num_items_in_batch
            )
        whole: Any = cast("Any", model).get_base_model() if isinstance(model, PeftModel) else model
        decoder = getattr(whole, whole.base_model_prefix)
        labels = inputs["labels"][:, 1:]
        learnt = labels != IGNORED
        hidden = decoder(input_ids=inputs["input_ids"], use_cache=False).last_hidden_state
        logits = whole.get_output_embeddings()(hidden[:, :-1][learnt])
        total = torch.nn.functional.cross_entropy(logits.float(), labels[learnt], reduction="sum")
        return total / (num_items_in_batch if num_items_in_batch is not None else learnt.sum())


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
    rows = _rows(samples, stage, recipe)
    steps = max(1, math.ceil(len(rows) / recipe.batch) * math.ceil(stage.epochs))
    bf16 = torch.cuda.is_available() or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    args = SFTConfig(
        output_dir=str(out / "checkpoints"), per_device_train_batch_size=recipe.batch,
        num_train_epochs=stage.epochs, learning_rate=stage.learning_rate, lr_scheduler_type="cosine",
        warmup_steps=int(stage.warmup * steps), seed=recipe.seed, bf16=bf16, activation_checkpointing=False,
        max_length=None, logging_steps=max(1, steps // 50), save_strategy="steps",
        save_steps=recipe.save_steps, save_total_limit=1, report_to=[], disable_tqdm=True,
        dataloader_pin_memory=False,
        train_sampling_strategy="sequential" if recipe.order == "given" else "group_by_length",
        use_cpu=not torch.cuda.is_available(),
    )  # fmt: skip
    fast = fast_tokenizer(tokenizer)
    own = (
        MuonWithAdamW(model.named_parameters(), stage.learning_rate)
        if recipe.optimizer == "muon"
        else None
    )
    trainer = _Trainer(
        model=model, args=args, train_dataset=rows, processing_class=fast, optimizers=(own, None)
    )
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
