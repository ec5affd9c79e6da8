"""GLPFT (alpha-UMi section 3.3): one backbone learns whole trajectories, then three copies each learn their
own spans; and the run's card.
"""

import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from toolwright.core.errors import ConfigError
from toolwright.core.messages import Frozen
from toolwright.core.values import digest
from toolwright.training.recipes import Recipe, Stage
from toolwright.training.samples import Sample
from toolwright.training.sft import (
    Fitted,
    adapted,
    fit,
    load_model,
    new_model,
    processes,
    write_once,
)
from toolwright.training.tokenizer import Words
from toolwright.training.watch import Lines, Watcher

CARD = "card.json"
LIBRARIES = ("torch", "transformers", "trl", "peft", "tokenizers")


class StageCard(Frozen):
    """One stage as the card tells it."""

    name: str
    first_loss: float
    last_loss: float
    steps: int
    seconds: float
    learnt_tokens: int


class Card(Frozen):
    """What a run was: its recipe, its data by digest, versions, machine and processes, stages, seconds."""

    recipe: Recipe
    base: str | None
    samples: int
    data_digest: str
    versions: dict[str, str]
    machine: str
    processes: int = 1
    stages: tuple[StageCard, ...]
    seconds: float


def train(
    samples: Sequence[Sample],
    recipe: Recipe,
    tokenizer: Path,
    out: Path,
    *,
    base: Path | None = None,
    watcher: Watcher | None = None,
) -> Card:
    """Run every stage of a recipe; each keeps its model in a folder of its own name under ``out``.

    A stage whose folder is whole is not run again, so a run that was broken off goes on. A ``watcher`` hears
    of stages and steps (``Lines`` for lines alone).

    Raises:
        ConfigError: the recipe makes no base and none is given, or adapters are to be trained from nothing.
        InputError: a stage has nothing to learn, or the base cannot be read.
    """
    start = time.perf_counter()
    watcher = watcher or Lines()
    if recipe.adapter is not None and recipe.method == "multi" and base is None:
        raise ConfigError("adapters need a base; name its folder", code="no-base")
    cards: list[StageCard] = []
    backbone = base
    for stage in recipe.stages():
        folder = out / stage.name
        card = folder / CARD
        if card.is_file():
            cards.append(StageCard.model_validate_json(card.read_text(encoding="utf-8")))
            watcher.tell(f"{stage.name}: is there already")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            watcher.tell(f"{stage.name}: learning {', '.join(stage.roles)}")
            model = _base(recipe, tokenizer, backbone)
            if recipe.adapter is not None and stage in recipe.local:
                model = adapted(model, recipe.adapter, tokenizer, stage)
            shown = _shown(samples, stage, recipe)
            fitted = fit(
                model, shown, stage, recipe, tokenizer=tokenizer, out=folder, watcher=watcher
            )
            cards.append(_card(stage.name, fitted))
            write_once(card, cards[-1].model_dump_json(indent=1))
            watcher.tell(
                f"{stage.name}: loss {cards[-1].first_loss:.3f} to {cards[-1].last_loss:.3f}"
            )
        if stage is recipe.whole:
            backbone = folder
    whole = Card(
        recipe=recipe, base=str(base) if base is not None else None, samples=len(samples),
        data_digest=digest([list(sample.ids) for sample in samples]),
        versions={name: version(name) for name in LIBRARIES},
        machine=f"{platform.machine()}, {platform.python_version()}", processes=processes(),
        stages=tuple(cards),
        seconds=time.perf_counter() - start,
    )  # fmt: skip
    write_once(out / CARD, whole.model_dump_json(indent=1))
    return whole


def _shown(samples: Sequence[Sample], stage: Stage, recipe: Recipe) -> Sequence[Sample]:
    """Give the samples that a stage sees: all, or, without reuse, one half for each kind of stage."""
    if recipe.reuse or recipe.method != "glpft":
        return samples
    return samples[::2] if stage is recipe.whole else samples[1::2]


def _base(recipe: Recipe, tokenizer: Path, base: Path | None) -> object:
    """Give the model that a stage begins with: the given one, or one of random weights."""
    if base is not None:
        model = load_model(base)
        return model.float() if str(model.dtype) == "torch.float16" else model
    if recipe.architecture is None:
        raise ConfigError(
            "this recipe trains a base that must be given; name its folder", code="no-base"
        )
    size = Words.load(tokenizer).size
    model = new_model(recipe.architecture, size, recipe.context, recipe.seed)
    model.config.held_replies = recipe.held
    return model


def _card(name: str, fitted: Fitted) -> StageCard:
    return StageCard(
        name=name, first_loss=fitted.first_loss, last_loss=fitted.last_loss, steps=fitted.steps,
        seconds=fitted.seconds, learnt_tokens=fitted.learnt,
    )  # fmt: skip
