"""Muon, beside torch's own and by what it is defined as."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from toolmint.training.optimizer import Muon, MuonWithAdamW, orthogonalize

TORCH: Any = torch  # its linear algebra has no types
SHAPES = ((32, 32), (64, 32), (32, 64), (32, 32))


def matrices() -> list[torch.nn.Parameter]:
    random = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(*shape, generator=random) / 10) for shape in SHAPES]


def steps(ours: list[torch.nn.Parameter], count: int) -> Iterator[int]:
    """Return the same gradients to equal lists, step by step."""
    for number in range(count):
        random = torch.Generator().manual_seed(number)
        for one in ours:
            one.grad = torch.randn(one.shape, generator=random)
        yield number


def torchs_own(matrices: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """Return torch's Muon, which rounds to bfloat16 on every machine."""
    made: Any = torch.optim.Muon(
        matrices, lr=1e-2, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"
    )
    return made


def ours_in_half(matrices: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    return Muon(matrices, 1e-2, 0.01, half=True)


@pytest.mark.parametrize(("rounding", "share"), [(torchs_own, 0.02), (ours_in_half, 0.03)])
def test_muon_walks_where_torchs_own_walks_and_where_its_own_does_in_half_precision(
    rounding: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer], share: float
) -> None:
    ours, theirs = matrices(), matrices()
    mine, other_walk = Muon(ours, 1e-2, 0.01, half=False), rounding(theirs)
    for _ in steps(ours, 5):
        for one, other in zip(ours, theirs, strict=True):
            assert one.grad is not None
            other.grad = one.grad.clone()
        mine.step()
        other_walk.step()
    for one, other, start in zip(ours, theirs, matrices(), strict=True):
        walked = float(TORCH.dist(other.detach(), start.detach()))
        apart = float(TORCH.dist(one.detach(), other.detach()))
        assert 0 < apart < share * walked


@pytest.mark.parametrize("shape", [(3, 16, 48), (2, 48, 16), (1, 16, 16)])
def test_what_is_turned_has_singular_values_near_one_and_its_singular_vectors(
    shape: tuple[int, int, int],
) -> None:
    given = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    turned = orthogonalize(given)
    values = TORCH.linalg.svdvals(turned)
    assert values.min() > 0.6
    assert values.max() < 1.3
    left, _, right = TORCH.linalg.svd(given, full_matrices=False)
    middle = left.mT @ turned @ right.mT
    assert torch.allclose(middle, torch.diag_embed(middle.diagonal(dim1=1, dim2=2)), atol=1e-3)


def test_a_matrix_without_a_gradient_stays() -> None:
    ours = matrices()
    before = ours[0].detach().clone()
    ours[1].grad = torch.ones_like(ours[1])
    Muon(ours, 1e-2, 0.01).step()
    assert torch.equal(ours[0], before)


def test_an_optimizer_goes_on_from_its_kept_state() -> None:
    def model() -> list[tuple[str, torch.nn.Parameter]]:
        return [(f"layer.{n}", one) for n, one in enumerate(matrices())] + [
            ("norm", torch.nn.Parameter(torch.ones(8)))
        ]

    whole, broken = model(), model()
    one, other = MuonWithAdamW(whole, 1e-2), MuonWithAdamW(broken, 1e-2)
    for _ in steps([parameter for _, parameter in whole], 4):
        one.step()
    for number in steps([parameter for _, parameter in broken], 4):
        if number == 2:
            kept = other.state_dict()
            other = MuonWithAdamW(broken, 1e-2)
            other.load_state_dict(kept)
        other.step()
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(whole, broken, strict=True))
