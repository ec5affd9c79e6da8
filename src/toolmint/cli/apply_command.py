"""``toolmint apply``: a whole JSONL file; stopped at any moment, it goes on where it was."""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from toolmint.cli.common import (
    accept_option,
    console,
    engine_options,
    model_options,
    opened,
    say,
    settings_of,
    store_option,
)
from toolmint.core import demonstrations as read
from toolmint.core.errors import InputError, ModelError, NoAnswer
from toolmint.core.sync import run_sync
from toolmint.core.task import Trajectory
from toolmint.core.tool import Demonstration

if TYPE_CHECKING:
    from toolmint.assembly.session import Session


def take_up(path: Path, requests: list[Demonstration]) -> int:
    """Return how many requests are answered already; cuts a last line that was not finished.

    Raises:
        InputError: the file holds something else than answers to these requests.
    """
    if not path.exists():
        return 0
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    for number, line in enumerate(whole.splitlines()):
        try:
            fits = json.loads(line)["input"] == requests[number].input
        except (ValueError, KeyError, TypeError, IndexError):
            fits = False
        if not fits:
            raise InputError(
                f"{path}:{number + 1} is no answer to request {number + 1}; name another --output",
                code="resume",
            )
    if len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return whole.count(b"\n")


def line_of(
    request: Demonstration, trajectory: Trajectory | None, error: str | None
) -> dict[str, Any]:
    """Return one line of the output."""
    line: dict[str, Any] = {"input": request.input, "answer": None, "error": error}
    if trajectory is not None:
        line["answer"] = trajectory.answer
        served = trajectory.served
        if served is not None:
            line |= {
                "tier": served.tier,
                "class": served.request_class,
                "version": served.version,
                "why": served.why,
                "tokens": served.usage.tokens,
            }
    if request.target is not None and trajectory is not None:
        line["right"] = (trajectory.answer or "").strip() == request.target.strip()
    return line


async def _one(client: "Session", request: Demonstration) -> dict[str, Any]:
    try:
        return line_of(request, await client.solve(request.input), None)
    except (NoAnswer, ModelError) as fault:
        if fault.retryable:
            raise
        return line_of(request, None, f"[{fault.code}] {fault}")


async def answer_all(
    client: "Session",
    requests: list[Demonstration],
    out: TextIO,
    notify: Callable[[Counter[str]], None],
    *,
    most: int,
) -> Counter[str]:
    """Answer requests side by side, writing lines in order; returns how many each tier answered."""
    seen: Counter[str] = Counter()
    running: deque[asyncio.Task[dict[str, Any]]] = deque()
    left = iter(requests)
    try:
        while True:
            while len(running) < most and (request := next(left, None)) is not None:
                running.append(asyncio.create_task(_one(client, request)))
            if not running:
                return seen
            line = await running.popleft()
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            out.flush()
            seen[line.get("tier", "none")] += 1
            if "right" in line:
                seen["right" if line["right"] else "wrong"] += 1
            notify(seen)
    finally:
        for task in running:
            task.cancel()


@click.command("apply")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="Answers (JSONL)."
)
@click.option("--concurrency", type=click.IntRange(1, 64), default=4, show_default=True)
@accept_option
@model_options
@engine_options
@store_option
def apply_command(*, file: Path, output: Path, concurrency: int, **given: object) -> None:
    """Answer every request of FILE (JSON lines: input, and target where the answer is known)."""
    requests = read.parse_demonstrations(read.read_text(file), str(file), labelled=False)
    done = take_up(output, requests)
    settings = settings_of(**given)

    async def work() -> Counter[str]:
        from rich.progress import Progress

        with Progress(console=console()) as progress, output.open("a", encoding="utf-8") as out:
            bar = progress.add_task("answering", total=len(requests), completed=done)

            def notify(seen: Counter[str]) -> None:
                counts = ", ".join(f"{name} {count}" for name, count in sorted(seen.items()))
                progress.update(bar, advance=1, description=counts)

            async with opened(settings) as client:
                client.maker.upcoming = [one.input for one in requests[done:]]
                return await answer_all(client, requests[done:], out, notify, most=concurrency)

    seen = run_sync(work())
    say(
        f"{done} were answered before, {len(requests) - done} now: {dict(seen)}; answers in {output}"
    )
