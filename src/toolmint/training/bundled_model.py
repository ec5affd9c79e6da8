"""Make the bundled model: curriculum, tokenizer, samples, training, export.

Each part is saved, so that an interrupted run resumes.
"""

import json
import shutil
from pathlib import Path

import torch

from toolmint.core.errors import InputError
from toolmint.training.bundle import GRAPH_FILE
from toolmint.training.callbacks import LineCallbacks, TrainingCallbacks
from toolmint.training.curriculum import (
    Curriculum,
    curriculum_samples,
    curriculum_texts,
    read_curriculum,
    write_curriculum,
)
from toolmint.training.decoder import TOKENIZER_FILE, load_model
from toolmint.training.export import export
from toolmint.training.glpft import CARD, Card, train
from toolmint.training.optimizer import has_native_bfloat16
from toolmint.training.recipes import Recipe, bundled
from toolmint.training.tokenizer import Tokenizer

_BPE_TOKENS, _PHRASE_TOKENS = 2048 - 128, 128
"""The vocabulary (2,048 tokens in all): byte-level BPE tokens, and phrase tokens."""
_CURRICULUM_FILE = "curriculum.json"
_PHASES = ("single", "short", "usual", "in_domain")
_BPE_RUNS, _PHRASE_RUNS = 3000, 150
"""Runs of the curriculum from which the BPE is trained, and of these those that phrases are mined from.

Mining phrases counts all n-grams, which is slow; 150 runs show every frequent phrase.
"""


def make_bundled_model(
    out: Path,
    curriculum: Curriculum | None = None,
    recipe: Recipe | None = None,
    *,
    base: Path | None = None,
    callbacks: TrainingCallbacks | None = None,
) -> Card:
    """Train and export the bundled model.

    Args:
        out: gets ``tokenizer.json``, ``samples.npz``, a folder for each stage, and the exported ``trio``.
        curriculum: the runs to train on.
        recipe: hyperparameters.
        base: folder of a model to train further, with its tokenizer; None: random weights.
        callbacks: receive lines and steps.

    Returns:
        The card of the run.

    Raises:
        InputError: the curriculum is empty, the saved samples are of another curriculum, or ``base`` holds
            no model.
    """
    curriculum, callbacks = curriculum or Curriculum(), callbacks or LineCallbacks()
    recipe = recipe or bundled(further=base is not None)
    if curriculum.size < 1:
        raise InputError("a curriculum needs at least one run", code="empty-curriculum")
    out.mkdir(parents=True, exist_ok=True)
    tokenizer, saved = out / TOKENIZER_FILE, out / "samples.npz"
    _check_curriculum(out / _CURRICULUM_FILE, curriculum)
    if not tokenizer.is_file():
        _make_tokenizer(curriculum, base, callbacks).save(tokenizer)
    if not saved.is_file():

        def report(done: int) -> None:
            callbacks.step("samples", done, curriculum.size, None)

        (out / _CURRICULUM_FILE).write_text(_curriculum_text(curriculum), encoding="utf-8")
        write_curriculum(
            curriculum_samples(curriculum, tokenizer, recipe.context, notify=report), saved
        )
    samples = read_curriculum(saved)
    if len(samples) != curriculum.size:
        raise InputError(
            f"{str(saved)!r} holds {len(samples)} runs, the curriculum has {curriculum.size}; "
            "name another folder, or resume with the curriculum that was begun",
            code="other-curriculum",
        )
    if not has_native_bfloat16():
        callbacks.notify("this machine has no native bfloat16: float32, two to three times as slow")
    callbacks.notify(f"{len(samples)} runs, {sum(len(sample.ids) for sample in samples):,} tokens")
    card = train(samples, recipe, tokenizer, out, base=base, callbacks=callbacks)
    bundle_model(out / recipe.global_stage.name, out / "trio")
    return card


def _curriculum_text(curriculum: Curriculum) -> str:
    return json.dumps(curriculum._asdict(), indent=1) + "\n"


def _check_curriculum(file: Path, curriculum: Curriculum) -> None:
    """Raise where the saved samples are of another curriculum, also of one with as many runs."""
    if not file.is_file():
        return
    there = json.loads(file.read_text(encoding="utf-8"))
    here = json.loads(_curriculum_text(curriculum))
    differences = [
        f"{name} is {there.get(name)}, not {value}"
        for name, value in here.items()
        if there.get(name) != value
    ]
    # A curriculum of another size has a message of its own, which names both sizes.
    if differences and sum(there.get(name, 0) for name in _PHASES) == curriculum.size:
        raise InputError(
            f"{str(file.parent)!r} holds samples of another curriculum: {'; '.join(differences)}; name "
            "another folder, or resume with the curriculum that was begun",
            code="other-curriculum",
        )


def _make_tokenizer(
    curriculum: Curriculum, base: Path | None, callbacks: TrainingCallbacks
) -> Tokenizer:
    """Return the base's tokenizer, or train one: a BPE on many runs, then phrase tokens from some of them."""
    if base is not None:
        return Tokenizer.load(base / TOKENIZER_FILE)
    callbacks.notify("tokenizer: generating runs")
    runs = list(
        curriculum_texts(
            range(0, curriculum.size, max(1, curriculum.size // _BPE_RUNS)), curriculum
        )
    )
    tokenizer = Tokenizer.train_texts((text for run in runs for text in run), _BPE_TOKENS)
    callbacks.notify("tokenizer: finding phrases")
    tokenizer.add_phrases(runs[:: max(1, len(runs) // _PHRASE_RUNS)], _PHRASE_TOKENS)
    return tokenizer


def bundle_model(model: Path, out: Path) -> None:
    """Write a trained decoder as the package bundles it: float16 weights, ONNX graph, tokenizer and card.

    Raises:
        InputError: ``model`` holds no Llama decoder.
    """
    out.mkdir(parents=True, exist_ok=True)
    load_model(model).to(torch.float16).save_pretrained(str(out))
    shutil.copy(model / TOKENIZER_FILE, out / TOKENIZER_FILE)
    (out / "generation_config.json").unlink(missing_ok=True)
    card = json.loads((model / CARD).read_text(encoding="utf-8"))
    (out / CARD).write_text(json.dumps(card, indent=1), encoding="utf-8")
    export(out, out / GRAPH_FILE)
