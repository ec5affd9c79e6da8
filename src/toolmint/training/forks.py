"""Rows that read what several samples share once: a trunk of tokens, and branches that fork from it.

A branch attends to the first tokens of its trunk and to itself, and its positions go on where it forked, so
that every score is that of the sample read alone. Two uses:

- packing: samples with the same tools share the tools' documents, and several trunks share a row;
- activated adapters (arXiv 2504.12397): the trunk is a whole trajectory read by the backbone, and each span
  of the role is a branch that the adapter writes. All branches stand at the row's end, where PEFT applies it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

import torch

from toolmint.training.samples import IGNORED


class Branch(NamedTuple):
    """Tokens that follow the first ``fork`` tokens of a trunk, with their labels."""

    fork: int
    ids: tuple[int, ...]
    labels: tuple[int, ...]


class TokenTree(NamedTuple):
    """A trunk with its labels, and the branches that fork from it."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    branches: tuple[Branch, ...] = ()

    @property
    def size(self) -> int:
        """The number of tokens."""
        return len(self.ids) + sum(len(one.ids) for one in self.branches)


class ForkedRow(NamedTuple):
    """The columns of a row; each has a number for each token.

    Attributes:
        ids: the tokens, all trunks first, then all branches.
        labels: the token where it gives a loss, else ``IGNORED``.
        position: the token's place in its sample.
        tree: the number of its trunk.
        segment: 0 in a trunk, else the number of its branch.
        seen: how many tokens of the trunk it attends to at most.
        branched: number of tokens in branches.
    """

    ids: list[int]
    labels: list[int]
    position: list[int]
    tree: list[int]
    segment: list[int]
    seen: list[int]
    branched: int

    @classmethod
    def of(cls, trees: Iterable[TokenTree]) -> "ForkedRow":
        """Return the row of some trees."""
        row = cls([], [], [], [], [], [], 0)
        trees = list(trees)
        for number, tree in enumerate(trees):
            row._add(tree.ids, tree.labels, 0, number, 0)
        trunks, segment = len(row.ids), 0
        for number, tree in enumerate(trees):
            for branch in tree.branches:
                segment += 1
                row._add(branch.ids, branch.labels, branch.fork, number, segment)
        return row._replace(branched=len(row.ids) - trunks)

    def _add(
        self, ids: Sequence[int], labels: Sequence[int], first: int, tree: int, segment: int
    ) -> None:
        size = len(ids)
        self.ids.extend(ids)
        # The first token of a segment would be predicted from another segment's last one.
        self.labels.extend([IGNORED, *labels[1:]])
        self.position.extend(range(first, first + size))
        self.tree.extend([tree] * size)
        self.segment.extend([segment] * size)
        self.seen.extend([first if segment else size] * size)


def attention_mask(
    tree: torch.Tensor, segment: torch.Tensor, position: torch.Tensor, seen: torch.Tensor
) -> torch.Tensor:
    """Return which tokens attend to which, ``(rows, 1, length, length)`` of bool, from a row's columns."""
    length = tree.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=tree.device).tril()
    same_tree = tree[:, :, None] == tree[:, None, :]
    same_segment = segment[:, :, None] == segment[:, None, :]
    trunk = (segment[:, None, :] == 0) & (position[:, None, :] < seen[:, :, None])
    return (causal & same_tree & (same_segment | trunk))[:, None]


def share_trunks(
    samples: Sequence[tuple[int, Sequence[int], Sequence[int]]], context: int
) -> list[TokenTree]:
    """Return trees of samples that begin with the same tools.

    Args:
        samples: number of tokens that document the tools, token ids, and labels of each sample.
        context: bound on the tokens of a tree.
    """
    alike = defaultdict[tuple[int, ...], list[Branch]](list)
    for tools, ids, labels in samples:
        alike[tuple(ids[:tools])].append(Branch(tools, tuple(ids[tools:]), tuple(labels[tools:])))
    found: list[TokenTree] = []
    for trunk, branches in alike.items():
        some, size = list[Branch](), len(trunk)
        for branch in branches:
            if some and size + len(branch.ids) > context:
                found.append(_tree(trunk, some))
                some, size = [], len(trunk)
            some.append(branch)
            size += len(branch.ids)
        found.append(_tree(trunk, some))
    return found


def _tree(trunk: tuple[int, ...], branches: Sequence[Branch]) -> TokenTree:
    """Return a tree; one branch alone is the trunk's continuation."""
    ignored = (IGNORED,) * len(trunk)
    if len(branches) > 1:
        return TokenTree(trunk, ignored, tuple(branches))
    one = branches[0]
    return TokenTree((*trunk, *one.ids), (*ignored, *one.labels))


def pack(trees: Sequence[TokenTree], context: int, seed: int) -> list[list[TokenTree]]:
    """Return trees in groups of at most ``context`` tokens, in a random order (first fit, longest first)."""
    open_rows: list[tuple[int, list[TokenTree]]] = []
    full: list[list[TokenTree]] = []
    for tree in sorted(trees, key=lambda one: -one.size):
        at = next((n for n, (size, _) in enumerate(open_rows) if size + tree.size <= context), None)
        if at is None:
            open_rows.append((tree.size, [tree]))
        else:
            size, some = open_rows[at]
            open_rows[at] = (size + tree.size, [*some, tree])
        if len(open_rows) > _OPEN_ROWS:
            full.append(open_rows.pop(0)[1])
    rows = full + [some for _, some in open_rows]
    Random(seed).shuffle(rows)
    return rows


_OPEN_ROWS = 64
"""Rows that are filled at a time: more save little padding and take quadratic time."""
