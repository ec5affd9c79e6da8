"""The shipped trio's lessons: reference runs of ToolWorld, easy ones first, most of them in disguise."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from toolwright.core.task import Trajectory
from toolwright.roles.marked import pieces_of
from toolwright.roles.view import AgentRole
from toolwright.training.samples import ROLES, Sample, sample_of
from toolwright.training.tokenizer import Words
from toolwright.world.astray import Astray
from toolwright.world.disguise import Disguise
from toolwright.world.generate import make_task
from toolwright.world.players import play
from toolwright.world.shape import LONGEST, Shape

FIRST_SEED = 1_000_000
"""Training tasks have this seed and later ones; whoever evaluates takes earlier ones."""
CHUNK = 500


class Mix(NamedTuple):
    """Shares of runs: with the world's own tools and words, and in disguise; the rest is of other editions.

    A run in disguise has tools of another edition and other words; a quarter of those also lose their names.
    """

    plain: float
    disguised: float


class Course(NamedTuple):
    """How many runs, and of what length: single calls among few tools, short tasks, then the usual mix.

    Attributes:
        single: runs of one call, with few tools and no faults, first.
        short: runs of tasks with at most two needed calls, after them.
        usual: runs of the usual shape, after those.
        home: runs of the usual shape, last, of which many more have the world's own tools and words.
        mix: of all runs but the last ones.
        home_mix: of the last ones.
        broken: share of tasks with a tool that never works, single calls aside: what is hardest to learn.
        astray: share of calls before which a run takes the wrong tool, which is read and not learnt.
    """

    single: int = 1_500
    short: int = 3_000
    usual: int = 28_000
    home: int = 22_500
    mix: Mix = Mix(plain=0.15, disguised=0.75)
    home_mix: Mix = Mix(plain=0.45, disguised=0.40)
    broken: float = 0.4
    astray: float = 0.12

    @property
    def size(self) -> int:
        """How many runs there are."""
        return self.single + self.short + self.usual + self.home

    def shape(self, number: int) -> Shape:
        """Give the shape of a run of a number."""
        if number < self.single:
            return Shape(longest=1, impossible=0, broken=0, flaky=0, strangers=0)
        longest = 2 if number < self.single + self.short else LONGEST
        return Shape(longest=longest, broken=self.broken)

    def mixed(self, number: int) -> Mix:
        """Give the mix that a run of a number is drawn from."""
        return self.mix if number < self.size - self.home else self.home_mix


def lesson(number: int, course: Course) -> tuple[Trajectory, Callable[[str], str]]:
    """Give a course's run of a number, with its disguise."""
    random = Random(f"disguise/{number}")
    chance, seed, mix = random.random(), FIRST_SEED + number, course.mixed(number)
    task = make_task("train", seed, course.shape(number), edition=0 if chance < mix.plain else seed)
    trajectory, _ = asyncio.run(play(task, Astray(task, course.astray)))
    if chance < 1 - mix.disguised:
        return trajectory, str
    return trajectory, Disguise(random, names=random.random() < 0.25)


def texts(numbers: range, course: Course) -> Iterator[list[str]]:
    """Give the texts of some runs, piece by piece, for a tokenizer."""
    for number in numbers:
        trajectory, disguise = lesson(number, course)
        yield [disguise(piece.text) for piece in pieces_of(trajectory.task, trajectory.path())]


def _chunk(start: int, course: Course, tokenizer: Path, context: int) -> list[Sample]:
    words = Words.load(tokenizer)
    made: list[Sample] = []
    for number in range(start, min(start + CHUNK, course.size)):
        trajectory, disguise = lesson(number, course)
        made.append(sample_of(trajectory, words, context, disguise))
    return made


def samples(
    course: Course,
    tokenizer: Path,
    context: int,
    *,
    processes: int = 2,
    tell: Callable[[int], None],
) -> Iterator[Sample]:
    """Give a course's samples in order, made by several processes; ``tell`` hears how many there are."""
    starts = list(range(0, course.size, CHUNK))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        work = [pool.submit(_chunk, start, course, tokenizer, context) for start in starts]
        done = 0
        for one in work:
            found = one.result()
            done += len(found)
            tell(done)
            yield from found


def write(found: Iterator[Sample], path: Path) -> None:
    """Keep samples in one ``.npz``: tokens, owners (0: context, then the roles), and where each ends."""
    ids, owners, ends = list[int](), list[int](), list[int]()
    for sample in found:
        ids += sample.ids
        owners += [0 if owner is None else ROLES.index(owner) + 1 for owner in sample.owners]
        ends.append(len(ids))
    whole = path.with_suffix(".part.npz")
    np.savez_compressed(
        whole, ids=np.array(ids, np.uint16), owners=np.array(owners, np.uint8), ends=np.array(ends)
    )
    whole.replace(path)


def read(path: Path) -> list[Sample]:
    """Read what ``write`` kept."""
    kept = np.load(path)
    names: tuple[AgentRole | None, ...] = (None, *ROLES)
    ids: list[int] = kept["ids"].tolist()
    owners: list[AgentRole | None] = [names[int(owner)] for owner in kept["owners"]]
    ends: list[int] = [0, *kept["ends"].tolist()]
    return [
        Sample(tuple(ids[start:end]), tuple(owners[start:end])) for start, end in pairwise(ends)
    ]
