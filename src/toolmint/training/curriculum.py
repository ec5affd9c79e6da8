"""The curriculum of the bundled model: reference runs of ToolWorld, easy ones first, most augmented.

The order is fixed because a small decoder from random weights learns the form of a call from short tasks in
a fraction of the steps; the runs with the world's own words come last, where they are remembered best.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from toolmint.core.task import Trajectory
from toolmint.roles.marked import pieces_of
from toolmint.roles.view import AgentRole
from toolmint.training.samples import TRAINED_ROLES, Sample, sample_of
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_task
from toolmint.world.lexical_augmentation import LexicalAugmentation
from toolmint.world.players import play_task
from toolmint.world.shape import MAX_CALLS, Shape
from toolmint.world.wrong_tool import WrongToolPlayer

FIRST_SEED = 1_000_000
"""Seed of the first training task. Evaluation uses smaller seeds, so that the two never overlap."""
_CHUNK_RUNS = 500  # runs a worker generates at a time


class Mix(NamedTuple):
    """Shares (0 to 1) of the kinds of runs; the rest has tools of other editions in the world's own words.

    Attributes:
        plain: the world's own tools and words.
        augmented: tools of other editions, and content words replaced; in a quarter of these also names.
    """

    plain: float
    augmented: float


class Curriculum(NamedTuple):
    """Numbers of runs by phase: single calls, short tasks, the usual shape, then in-domain runs.

    Attributes:
        single: phase 1: runs of one call, with few tools and no faults.
        short: phase 2: runs of tasks that need at most two calls.
        usual: phase 3: runs of the usual shape.
        in_domain: phase 4: runs of the usual shape, more of them with the world's own tools and words.
        mix: of phases 1 to 3.
        in_domain_mix: of phase 4.
        broken: share of tasks with a tool that always fails, from phase 2 on; more than in evaluation,
            because going round such a tool is the hardest behaviour to learn.
        wrong_tool: share of calls before which a run calls a wrong tool, which gives no loss.
    """

    single: int = 1_500
    short: int = 3_000
    usual: int = 28_000
    in_domain: int = 22_500
    mix: Mix = Mix(plain=0.15, augmented=0.75)
    in_domain_mix: Mix = Mix(plain=0.45, augmented=0.40)
    broken: float = 0.4
    wrong_tool: float = 0.12

    @property
    def size(self) -> int:
        """The number of runs."""
        return self.single + self.short + self.usual + self.in_domain

    def shape(self, number: int) -> Shape:
        """Return the task shape of run ``number``."""
        if number < self.single:
            return Shape(longest=1, impossible=0, broken=0, flaky=0, distractor_categories=0)
        longest = 2 if number < self.single + self.short else MAX_CALLS
        return Shape(longest=longest, broken=self.broken)

    def mixed(self, number: int) -> Mix:
        """Return the mix that run ``number`` is drawn from."""
        return self.mix if number < self.size - self.in_domain else self.in_domain_mix


def curriculum_run(number: int, curriculum: Curriculum) -> tuple[Trajectory, Callable[[str], str]]:
    """Return run ``number`` of a curriculum, and its text augmentation (identity where there is none)."""
    # The seed text is part of the bundled model's recipe and must stay byte-identical.
    random = Random(f"disguise/{number}")
    chance, seed, mix = random.random(), FIRST_SEED + number, curriculum.mixed(number)
    task = make_task(
        "train", seed, curriculum.shape(number), edition=0 if chance < mix.plain else seed
    )
    trajectory, _ = asyncio.run(play_task(task, WrongToolPlayer(task, curriculum.wrong_tool)))
    if chance < 1 - mix.augmented:
        return trajectory, str
    return trajectory, LexicalAugmentation(random, names=random.random() < 0.25)


def curriculum_texts(numbers: range, curriculum: Curriculum) -> Iterator[list[str]]:
    """Yield the augmented texts of some runs, piece by piece, to train a tokenizer on."""
    for number in numbers:
        trajectory, augmentation = curriculum_run(number, curriculum)
        yield [augmentation(piece.text) for piece in pieces_of(trajectory.task, trajectory.path())]


def _samples_of_chunk(
    start: int, curriculum: Curriculum, tokenizer_file: Path, context: int
) -> list[Sample]:
    tokenizer = Tokenizer.load(tokenizer_file)
    made: list[Sample] = []
    for number in range(start, min(start + _CHUNK_RUNS, curriculum.size)):
        trajectory, augmentation = curriculum_run(number, curriculum)
        made.append(sample_of(trajectory, tokenizer, context, augmentation))
    return made


def curriculum_samples(
    curriculum: Curriculum,
    tokenizer: Path,
    context: int,
    *,
    processes: int = 2,
    notify: Callable[[int], None],
) -> Iterator[Sample]:
    """Yield a curriculum's samples in order, generated by several processes.

    Args:
        curriculum: the runs.
        tokenizer: the ``tokenizer.json``.
        context: tokens of the longest sample.
        processes: number of worker processes.
        notify: receives the number of samples so far.
    """
    starts = list(range(0, curriculum.size, _CHUNK_RUNS))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        work = [
            pool.submit(_samples_of_chunk, start, curriculum, tokenizer, context)
            for start in starts
        ]
        done = 0
        for one in work:
            found = one.result()
            done += len(found)
            notify(done)
            yield from found


def write_curriculum(found: Iterator[Sample], path: Path) -> None:
    """Write samples to one ``.npz``.

    Arrays: ``ids`` (tokens of all samples), ``role_mask`` (0: context, n: the n-th trained role) and ``ends``
    (where each sample ends). The file appears whole or not at all.
    """
    ids, role_mask, ends = list[int](), list[int](), list[int]()
    for sample in found:
        ids += sample.ids
        role_mask += [
            0 if role is None else TRAINED_ROLES.index(role) + 1 for role in sample.role_mask
        ]
        ends.append(len(ids))
    part = path.with_suffix(".part.npz")
    np.savez_compressed(
        part,
        ids=np.array(ids, np.uint16),
        role_mask=np.array(role_mask, np.uint8),
        ends=np.array(ends),
    )
    part.replace(path)


def read_curriculum(path: Path) -> list[Sample]:
    """Read the samples that ``write_curriculum`` wrote."""
    arrays = np.load(path)
    names: tuple[AgentRole | None, ...] = (None, *TRAINED_ROLES)
    ids: list[int] = arrays["ids"].tolist()
    role_mask: list[AgentRole | None] = [names[int(role)] for role in arrays["role_mask"]]
    ends: list[int] = [0, *arrays["ends"].tolist()]
    return [
        Sample(tuple(ids[start:end]), tuple(role_mask[start:end])) for start, end in pairwise(ends)
    ]
