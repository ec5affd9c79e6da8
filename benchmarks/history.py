"""What ``make bench`` found before: a line for each run, with the machine, and the change since the last one.

    python benchmarks/history.py [--history FILE]

shows the last run on this kind of machine beside the one before it. The file is local: figures of one
machine say little about another, so it is not a part of the project.
"""

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from rich.console import Console
from rich.table import Table

HISTORY = Path(__file__).parent / "history.jsonl"
_NOTED = 0.1
"""A change that is coloured; smaller ones are mostly noise."""
_MORE_IS_BETTER = ("per_second", "times_litellm")

Figures = Mapping[str, Mapping[str, float]]
"""By benchmark, and by name with its unit."""


class Machine(NamedTuple):
    """What a figure depends on beside the code."""

    cpu: str
    cores: int
    kernel: str
    python: str
    load: float

    @property
    def kind(self) -> tuple[str, int, str]:
        """What two machines must share for their figures to be compared."""
        return self.cpu, self.cores, self.python.rpartition(".")[0]


class Entry(NamedTuple):
    """One run: when (UTC), of which commit, on which machine, with which figures."""

    at: str
    commit: str
    machine: Machine
    figures: Figures


class HistoryError(Exception):
    """The history cannot be read, with the line that is wrong."""


def this_machine() -> Machine:
    """Return the machine that this process runs on, and its load before the run."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return Machine(
        cpu=models[0] if models else platform.processor() or platform.machine(),
        cores=os.cpu_count() or 1,
        kernel=platform.release(),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
    )


def this_commit(folder: Path = HISTORY.parent) -> str:
    """Return the commit, with a plus where files differ from it; ``?`` outside a repository."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        return (commit + "+" * bool(git("status", "--porcelain"))) if commit else "?"
    except OSError:
        return "?"


def _entry(line: str) -> Entry:
    raw = cast("dict[str, Any]", json.loads(line))
    machine = Machine(**raw["machine"])
    figures = {
        str(name): {str(one): float(value) for one, value in some.items()}
        for name, some in raw["figures"].items()
    }
    return Entry(str(raw["at"]), str(raw["commit"]), machine, figures)


def read_history(path: Path) -> list[Entry]:
    """Return the runs of a file, the oldest first; none where there is no file.

    Raises:
        HistoryError: a line is no run.
    """
    if not path.exists():
        return []
    found: list[Entry] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            found.append(_entry(line))
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise HistoryError(
                f"{path}:{number} is no run of the benchmarks ({fault!r}); expected an object with at, "
                "commit, machine and figures. Remove the line, or name another --history"
            ) from fault
    return found


def keep(path: Path, entry: Entry) -> None:
    """Append a run, in one write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(entry._asdict() | {"machine": entry.machine._asdict()}) + "\n"
    with path.open("a", encoding="utf-8") as out:
        out.write(line)


def last_like(entries: Sequence[Entry], machine: Machine) -> Entry | None:
    """Return the newest run on a machine of the same kind: processor, cores, and version of Python."""
    return next((one for one in reversed(entries) if one.machine.kind == machine.kind), None)


def new_entry(machine: Machine, figures: Figures) -> Entry:
    """Return the entry of a run that ends now."""
    return Entry(datetime.now(UTC).isoformat(timespec="seconds"), this_commit(), machine, figures)


def _change(name: str, before: float | None, now: float) -> str:
    if before is None:
        return "new"
    if before == 0:
        return "same" if now == 0 else "from 0"
    change = now / before - 1
    more = name.endswith(_MORE_IS_BETTER)
    colour = "" if abs(change) < _NOTED else "green" if (change > 0) == more else "red"
    text = f"{change:+.0%}"
    return f"[{colour}]{text}[/]" if colour else text


def _rows(before: Figures, now: Figures) -> Iterable[tuple[str, str, str, str, str]]:
    for benchmark, figures in now.items():
        old = before.get(benchmark, {})
        for name, value in figures.items():
            was = old.get(name)
            shown = "" if was is None else f"{was:,.4g}"
            yield benchmark, name, shown, f"{value:,.4g}", _change(name, was, value)
        for name in old.keys() - figures.keys():
            yield benchmark, name, f"{old[name]:,.4g}", "", "gone"


def comparison(before: Entry | None, now: Entry) -> Table:
    """Return a table of each figure, that of the run before, and the change."""
    if before is None:
        title = "the first run on this kind of machine"
    else:
        title = (
            f"{now.commit} against {before.commit} of {before.at} (load {now.machine.load} against "
            f"{before.machine.load})"
        )
    table = Table("benchmark", "figure", "before", "now", "change", title=title)
    for row in _rows(before.figures if before else {}, now.figures):
        table.add_row(*row)
    return table


def figures_option(words: argparse.ArgumentParser) -> None:
    """Add the option that names a file for a benchmark's figures."""
    words.add_argument("--figures", type=Path, help="write the figures there too, as a JSON object")


def write_figures(path: Path | None, figures: Mapping[str, float]) -> None:
    """Write a benchmark's figures where ``--figures`` says; nothing where it was not given."""
    if path is not None:
        path.write_text(json.dumps(figures))


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--history", type=Path, default=HISTORY)
    given = words.parse_args()
    machine = this_machine()
    like = [one for one in read_history(given.history) if one.machine.kind == machine.kind]
    if not like:
        print(f"{given.history} has no run on this kind of machine; make bench writes one")
        return
    Console(width=120).print(comparison(last_like(like[:-1], machine), like[-1]))


if __name__ == "__main__":
    main()
