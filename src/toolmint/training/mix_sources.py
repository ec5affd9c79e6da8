"""The parts of the mix: what each file gives, what is held out of it, what is made over its tools."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from toolmint.core.messages import ToolSpec
from toolmint.core.task import Task, Trajectory
from toolmint.synthesis.run_writer import RunWriter, Wanted
from toolmint.synthesis.tool_tasks import (
    Nearest,
    TaskSynthesis,
    irrelevant_run,
    shown_tools,
    wanted_call,
)
from toolmint.training.api_bank_parts import api_bank_runs, split_api_bank
from toolmint.training.mix_card import FileDigest, file_digest
from toolmint.training.mix_files import MixFiles
from toolmint.training.readers import read_file
from toolmint.training.retold import SEARCHER, retold_run, seal_run
from toolmint.training.tool_documents import seal_tool_documents, toolbench_documents
from toolmint.training.world_told import told_world_runs

MakeNearest = Callable[[Sequence[ToolSpec]], Nearest]
"""Indexes tools, and returns how the nearest ones to a text are found."""
_HELD_OUT = 200
_HELD_OUT_API_BANK = 100
_HELD_OUT_SHARE = 0.1
_APACHE = "Apache-2.0"


class Origin(NamedTuple):
    """Where a part is from; see ``mix_card.MixPart``."""

    source: str
    licence: str
    about: str
    files: tuple[FileDigest, ...] = ()


class HeldOut(NamedTuple):
    """Runs that are never learnt, the tools that no part may have, and what they are, in words."""

    runs: list[Trajectory]
    tools: frozenset[str]
    about: str


class MixSources(NamedTuple):
    """What a mix is made from.

    Attributes:
        recorded: recorded runs by part; called with the random source that decides their wording.
        makers: runs of a part that is made, those that show the same tools together.
        held_out: by name.
        origins: of each part.
        missing: parts whose files are not there.
        never: files whose requests and tools no part may have.
    """

    recorded: dict[str, Callable[[Random], list[Trajectory]]]
    makers: dict[str, Callable[[Random], list[Trajectory]]]
    held_out: dict[str, HeldOut]
    origins: dict[str, Origin]
    missing: list[str]
    never: list[FileDigest]


class _Never(NamedTuple):
    """Requests and tools that no part may have."""

    requests: frozenset[str]
    tools: frozenset[str]

    def allows(self, run: Trajectory) -> bool:
        """Return whether a recorded run is of another request, and calls none of the tools."""
        called = {call.name for step in run.path() for call in step.calls}
        return run.task.input not in self.requests and not called & self.tools


def read_sources(files: MixFiles, nearest: MakeNearest, seed: int, shown: int) -> MixSources:
    """Read the public files, and decide what is held out.

    Args:
        files: the data folder.
        nearest: makes the retriever of distractors.
        seed: decides what is drawn for the held-out parts.
        shown: tools that a held-out request shows.

    Raises:
        InputError: a file does not follow its format.
    """
    found = MixSources({}, {}, {}, {}, [], [])
    read = [run for path in files.never for run in read_file(path)]
    never = _Never(
        frozenset(run.task.input for run in read),
        frozenset(spec.name for run in read for spec in run.task.tools),
    )
    found.never.extend(FileDigest(file=path.name, sha256=file_digest(path)) for path in files.never)
    build = _Build(files, nearest, seed, shown, never, found)
    build.seal_tools()
    build.api_bank()
    build.toolbench_runs()
    build.toolbench_apis()
    found.makers["world"] = told_world_runs
    found.origins["made: world"] = Origin(
        "ToolWorld", _APACHE, "runs of ToolWorld's training tools, told in plain English"
    )
    return found


class _Build(NamedTuple):
    """Adds the parts, file by file."""

    files: MixFiles
    nearest: MakeNearest
    seed: int
    shown: int
    never: _Never
    found: MixSources

    def _there(self, part: str, *paths: Path) -> bool:
        if all(path.is_file() for path in paths):
            return True
        self.found.missing.append(part)
        return False

    def seal_tools(self) -> None:
        """Add Seal-Tools: queries of many calls, synthetic tasks; its single calls are held out."""
        files = self.files
        if not self._there("seal-tools", files.seal_documents, files.seal_queries):
            return
        documents = seal_tool_documents(files.seal_documents)
        queries = list(read_file(files.seal_queries, documents))
        random = Random(f"{self.seed}/held out/seal-tools")
        single = [run for run in queries if len(run.steps) == 1][:_HELD_OUT]
        names = frozenset(run.steps[0].calls[0].name for run in single)
        everywhere = self.nearest(list(documents.values()))
        held = [self._single(run, documents, everywhere, random) for run in single]
        self.found.held_out["seal-tools"] = HeldOut(
            held, names, "Seal-Tools' dev part: single calls over tools that no part has"
        )
        lacking = [
            irrelevant_run(_wanted(run, documents), everywhere, random, self.shown)
            for run in single[: _HELD_OUT // 2]
        ]
        self.found.held_out["irrelevant"] = HeldOut(
            lacking, names, "the first half of them, shown other tools alone: none fits"
        )
        learnt = {
            name: spec
            for name, spec in documents.items()
            if name not in names and name not in self.never.tools
        }
        near = self.nearest(list(learnt.values()))
        many = [
            run
            for run in queries
            if len(run.steps) > 1
            and self.never.allows(run)
            and all(step.calls[0].name in learnt for step in run.steps)
        ]

        def tell(random: Random) -> list[Trajectory]:
            told = [seal_run(run, learnt, near, random, random.randint(4, 7)) for run in many]
            return [run for run in told if run is not None]

        self.found.recorded["seal-tools"] = tell
        self.found.origins["seal-tools"] = Origin(
            "Seal-Tools (Wu et al., 2024)",
            _APACHE,
            "queries of the dev part that need several calls; results and rationales are synthetic",
            files.digests(files.seal_queries, files.seal_documents),
        )
        self._synthetic("seal", list(learnt.values()), near, self.found.origins["seal-tools"])

    def _single(
        self, run: Trajectory, documents: Mapping[str, ToolSpec], near: Nearest, random: Random
    ) -> Trajectory:
        return held_out_call(_wanted(run, documents), near, random, self.shown)

    def _synthetic(self, name: str, specs: list[ToolSpec], near: Nearest, like: Origin) -> None:
        tasks = TaskSynthesis(specs, near)

        def make(random: Random) -> list[Trajectory]:
            return tasks.runs(random.choice(specs), random)

        self.found.makers[name] = make
        self.found.origins[f"made: {name}"] = like._replace(
            about=f"synthetic tasks over {len(specs)} tool documents; no request of the data is read"
        )

    def api_bank(self) -> None:
        """Add API-Bank's runs as recorded, and without their searches; some are held out."""
        path = self.files.api_bank
        if not self._there("api-bank", path):
            return
        random = Random(f"{self.seed}/held out/api-bank")
        learnt, held = split_api_bank(list(read_file(path)), _HELD_OUT_API_BANK, random)
        learnt = [run for run in learnt if self.never.allows(run)]
        names = frozenset(call.name for run in held for step in run.path() for call in step.calls)
        searching = frozenset({SEARCHER})
        told = [retold_run(run, random, context=searching) for run in held]
        self.found.held_out["api-bank"] = HeldOut(
            [run for run in told if run is not None],
            names - searching,
            "API-Bank's level-3 training samples whose tools no part has",
        )

        def tell(random: Random) -> list[Trajectory]:
            told = [retold_run(run, random) for run in learnt]
            return [*(run for run in told if run), *api_bank_runs(learnt, self.nearest, random)]

        self.found.recorded["api-bank"] = tell
        self.found.origins["api-bank"] = Origin(
            "API-Bank (Li et al., 2023)",
            _APACHE,
            "level-3 training runs as recorded, and with their tools shown from the start",
            self.files.digests(path),
        )

    def toolbench_runs(self) -> None:
        """Add the example runs of alpha-UMi, as they are."""
        path = self.files.toolbench_runs
        if not self._there("toolbench", path):
            return
        runs = [run for run in read_file(path) if self.never.allows(run)]
        self.found.recorded["toolbench"] = lambda _: list(runs)
        self.found.origins["toolbench"] = Origin(
            "alpha-UMi's example of its training data (Shen et al., 2024)",
            "none stated in the repository; its models are Apache-2.0",
            "runs as they are; the trainer shortens them to its context",
            self.files.digests(path),
        )

    def toolbench_apis(self) -> None:
        """Add synthetic tasks over ToolBench's APIs; tasks over a tenth of the tools are held out."""
        paths = self.files.toolbench_apis
        if not self._there("toolbench-apis", *paths):
            return
        tools = {tool: apis for path in paths for tool, apis in toolbench_documents(path).items()}
        random = Random(f"{self.seed}/held out/toolbench")
        unseen = set(random.sample(sorted(tools), max(1, round(_HELD_OUT_SHARE * len(tools)))))
        learnt, held = dict[str, ToolSpec](), dict[str, ToolSpec]()
        for tool, apis in tools.items():
            for name, spec in apis.items():
                if name not in self.never.tools:
                    (held if tool in unseen else learnt)[name] = spec
        learnt = {name: spec for name, spec in learnt.items() if name not in held}
        near = self.nearest(list(held.values()))
        runs: list[Trajectory] = []
        for spec in random.choices(list(held.values()), k=_HELD_OUT * 2):
            wanted = wanted_call(spec, random)
            if wanted is not None and len(runs) < _HELD_OUT:
                runs.append(held_out_call(wanted, near, random, self.shown))
        self.found.held_out["toolbench-apis"] = HeldOut(
            runs, frozenset(held), "synthetic single calls over APIs of ToolBench that no part has"
        )
        specs = list(learnt.values())
        origin = Origin(
            "StableToolBench (Guo et al., 2024)", _APACHE, "", self.files.digests(*paths)
        )
        self._synthetic("toolbench", specs, self.nearest(specs), origin)


def _wanted(run: Trajectory, documents: Mapping[str, ToolSpec]) -> Wanted:
    call = run.steps[0].calls[0]
    return Wanted(documents[call.name], call.parsed(), run.task.input)


def held_out_call(wanted: Wanted, nearest: Nearest, random: Random, shown: int) -> Trajectory:
    """Return a request with its gold call as a run of one step, for evaluation alone."""
    tools = shown_tools([wanted.spec], wanted.request, nearest, random, shown)
    writer = RunWriter(Task(input=wanted.request, tools=tools), random)
    return writer.called(wanted.spec, wanted.arguments)
