"""``toolwright agent``: one task, solved with tools, shown as it goes."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolwright.cli.agent_options import agent_options, choices_of, limits_of
from toolwright.cli.common import console, say, settings_of, store_option
from toolwright.core.doors import run_sync
from toolwright.core.errors import ConfigError
from toolwright.core.task import Limits, Step, Trajectory

if TYPE_CHECKING:
    from toolwright.assembly.agents import AgentSession


@click.command("agent")
@click.argument("instruction", required=False)
@click.option(
    "--tools", "sources", multiple=True, help="Where tools come from; can be repeated. See below."
)
@click.option("--resume", type=int, help="Take up a kept trajectory by its number.")
@click.option(
    "--explain",
    "explained",
    is_flag=True,
    help="Show the tree of thoughts, calls and observations live.",
)
@click.option("--json", "as_json", is_flag=True, help="Give the whole trajectory as JSON.")
@click.option(
    "--html", type=click.Path(path_type=Path), help="Write the tree to an HTML file of its own."
)
@agent_options
@store_option
def command(
    *, instruction: str | None, sources: tuple[str, ...], resume: int | None, explained: bool, as_json: bool,
    html: Path | None, **given: object,
) -> None:  # fmt: skip
    """Solve INSTRUCTION with tools.

    A source of tools is an OpenAPI document (FILE or URL), mcp:COMMAND, mcp:http://..., python:FILE.py with
    @tool functions, made (the store's made tools), or program (Python in the sandbox). Options follow a '?':
    base_url, prefix, only, key=SCHEME:VARIABLE.
    """
    if instruction is None and resume is None:
        raise ConfigError("give an instruction, or --resume with a trajectory's number")
    limits, choices = limits_of(given), choices_of(given)
    settings = settings_of(**given)

    async def work() -> tuple[Trajectory, int]:
        from toolwright.assembly.agents import AgentSession

        async with AgentSession.open(settings, sources, choices) as session:
            for problem in session.problems:
                click.echo(f"note: {problem}", err=True)
            return await _run(session, instruction, resume, limits, explained=explained)

    done, number = run_sync(work())
    if html is not None:
        from toolwright.cli.trace_html import html_of

        html.write_text(html_of(done), encoding="utf-8")
    if as_json:
        say(done.model_dump_json(indent=1))
    elif not explained:
        say(done.answer or f"{done.outcome}: {done.run.stopped}")
    click.echo(f"trajectory {number}: toolwright traces show {number}", err=True)
    if done.outcome != "answered":
        sys.exit(3)


async def _run(
    session: "AgentSession",
    instruction: str | None,
    resume: int | None,
    limits: Limits,
    *,
    explained: bool,
) -> tuple[Trajectory, int]:
    """Run, and keep the trajectory whatever happens, also when the user stops it."""
    from rich.live import Live

    from toolwright.cli.tree_view import ending_lines, tree_of

    traces = session.workshop.store.traces
    before = await traces.trace(resume) if resume is not None else None
    text = instruction or (before.task.input if before is not None else "")
    steps: list[Step] = []
    with (
        Live(tree_of(text, steps), console=console(), transient=False)
        if explained
        else _Silent() as live
    ):

        def watch(step: Step) -> None:
            steps.append(step)
            live.update(tree_of(text, steps))

        attempt = session.agent(limits).begin(
            await session.task(text), resume=before, observe=watch
        )
        try:
            done = await attempt.finish()
        except asyncio.CancelledError:
            number = await asyncio.shield(traces.log(attempt.so_far()))
            click.echo(
                f"stopped; go on with: toolwright agent --resume {number} --tools ...", err=True
            )
            raise
        live.update(tree_of(text, done.steps))
    if explained:
        if not console().is_terminal:
            console().print()
        for line in ending_lines(done):
            console().print(line)
    return done, await traces.log(done)


class _Silent:
    """Shows nothing."""

    def __enter__(self) -> "_Silent":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, _: object) -> None:
        """Take no notice."""
