"""Start-up: ``import toolmint`` and ``toolmint --help``, beside a bare interpreter.

Run: ``python benchmarks/import_time.py``. Each is the best of several runs, in milliseconds.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from history import figures_option, write_figures

RUNS = 7


def best(words: list[str]) -> float:
    """Return the shortest of several runs in milliseconds."""
    times: list[float] = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(words, capture_output=True, check=True)
        times.append((time.perf_counter() - started) * 1000)
    return min(times)


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    figures_option(words)
    given = words.parse_args()
    bare = best([sys.executable, "-c", "pass"])
    package = best([sys.executable, "-c", "import toolmint"])
    names = best([sys.executable, "-c", "from toolmint import Session"])
    helped = best([str(Path(sys.executable).with_name("toolmint")), "--help"])
    found = {
        "bare_python_ms": round(bare),
        "import_ms": round(package - bare),
        "import_session_ms": round(names - bare),
        "help_ms": round(helped),
    }
    print(json.dumps(found))
    write_figures(given.figures, found)
