"""One fine-tuning stage with TRL, on labels that are ready: the only file that trains."""

import json
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, cast

import torch
from accelerate import PartialState  # pyright: ignore[reportMissingTypeStubs]
from datasets import Dataset  # pyright: ignore[reportMissingTypeStubs]
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    PrinterCallback,
)
from transformers.utils import logging
from trl import SFTConfig, SFTTrainer  # pyright: ignore[reportPrivateImportUsage]

from toolwright.core.errors import InputError, boundary
from toolwright.roles.marked import END, MARK
from toolwright.roles.view import AgentRole
from toolwright.training.induction import THETA, look_back
from toolwright.training.optimizer import MuonWithAdamW, native_half
from toolwright.training.recipes import Adapter, Architecture, Recipe, Stage
from toolwright.training.room import check_room
from toolwright.training.samples import IGNORED, Sample
from toolwright.training.smoke import Smoke, split
from toolwright.training.tokenizer import PAD, Words
from toolwright.training.watch import Lines, Progress, Watcher

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
        attention_bias=architecture.copying,
        rope_parameters={"rope_type": "default", "rope_theta": THETA if architecture.copying else 1e4},
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    if architecture.copying:
        look_back(model)
    return model


def load_model(folder: Path) -> Any:  # noqa: ANN401 - whatever architecture the folder holds
    """Give the model of a folder.

    Raises:
        InputError: the folder holds no model.
    """
    return boundary(
        lambda: cast("Any", AutoModelForCausalLM).from_pretrained(str(folder)),
        lambda fault: InputError(f"{str(folder)!r} holds no model: {str(fault).splitlines()[0]}"),
    )


def _state() -> PartialState:
    return PartialState(cpu=not torch.cuda.is_available())


def processes() -> int:
    """Give how many processes train together."""
    return int(cast("Any", _state()).num_processes)


def one_first() -> AbstractContextManager[None]:
    """Let the first of several processes go through a block before the others."""
    return cast("AbstractContextManager[None]", cast("Any", _state()).main_process_first())


def write_once(path: Path, text: str) -> None:
    """Write a file in the first of several processes; the others wait for it."""
    state = _state()
    if state.is_main_process:
        path.write_text(text, encoding="utf-8")
    state.wait_for_everyone()


WIDTHS, SCORED = 32, 512
"""Batches are padded to multiples of so many tokens, and scored ones to so many: on a CPU each new size costs
kernels of its own, which are kept (12 MB a step).
"""
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


def _activated(model: Any) -> bool:  # noqa: ANN401
    return isinstance(model, PeftModel) and bool(
        cast("Any", model).active_peft_config.alora_invocation_tokens
    )


def labelled_loss(model: Any, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Give the sum of the labelled tokens' losses; the head scores these alone.

    Args:
        model: a causal decoder of transformers.
        ids: tokens, rows by places; padded on the right, so a causal attention needs no mask.
        labels: of the same shape; ``IGNORED`` where nothing is learnt.
    """
    wanted = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORED).flatten()
    places = (wanted != IGNORED).nonzero()[:, 0]
    room = -len(places) % SCORED
    targets = torch.nn.functional.pad(wanted[places], (0, room), value=IGNORED)
    decoder = getattr(model, model.base_model_prefix)
    hidden = decoder(input_ids=ids, use_cache=False).last_hidden_state.flatten(0, 1)
    logits = model.get_output_embeddings()(hidden[torch.nn.functional.pad(places, (0, room))])
    return torch.nn.functional.cross_entropy(
        logits.float(), targets, ignore_index=IGNORED, reduction="sum"
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
        """Give the mean loss of the labelled tokens.

        The library casts in the model's own ``forward``, which is not called here, so the cast is made here.
        """
        plain = cast("Any", self).accelerator.num_processes == 1 and not torch.cuda.is_available()
        if not plain or return_outputs or _activated(model):
            return cast("Any", super()).compute_loss(
                model, inputs, return_outputs, num_items_in_batch
            )
        whole: Any = cast("Any", model).get_base_model() if isinstance(model, PeftModel) else model
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(cast("Any", self).args.bf16)):
            total = labelled_loss(whole, inputs["input_ids"], inputs["labels"])
        if num_items_in_batch is None:
            num_items_in_batch = (inputs["labels"][:, 1:] != IGNORED).sum()
        return total / num_items_in_batch


def _trainer(
    model: Any,  # noqa: ANN401 - a model of any architecture
    rows: Dataset, stage: Stage, recipe: Recipe, *, tokenizer: Path, out: Path,
) -> _Trainer:  # fmt: skip
    """Give the trainer of a stage: processes share its batch, and read their share in parts if need be."""
    steps = max(1, math.ceil(len(rows) / recipe.batch) * math.ceil(stage.epochs))
    share = max(1, recipe.batch // processes())
    at_once = min(share, recipe.at_once or share)
    args = SFTConfig(
        output_dir=str(out / "checkpoints"), per_device_train_batch_size=at_once,
        gradient_accumulation_steps=max(1, share // at_once),
        num_train_epochs=stage.epochs, learning_rate=stage.learning_rate, lr_scheduler_type="cosine",
        warmup_steps=int(stage.warmup * steps), seed=recipe.seed, bf16=native_half(),
        activation_checkpointing=recipe.checkpointing,
        max_length=None, logging_steps=max(1, steps // 50), save_strategy="steps",
        save_steps=recipe.save_steps, save_total_limit=1, report_to=[], disable_tqdm=True,
        dataloader_pin_memory=False, pad_to_multiple_of=WIDTHS,
        train_sampling_strategy="sequential" if recipe.order == "given" else "group_by_length",
        use_cpu=not torch.cuda.is_available(),
    )  # fmt: skip
    muon = recipe.optimizer == "muon"
    own = MuonWithAdamW(model.named_parameters(), stage.learning_rate) if muon else None
    return _Trainer(
        model=model, args=args, train_dataset=rows, processing_class=fast_tokenizer(tokenizer),
        optimizers=(own, None),
    )  # fmt: skip


def fit(
    model: Any,  # noqa: ANN401 - a model of any architecture
    samples: Sequence[Sample],
    stage: Stage,
    recipe: Recipe,
    *,
    tokenizer: Path,
    out: Path,
    watcher: Watcher | None = None,
) -> Fitted:
    """Train one stage, keep model and tokenizer in ``out``, and give what it came to.

    A stage that was broken off goes on from its last checkpoint, with the curve that it would have had.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    check_room(model, out)
    samples, held_out = split(samples)
    rows = _rows(samples, stage, recipe)
    trainer = _trainer(model, rows, stage, recipe, tokenizer=tokenizer, out=out)
    trainer.remove_callback(PrinterCallback)
    watcher = watcher or Lines()
    trainer.add_callback(Progress(stage.name, watcher))
    trainer.add_callback(Smoke(stage.name, held_out, stage.roles, watcher.tell))
    last = sorted(
        (out / "checkpoints").glob("checkpoint-*"), key=lambda one: int(one.name.partition("-")[2])
    )
    result: Any = cast("Any", trainer).train(resume_from_checkpoint=str(last[-1]) if last else None)
    losses = [float(one["loss"]) for one in trainer.state.log_history if "loss" in one]
    trainer.save_model(str(out))
    write_once(out / TOKENIZER, tokenizer.read_text(encoding="utf-8"))
    write_once(out / "curve.json", json.dumps(trainer.state.log_history, default=str))
    labels = cast("list[list[int]]", rows["labels"])
    learnt = sum(label != IGNORED for row in labels for label in row)
    seconds = float(result.metrics.get("train_runtime", 0.0))
    return Fitted(out, losses[0], losses[-1], int(result.global_step), seconds, learnt)
