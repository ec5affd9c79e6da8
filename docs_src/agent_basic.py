"""An agent with one Python tool."""

from toolmint import Agent, Model, tool


@tool
def founded(company: str) -> int:
    """Return the year in which a company was founded.

    Args:
        company: the company's name.
    """
    return {"Norda": 1987, "Velaria": 1954}[company]


def run(model: Model | str) -> str | None:
    agent = Agent(model=model, tools=[founded])
    return agent.run("When was Norda founded?").answer
