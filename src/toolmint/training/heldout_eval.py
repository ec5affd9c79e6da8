"""Held-out evaluation during training: the share of held-out spans that a model predicts exactly."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from transformers import TrainerCallback

from toolmint.roles.view import AgentRole
from toolmint.training.samples import Sample

MAX_HELD_OUT = 24


def split_held_out(
    samples: Sequence[Sample], most: int = MAX_HELD_OUT
) -> tuple[list[Sample], list[Sample]]:
    """Return the samples to train on, and the held-out ones: one in ten, at most ``most``, evenly spaced."""
    count = min(most, len(samples) // 10)
    every = len(samples) // count if count else len(samples) + 1
    out = [number for number in range(len(samples)) if number % every == every - 1][:count]
    chosen = set(out)
    kept = [one for number, one in enumerate(samples) if number not in chosen]
    return kept, [samples[number] for number in out]


def held_out_spans(sample: Sample, roles: Sequence[AgentRole]) -> list[tuple[AgentRole, int, int]]:
    """Return role, start and end (exclusive) of each span of these roles."""
    spans: list[tuple[AgentRole, int, int]] = []
    begin, now = 0, None
    for place, owner in enumerate((*sample.role_mask, None)):
        if owner == now:
            continue
        if now is not None and now in roles:
            spans.append((now, begin, place))
        begin, now = place, owner
    return spans


def exact_matches(
    model: Any,  # noqa: ANN401 - a model of any architecture
    samples: Sequence[Sample],
    roles: Sequence[AgentRole],
) -> dict[AgentRole, float]:
    """Return each role's share (0 to 1) of spans in which every token is the argmax, teacher-forced.

    Args:
        model: any causal decoder of transformers.
        samples: held-out samples.
        roles: the roles to evaluate; a role without spans is left out.
    """
    total, exact = Counter[AgentRole](), Counter[AgentRole]()
    training = model.training
    model.eval()
    with torch.inference_mode():
        for sample in samples:
            ids = torch.tensor([list(sample.ids)], device=model.device)
            likeliest = cast("list[int]", model(input_ids=ids).logits[0].argmax(-1).tolist())
            for role, begin, end in held_out_spans(sample, roles):
                total[role] += 1
                exact[role] += likeliest[begin - 1 : end - 1] == list(sample.ids[begin:end])
    model.train(training)
    return {role: exact[role] / total[role] for role in roles if total[role]}


class HeldOutEval(TrainerCallback):
    """Reports ``exact_matches`` at each checkpoint."""

    def __init__(
        self,
        name: str,
        samples: Sequence[Sample],
        roles: Sequence[AgentRole],
        notify: Callable[[str], None],
    ) -> None:
        self._name, self._samples, self._roles, self._notify = name, samples, roles, notify

    def on_save(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ANN401
        """Evaluate and report."""
        del args, control
        if not state.is_world_process_zero or not self._samples:
            return
        shares = exact_matches(model, self._samples, self._roles)
        said = ", ".join(f"{role} {share:.0%}" for role, share in shares.items())
        self._notify(f"{self._name}: held-out spans predicted exactly: {said}")
