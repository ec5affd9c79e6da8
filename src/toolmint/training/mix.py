"""The mix for tool use in English: public files and synthetic tasks, with held-out parts beside it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

from toolmint.core.errors import InputError
from toolmint.core.task import Trajectory
from toolmint.roles.marked import pieces_of
from toolmint.training.mix_card import HeldOutPart, MixCard, MixPart, file_digest
from toolmint.training.mix_files import MixFiles
from toolmint.training.mix_sources import MakeNearest, MixSources, read_sources

MIX, MIX_CARD = "mix.jsonl", "mix.json"
LONGEST = 3_000
"""Characters of a run; longer ones are left out. It is at most 1,024 tokens of a 49,000-word vocabulary."""
_TRIES = 20  # of making a run, for each run that is wanted


class MixShares(NamedTuple):
    """Shares of what fills the mix beside the recorded runs; they are divided by their sum.

    Attributes:
        seal: synthetic tasks over Seal-Tools' documents.
        toolbench: synthetic tasks over the documents of ToolBench's APIs.
        world: ToolWorld's runs, told in plain English.
    """

    seal: float = 0.50
    toolbench: float = 0.30
    world: float = 0.20


class MixRecipe(NamedTuple):
    """What a mix is made of.

    Attributes:
        size: trajectories in all.
        seed: decides wordings, values, order.
        shares: of the parts that are made.
        seal_repeats: how often each of Seal-Tools' queries is told, each time with other distractors.
        toolbench_repeats: how often each of ToolBench's example runs is read.
        held_out_tools: tools that a held-out request shows.
    """

    size: int = 8_000
    seed: int = 0
    shares: MixShares = MixShares()
    seal_repeats: int = 2
    toolbench_repeats: int = 3
    held_out_tools: int = 5


class _Made(NamedTuple):
    """One part: its runs in groups that stay together, and how many were too long."""

    groups: list[list[Trajectory]]
    too_long: int

    @property
    def runs(self) -> int:
        """The number of runs."""
        return sum(map(len, self.groups))


def make_mix(
    files: MixFiles,
    folder: Path,
    nearest: MakeNearest,
    recipe: MixRecipe = MixRecipe(),  # noqa: B008 - immutable
    *,
    notify: Callable[[str], None],
) -> MixCard:
    """Write a mix with its card and held-out parts into a folder; the same call writes the same bytes.

    Args:
        files: the public files; a part whose files are not there is left out, and the card says so.
        folder: gets ``mix.jsonl``, ``mix.json`` and a file for each held-out part.
        nearest: makes the retriever of distractors.
        recipe: what is made.
        notify: receives a line for each part.

    Raises:
        InputError: none of the files is there, one does not follow its format, or the mix is too small.
    """
    sources = read_sources(files, nearest, recipe.seed, recipe.held_out_tools)
    if not sources.recorded:
        raise InputError(
            f"none of the files of the mix is in {str(files.folder)!r}; expected "
            f"{', '.join(files.names())}",
            code="data-missing",
        )
    made: dict[str, _Made] = {}
    for name, tell in sources.recorded.items():
        repeats = {"seal-tools": recipe.seal_repeats, "toolbench": recipe.toolbench_repeats}
        random = Random(f"{recipe.seed}/{name}")
        told = [tell(random) for _ in range(repeats.get(name, 1))]
        made[name] = _fitting([run for one in told for run in one], cut=name == "toolbench")
    left = recipe.size - sum(one.runs for one in made.values())
    if left < 0:
        raise InputError(
            f"a mix of {recipe.size} cannot hold the {recipe.size - left} recorded runs; "
            "give it a larger size"
        )
    shares = {name: getattr(recipe.shares, name) for name in sources.makers}
    total = sum(shares.values()) or 1.0
    ends = [0, *accumulate(shares.values())]
    bounds = [round(left * end / total) for end in ends]
    for (name, make), (start, end) in zip(sources.makers.items(), pairwise(bounds), strict=True):
        count = end - start
        made[f"made: {name}"] = _filled(make, Random(f"{recipe.seed}/made/{name}"), count)
    return _write(folder, sources, made, recipe, notify)


def run_length(run: Trajectory) -> int:
    """Return the characters of a run as one marked text."""
    return sum(len(piece.text) for piece in pieces_of(run.task, run.path()))


def _fitting(runs: Sequence[Trajectory], *, cut: bool) -> _Made:
    """Return the runs that are short enough; ``cut``: the trainer's truncation shortens them."""
    kept = [[run] for run in runs if cut or run_length(run) <= LONGEST]
    return _Made(kept, len(runs) - len(kept))


def _filled(make: Callable[[Random], list[Trajectory]], random: Random, count: int) -> _Made:
    groups: list[list[Trajectory]] = []
    size = long = tries = 0
    while size < count and tries < _TRIES * count:
        tries += 1
        runs = make(random)
        kept = [run for run in runs if run_length(run) <= LONGEST][: count - size]
        long += sum(run_length(run) > LONGEST for run in runs)
        size += len(kept)
        if kept:
            groups.append(kept)
    return _Made(groups, long)


def _write(
    folder: Path,
    sources: MixSources,
    made: Mapping[str, _Made],
    recipe: MixRecipe,
    notify: Callable[[str], None],
) -> MixCard:
    groups = [group for one in made.values() for group in one.groups]
    Random(f"{recipe.seed}/order").shuffle(groups)
    lines = [run.model_dump_json() for group in groups for run in group]
    folder.mkdir(parents=True, exist_ok=True)
    _write_lines(folder / MIX, lines)
    parts: list[MixPart] = []
    for name, one in made.items():
        origin = sources.origins[name]
        parts.append(
            MixPart(
                name=name,
                runs=one.runs,
                share=round(one.runs / max(1, len(lines)), 4),
                too_long=one.too_long,
                **origin._asdict(),
            )
        )
        notify(f"{name}: {one.runs} runs, {one.too_long} too long")
    held: list[HeldOutPart] = []
    for name, part in sources.held_out.items():
        path = folder / f"held_out_{name.replace('-', '_')}.jsonl"
        _write_lines(path, [run.model_dump_json() for run in part.runs])
        held.append(
            HeldOutPart(
                name=name,
                file=path.name,
                runs=len(part.runs),
                sha256=file_digest(path),
                tools=tuple(sorted(part.tools)),
                about=part.about,
            )
        )
        notify(f"held out, never learnt: {name}: {len(part.runs)} runs in {path}")
    card = MixCard(
        seed=recipe.seed,
        runs=len(lines),
        sha256=file_digest(folder / MIX),
        parts=tuple(parts),
        held_out=tuple(held),
        missing=tuple(sources.missing),
        never=tuple(sources.never),
    )
    (folder / MIX_CARD).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return card


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    part.replace(path)
