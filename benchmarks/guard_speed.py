"""What recording arcs costs a tool's answer: processor time of the host and of the tool's process.

Run: ``python benchmarks/guard_speed.py [--tools branchy]``. A right tool of each shipped class (or of each
class with rare branches, or, with TOOLMINT_DATA, of each BIG-Bench task) answers requests in a resident
worker, in turns: without arcs; with all arcs recorded; with those left out that ten demonstrations and a
second tool have verified, as in the first requests of service; and with those left out too that 100 further
requests have verified, each by two agreements. The best of eight rounds is shown, in microseconds a request.
The gateway's own part of a hit is not in it.
"""

import argparse
import asyncio
import json
import time
from collections import Counter

from right_tools import Subject, subjects
from toolmint.core.arcs import arc_numbers, read_arcs, write_arcs
from toolmint.core.sandbox import Program
from toolmint.embedded.classes import CLASSES
from toolmint.maker.program import answer_program, serve_tool
from toolmint.maker.verification_input import VerificationInput
from toolmint.maker.verified_arcs import verified_arcs
from toolmint.maker.verify import verify
from toolmint.sandbox.forkserver import ForkServer

ROUNDS, REQUESTS, LIVE, NEEDED = 8, 96, 100, 2
"""The worker tells its processor time with every 32nd reply."""


async def programs(one: Subject, sandbox: ForkServer, other: ForkServer) -> list[Program]:
    """Return a tool's program without arcs, with all, and with those that are left at two times."""
    source = one.source
    inputs = VerificationInput(
        source=source, labelled=one.demos, second=one.second, near_misses=20, slowest=0.5
    )
    evidence = await verify(inputs, sandbox, other)
    known = await verified_arcs(source, one.demos, evidence, sandbox)
    first = read_arcs(known.verified) if known is not None else 0
    everything, times, later = answer_program(source, arcs=True), Counter[int](), first
    for demo in one.fresh[-LIVE:]:
        run = await serve_tool(sandbox, everything, demo.input, "benchmark")
        times.update(arc_numbers(read_arcs(run.arcs) if run.answer == demo.target else 0))
    later |= sum(1 << arc for arc, count in times.items() if count >= NEEDED)
    left = [answer_program(source, arcs=True, omit=write_arcs(arcs)) for arcs in (first, later)]
    return [answer_program(source), everything, *left]


async def measured(one: Subject, sandbox: ForkServer, other: ForkServer) -> list[float]:
    """Return the microseconds that each program of a tool takes for a request."""
    texts = [demo.input for demo in one.fresh[:REQUESTS]]
    texts = (texts * REQUESTS)[:REQUESTS]
    tried = await programs(one, sandbox, other)
    best = [float("inf")] * len(tried)
    for number in range(ROUNDS + 1):
        for place, program in enumerate(tried):
            mine = [
                each
                for each in sandbox.residents.all()
                if each.program.key == program.key and each.owner == "benchmark"
            ]
            before = mine[0].cpu_seconds if mine else 0.0
            started = time.process_time()
            for text in texts:
                await serve_tool(sandbox, program, text, "benchmark")
            used = time.process_time() - started
            if number and mine:
                used += mine[0].cpu_seconds - before
                best[place] = min(best[place], used / REQUESTS * 1e6)
    return best


async def main(tools: str) -> None:
    rows: list[list[float]] = []
    async with ForkServer() as sandbox, ForkServer(hash_seed=1) as other:
        for one in subjects():
            kind = "shipped" if one.name.split()[0] in CLASSES else "branchy"
            kind = "bbh" if one.second is None else kind
            if kind != tools:
                continue
            took = await measured(one, sandbox, other)
            more = [round(100 * (each / took[0] - 1)) for each in took[1:]]
            rows.append([each / took[0] for each in took])
            row = {"tool": one.name, "plain_us": round(took[0]), "all_arcs_us": round(took[1])}
            row |= {"verified_us": round(took[2]), "after_live_us": round(took[3])}
            print(json.dumps(row | {"more_percent": more}), flush=True)
    means = [round(100 * (sum(each) / len(rows) - 1), 1) for each in list(zip(*rows, strict=True))]
    print(json.dumps({"tool": "mean", "more_percent": means[1:]}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", choices=["shipped", "branchy", "bbh"], default="shipped")
    asyncio.run(main(parser.parse_args().tools))
