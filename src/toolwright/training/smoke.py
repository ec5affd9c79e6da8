"""An early look at a stage in training: the held-out stretches that it would write without a fault."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from transformers import TrainerCallback

from toolwright.roles.view import AgentRole
from toolwright.training.samples import Sample

HELD_OUT = 24


def split(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Give the samples to train on, and one in ten, at most 24, spread evenly, that is held out."""
    count = min(HELD_OUT, len(samples) // 10)
    every = len(samples) // count if count else len(samples) + 1
    out = [number for number in range(len(samples)) if number % every == every - 1][:count]
    chosen = set(out)
    kept = [one for number, one in enumerate(samples) if number not in chosen]
    return kept, [samples[number] for number in out]


def stretches(sample: Sample, roles: Sequence[AgentRole]) -> list[tuple[AgentRole, int, int]]:
    """Give role, first place and end of each stretch of these roles' words."""
    found: list[tuple[AgentRole, int, int]] = []
    begin, now = 0, None
    for place, owner in enumerate((*sample.owners, None)):
        if owner == now:
            continue
        if now is not None and now in roles:
            found.append((now, begin, place))
        begin, now = place, owner
    return found


def right(
    model: Any,  # noqa: ANN401 - a model of any architecture
    samples: Sequence[Sample],
    roles: Sequence[AgentRole],
) -> dict[AgentRole, float]:
    """Give each role's share of stretches whose every token is the likeliest one, the true words before it.

    Args:
        model: any causal decoder of transformers.
        samples: what it was not trained on.
        roles: those to look at; one without stretches is left out.
    """
    whole, good = Counter[AgentRole](), Counter[AgentRole]()
    training = model.training
    model.eval()
    with torch.inference_mode():
        for sample in samples:
            ids = torch.tensor([list(sample.ids)], device=model.device)
            likeliest = cast("list[int]", model(input_ids=ids).logits[0].argmax(-1).tolist())
            for role, begin, end in stretches(sample, roles):
                whole[role] += 1
                good[role] += likeliest[begin - 1 : end - 1] == list(sample.ids[begin:end])
    model.train(training)
    return {role: good[role] / whole[role] for role in roles if whole[role]}


class Smoke(TrainerCallback):
    """Tells at each checkpoint what ``right`` gives."""

    def __init__(
        self, name: str, samples: Sequence[Sample], roles: Sequence[AgentRole],
        tell: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._name, self._samples, self._roles, self._tell = name, samples, roles, tell

    def on_save(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ANN401
        """Tell the shares."""
        del args, control
        if not state.is_world_process_zero or not self._samples:
            return
        shares = right(model, self._samples, self._roles)
        said = ", ".join(f"{role} {share:.0%}" for role, share in shares.items())
        self._tell(f"{self._name}: held-out stretches without a fault: {said}")
