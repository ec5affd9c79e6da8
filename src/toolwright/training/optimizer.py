"""Muon for the matrices of a decoder, AdamW for all else, as one optimizer that a trainer can drive."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon (torch's, its rates matched to AdamW's) for weights of two dimensions, AdamW for the rest.

    Small decoders learn a given loss with markedly fewer tokens. Embeddings, norms and the head belong to
    AdamW.

    Args:
        named: names and parameters of the model.
        rate: learning rate of both.
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
            torch.optim.Muon(matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
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
