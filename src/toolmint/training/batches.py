"""The rows of a stage: samples in order, split by span where adapters need it, with labels for its roles."""

from collections.abc import Sequence
from random import Random
from typing import Any, cast

from datasets import Dataset  # pyright: ignore[reportMissingTypeStubs]

from toolmint.core.errors import InputError
from toolmint.training.forks import Branch, ForkedRow, TokenTree, pack, share_trunks
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


def span_branches(sample: Sample, stage: Stage, mark: int) -> TokenTree:
    """Return a sample as a trunk without labels, with a branch for each span of a stage's roles.

    An activated adapter (arXiv 2504.12397) applies to its own mark and span alone, and what comes after them
    reads what the backbone made of them. So spans are branches, which nothing else attends to.

    Args:
        sample: the sample.
        stage: its roles have spans.
        mark: tokens of the role's mark, which stands before each span and invokes the adapter.
    """
    branches: list[Branch] = []
    for begin, end in _spans(sample, stage):
        start = max(0, begin - mark)
        ignored = (IGNORED,) * (begin - start)
        branches.append(Branch(start, sample.ids[start:end], (*ignored, *sample.ids[begin:end])))
    trunk = sample.ids[: max((one.fork for one in branches), default=0)]
    return TokenTree(trunk, (IGNORED,) * len(trunk), tuple(branches))


def _spans(sample: Sample, stage: Stage) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    begin = None
    for place, role in enumerate((*sample.role_mask, None)):
        own = role in stage.roles
        if own and begin is None:
            begin = place
        if not own and begin is not None:
            found.append((begin, place))
            begin = None
    return found


def stage_rows(
    samples: Sequence[Sample], stage: Stage, recipe: Recipe, *, mark: int = 1
) -> Dataset:
    """Return the dataset of a stage: columns ``input_ids`` and ``labels`` (``IGNORED`` for other roles).

    Packed rows, and those of activated adapters, also have the columns of ``ForkedRow``.

    Args:
        samples: the samples.
        stage: names the roles.
        recipe: context, order, packing and adapters.
        mark: tokens of the role's mark, for activated adapters.

    Raises:
        InputError: no sample within the context has a label for the stage's roles.
    """
    activated = recipe.adapts(stage) and recipe.adapter is not None and recipe.adapter.activated
    if recipe.order == "given" and not recipe.packing:
        samples = group_by_length(samples, recipe.batch, recipe.seed)
    fit: list[tuple[Sample, list[int]]] = []
    for sample in samples:
        labels = sample.labels(stage.roles)
        # The first label is never predicted: the loss shifts labels by one.
        if len(labels) <= recipe.context and any(label != IGNORED for label in labels[1:]):
            fit.append((sample, labels))
    if not fit:
        raise InputError(f"no sample has spans of {', '.join(stage.roles)}", code="no-spans")
    if activated:
        trees = [span_branches(sample, stage, mark) for sample, _ in fit]
    elif recipe.packing:
        plain = [(sample.tools, sample.ids, labels) for sample, labels in fit]
        trees = share_trunks(plain, recipe.context)
    else:
        rows = [{"input_ids": list(sample.ids), "labels": labels} for sample, labels in fit]
        return cast("Any", Dataset).from_list(rows)
    packed = (
        pack(trees, recipe.context, recipe.seed) if recipe.packing else [[one] for one in trees]
    )
    return cast("Any", Dataset).from_list([_columns(ForkedRow.of(some)) for some in packed])


def _columns(row: ForkedRow) -> dict[str, Any]:
    found = row._asdict()
    return {"input_ids": found.pop("ids"), **found}
