"""Every benchmark of the project, one after the other: ``make bench``."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BBH = HERE.parents[1] / "shared" / "data" / "bbh"
TAPE = f"replay:{HERE / 'tapes' / 'bbh.jsonl'}?price_as=gpt-5"


def main() -> None:
    for name in (
        "import_time",
        "sandbox_speed",
        "dispatch_speed",
        "gate_power",
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
    if BBH.is_dir():
        print("== eval bigbench", flush=True)
        program = str(Path(sys.executable).with_name("toolwright"))
        subprocess.run([program, "eval", "bigbench", str(BBH), "--model", TAPE], check=True)


if __name__ == "__main__":
    main()
