"""GLPFT (alpha-UMi section 3.3): stage 1 trains one backbone on whole trajectories, stage 2 continues three
copies, each on its own role's spans. Also the card that records a run.
"""

import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from toolmint.core.base_model import BASE_FILE, BaseReference
from toolmint.core.errors import ConfigError
from toolmint.core.messages import Frozen
from toolmint.core.text_files import read_text
from toolmint.core.turns import read_turns
from toolmint.roles.marked import MARK
from toolmint.training.callbacks import LineCallbacks, TrainingCallbacks
from toolmint.training.decoder import (
    add_adapter,
    continue_adapter,
    load_model,
    merge_adapter,
    new_model,
)
from toolmint.training.distributed import processes, write_once
from toolmint.training.launch import ADAPTER_CONFIG
from toolmint.training.pretrained import add_mark_rows
from toolmint.training.recipes import Recipe, Stage
from toolmint.training.run_folder import RUN_FILE, RunKey, check_folder, run_key
from toolmint.training.samples import Sample
from toolmint.training.sft import StageResult, fit_stage
from toolmint.training.tokenizer import Tokenizer

CARD = "card.json"
LIBRARIES = ("torch", "transformers", "trl", "peft", "tokenizers")


class StageCard(Frozen):
    """The outcome of one stage.

    Losses are mean nats a labelled token; ``learnt_tokens`` are the labelled tokens of one epoch.
    """

    name: str
    first_loss: float
    last_loss: float
    steps: int
    seconds: float
    learnt_tokens: int


class Card(Frozen):
    """The record of a run: recipe, digest of the data, versions, machine, processes, stages, seconds.

    Where a run was resumed, ``seconds`` are those of the stages that were there and of the last process.
    """

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
    reference: BaseReference | None = None,
    adapter: Path | None = None,
    callbacks: TrainingCallbacks | None = None,
) -> Card:
    """Run the stages of a recipe; each saves its model in a folder of its name under ``out``.

    A finished stage (its folder has a card) is not run again, so an interrupted run resumes. A folder belongs
    to one recipe, base and set of data; a finished run is left as it is.

    Args:
        samples: the tokenised trajectories.
        recipe: stages and hyperparameters.
        tokenizer: the ``tokenizer.json``.
        out: the folder of the run.
        base: folder of the model to start from; None: random weights of ``recipe.architecture``.
        reference: names the base in folders of adapters, so that they find it, and refuse another.
        adapter: folder of an adapter on the base, which the first stage trains further.
        callbacks: receive lines and steps.

    Raises:
        ConfigError: the folder holds another run, the recipe needs a base and none is given, adapters have no
            base to adapt, or memory or disk is too small.
        InputError: a stage has no labelled token, or the base cannot be read.
    """
    start = time.perf_counter()
    callbacks = callbacks or LineCallbacks()
    if recipe.adapter is not None and recipe.method == "multi" and base is None:
        raise ConfigError("adapters need a base; name its folder", code="no-base")
    key = run_key(samples, recipe, adapter or base)
    check_folder(out, key)
    if _is_finished(out, recipe, callbacks):
        return Card.model_validate_json(read_text(out / CARD))
    out.mkdir(parents=True, exist_ok=True)
    write_once(out / RUN_FILE, key.model_dump_json(indent=1))
    if reference is not None and recipe.adapter is not None and recipe.adapter.everywhere:
        write_once(tokenizer.parent / BASE_FILE, reference.model_dump_json(indent=1))
    cards, earlier = _train_stages(
        samples,
        recipe,
        tokenizer=tokenizer,
        out=out,
        base=base,
        adapter=adapter,
        callbacks=callbacks,
    )
    named = reference.name if reference is not None else str(base) if base is not None else None
    run = _run_card(key, named, cards, time.perf_counter() - start + earlier)
    write_once(out / CARD, run.model_dump_json(indent=1))
    return run


def _run_card(key: RunKey, base: str | None, stages: Sequence[StageCard], seconds: float) -> Card:
    return Card(
        recipe=key.recipe,
        base=base,
        samples=key.samples,
        data_digest=key.data_digest,
        versions={name: version(name) for name in LIBRARIES},
        machine=f"{platform.machine()}, {platform.python_version()}",
        processes=processes(),
        stages=tuple(stages),
        seconds=seconds,
    )


def _is_finished(out: Path, recipe: Recipe, callbacks: TrainingCallbacks) -> bool:
    stages = recipe.stages()
    if not all((out / name / CARD).is_file() for name in (".", *(stage.name for stage in stages))):
        return False
    for stage in stages:
        callbacks.notify(f"{stage.name}: is there already")
    return True


def _train_stages(
    samples: Sequence[Sample],
    recipe: Recipe,
    *,
    tokenizer: Path,
    out: Path,
    base: Path | None,
    adapter: Path | None,
    callbacks: TrainingCallbacks,
) -> tuple[list[StageCard], float]:
    """Return the stages' cards, and the seconds of those that an earlier process had finished."""
    cards: list[StageCard] = []
    earlier, start = 0.0, adapter or base
    for stage in recipe.stages():
        folder = out / stage.name
        resumed = (folder / CARD).is_file()
        card = _train_stage(
            samples,
            recipe,
            stage,
            tokenizer=tokenizer,
            out=folder,
            base=base,
            start=start,
            callbacks=callbacks,
        )
        cards.append(card)
        earlier += card.seconds if resumed else 0.0
        if stage is recipe.global_stage:
            # The local stages continue copies of the backbone: what all roles share is learnt once.
            start = folder
    return cards, earlier


def _train_stage(
    samples: Sequence[Sample],
    recipe: Recipe,
    stage: Stage,
    *,
    tokenizer: Path,
    out: Path,
    base: Path | None,
    start: Path | None,
    callbacks: TrainingCallbacks,
) -> StageCard:
    """Train one stage from the model or adapter of ``start``, or return its card where it is finished.

    The model and, last, the card are written to ``out``.
    """
    finished = out / CARD
    if finished.is_file():
        callbacks.notify(f"{stage.name}: is there already")
        return StageCard.model_validate_json(finished.read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    callbacks.notify(f"{stage.name}: learning {', '.join(stage.roles)}")
    model = _stage_model(recipe, stage, tokenizer=tokenizer, base=base, start=start)
    fitted = fit_stage(
        model,
        _samples_of_stage(samples, stage, recipe),
        stage,
        recipe,
        tokenizer=tokenizer,
        out=out,
        callbacks=callbacks,
    )
    if stage is recipe.global_stage and recipe.adapts(stage) and _is_activated(recipe):
        # Activated adapters share one cache of the context, so what reads it must be a whole model.
        merge_adapter(model, out)
    card = _stage_card(stage.name, fitted)
    write_once(finished, card.model_dump_json(indent=1))
    callbacks.notify(f"{stage.name}: loss {card.first_loss:.3f} to {card.last_loss:.3f}")
    return card


def _is_activated(recipe: Recipe) -> bool:
    return recipe.adapter is not None and recipe.adapter.activated


def _stage_model(
    recipe: Recipe, stage: Stage, *, tokenizer: Path, base: Path | None, start: Path | None
) -> object:
    """Return what a stage trains: a whole model, a new adapter, or the adapter of ``start`` further."""
    begun = start is not None and (start / ADAPTER_CONFIG).is_file()
    model = _initial_model(recipe, tokenizer, base if begun else start)
    rows = add_mark_rows(model, Tokenizer.load(tokenizer)) if _has_mark_tokens(tokenizer) else []
    if begun and start is not None:
        return continue_adapter(model, start)
    if recipe.adapter is not None and recipe.adapts(stage):
        return add_adapter(
            model,
            recipe.adapter,
            tokenizer,
            mark=None if stage is recipe.global_stage else MARK[stage.roles[0]],
            rows=rows,
        )
    return model


def _has_mark_tokens(tokenizer: Path) -> bool:
    """Return whether a pretrained model's vocabulary was given tokens for the marks."""
    turns = read_turns(tokenizer.parent)
    return turns is not None and turns.end == turns.end_mark


def _samples_of_stage(samples: Sequence[Sample], stage: Stage, recipe: Recipe) -> Sequence[Sample]:
    """Return the samples of a stage: all, or, without reuse, one half for each kind of stage."""
    if recipe.reuse or recipe.method != "glpft":
        return samples
    return samples[::2] if stage is recipe.global_stage else samples[1::2]


def _initial_model(recipe: Recipe, tokenizer: Path, base: Path | None) -> object:
    """Return the model that a stage starts from: the base, in float32 at least, or random weights."""
    if base is not None:
        model = load_model(base)
        # Bundled models are stored in float16, whose range is too small for updates.
        return model.float() if str(model.dtype) == "torch.float16" else model
    if recipe.architecture is None:
        raise ConfigError(
            "this recipe trains a base that must be given; name its folder", code="no-base"
        )
    size = Tokenizer.load(tokenizer).size
    model = new_model(recipe.architecture, size, recipe.context, recipe.seed)
    model.config.copy_constraint = recipe.copy_constraint
    return model


def _stage_card(name: str, fitted: StageResult) -> StageCard:
    return StageCard(
        name=name,
        first_loss=fitted.first_loss,
        last_loss=fitted.last_loss,
        steps=fitted.steps,
        seconds=fitted.seconds,
        learnt_tokens=fitted.labelled_tokens,
    )
