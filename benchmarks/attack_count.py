"""How many attacks of the tests succeed: with a process a call and resident, as root and as another user.

    python benchmarks/attack_count.py

Each attack is followed by an honest call that must be right. Root is given up for the second user before the
sandbox begins; who is not root sees the rows of one user. Each part ends after four minutes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
NOBODY = 65534
_SECONDS = 240


def python_for_all() -> str | None:
    """Return an interpreter that any user may start; None: there is none."""
    for name in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        found = shutil.which(name)
        if found and all(one.stat().st_mode & 0o005 for one in Path(found).resolve().parents):
            return found
    return None


def besieged(canary: Path, words: list[str]) -> dict[str, object]:
    """Run the attacks in a process of their own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.siege", str(canary), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    return json.loads(done.stdout)


def main() -> None:
    users: list[tuple[str, list[str]]] = [(f"user {os.getuid()}", [])]
    python = python_for_all()
    if os.getuid() != 0:
        print("not root: the attacks are run as this user alone")
    elif python is None:
        print("no interpreter here that another user may start: the attacks are run as root alone")
    else:
        users.append((f"user {NOBODY}", ["--user", str(NOBODY), "--python", python]))
    table, faults = Table("mode", "user", "attacks", "successes"), list[str]()
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        canary = folder / "canary"
        canary.write_text("SECRET")
        for mode, more in (("call", []), ("resident", ["--resident"])):
            for user, words in users:
                found = besieged(canary, [*words, *more])
                told = found["faults"]
                some = cast("list[object]", told) if isinstance(told, list) else [told]
                faults += map(str, some)
                table.add_row(mode, user, str(found["attacks"]), str(len(some)))
    Console(width=100).print(table)
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
