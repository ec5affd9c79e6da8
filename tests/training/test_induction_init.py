"""Decoders whose first weights copy."""

from typing import Any, cast

import pytest
import torch

from toolmint.core.errors import InputError
from toolmint.training.decoder import new_model
from toolmint.training.induction_init import init_induction_heads
from toolmint.training.recipes import Architecture, bundled
from toolmint.training.sft import labelled_loss

LENGTH, VOCABULARY = 100, 2048


def twice(rows: int) -> torch.Tensor:
    """Return rows of tokens by chance, each followed by itself."""
    once = torch.randint(VOCABULARY, (rows, LENGTH), generator=torch.Generator().manual_seed(1))
    return torch.cat([once, once], 1)


def decoder(architecture: Architecture) -> Any:
    return cast("Any", new_model(architecture, VOCABULARY, 512, 0))


def test_the_first_heads_look_back_and_later_ones_find_what_came_after() -> None:
    architecture = bundled().architecture
    assert architecture is not None
    model = decoder(architecture).eval()
    model.set_attn_implementation("eager")
    with torch.no_grad():
        seen = model(input_ids=twice(4), output_attentions=True).attentions
    for head, back in ((0, 1), (1, 1), (2, 2)):
        assert seen[0][:, head].diagonal(-back, 1, 2).mean() > 0.8, "most of what a head looks at"
    by_chance = 1 / LENGTH
    for layer, heads in ((1, 4), (2, 2), (3, 2)):
        for head in range(heads):
            copied = seen[layer][:, head, LENGTH:].diagonal(1, 1, 2).mean()
            assert copied > 2 * by_chance, f"head {head} of layer {layer}"


def test_a_few_steps_teach_such_a_decoder_to_copy_and_another_one_nothing() -> None:
    lost = dict[bool, float]()
    for copying in (True, False):
        model = decoder(
            Architecture(width=128, layers=4, heads=4, inner=128, induction_init=copying)
        )
        optimizer: Any = torch.optim.AdamW(model.parameters(), lr=3e-3)
        ids = twice(16)
        labels = ids.clone()
        labels[:, : LENGTH + 1] = -100
        losses: list[float] = []
        for _ in range(12):
            loss: Any = labelled_loss(model, ids, labels) / (labels != -100).sum()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        lost[copying] = losses[-1]
    assert lost[True] < 0.75 * lost[False], lost


@pytest.mark.parametrize(("layers", "heads"), [(4, 2), (3, 4)])
def test_a_decoder_of_another_shape_is_refused(layers: int, heads: int) -> None:
    with pytest.raises(InputError, match=f"not {heads} heads and {layers} layers"):
        decoder(Architecture(width=64, layers=layers, heads=heads, inner=64, induction_init=True))


def test_a_decoder_without_biases_is_refused() -> None:
    with pytest.raises(InputError, match="has biases"):
        init_induction_heads(decoder(Architecture(width=64, layers=4, heads=4, inner=64)))
