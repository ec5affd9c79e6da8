"""``toolmint apply``: a whole JSONL file; stopped at any moment, it goes on where it was."""

import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
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
from toolmint.core.errors import InputError
from toolmint.core.sameness import same_answer
from toolmint.core.sync import run_sync
from toolmint.core.task import Trajectory
from toolmint.core.tool import Demonstration
from toolmint.core.values import sound

if TYPE_CHECKING:
    from toolmint.assembly.session import Session

_NOTICE_SECONDS = 0.1
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


def take_up(path: Path, requests: list[Demonstration]) -> int:
    """Return how many requests are answered already; cuts a last line that was not finished.

    Raises:
        InputError: the file holds something else than answers to these requests.
    """
    if not path.exists():
        return 0
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    for number, line in enumerate(whole.split(b"\n")[:-1]):
        try:
            fits = json.loads(line)["input"] == sound(requests[number].input)
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
        answer = trajectory.answer
        rule = same_answer(answer, request.target) if answer is not None else None
        line |= {"right": rule is not None, "same_by": rule}
    return line


async def answer_all(
    client: "Session",
    requests: list[Demonstration],
    out: TextIO,
    notify: Callable[[Counter[str], int], None],
    *,
    most: int,
) -> Counter[str]:
    """Answer requests side by side, writing lines in order; returns how many each tier answered.

    Args:
        client: who answers.
        requests: in the order of the lines.
        out: where the lines go. A line that a model was paid for is on its way to the disk at once.
        notify: told now and then how many each tier answered, and how many lines there are.
        most: requests that are answered at once.
    """
    from toolmint.assembly.apply import apply_all

    seen: Counter[str] = Counter()
    number, due = 0, 0.0
    try:
        async with aclosing(apply_all(client.solve, requests, most)) as results:
            async for result in results:
                fault = result.error
                line = line_of(
                    result.request, result.trajectory, f"[{fault.code}] {fault}" if fault else None
                )
                out.write(sound(_ENCODE(line)) + "\n")
                number += 1
                seen[line.get("tier", "none")] += 1
                if "right" in line:
                    seen["right" if line["right"] else "wrong"] += 1
                # A tool's answer costs less than a flush and a new picture of the bar.
                if line.get("tokens") or time.monotonic() >= due:
                    out.flush()
                    notify(seen, number)
                    due = time.monotonic() + _NOTICE_SECONDS
    finally:
        out.flush()
    notify(seen, number)
    return seen


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

            def notify(seen: Counter[str], number: int) -> None:
                counts = ", ".join(f"{name} {count}" for name, count in sorted(seen.items()))
                progress.update(bar, completed=done + number, description=counts)

            async with opened(settings) as client:
                client.maker.upcoming = [one.input for one in requests[done:]]
                seen = await answer_all(client, requests[done:], out, notify, most=concurrency)
                await client.sort_rest()
                return seen

    seen = run_sync(work())
    say(
        f"{done} were answered before, {len(requests) - done} now: {dict(seen)}; answers in {output}"
    )
