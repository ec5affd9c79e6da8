"""One model for each role, a depth-first search, and limits for each task."""

from collections.abc import Callable

from toolmint import Agent, Limits, Model, Step, Trajectory


def run(
    planner: Model | str, caller: Model | str, tools: list[str | Callable[..., object]], task: str
) -> Trajectory:
    steps: list[Step] = []
    agent = Agent(
        model={"planner": planner, "caller": caller},  # the summarizer: the planner's model
        tools=tools,
        search="dfsdt",
        limits=Limits(tool_calls=20, seconds=120),
        observe=steps.append,
    )
    return agent.run(task)
