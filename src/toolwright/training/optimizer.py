"""Muon for the matrices of a decoder, AdamW for all else, as one optimizer that a trainer can drive."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, cast

import torch

MOMENTUM, TURNS = 0.95, 5
FASTER = 3.0
"""AdamW's learning rate as a multiple of Muon's: matrices that copy already move gently, embeddings fast."""
CURVE = (3.4445, -4.7750, 2.0315)
"""The quintic of Muon (Jordan et al. 2024), steep at 0: few turns bring every singular value near 1."""


def native_half() -> bool:
    """Say whether this machine computes bfloat16 itself: a GPU, or a processor with AVX-512.

    Others do it in software, some sixty times as slow as full precision.
    """
    return torch.cuda.is_available() or torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Give about the nearest orthogonal matrices: singular vectors kept, singular values of 0.7 to 1.2.

    Args:
        matrices: one shape, (count, rows, columns); the iteration runs in their precision.
    """
    wide = matrices.mT if matrices.size(1) > matrices.size(2) else matrices
    wide = torch.nn.functional.normalize(wide.flatten(1), dim=1, eps=1e-7).view_as(wide)
    first, third, fifth = CURVE
    for _ in range(TURNS):
        gram = wide @ wide.mT
        wide = first * wide + (third * gram + fifth * (gram @ gram)) @ wide
    return wide.mT if matrices.size(1) > matrices.size(2) else wide


class Muon(torch.optim.Optimizer):
    """Muon with AdamW's rates (its updates scaled to AdamW's size), matrices of one shape turned together.

    torch's own does the same one matrix after another and in bfloat16 on every machine, where most
    processors have none.

    Args:
        matrices: parameters of two dimensions.
        rate: the learning rate.
        decay: weight decay.
        half: whether matrices are turned in bfloat16; where the machine computes that, unless said otherwise.
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
            torch.bfloat16 if (native_half() if half is None else half) else torch.float32
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take one step."""
        del closure
        for group in self.param_groups:
            alike = defaultdict[torch.Size, list[torch.nn.Parameter]](list)
            for one in cast("list[torch.nn.Parameter]", group["params"]):
                if one.grad is not None:
                    alike[one.shape].append(one)
            for some in alike.values():
                self._turn(some, group["lr"], group["weight_decay"])

    def _turn(self, some: list[torch.nn.Parameter], rate: float, decay: float) -> None:
        ahead: list[torch.Tensor] = []
        for one in some:
            grad = cast("torch.Tensor", one.grad)
            state = cast("dict[str, torch.Tensor]", self.state[one])
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(grad)
            momentum = state["momentum_buffer"]
            momentum.lerp_(grad, 1 - MOMENTUM)
            ahead.append(grad.lerp(momentum, MOMENTUM).to(self._precision))
        turned = orthogonal(torch.stack(ahead)).to(some[0].dtype)
        size = rate * 0.2 * max(some[0].shape) ** 0.5
        for one, update in zip(some, turned, strict=True):
            one.mul_(1 - rate * decay).add_(update, alpha=-size)


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon for weights of two dimensions, AdamW for the rest.

    Small decoders learn a given loss with markedly fewer tokens. Embeddings, norms and the head belong to
    AdamW.

    Args:
        named: names and parameters of the model.
        rate: learning rate of the matrices; the others have ``FASTER`` times as much.
        decay: weight decay of the matrices.
    """

    def __init__(
        self, named: Iterable[tuple[str, torch.nn.Parameter]], rate: float, decay: float = 0.01
    ) -> None:
        learnt = [(name, one) for name, one in named if one.requires_grad]
        matrices = [one for name, one in learnt if _is_matrix(name, one)]
        others = [one for name, one in learnt if not _is_matrix(name, one)]
        super().__init__([*matrices, *others], {"lr": rate})
        self._parts: list[torch.optim.Optimizer] = [
            Muon(matrices, rate, decay),
            torch.optim.AdamW(others, lr=FASTER * rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self._gather()

    def _gather(self) -> None:
        self.param_groups = [group for part in self._parts for group in part.param_groups]

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take one step of both."""
        loss = closure() if closure is not None else None
        for part in self._parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Give the state of both, as a checkpoint keeps it."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state of both back."""
        states = cast("list[dict[str, Any]]", state_dict["parts"])
        for part, state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)
        self._gather()


def _is_matrix(name: str, parameter: torch.nn.Parameter) -> bool:
    return parameter.ndim == 2 and "embed" not in name and "lm_head" not in name
