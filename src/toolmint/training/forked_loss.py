"""The batches and the loss of forked rows (``forks``), for models with and without activated adapters."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from peft import PeftModel

from toolmint.training.forks import attention_mask
from toolmint.training.samples import IGNORED

_PLACES = ("position", "tree", "segment", "seen")
_PAD_MULTIPLE = 32
"""On a CPU each new length compiles kernels of its own, which are cached and never freed."""
_SCORED_MULTIPLE = 64


def is_activated(model: Any) -> bool:  # noqa: ANN401
    """Return whether a model's active adapter applies to its own spans alone (arXiv 2504.12397)."""
    return isinstance(model, PeftModel) and bool(
        cast("Any", model).active_peft_config.alora_invocation_tokens
    )


def collate_forked(rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Return rows as one batch of ``(rows, length)`` tensors, padded on the left.

    Padding is a tree of its own, which nothing attends to. It stands on the left because PEFT counts an
    activated adapter's tokens from the end of a row.
    """
    longest = max(len(row["input_ids"]) for row in rows)
    length = -(-longest // _PAD_MULTIPLE) * _PAD_MULTIPLE
    fill = {"labels": IGNORED, "tree": -1}

    def column(name: str) -> torch.Tensor:
        padded = [[fill.get(name, 0)] * (length - len(row[name])) + row[name] for row in rows]
        return torch.tensor(padded)

    batch = {name: column(name) for name in ("input_ids", "labels", *_PLACES)}
    return {**batch, "branched": torch.tensor([row["branched"] for row in rows])}


def forked_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:  # noqa: ANN401
    """Return the summed cross-entropy of the labelled tokens; the head scores only their columns.

    Args:
        model: a causal decoder of transformers, or an adapter on one.
        batch: of ``collate_forked``.
    """
    shifted = torch.nn.functional.pad(batch["labels"][:, 1:], (0, 1), value=IGNORED)
    columns = (shifted != IGNORED).any(0).nonzero()[:, 0]
    # Columns are repeated up to a multiple; the repetitions give no loss.
    extra = -len(columns) % _SCORED_MULTIPLE
    places = torch.nn.functional.pad(columns, (0, extra))
    targets = torch.nn.functional.pad(shifted[:, columns], (0, extra), value=IGNORED)
    branched = cast("list[int]", cast("Any", batch["branched"]).tolist())
    options = {"alora_offsets": branched} if is_activated(model) else {}
    made = model(
        input_ids=batch["input_ids"],
        position_ids=batch["position"],
        attention_mask=attention_mask(
            *(batch[one] for one in ("tree", "segment", "position", "seen"))
        ),
        use_cache=False,
        logits_to_keep=places,
        **options,
    )
    return torch.nn.functional.cross_entropy(
        made.logits.flatten(0, 1).float(),
        targets.flatten(),
        ignore_index=IGNORED,
        reduction="sum",
    )
