"""Fine-tune one stage with TRL on prepared labels. This module alone imports TRL."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from datasets import Dataset  # pyright: ignore[reportMissingTypeStubs]
from peft import PeftModel
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback
from transformers.utils import logging
from trl import SFTConfig, SFTTrainer  # pyright: ignore[reportPrivateImportUsage]

from toolmint.core.base_model import BASE_FILE
from toolmint.core.turns import TURNS_FILE
from toolmint.roles.marked import MARK
from toolmint.training.batches import stage_rows
from toolmint.training.budget import TrainingClock
from toolmint.training.callbacks import LineCallbacks, ProgressCallback, TrainingCallbacks
from toolmint.training.decoder import TOKENIZER_FILE, fast_tokenizer
from toolmint.training.distributed import processes, write_once
from toolmint.training.forked_loss import collate_forked, forked_loss
from toolmint.training.heldout_eval import HeldOutEval, split_held_out
from toolmint.training.optimizer import MuonWithAdamW, has_native_bfloat16
from toolmint.training.recipes import Recipe, Stage
from toolmint.training.resources import check_resources
from toolmint.training.samples import IGNORED, Sample
from toolmint.training.tokenizer import Tokenizer


class StageResult(NamedTuple):
    """The outcome of a stage.

    Attributes:
        folder: holds the model.
        first_loss: first logged loss, mean nats a labelled token.
        last_loss: last logged loss.
        steps: optimizer steps.
        seconds: wall-clock training time, over all processes that resumed it.
        labelled_tokens: tokens with a label, over one epoch.
    """

    folder: Path
    first_loss: float
    last_loss: float
    steps: int
    seconds: float
    labelled_tokens: int


# Batches are padded to a multiple of 32 tokens, and scored positions to a multiple of 512: on a CPU each new
# size compiles kernels of its own, which are cached and never freed (12 MB a step).
_PAD_MULTIPLE, _SCORED_MULTIPLE = 32, 512


def labelled_loss(model: Any, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Return the summed cross-entropy of the labelled tokens; the head scores only these.

    Most positions are context, and the head is a large part of a small decoder's work.

    Args:
        model: a causal decoder of transformers.
        ids: ``(rows, length)`` tokens, padded on the right, so causal attention needs no mask.
        labels: ``(rows, length)``; ``IGNORED`` where a position gives no loss.
    """
    shifted = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORED).flatten()
    places = (shifted != IGNORED).nonzero()[:, 0]
    padding = -len(places) % _SCORED_MULTIPLE
    targets = torch.nn.functional.pad(shifted[places], (0, padding), value=IGNORED)
    decoder = getattr(model, model.base_model_prefix)
    hidden = decoder(input_ids=ids, use_cache=False).last_hidden_state.flatten(0, 1)
    logits = model.get_output_embeddings()(hidden[torch.nn.functional.pad(places, (0, padding))])
    return torch.nn.functional.cross_entropy(
        logits.float(), targets, ignore_index=IGNORED, reduction="sum"
    )


class _Trainer(SFTTrainer):
    """TRL's trainer with a loss that scores labelled positions alone; TRL scores all, in full precision.

    Args:
        clock: gives the learning rate.
        given: as TRL's trainer takes it.
    """

    def __init__(self, clock: TrainingClock, **given: Any) -> None:  # noqa: ANN401 - TRL's
        self.clock = clock
        cast("Any", super()).__init__(**given)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:  # noqa: ANN401
        """Return the schedule of the clock; one optimizer has one schedule."""
        del num_training_steps
        own = cast("Any", self)
        if own.lr_scheduler is None:
            own.lr_scheduler = LambdaLR(optimizer or own.optimizer, self.clock.rate)
        return own.lr_scheduler

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - TRL's signature
        num_items_in_batch: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Return the mean loss of the labelled tokens.

        accelerate applies autocast in the wrapped ``forward``, which ``labelled_loss`` bypasses, so it is
        applied here.
        """
        if num_items_in_batch is None:
            num_items_in_batch = (inputs["labels"][:, 1:] != IGNORED).sum()
        if "tree" in inputs:
            return forked_loss(model, inputs) / num_items_in_batch
        plain = cast("Any", self).accelerator.num_processes == 1 and not torch.cuda.is_available()
        if not plain or return_outputs:
            return cast("Any", super()).compute_loss(
                model, inputs, return_outputs, num_items_in_batch
            )
        whole: Any = cast("Any", model).get_base_model() if isinstance(model, PeftModel) else model
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(cast("Any", self).args.bf16)):
            total = labelled_loss(whole, inputs["input_ids"], inputs["labels"])
        return total / num_items_in_batch


def _trainer(
    model: Any,  # noqa: ANN401 - a model of any architecture
    rows: Dataset,
    stage: Stage,
    recipe: Recipe,
    *,
    tokenizer: Path,
    out: Path,
    resumed: Path | None,
) -> _Trainer:
    """Return the trainer of a stage: processes share the batch, in micro-batches where those are smaller."""
    steps = max(1, math.ceil(len(rows) / recipe.batch) * math.ceil(stage.epochs))
    share = max(1, recipe.batch // processes())
    forked = "tree" in rows.column_names
    # The head scores the columns that any row of a batch needs, so forked rows are read one by one.
    micro_batch = 1 if forked else min(share, recipe.micro_batch or share)
    args = SFTConfig(
        output_dir=str(out / "checkpoints"),
        per_device_train_batch_size=micro_batch,
        gradient_accumulation_steps=max(1, share // micro_batch),
        num_train_epochs=stage.epochs,
        learning_rate=stage.learning_rate,
        seed=recipe.seed,
        bf16=has_native_bfloat16(),
        activation_checkpointing=bool(recipe.checkpointing),
        max_length=None,
        logging_steps=max(1, steps // 50),
        save_strategy="steps",
        save_steps=recipe.save_steps,
        save_total_limit=1,
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
        pad_to_multiple_of=_PAD_MULTIPLE,
        train_sampling_strategy="sequential" if recipe.order == "given" else "group_by_length",
        use_cpu=not torch.cuda.is_available(),
        remove_unused_columns=not forked,
        dataset_kwargs={"skip_prepare_dataset": True} if forked else None,
    )
    muon = recipe.optimizer == "muon"
    own = MuonWithAdamW(model.named_parameters(), stage.learning_rate) if muon else None
    clock = TrainingClock(recipe.minutes, int(stage.warmup * steps), resumed)
    return _Trainer(
        clock,
        model=model,
        args=args,
        train_dataset=rows,
        processing_class=fast_tokenizer(tokenizer),
        optimizers=(own, None),
        data_collator=collate_forked if forked else None,
        callbacks=[clock],
    )


def fit_stage(
    model: Any,  # noqa: ANN401 - a model of any architecture
    samples: Sequence[Sample],
    stage: Stage,
    recipe: Recipe,
    *,
    tokenizer: Path,
    out: Path,
    callbacks: TrainingCallbacks | None = None,
) -> StageResult:
    """Train one stage and save model, tokenizer and loss curve in ``out``.

    An interrupted stage resumes from its last checkpoint with the loss curve of an uninterrupted one.

    Args:
        model: the model to train, in memory.
        samples: of all roles; one in ten, at most 24, is held out.
        stage: roles, epochs and learning rate.
        recipe: batch, context, optimizer and seed.
        tokenizer: the ``tokenizer.json``.
        out: the stage's folder.
        callbacks: receive lines and steps.

    Raises:
        ConfigError: memory or disk is too small.
        InputError: no sample has a label for the stage's roles.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    recipe = recipe.model_copy(update={"checkpointing": check_resources(model, out, recipe=recipe)})
    loaded = Tokenizer.load(tokenizer)
    samples, held_out = split_held_out(samples, recipe.held_out)
    mark = len(loaded.encode(MARK[stage.roles[0]]))
    rows = stage_rows(samples, stage, recipe, mark=mark)
    checkpoints = sorted(
        (out / "checkpoints").glob("checkpoint-*"), key=lambda one: int(one.name.partition("-")[2])
    )
    last = checkpoints[-1] if checkpoints else None
    trainer = _trainer(model, rows, stage, recipe, tokenizer=tokenizer, out=out, resumed=last)
    trainer.remove_callback(PrinterCallback)
    callbacks = callbacks or LineCallbacks()
    trainer.add_callback(ProgressCallback(stage.name, callbacks))
    trainer.add_callback(HeldOutEval(stage.name, held_out, stage.roles, callbacks.notify))
    result: Any = cast("Any", trainer).train(resume_from_checkpoint=str(last) if last else None)
    losses = [float(one["loss"]) for one in trainer.state.log_history if "loss" in one]
    trainer.save_model(str(out))
    for name in (TOKENIZER_FILE, TURNS_FILE, BASE_FILE):
        if (tokenizer.parent / name).is_file():
            write_once(out / name, (tokenizer.parent / name).read_text(encoding="utf-8"))
    write_once(out / "curve.json", json.dumps(trainer.state.log_history, default=str))
    labels = cast("list[list[int]]", rows["labels"])
    labelled = sum(label != IGNORED for row in labels for label in row)
    return StageResult(
        out, losses[0], losses[-1], int(result.global_step), trainer.clock.seconds, labelled
    )
