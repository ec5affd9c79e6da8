"""The door of the command line: finds the command, and turns every error into one line."""

import sys

import click

from toolwright.cli.lazy import LazyGroup
from toolwright.core.errors import ToolwrightError, boundary

COMMANDS = {
    "agent": "Solve a task with tools: planner, caller, summarizer; ReACT or DFSDT.",
    "apply": "Answer a whole JSONL file; can be stopped and taken up again.",
    "bill": "Show what each class cost, what it saved, and its break-even point.",
    "config": "Show every setting, its value, and where that comes from.",
    "demo": "Show the loop on a mixed stream, with no key and no network.",
    "doctor": "Show what the sandbox contains on this machine, and what it does not.",
    "eval": "Measure: LATM's tables, static steps, live agents, ToolAlpaca, mathematics.",
    "feedback": "Tell a running gateway that an answer was right or wrong.",
    "keys": "Make, list and revoke the gateway's keys; grant classes to other tenants.",
    "make": "Make, prove and store a tool from a file of demonstrations.",
    "mcp": "Serve the store's tools to an MCP client over stdio.",
    "queue": "Show the requests that wait for a tool.",
    "serve": "Serve as an OpenAI-compatible gateway that makes and proves tools on the way.",
    "solve": "Answer one request.",
    "traces": "List, show, export and import the agent's trajectories.",
    "tools": "List, show, export, import, roll back and retire tools.",
    "train": "Train planner, caller and summarizer on trajectories (GLPFT).",
    "wishes": "List the tools that agents missed, and make them.",
    "world": "Make ToolWorld's tasks, and prove and solve them.",
}


HELP = "A strong model makes a tool once; the tool is proved, and answers for ever."
toolwright = click.version_option(package_name="toolwright")(
    LazyGroup(COMMANDS, name="toolwright", help=HELP)
)
toolwright.context_settings = {"help_option_names": ["-h", "--help"]}


def _unexpected(fault: Exception) -> ToolwrightError:
    """Give the error that a fault nobody planned for becomes; where it stood is said, for a report."""
    if isinstance(fault, OSError):
        return ToolwrightError(f"{fault.strerror or fault}: {fault.filename or ''}", code="system")
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
    return ToolwrightError(
        f"a fault of toolwright itself, please report it: {fault!r} at {where}", code="bug"
    )


def main() -> None:
    """Run the command line; every error is one line with a stable code."""
    try:
        boundary(toolwright, _unexpected)
    except ToolwrightError as fault:
        click.echo(f"error [{fault.code}]: {fault}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
