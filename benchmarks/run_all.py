"""Every benchmark of the project, one after the other: ``make bench``."""

import subprocess
import sys
from pathlib import Path

from toolmint.assembly.settings import load_settings

HERE = Path(__file__).parent
CASSETTE = f"cassette:{HERE / 'cassettes' / 'bbh.jsonl'}?price_as=gpt-5"


def main() -> None:
    for name in (
        "import_time",
        "sandbox_speed",
        "dispatch_speed",
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
    ):
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=True)
    if load_settings().data is not None:
        print("== eval bigbench", flush=True)
        program = str(Path(sys.executable).with_name("toolmint"))
        subprocess.run([program, "eval", "bigbench", "--model", CASSETTE, "--restart"], check=True)


if __name__ == "__main__":
    main()
