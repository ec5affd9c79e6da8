"""Fine-tune one stage with TRL on prepared labels. This module alone imports TRL."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from datasets import Dataset  # pyright: ignore[reportMissingTypeStubs]
from peft import PeftModel
from transformers import PrinterCallback
from transformers.utils import logging
from trl import SFTConfig, SFTTrainer  # pyright: ignore[reportPrivateImportUsage]

from toolmint.training.batches import stage_rows
from toolmint.training.callbacks import LineCallbacks, ProgressCallback, TrainingCallbacks
from toolmint.training.decoder import TOKENIZER_FILE, fast_tokenizer
from toolmint.training.distributed import processes, write_once
from toolmint.training.heldout_eval import HeldOutEval, split_held_out
from toolmint.training.optimizer import MuonWithAdamW, has_native_bfloat16
from toolmint.training.recipes import Recipe, Stage
from toolmint.training.resources import check_resources
from toolmint.training.samples import IGNORED, Sample


class StageResult(NamedTuple):
    """The outcome of a stage.

    Attributes:
        folder: holds the model.
        first_loss: first logged loss, mean nats a labelled token.
        last_loss: last logged loss.
        steps: optimizer steps.
        seconds: wall-clock training time.
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


def _is_activated(model: Any) -> bool:  # noqa: ANN401
    return isinstance(model, PeftModel) and bool(
        cast("Any", model).active_peft_config.alora_invocation_tokens
    )


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
    """TRL's trainer with a faster loss on a CPU, where TRL scores every position in full precision."""

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
        plain = cast("Any", self).accelerator.num_processes == 1 and not torch.cuda.is_available()
        if not plain or return_outputs or _is_activated(model):
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
    rows: Dataset,
    stage: Stage,
    recipe: Recipe,
    *,
    tokenizer: Path,
    out: Path,
) -> _Trainer:
    """Return the trainer of a stage: processes share the batch, in micro-batches where those are smaller."""
    steps = max(1, math.ceil(len(rows) / recipe.batch) * math.ceil(stage.epochs))
    share = max(1, recipe.batch // processes())
    micro_batch = min(share, recipe.micro_batch or share)
    args = SFTConfig(
        output_dir=str(out / "checkpoints"),
        per_device_train_batch_size=micro_batch,
        gradient_accumulation_steps=max(1, share // micro_batch),
        num_train_epochs=stage.epochs,
        learning_rate=stage.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=int(stage.warmup * steps),
        seed=recipe.seed,
        bf16=has_native_bfloat16(),
        activation_checkpointing=recipe.checkpointing,
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
    )
    muon = recipe.optimizer == "muon"
    own = MuonWithAdamW(model.named_parameters(), stage.learning_rate) if muon else None
    return _Trainer(
        model=model,
        args=args,
        train_dataset=rows,
        processing_class=fast_tokenizer(tokenizer),
        optimizers=(own, None),
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
    check_resources(model, out)
    samples, held_out = split_held_out(samples)
    rows = stage_rows(samples, stage, recipe)
    trainer = _trainer(model, rows, stage, recipe, tokenizer=tokenizer, out=out)
    trainer.remove_callback(PrinterCallback)
    callbacks = callbacks or LineCallbacks()
    trainer.add_callback(ProgressCallback(stage.name, callbacks))
    trainer.add_callback(HeldOutEval(stage.name, held_out, stage.roles, callbacks.notify))
    checkpoints = sorted(
        (out / "checkpoints").glob("checkpoint-*"), key=lambda one: int(one.name.partition("-")[2])
    )
    result: Any = cast("Any", trainer).train(
        resume_from_checkpoint=str(checkpoints[-1]) if checkpoints else None
    )
    losses = [float(one["loss"]) for one in trainer.state.log_history if "loss" in one]
    trainer.save_model(str(out))
    write_once(out / TOKENIZER_FILE, tokenizer.read_text(encoding="utf-8"))
    write_once(out / "curve.json", json.dumps(trainer.state.log_history, default=str))
    labels = cast("list[list[int]]", rows["labels"])
    labelled = sum(label != IGNORED for row in labels for label in row)
    seconds = float(result.metrics.get("train_runtime", 0.0))
    return StageResult(out, losses[0], losses[-1], int(result.global_step), seconds, labelled)
