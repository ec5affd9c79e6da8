"""ToolAlpaca's test on simulated APIs (Tang et al., 2023): judged as the paper does, and executed.

Executed: the calls that people wrote down must have been made, in order, each answered with success and
with the literal arguments that they name; the answer must say a value that those calls gave back.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import Frozen, ToolCall, ToolResult
from toolmint.core.model import Usage
from toolmint.core.task import Task, Trajectory
from toolmint.core.values import Value, canonical, clip
from toolmint.evaluation.benchmark import Item, Measures, Row, Score
from toolmint.evaluation.bootstrap import share
from toolmint.evaluation.judge import ModelJudge
from toolmint.evaluation.report import Cell, Figure, Line, Report, Section, dollars, spent

_HOLE = re.compile(r"\"?\$\{[^}]*\}\"?")
HOLE = "${"


class GoldenCall(NamedTuple):
    """A call that a person wrote down; arguments None: they cannot be read. A text ``${...}`` is a hole for
    a value of an earlier response.
    """

    name: str
    arguments: dict[str, Value] | None


class Instruction(NamedTuple):
    """One instruction of one API with its golden calls."""

    api: str
    text: str
    golden: tuple[GoldenCall, ...]


class Api(NamedTuple):
    """A simulated API: its OpenAPI document (as text) and its instructions."""

    name: str
    document: str
    described: str
    instructions: tuple[Instruction, ...]


class Executed(Frozen):
    """What execution shows of one run."""

    process: bool
    arguments: float
    grounded: bool
    why: tuple[str, ...] = ()


def read_apis(path: Path) -> list[Api]:
    """Read ToolAlpaca's file of simulated APIs.

    Raises:
        InputError: it is no such file; the API is named.
    """
    try:
        items: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as fault:
        raise InputError(
            f"{str(path)!r} cannot be read as ToolAlpaca's file: {clip(str(fault), 160)}"
        ) from fault
    apis: list[Api] = []
    for number, item in enumerate(items, 1):
        try:
            apis.append(_api(item))
        except (KeyError, TypeError, AttributeError) as fault:
            raise InputError(
                f"API {number} of {str(path)!r} is not as ToolAlpaca has it: {fault!r}"
            ) from fault
    return apis


def _api(item: dict[str, Any]) -> Api:
    name: str = item["Name"]
    golden: list[Any] = item.get("Golden_Answers") or [[] for _ in item["Instructions"]]
    pairs = zip(item["Instructions"], golden, strict=True)
    found = tuple(Instruction(name, text, tuple(map(_golden, calls))) for text, calls in pairs)
    return Api(name, item["Documentation"], str(item.get("NLDocumentation", "")), found)


def _golden(call: dict[str, Any]) -> GoldenCall:
    text = _HOLE.sub(lambda hole: json.dumps(hole[0].strip('"')), str(call["Action_Input"]))
    try:
        read: object = json.loads(text)
    except ValueError:
        return GoldenCall(call["Action"], None)
    return GoldenCall(
        call["Action"], cast("dict[str, Value]", read) if isinstance(read, dict) else None
    )


def _scalars(value: Value) -> set[str]:
    if isinstance(value, dict):
        return {text for one in value.values() for text in _scalars(one)}
    if isinstance(value, list):
        return {text for one in value for text in _scalars(one)}
    return {value if isinstance(value, str) else canonical(value)} if value is not None else set()


def _match(golden: GoldenCall, call: ToolCall) -> float:
    """Return the share of golden arguments that a call has; holes match anything that is there."""
    if not golden.arguments:
        return 1.0
    given = call.parsed()
    same = sum(
        name in given and _alike(value, given[name]) for name, value in golden.arguments.items()
    )
    return same / len(golden.arguments)


def _alike(golden: Value, given: Value) -> bool:
    """Compare arguments by this evaluation's own rule: white space and letter case do not count."""
    if isinstance(golden, str) and golden.startswith(HOLE):
        return True
    texts = [
        (one if isinstance(one, str) else canonical(one)).casefold().split()
        for one in (golden, given)
    ]
    return texts[0] == texts[1]


def execute_calls(trajectory: Trajectory, golden: Sequence[GoldenCall]) -> Executed:
    """Judge a run by what it executed."""
    calls: list[tuple[ToolCall, ToolResult]] = [
        pair
        for step in trajectory.path()
        for pair in zip(step.calls, step.results, strict=True)
        if pair[1].failure is None
    ]
    at, shares, missing, values = 0, list[float](), list[str](), set[str]()
    for wanted in golden:
        places = [place for place in range(at, len(calls)) if calls[place][0].name == wanted.name]
        if not places:
            missing.append(f"{wanted.name} was not called with success")
            shares.append(0.0)
            continue
        best = max(places, key=lambda place: _match(wanted, calls[place][0]))
        shares.append(_match(wanted, calls[best][0]))
        values |= _scalars(calls[best][1].data)
        at = best + 1
    answer = (trajectory.answer or "").casefold()
    grounded = any(len(value) > 1 and value.casefold() in answer for value in values)
    said = [] if grounded else ["the answer says no value that the golden calls gave back"]
    return Executed(
        process=not missing,
        arguments=sum(shares) / len(shares) if shares else 1.0,
        grounded=grounded,
        why=(*missing, *said),
    )


class ApiTask(Task):
    """An instruction with the API that it is about; whoever solves it gets that API's simulated server."""

    api: str
    place: int


class ToolAlpaca:
    """ToolAlpaca's instructions as a benchmark; the APIs are the clusters of the intervals.

    Args:
        apis: the simulated APIs.
        most: only the first instructions of each.
        judge: judges process and answer as the paper does; None: runs are only executed.
    """

    name = "toolalpaca"
    measure = "process"

    def __init__(
        self, apis: Sequence[Api], most: int | None = None, judge: ModelJudge | None = None
    ) -> None:
        self._judge = judge
        self.settings: Mapping[str, Value] = {"judge": judge.name if judge is not None else None}
        self._parts: dict[str, tuple[Api, Instruction]] = {}
        items: list[Item] = []
        for api in apis:
            for place, one in enumerate(api.instructions[:most]):
                task = ApiTask(input=one.text, api=api.name, place=place)
                items.append(Item(f"{api.name}/{place}", task, api.name))
                self._parts[items[-1].id] = api, one
        self.items = tuple(items)

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        """Execute the run's calls against the golden ones, and ask the judge where there is one.

        Measures: ``process``, ``arguments`` and ``grounded`` as executed; ``judged process``,
        ``judged answer`` and ``unsure``.
        """
        api, instruction = self._parts[item.id]
        found = execute_calls(trajectory, instruction.golden)
        measures: Measures = {
            "process": found.process,
            "arguments": found.arguments == 1,
            "grounded": found.grounded,
        }
        details: dict[str, Value] = {"why": list(found.why), "answer": trajectory.answer}
        if self._judge is None:
            return Score(measures=measures, details=details)
        golden = [call._asdict() for call in instruction.golden]
        judged = await self._judge.process_and_answer(trajectory, api.described, golden)
        measures |= {
            "judged process": judged.process == "pass",
            "judged answer": judged.answer == "pass",
            "unsure": "unsure" in {judged.process, judged.answer},
        }
        details["judge"] = judged.said
        return Score(measures=measures, details=details, usage=judged.usage)

    def summary(self, rows: Sequence[Row]) -> Report:
        """Return shares by solver over all instructions; the judge's spend stands in a note of its own."""
        judged = ("judged process", "judged answer") if self._judge is not None else ()
        lines: list[Line] = []
        for name in dict.fromkeys(row.solver for row in rows):
            mine = [row for row in rows if row.solver == name]
            clusters = [row.cluster for row in mine]
            used = sum((row.usage for row in mine), start=Usage())
            cells: dict[str, Cell] = {"instructions": len(mine)}
            for measure in ("process", "arguments", "grounded", *judged):
                passed = [row.passed(measure) for row in mine]
                cells[measure] = Figure.of(share(passed, clusters))
            if judged:
                cells["unsure"] = sum(row.passed("unsure") for row in mine)
            cells |= {"calls": used.requests, "tokens": used.tokens, "cost": dollars(used)}
            lines.append(Line(name=name, cells=cells))
        notes = [
            (
                "process: golden calls made with success, in order; arguments: every literal golden "
                "argument; grounded: a value of those calls is said"
            )
        ]
        if judged:
            notes.append(f"the judge: {spent(sum((row.scoring for row in rows), start=Usage()))}")
        title = "ToolAlpaca on simulated APIs (%), 95 % intervals by API"
        return Report(sections=(Section(title=title, lines=tuple(lines)),), notes=tuple(notes))
