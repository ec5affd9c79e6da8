"""What recording arcs costs a tool's answer: processor time of the host and of the tool's process.

Run: ``python benchmarks/guard_speed.py``. A right tool of each of the six shipped classes answers requests
in a resident worker with arcs and without, in turns; the best of eight rounds is shown, in microseconds a
request. The gateway's own part of a hit is not in it.
"""

import asyncio
import json
import random
import time

from right_tools import LAST, REPLIES
from toolmint.embedded.classes import CLASSES
from toolmint.maker.program import answer_program, serve_tool
from toolmint.sandbox.forkserver import ForkServer

ROUNDS, REQUESTS = 8, 96
"""The worker tells its processor time with every 32nd reply."""


async def main() -> None:
    async with ForkServer() as sandbox:
        for name, draw in CLASSES.items():
            source = (REPLIES / "embedded" / f"{name}.{LAST.get(name, 1)}.py").read_text()
            rng = random.Random(1)
            texts = [draw(rng).input for _ in range(REQUESTS)]
            programs = [answer_program(source, arcs=arcs) for arcs in (False, True)]
            best = [float("inf"), float("inf")]
            for number in range(ROUNDS + 1):
                for place, program in enumerate(programs):
                    mine = [
                        one for one in sandbox.residents.all() if one.program.key == program.key
                    ]
                    before = mine[0].cpu_seconds if mine else 0.0
                    started = time.process_time()
                    for text in texts:
                        await serve_tool(sandbox, program, text, "benchmark")
                    used = time.process_time() - started
                    if number and mine:
                        used += mine[0].cpu_seconds - before
                        best[place] = min(best[place], used / REQUESTS * 1e6)
            more = round(100 * (best[1] / best[0] - 1))
            row = {"class": name, "plain_us": round(best[0]), "arcs_us": round(best[1])}
            print(json.dumps(row | {"more_percent": more}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
