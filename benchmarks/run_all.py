"""Every benchmark of the project, one after the other: ``make bench``.

    python benchmarks/run_all.py [--history FILE] [--only NAME ...]

What they find is kept, with the commit and the machine, and shown beside the last run on such a machine.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from history import (
    HISTORY,
    HistoryError,
    comparison,
    keep,
    last_like,
    new_entry,
    read_history,
    this_machine,
)
from toolmint.assembly.settings import load_settings

HERE = Path(__file__).parent
CASSETTE = f"cassette:{HERE / 'cassettes' / 'bbh.jsonl'}?price_as=gpt-5"
KEPT = ("import_time", "sandbox_speed", "apply_speed", "class_speed", "pool_speed", "gateway_speed")
"""Benchmarks whose figures are kept."""
NAMES = (
    "import_time",
    "sandbox_speed",
    "attack_count",
    "dispatch_speed",
    "apply_speed",
    "class_speed",
    "pool_speed",
    "verification_power",
    "white_space",
    "agent_speed",
    "measures_speed",
    "junction",
    "trio",
    "prefill",
    "batching",
    "one_pass",
    "gateway_speed",
    "conformance",
)


def run(name: str, folder: Path) -> dict[str, float]:
    """Run one benchmark; return the figures that are kept of it."""
    print(f"== {name}", flush=True)
    out = folder / f"{name}.json"
    more = ["--figures", str(out)] if name in KEPT else []
    subprocess.run([sys.executable, str(HERE / f"{name}.py"), *more], check=True)
    return json.loads(out.read_text()) if name in KEPT else {}


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument(
        "--history", type=Path, default=HISTORY, help="file with a line for each run"
    )
    words.add_argument("--only", nargs="+", choices=NAMES, help="run these alone")
    given = words.parse_args()
    # Before the first benchmark: a history that cannot be read would waste the run.
    try:
        entries, machine = read_history(given.history), this_machine()
    except HistoryError as fault:
        words.error(str(fault))
    found: dict[str, dict[str, float]] = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name in given.only or NAMES:
                if figures := run(name, Path(folder)):
                    found[name] = figures
    finally:  # also of a run that ends early
        if found:
            now = new_entry(machine, found)
            keep(given.history, now)
            Console(width=120).print(comparison(last_like(entries, machine), now))
    if given.only is None and load_settings().data is not None:
        print("== eval bigbench", flush=True)
        program = str(Path(sys.executable).with_name("toolmint"))
        subprocess.run([program, "eval", "bigbench", "--model", CASSETTE, "--restart"], check=True)


if __name__ == "__main__":
    main()
