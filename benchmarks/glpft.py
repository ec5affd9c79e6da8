"""The training experiments of alpha-UMi (Tables 1 to 3, Figures 4 and 5) in miniature, on ToolWorld.

    python benchmarks/glpft.py --out FOLDER [--base FOLDER] [--seeds 3] [--size 300] [--tasks 60]

Every method begins with the same base, a decoder that knows the marks; each cell (method, seed, size) is
trained and measured in a process of its own and kept, so that a run that was broken off goes on. Tables and
plots are written to ``docs/glpft``.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from glpft_cell import Cell
from glpft_report import write
from toolmint.embedded import trio_path

HERE = Path(__file__).parent
SHARES = (1 / 8, 1 / 4, 3 / 8, 1 / 2, 1)
"""Figure 4's sizes, as shares of ``--size``."""


def cells_of(given: argparse.Namespace) -> list[Cell]:
    """Return every cell: all methods with each seed, and two of them at five sizes."""
    plain = Cell(
        method="glpft",
        tasks=given.tasks,
        base=str(given.base),
        size=given.size,
        static=given.static,
    )
    found: list[Cell] = []
    for seed in range(given.seeds):
        kinds: tuple[dict[str, Any], ...] = (
            {"method": "glpft"},
            {"method": "single"},
            {"method": "multi"},
            {"method": "glpft", "reuse": False},
            {"method": "single", "budget": "epochs"},
        )
        kinds = kinds if seed < given.others else kinds[:2]
        found += [plain.model_copy(update=kind | {"seed": seed}) for kind in kinds]
    for share in SHARES if given.scaling else ():
        size = round(given.size * share)
        scaled = [
            plain.model_copy(
                update={"method": one, "size": size, "scaling": True, "tasks": given.tasks * 2 // 3}
            )
            for one in ("single", "glpft")
        ]
        found += [one for one in scaled if one.name not in {cell.name for cell in found}]
    return found


def trained(cell: Cell, out: Path, threads: int) -> dict[str, Any]:
    """Run a cell in a process of its own, unless it is there already; returns what it came to."""
    folder = out / cell.name
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "cell.json").is_file():
        (folder / "wanted.json").write_text(cell.model_dump_json(), encoding="utf-8")
        program = [
            sys.executable,
            str(HERE / "glpft_cell.py"),
            str(folder / "wanted.json"),
            str(folder),
        ]
        with (folder / "log.txt").open("w", encoding="utf-8") as log:
            variables = os.environ | {"OMP_NUM_THREADS": str(threads)}
            subprocess.run(program, check=True, stdout=log, stderr=log, env=variables)
    return json.loads((folder / "cell.json").read_text(encoding="utf-8"))


def run(cells: Sequence[Cell], out: Path, workers: int) -> list[dict[str, Any]]:
    """Run the cells that are not there, some at the same time; returns what each came to."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    threads = max(1, (os.cpu_count() or 1) // workers)
    with Progress(*columns) as progress, ThreadPoolExecutor(workers) as pool:
        work = [pool.submit(trained, cell, out, threads) for cell in cells]
        return [one.result() for one in progress.track(work, description="cells")]


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument(
        "--base", type=Path, default=trio_path(), help="a decoder's folder [what ships]"
    )
    words.add_argument("--out", type=Path, required=True, help="where cells are kept")
    words.add_argument("--seeds", type=int, default=3)
    words.add_argument("--others", type=int, default=3, help="seeds of all but GLPFT and one model")
    words.add_argument("--size", type=int, default=300, help="trajectories to learn from")
    words.add_argument(
        "--tasks", type=int, default=60, help="tasks to play, with seen and with unseen tools"
    )
    words.add_argument("--static", type=int, default=25, help="runs whose steps are scored a side")
    words.add_argument("--workers", type=int, default=2, help="cells at the same time")
    words.add_argument("--scaling", action="store_true", help="also the five sizes of Figure 4")
    given = words.parse_args()
    write(run(cells_of(given), given.out, given.workers), HERE.parent / "docs" / "glpft")


if __name__ == "__main__":
    main()
