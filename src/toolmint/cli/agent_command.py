"""``toolmint agent``: one task, solved with tools, shown as it goes."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolmint.cli.agent_options import agent_options, choices_of, limits_of
from toolmint.cli.approval_prompt import TerminalAsker
from toolmint.cli.common import console, printable, say, settings_of, store_option
from toolmint.core.errors import ConfigError
from toolmint.core.sync import blocked_calls, run_sync
from toolmint.core.task import Limits, Step, Trajectory
from toolmint.core.text_files import escaped_line_ends
from toolmint.core.threads import abandoned_threads
from toolmint.core.values import sound

if TYPE_CHECKING:
    from toolmint.assembly.agents import AgentSession


@click.command("agent")
@click.argument("instruction", required=False)
@click.option(
    "--tools",
    "sources",
    multiple=True,
    help="A source of tools, as described above; can be repeated.",
)
@click.option("--resume", type=int, help="Continue a stored trajectory, by its number.")
@click.option(
    "--explain",
    "explained",
    is_flag=True,
    help="Show each thought, tool call and result as it happens.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole trajectory as JSON.")
@click.option(
    "--html", type=click.Path(path_type=Path), help="Write the tree of steps to an HTML file."
)
@click.option(
    "--approve",
    type=click.Choice(["ask", "never", "always"]),
    help="Whether calls that change something are done: ask at the terminal, never, or always [ask].",
)
@agent_options
@store_option
def agent_command(
    *,
    instruction: str | None,
    sources: tuple[str, ...],
    resume: int | None,
    explained: bool,
    as_json: bool,
    html: Path | None,
    **given: object,
) -> None:
    r"""Solve INSTRUCTION by calling tools: a planner, a caller and a summarizer, by one model or three.

    \b
    Sources of tools:
      FILE or URL         an OpenAPI 3 or Swagger 2.0 document, JSON or YAML
      mcp:COMMAND         an MCP server over stdio
      mcp:http://...      an MCP server over HTTP
      python:FILE.py      the @tool functions of a Python file
      made                the serving tools of the store
      program             Python programs, run in the sandbox
    Exit status: 0 for an answer, 3 for a run without one, 4 for an answer that is
    marked, as it was cut or states values that stand in no result.

    \b
    Options follow a '?', joined by '&'; for each kind of source:
      prefix=pets_ only=NAME,NAME
    for documents and MCP servers over HTTP (values from environment variables):
      key=SCHEME:VARIABLE header=NAME:VARIABLE header=NAME:=TEXT
    for documents: base_url=http://... private=allow
    for MCP commands: env=VARIABLE env=NAME:VARIABLE

    Calls that may change something (by HTTP method, an MCP server's annotations, or
    @tool(read_only=False)) are asked about first; see --approve.
    """
    if instruction is None and resume is None:
        raise ConfigError("give an instruction, or --resume with a trajectory's number")
    limits, choices = limits_of(given), choices_of(given)
    settings = settings_of(**given)

    async def work() -> tuple[Trajectory, int | None]:
        from toolmint.assembly.agents import AgentSession

        asker = TerminalAsker.at_hand()
        opened = AgentSession.open(settings, sources, choices, approve=asker)
        async with opened as session:
            for problem in session.problems:
                click.echo(f"note: {printable(problem)}", err=True)
            return await _run(
                session, instruction, resume, limits, explained=explained, asker=asker
            )

    done, number = run_sync(work())
    if html is not None:
        from toolmint.cli.trace_html import html_of

        html.write_text(sound(html_of(done)), encoding="utf-8")
    _show(done, number, explained=explained, as_json=as_json)
    _leave(exit_code(done))


def _show(done: Trajectory, number: int | None, *, explained: bool, as_json: bool) -> None:
    if as_json:
        say(escaped_line_ends(done.model_dump_json(indent=1)))
    elif not explained:
        say(done.answer or f"{done.outcome}: {done.run.stopped}")
    for flag in done.flags:
        click.echo(f"marked [{flag.kind}]: {printable(flag.why)}", err=True)
    if number is not None:
        click.echo(f"trajectory {number}: toolmint traces show {number}", err=True)


def exit_code(done: Trajectory) -> int:
    """Return 0 for an answer, 3 for a run without one, 4 for an answer that is marked."""
    if done.outcome != "answered":
        return 3
    return 4 if done.flags else 0


def _leave(code: int) -> None:
    """End the process; where a tool still runs that no longer matters, without waiting for it."""
    if abandoned_threads() or blocked_calls():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    if code:
        sys.exit(code)


async def _run(
    session: "AgentSession",
    instruction: str | None,
    resume: int | None,
    limits: Limits,
    *,
    explained: bool,
    asker: TerminalAsker | None,
) -> tuple[Trajectory, int | None]:
    """Run, and keep the trajectory whatever happens, also when the user stops it."""
    from rich.live import Live

    from toolmint.cli.tree_view import ending_lines, tree_of

    traces = session.client.store.traces
    before = await traces.trace(resume) if resume is not None else None
    text = sound(instruction or (before.task.input if before is not None else ""))
    steps: list[Step] = []
    with (
        Live(tree_of(text, steps), console=console(), transient=False)
        if explained
        else _Silent() as live
    ):
        if asker is not None:
            asker.paused = live

        def watch(step: Step) -> None:
            steps.append(step)
            live.update(tree_of(text, steps))

        done, number = await session.run(
            text, limits, resume=before, observe=watch, stopped=_say_stopped
        )
        live.update(tree_of(text, done.steps))
    if explained:
        if not console().is_terminal:
            console().print()
        for line in ending_lines(done):
            console().print(line)
    return done, number


def _say_stopped(number: int) -> None:
    click.echo(f"stopped; go on with: toolmint agent --resume {number} --tools ...", err=True)


class _Silent:
    """Shows nothing."""

    def __enter__(self) -> "_Silent":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, _: object) -> None:
        """Take no notice."""

    def stop(self) -> None:
        """Take no notice."""

    def start(self) -> None:
        """Take no notice."""
