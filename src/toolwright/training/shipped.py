"""How the trio that the package ships is made: lessons, tokenizer, samples, training, export. Each part is
kept, so that a run that was broken off goes on.
"""

import json
import shutil
from pathlib import Path

import torch

from toolwright.core.errors import InputError
from toolwright.training import lessons
from toolwright.training.delivery import GRAPH
from toolwright.training.export import export
from toolwright.training.glpft import CARD, Card, train
from toolwright.training.lessons import Course
from toolwright.training.optimizer import native_half
from toolwright.training.recipes import Recipe, shipped
from toolwright.training.sft import TOKENIZER, load_model
from toolwright.training.tokenizer import Words
from toolwright.training.watch import Lines, Watcher

WORDS, PHRASES = 2048 - 128, 128
"""Tokens of the vocabulary: pieces of words, and whole phrases."""
READ, HEARD = 3000, 150
"""Lessons that the tokenizer's words are learnt from, and those that its phrases are."""


def make(
    out: Path,
    course: Course | None = None,
    recipe: Recipe | None = None,
    *,
    base: Path | None = None,
    watcher: Watcher | None = None,
) -> Card:
    """Make the trio in a folder: ``tokenizer.json``, ``samples.npz``, a folder for each stage, and ``trio``.

    Args:
        out: the folder.
        course: the lessons.
        recipe: how they are learnt.
        base: a folder with a trio that learns them further, with its tokenizer; None: random weights.
        watcher: hears of each part and step.

    Raises:
        InputError: the course has no lesson, the lessons that are kept are of another course, or ``base``
            holds no model.
    """
    course, watcher = course or Course(), watcher or Lines()
    recipe = recipe or shipped(further=base is not None)
    if course.size < 1:
        raise InputError("a course needs at least one lesson", code="no-lessons")
    out.mkdir(parents=True, exist_ok=True)
    tokenizer, kept = out / TOKENIZER, out / "samples.npz"
    if not tokenizer.is_file():
        _tokenizer(course, base, watcher).save(tokenizer)
    if not kept.is_file():

        def told(done: int) -> None:
            watcher.step("lessons", done, course.size, None)

        lessons.write(lessons.samples(course, tokenizer, recipe.context, tell=told), kept)
    samples = lessons.read(kept)
    if len(samples) != course.size:
        raise InputError(
            f"{str(kept)!r} holds {len(samples)} lessons, the course has {course.size}; "
            "name another folder, or go on with the course that was begun",
            code="other-course",
        )
    if not native_half():
        watcher.tell(
            "this machine computes no bfloat16: full precision, two to three times as slow"
        )
    watcher.tell(f"{len(samples)} lessons, {sum(len(one.ids) for one in samples):,} tokens")
    card = train(samples, recipe, tokenizer, out, base=base, watcher=watcher)
    pack(out / recipe.whole.name, out / "trio")
    return card


def _tokenizer(course: Course, base: Path | None, watcher: Watcher) -> Words:
    """Give the base's tokenizer, or learn one: words from many lessons, then phrases from some of them."""
    if base is not None:
        return Words.load(base / TOKENIZER)
    watcher.tell("tokenizer: reading lessons")
    runs = list(lessons.texts(range(0, course.size, max(1, course.size // READ)), course))
    words = Words.train_texts((text for run in runs for text in run), WORDS)
    watcher.tell("tokenizer: learning phrases")
    words.learn(runs[:: max(1, len(runs) // HEARD)], PHRASES)
    return words


def pack(model: Path, out: Path) -> None:
    """Put a trained decoder into a folder as the package ships it: half precision, and as an ONNX graph.

    Raises:
        InputError: ``model`` holds no Llama decoder.
    """
    out.mkdir(parents=True, exist_ok=True)
    load_model(model).to(torch.float16).save_pretrained(str(out))
    shutil.copy(model / TOKENIZER, out / TOKENIZER)
    (out / "generation_config.json").unlink(missing_ok=True)
    card = json.loads((model / CARD).read_text(encoding="utf-8"))
    (out / CARD).write_text(json.dumps(card, indent=1), encoding="utf-8")
    export(out, out / GRAPH)
