"""Forked rows: every score is that of the sample read alone, whatever shares the row."""

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.training.tiny_base import tiny_base

from toolmint.training.decoder import load_model
from toolmint.training.forked_loss import collate_forked, forked_loss
from toolmint.training.forks import ForkedRow, attention_mask, pack, share_trunks
from toolmint.training.samples import IGNORED
from toolmint.training.sft import labelled_loss

Plain = tuple[int, list[int], list[int]]
TRUNKS = ([5, 6, 7], [8, 9], [10])


@st.composite
def plain_samples(draw: st.DrawFn) -> list[Plain]:
    """Draw samples that begin with one of three trunks, of which at least the last token is learnt."""
    found: list[Plain] = []
    for _ in range(draw(st.integers(1, 7))):
        trunk = draw(st.sampled_from(TRUNKS))
        rest = draw(st.lists(st.integers(11, 200), min_size=2, max_size=9))
        labels = [IGNORED] * (len(trunk) + 1) + [
            token if learnt else IGNORED
            for token, learnt in zip(
                rest[1:], draw(st.lists(st.booleans(), min_size=8, max_size=8)), strict=False
            )
        ]
        ids = [*trunk, *rest]
        labels[-1] = ids[-1]
        found.append((len(trunk), ids, labels))
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_model(tiny_base(tmp_path_factory.mktemp("base"))).eval()


def row(columns: ForkedRow) -> dict[str, Any]:
    return {"input_ids": columns.ids, **columns._asdict()}


@settings(max_examples=10, deadline=None)
@given(plain_samples(), st.integers(12, 40))
def test_packed_rows_give_the_loss_of_each_sample_read_alone(
    model: Any, samples: list[Plain], context: int
) -> None:
    groups = pack(share_trunks(samples, context), context, seed=0)
    rows = [row(ForkedRow.of(trees)) for trees in groups]
    with torch.inference_mode():
        alone = sum(
            float(labelled_loss(model, torch.tensor([ids]), torch.tensor([labels])))
            for _, ids, labels in samples
        )
        one_by_one = sum(float(forked_loss(model, collate_forked([one]))) for one in rows)
        at_once = float(forked_loss(model, collate_forked(rows)))
    assert one_by_one == pytest.approx(alone, rel=1e-4)
    assert at_once == pytest.approx(alone, rel=1e-4), "padding changes nothing"


@given(plain_samples(), st.integers(12, 40))
def test_packing_keeps_every_learnt_token_once_and_fits_the_context(
    samples: list[Plain], context: int
) -> None:
    groups = pack(share_trunks(samples, context), context, seed=0)
    learnt = sorted(one for _, _, labels in samples for one in labels if one != IGNORED)
    columns = [ForkedRow.of(trees) for trees in groups]
    assert sorted(one for row in columns for one in row.labels if one != IGNORED) == learnt
    assert all(
        len(one.ids) <= context or len(trees) == 1
        for one, trees in zip(columns, groups, strict=True)
    )


def test_a_branch_sees_its_trunk_and_itself() -> None:
    samples: list[Plain] = [
        (2, [8, 9, 20, 21], [IGNORED] * 3 + [21]),
        (2, [8, 9, 30], [IGNORED] * 3),
    ]
    (tree,) = share_trunks(samples, 20)
    columns = ForkedRow.of([tree])
    assert columns.ids == [8, 9, 20, 21, 30]
    assert columns.position == [0, 1, 2, 3, 2]
    places = (
        torch.tensor([one])
        for one in (columns.tree, columns.segment, columns.position, columns.seen)
    )
    assert cast("Any", attention_mask(*places)[0, 0].int()).tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_samples_with_the_same_tools_share_a_trunk(tmp_path: Path) -> None:
    del tmp_path
    same: list[Plain] = [(3, [5, 6, 7, n, n + 1], [IGNORED] * 4 + [n + 1]) for n in range(20, 30)]
    trees = share_trunks(same, 100)
    assert len(trees) == 1
    assert trees[0].size == 3 + 10 * 2
    assert [tree.size <= 9 for tree in share_trunks(same, 9)] == [True] * 4
