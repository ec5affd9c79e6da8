"""The rows of a stage: samples in order, split by span where adapters need it, with labels for its roles."""

from collections.abc import Sequence
from random import Random
from typing import Any, cast

from datasets import Dataset  # pyright: ignore[reportMissingTypeStubs]

from toolmint.core.errors import InputError
from toolmint.roles.view import AgentRole
from toolmint.training.recipes import Recipe, Stage
from toolmint.training.samples import IGNORED, Sample

_WINDOW_BATCHES = 32
"""Batches that are sorted by length together where the samples keep their order.

Larger windows save more padding, smaller ones keep a curriculum's order closer.
"""


def group_by_length(samples: Sequence[Sample], batch: int, seed: int) -> list[Sample]:
    """Return samples nearly in their order, so that each batch of consecutive ones has similar lengths.

    Args:
        samples: in the order of the curriculum.
        batch: samples a batch.
        seed: of the order of batches within a window.
    """
    random, found = Random(seed), list[Sample]()
    for start in range(0, len(samples), _WINDOW_BATCHES * batch):
        window = sorted(
            samples[start : start + _WINDOW_BATCHES * batch], key=lambda sample: len(sample.ids)
        )
        batches = [window[at : at + batch] for at in range(0, len(window), batch)]
        # An incomplete batch stays last: elsewhere it would shift every batch behind it.
        last = [batches.pop()] if len(batches[-1]) < batch else []
        random.shuffle(batches)
        found += [sample for some in batches + last for sample in some]
    return found


def split_by_span(sample: Sample, stage: Stage) -> list[Sample]:
    """Return one sample for each span of a stage's roles, ending with the span; all before it is context.

    An activated adapter (arXiv 2504.12397) applies from the last invocation token on, so it learns only
    the last span of a sequence.
    """
    found: list[Sample] = []
    begin = None
    for place, role in enumerate((*sample.role_mask, None)):
        own = role in stage.roles
        if own and begin is None:
            begin = place
        if not own and begin is not None:
            role_mask: tuple[AgentRole | None, ...] = (
                *(None,) * begin,
                *sample.role_mask[begin:place],
            )
            found.append(Sample(sample.ids[:place], role_mask))
            begin = None
    return found


def stage_rows(samples: Sequence[Sample], stage: Stage, recipe: Recipe) -> Dataset:
    """Return the dataset of a stage: columns ``input_ids`` and ``labels`` (``IGNORED`` for other roles).

    Raises:
        InputError: no sample within the context has a label for the stage's roles.
    """
    rows: list[dict[str, list[int]]] = []
    adapter = recipe.adapter
    if adapter is not None and adapter.activated and stage in recipe.local_stages:
        samples = [part for sample in samples for part in split_by_span(sample, stage)]
    if recipe.order == "given":
        samples = group_by_length(samples, recipe.batch, recipe.seed)
    for sample in samples:
        labels = sample.labels(stage.roles)
        # The first label is never predicted: the loss shifts labels by one.
        if len(labels) <= recipe.context and any(label != IGNORED for label in labels[1:]):
            rows.append({"input_ids": list(sample.ids), "labels": labels})
    if not rows:
        raise InputError(f"no sample has spans of {', '.join(stage.roles)}", code="no-spans")
    return cast("Any", Dataset).from_list(rows)
