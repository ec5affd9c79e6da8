"""What verification and its guard of branches let through: wrong answers served by harmful mutants.

Run: ``python benchmarks/guard_power.py [--mutants 60] [--tools parcels lengths] [--seconds 3000]``.

The right tools of the shipped classes, of four classes with rare branches, and of BIG-Bench tasks (where
``TOOLMINT_DATA`` names the data) are changed at one place by some twenty operators (``mutation``), whole
branches among them. A mutant is harmful if it answers any of 300 fresh requests wrongly (BIG-Bench: of those
that the files have). One that meets the ten demonstrations goes through all of verification, by default and
beside a right second tool where there is one; where verification refuses the right tool too, the
demonstrations alone decide, so that nothing is gained by that. What passes then serves the fresh requests in
their order: without the guard, each wrong answer is served; with it, an answer along a branch that is not
verified is compared, two agreements verify the branch, and the first disagreement ends the mutant's service.
The right tool goes the same way: coverage lost is the share of its answers that are compared after 100
requests.
"""

import argparse
import ast
import asyncio
import difflib
import json
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from mutation import CHUNK, ask, is_wrong, mutants
from right_tools import SHOWN, Subject, subjects
from toolmint.core.arcs import Arcs, read_arcs, write_arcs
from toolmint.core.store import Tally
from toolmint.core.tool import Demonstration, Evidence
from toolmint.maker.program import ToolRun
from toolmint.maker.verification_input import VerificationInput
from toolmint.maker.verified_arcs import demonstrations_needed, often_taken
from toolmint.maker.verify import failed_stage, verify
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.arc_agreements import count_arcs, unverified_arcs

LIVE, NEEDED, RECHECK = 100, 2, 20


class Outcome(NamedTuple):
    """One mutant: its operator, and the wrong answers that it serves where it passes."""

    operator: str
    harmful: bool = False
    passed: bool = False
    passed_second: bool = False
    unguarded: int = 0
    guarded: int = 0


def upper_limit(wrong: int, trials: int) -> float:
    """Return the exact one-sided 95 % upper limit of a rate (Clopper and Pearson)."""
    if trials == 0 or wrong >= trials:
        return 1.0
    low, high = wrong / trials, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        least = sum(
            math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(wrong + 1)
        )
        low, high = (rate, high) if least > 0.05 else (low, rate)
    return high


class GuardPower:
    """Judges mutants between two sandboxes."""

    def __init__(self, sandbox: ForkServer, other: ForkServer) -> None:
        self.sandbox, self.other = sandbox, other
        self.accepted: set[str] = set()

    async def judge(self, one: Subject, operator: str, source: str) -> Outcome:
        """Return what a mutant does."""
        shown = await ask(self.sandbox, source, one.demos)
        met = all(run.answer == demo.target for demo, run in zip(one.demos, shown, strict=True))
        live = list[tuple[Demonstration, ToolRun]]()
        for start in range(0, len(one.fresh), CHUNK):
            part = one.fresh[start : start + CHUNK]
            live += zip(part, await ask(self.sandbox, source, part), strict=True)
            if not met and any(is_wrong(*pair) for pair in live):
                return Outcome(operator, harmful=True)
        wrong = sum(is_wrong(*pair) for pair in live)
        if not wrong or not met:
            return Outcome(operator)
        failed = await self.verified(one, source) if one.name in self.accepted else None
        if failed is not None and not failed.stage.startswith("6"):
            return Outcome(operator, harmful=True)
        served, _ = serve(live, shown)
        return Outcome(operator, True, True, failed is None, wrong, served)

    async def verified(self, one: Subject, source: str) -> Evidence | None:
        """Return the verification stage that a tool fails, or None."""
        inputs = VerificationInput(
            source=source, labelled=one.demos, second=one.second, near_misses=60, slowest=0.5
        )
        return failed_stage(await verify(inputs, self.sandbox, self.other))

    async def right(self, one: Subject) -> float:
        """Return the share of a right tool's answers that are compared after the first requests."""
        if await self.verified(one, one.source) is None:
            self.accepted.add(one.name)
        runs = await ask(self.sandbox, one.source, (*one.demos, *one.fresh))
        live = list(zip(one.fresh, runs[SHOWN:], strict=True))
        _, lost = serve(live, runs[:SHOWN])
        return lost


def serve(
    live: Sequence[tuple[Demonstration, ToolRun]], shown: Sequence[ToolRun]
) -> tuple[int, float]:
    """Return the wrong answers that a guarded tool serves, and the share of later ones that it compares."""
    taken = [read_arcs(run.arcs) if run.answer is not None else 0 for run in shown]
    verified = often_taken(taken, demonstrations_needed([run.answer for run in shown]))
    known, tally = Arcs(lines=(), verified=write_arcs(verified)), Tally()
    served, compared, late = 0, 0, 0
    after = min(LIVE, len(live) // 2)
    for number, (demo, run) in enumerate(live):
        if run.answer is None:
            continue
        late += number >= after
        right = run.answer == demo.target
        if not unverified_arcs(known, tally, run.arcs):
            served += not right
            continue
        compared += number >= after
        if not right:
            break
        tally = count_arcs(tally, known, run.arcs, agreed=True, needed=NEEDED, recheck=RECHECK)
    return served, compared / late if late else 0.0


def table(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """Return a row for each operator, and one for all."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        groups[one.operator].append(one)
    rows: list[dict[str, object]] = []
    for name, group in [*sorted(groups.items()), ("all", list(outcomes))]:
        harmful = [one for one in group if one.harmful]
        without = sum(one.unguarded > 0 for one in harmful)
        guarded = sum(one.guarded > 0 for one in harmful)
        both = sum(one.guarded > 0 and one.passed_second for one in harmful)
        row: dict[str, object] = {"operator": name, "mutants": len(group), "harmful": len(harmful)}
        row |= {"serve_wrongly": without, "with_guard": guarded, "and_second_tool": both}
        row["upper_limit"] = round(upper_limit(guarded, len(harmful)), 4)
        row["wrong_answers"] = sum(one.unguarded for one in harmful)
        row["wrong_answers_with_guard"] = sum(one.guarded for one in harmful)
        rows.append(row)
    return rows


def changed(source: str, mutant: str) -> list[str]:
    """Return the lines in which a mutant differs from its tool."""
    before = ast.unparse(ast.parse(source)).splitlines()
    lines = difflib.unified_diff(before, mutant.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


async def main(most: int, names: Sequence[str], seconds: float, *, show: bool) -> None:
    started, outcomes, lost = time.monotonic(), list[Outcome](), dict[str, float]()
    async with ForkServer() as sandbox, ForkServer(hash_seed=1) as other:
        bench = GuardPower(sandbox, other)
        for one in subjects():
            if (names and one.name not in names) or time.monotonic() - started > seconds:
                continue
            lost[one.name] = await bench.right(one)
            mine: list[Outcome] = []
            for operator, source in await mutants(sandbox, one.source, most):
                if time.monotonic() - started > seconds:
                    break
                found = await bench.judge(one, operator, source)
                mine.append(found)
                if found.guarded and show:
                    print(json.dumps({"served": changed(one.source, source)}), flush=True)
            outcomes += mine
            said = table(mine)[-1] | {
                "operator": one.name,
                "coverage_lost": round(lost[one.name], 4),
            }
            print(json.dumps(said), flush=True)
    for row in table(outcomes):
        print(json.dumps(row))
    mean = sum(lost.values()) / max(1, len(lost))
    worst = max(lost, key=lost.__getitem__, default="none")
    print(json.dumps({"tools": len(lost), "coverage_lost": round(mean, 4), "most_by": worst}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutants", type=int, default=60)
    parser.add_argument("--tools", nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=3000)
    parser.add_argument("--show", action="store_true", help="print what is served wrongly")
    given = parser.parse_args()
    asyncio.run(main(given.mutants, given.tools, given.seconds, show=given.show))
