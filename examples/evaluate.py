"""Measure an agent on ToolWorld with the evaluation runner: rows stream to a file, a stopped run goes on.

    python examples/evaluate.py                                     # scripted players, no key
    python examples/evaluate.py --model openai:gpt-5-mini -n 20     # a real model (reads OPENAI_API_KEY)

By default two scripted players are compared: one that plays each task's reference solution, and one that
gives up early. A run is an executed one: what counts is the state of the world afterwards.
"""

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from toolmint import ReACT, ThreeRolePolicy, run_sync
from toolmint.assembly.uri import as_model
from toolmint.cli.report_table import table_of
from toolmint.evaluation.benchmark import Row
from toolmint.evaluation.compare import compare, comparison_report
from toolmint.evaluation.rows import read_rows
from toolmint.evaluation.runner import RunConfig, run
from toolmint.evaluation.toolworld import PlayerSolver, ToolWorld
from toolmint.world.generate import make_tasks
from toolmint.world.players import GivesUpEarly, Reference


async def measure(model: str | None, count: int, folder: Path) -> None:
    """Run each player on the same tasks, and print a table and a comparison."""
    benchmark = ToolWorld(list(make_tasks("unseen", count)))
    search = ReACT(max_steps=16)
    solvers = {
        "reference": PlayerSolver(Reference, search),
        "gives_up_early": PlayerSolver(GivesUpEarly, search),
    }
    if model is not None:
        named = as_model(model)
        policy = ThreeRolePolicy(named, named, named)
        solvers["model"] = PlayerSolver(lambda _: policy, search)
    rows: list[Row] = []
    for name, solver in solvers.items():
        rows += await run(benchmark, solver, folder / f"{name}.jsonl", RunConfig(name=name))
    # The same call again solves nothing: every row is in the file already.
    again = await run(
        benchmark, solvers["reference"], folder / "reference.jsonl", RunConfig("reference")
    )
    console = Console(width=130)
    console.print(f"{len(again)} rows were resumed from {folder.name}")
    first, *others = solvers
    reports = [benchmark.summary(rows)]
    reports += [
        comparison_report(
            compare(read_rows(folder / f"{first}.jsonl"), read_rows(folder / f"{other}.jsonl"))
        )
        for other in others
    ]
    for report in reports:
        for section in report.sections:
            console.print(table_of(section))


def main() -> None:
    """Read the options, and measure."""
    options = argparse.ArgumentParser(description="Measure players on ToolWorld.")
    options.add_argument(
        "--model", help="a model URI, such as openai:gpt-5-mini [scripted players]"
    )
    options.add_argument("-n", "--count", type=int, default=20, help="tasks [20]")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run_sync(measure(given.model, given.count, Path(folder)))


if __name__ == "__main__":
    main()
