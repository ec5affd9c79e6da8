"""What the agent itself costs, without model time: steps a second, a large search, many agents at once.

Run: ``python benchmarks/agent_speed.py``. Models answer at once, so all that is measured is this program.
"""

import asyncio
import time
from itertools import count

from toolmint import (
    DFSDT,
    AgentLoop,
    AnsweringModel,
    ReACT,
    Task,
    ThreeRolePolicy,
    ToolCollection,
    tool,
)
from toolmint.core.model import ModelRequest
from toolmint.core.task import Trajectory


@tool
async def price(item: str) -> int:
    """Return the price of an item."""
    return len(item)


NUMBERS = count()


def reply(request: ModelRequest) -> str:
    """Return the reply of a role that always goes on, each time with another call."""
    if "planner's turn" in request.messages[-1].content:
        return "I look at the next one.\nNext: caller"
    return f'Action: price\nAction Input: {{"item": "pen {next(NUMBERS)}"}}'


MODEL = AnsweringModel(reply)
TEAM = ThreeRolePolicy(MODEL, MODEL, MODEL)
TASK = Task(input="What does a pen cost?")


async def timed(agent: AgentLoop, copies: int = 1) -> tuple[float, list[Trajectory]]:
    """Run an agent so many times at once; returns wall seconds and the runs."""
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        work = [group.create_task(agent.solve(TASK)) for _ in range(copies)]
    return time.perf_counter() - start, [one.result() for one in work]


async def main() -> None:
    """Print all figures."""
    box = ToolCollection([price])
    chain = AgentLoop(TEAM, box, ReACT(max_steps=10))
    await timed(chain)
    seconds, runs = await timed(chain, 20)
    steps = sum(len(run.steps) for run in runs)
    print(
        f"ReACT, chains of 10 steps: {steps / seconds:,.0f} steps/s (2 model calls, 1 tool call a step)"
    )
    each: list[float] = []
    for nodes in (125, 250, 500, 1000):
        agent = AgentLoop(TEAM, box, DFSDT(queries=nodes, max_steps=10))
        seconds = min([(await timed(agent))[0] for _ in range(3)])
        each.append(seconds / nodes)
        print(f"DFSDT, {nodes} nodes: {seconds:.3f} s, {1e6 * seconds / nodes:.0f} µs a node")
    print(f"a node among 1,000 costs {each[-1] / each[0]:.2f} times a node among 125 (linear: 1)")
    one, _ = await timed(chain)
    many, runs = await timed(chain, 64)
    same = all(len(run.steps) == 10 for run in runs)
    ratio = many / one / 64
    print(
        f"64 agents on one event loop: {many:.2f} s, {ratio:.2f} times 64 runs alone; all whole: {same}"
    )


if __name__ == "__main__":
    asyncio.run(main())
