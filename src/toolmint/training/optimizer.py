"""Muon for a decoder's matrices and AdamW for its other parameters, as one torch optimizer.

Muon orthogonalises each update, so that rare directions of a matrix are learnt as fast as frequent ones.
Small decoders reach a given loss with markedly fewer tokens than with AdamW alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, cast

import torch

_MOMENTUM, _ITERATIONS = 0.95, 5
_ADAMW_RATE_FACTOR = 3.0
"""AdamW's learning rate as a multiple of Muon's: induction heads must change slowly, embeddings fast."""
_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of Muon's Newton-Schulz quintic (Jordan et al. 2024).

It is steep at 0, so that five iterations bring every singular value near 1.
"""


def has_native_bfloat16() -> bool:
    """Return whether this machine computes bfloat16 in hardware: a GPU, or a CPU with AVX-512.

    Other CPUs emulate it, about sixty times as slow as float32.
    """
    return torch.cuda.is_available() or torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def orthogonalize(matrices: torch.Tensor) -> torch.Tensor:
    """Return approximately the nearest orthogonal matrices, by Newton-Schulz iteration.

    Args:
        matrices: ``(count, rows, columns)``; the iteration runs in their precision.

    Returns:
        The same shape and singular vectors, with singular values of 0.7 to 1.2.
    """
    wide = matrices.mT if matrices.size(1) > matrices.size(2) else matrices
    wide = torch.nn.functional.normalize(wide.flatten(1), dim=1, eps=1e-7).view_as(wide)
    first, third, fifth = _QUINTIC
    for _ in range(_ITERATIONS):
        gram = wide @ wide.mT
        wide = first * wide + (third * gram + fifth * (gram @ gram)) @ wide
    return wide.mT if matrices.size(1) > matrices.size(2) else wide


class Muon(torch.optim.Optimizer):
    """Muon with updates scaled to the size of AdamW's, so that AdamW's learning rates apply.

    Matrices of one shape are orthogonalised in one batch. ``torch.optim.Muon`` does it one by one, and in
    bfloat16 on every machine, which most CPUs emulate.

    Args:
        matrices: parameters of two dimensions.
        rate: learning rate.
        decay: weight decay.
        half: orthogonalise in bfloat16; by default where the machine has it in hardware.
    """

    def __init__(
        self,
        matrices: list[torch.nn.Parameter],
        rate: float,
        decay: float,
        *,
        half: bool | None = None,
    ) -> None:
        super().__init__(matrices, {"lr": rate, "weight_decay": decay})
        self._precision = (
            torch.bfloat16 if (has_native_bfloat16() if half is None else half) else torch.float32
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update the matrices; the closure is ignored."""
        del closure
        for group in self.param_groups:
            by_shape = defaultdict[torch.Size, list[torch.nn.Parameter]](list)
            for one in cast("list[torch.nn.Parameter]", group["params"]):
                if one.grad is not None:
                    by_shape[one.shape].append(one)
            for some in by_shape.values():
                self._update(some, group["lr"], group["weight_decay"])

    def _update(self, some: list[torch.nn.Parameter], rate: float, decay: float) -> None:
        nesterov: list[torch.Tensor] = []
        for one in some:
            grad = cast("torch.Tensor", one.grad)
            state = cast("dict[str, torch.Tensor]", self.state[one])
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(grad)
            momentum = state["momentum_buffer"]
            momentum.lerp_(grad, 1 - _MOMENTUM)
            nesterov.append(grad.lerp(momentum, _MOMENTUM).to(self._precision))
        updates = orthogonalize(torch.stack(nesterov)).to(some[0].dtype)
        # 0.2 * sqrt(n) is the root mean square of an AdamW update.
        size = rate * 0.2 * max(some[0].shape) ** 0.5
        for one, update in zip(some, updates, strict=True):
            one.mul_(1 - rate * decay).add_(update, alpha=-size)


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon for two-dimensional weights; AdamW for embeddings, norms, biases and the head.

    Args:
        named: names and parameters of the model.
        rate: learning rate of Muon; AdamW has three times as much.
        decay: weight decay of Muon.
    """

    def __init__(
        self, named: Iterable[tuple[str, torch.nn.Parameter]], rate: float, decay: float = 0.01
    ) -> None:
        trainable = [(name, one) for name, one in named if one.requires_grad]
        matrices = [one for name, one in trainable if _is_matrix(name, one)]
        others = [one for name, one in trainable if not _is_matrix(name, one)]
        super().__init__([*matrices, *others], {"lr": rate})
        self._parts: list[torch.optim.Optimizer] = [
            Muon(matrices, rate, decay),
            torch.optim.AdamW(
                others, lr=_ADAMW_RATE_FACTOR * rate, betas=(0.9, 0.98), weight_decay=0.0
            ),
        ]
        self._gather()

    def _gather(self) -> None:
        self.param_groups = [group for part in self._parts for group in part.param_groups]

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update all parameters and return the closure's loss, if any."""
        loss = closure() if closure is not None else None
        for part in self._parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the state of both optimizers, for a checkpoint."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of both optimizers."""
        states = cast("list[dict[str, Any]]", state_dict["parts"])
        for part, state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)
        self._gather()


def _is_matrix(name: str, parameter: torch.nn.Parameter) -> bool:
    return parameter.ndim == 2 and "embed" not in name and "lm_head" not in name
