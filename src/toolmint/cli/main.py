"""The entry point of the command line: runs a command and prints every error as one line."""

import sys

import click

from toolmint.cli.lazy import LazyGroup
from toolmint.core.errors import ToolmintError, boundary

COMMANDS = {
    "agent": "Solve a task with tools: planner, caller, summarizer; ReACT or DFSDT.",
    "apply": "Answer every request of a JSONL file; a stopped run can be resumed.",
    "bill": "Show what each class cost, what it saved, and its break-even point.",
    "config": "Show every setting, its value, and where the value comes from.",
    "demo": "Make and serve tools on a recorded stream, without a key or network.",
    "doctor": "Test the sandbox on this machine and show what it contains.",
    "eval": "Run benchmarks: BIG-Bench, ToolBench, ToolWorld, ToolAlpaca, GSM8K.",
    "feedback": "Report to a gateway that an answer was right or wrong.",
    "keys": "Create, list and revoke the gateway's keys; grant classes to other tenants.",
    "make": "Make, verify and store a tool from a file of demonstrations.",
    "mcp": "Serve the store's tools to an MCP client over stdio.",
    "models": "List and fetch pretrained bases for trios.",
    "queue": "Show the requests that wait for a tool.",
    "serve": "Serve an OpenAI-compatible gateway that makes and verifies tools.",
    "solve": "Answer one request.",
    "traces": "List, show, export and import the agent's trajectories.",
    "tools": "List, show, export, import, roll back and retire tools.",
    "train": "Train planner, caller and summarizer on trajectories (GLPFT).",
    "missing-tools": "List the tools that agents missed, and make them.",
    "world": "Generate, check and solve ToolWorld tasks.",
}


_HELP = "An LLM gateway that makes tools, verifies them, and answers with them."
toolmint = click.version_option(package_name="toolmint")(
    LazyGroup(COMMANDS, name="toolmint", help=_HELP)
)
toolmint.context_settings = {"help_option_names": ["-h", "--help"]}


def _unexpected(fault: Exception) -> ToolmintError:
    """Return the error for an unexpected exception; it names the line that raised it, for a bug report."""
    if isinstance(fault, OSError):
        return ToolmintError(f"{fault.strerror or fault}: {fault.filename or ''}", code="system")
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = (
        f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
    )
    return ToolmintError(f"a bug in toolmint, please report it: {fault!r} at {where}", code="bug")


def main() -> None:
    """Run the command line; an error is one line on standard error with a stable code, and exit status 1."""
    try:
        boundary(toolmint, _unexpected)
    except ToolmintError as fault:
        click.echo(f"error [{fault.code}]: {fault}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
