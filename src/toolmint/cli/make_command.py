"""``toolmint make``: a file of demonstrations in, a stored and proved tool out."""

from collections.abc import Sequence
from pathlib import Path

import click

from toolmint.cli.common import console, model_options, opened, say, settings_of, store_option
from toolmint.core import demonstrations as read
from toolmint.core.sync import run_sync
from toolmint.core.tool import Evidence, ToolRecord


def unanswered_of(evidence: Sequence[Evidence]) -> int:
    """Return how many demonstrations a tool does not answer."""
    found = [one.details.get("unanswered") for one in evidence]
    return sum(len(one) for one in found if isinstance(one, list))


@click.command("make")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--class", "name", help="The class's name [the file's name].")
@click.option(
    "--profile", type=click.Choice(["proved", "latm"]), default="proved", show_default=True
)
@click.option(
    "--unlabelled", type=click.Path(path_type=Path), help="Requests without answers (JSONL)."
)
@click.option("--first", type=int, help="Use only the first N demonstrations of the file.")
@click.option(
    "--tries",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Proposals at most; one that answers more than those before is not counted, up to twice as many.",
)
@click.option(
    "--least-coverage",
    type=click.FloatRange(0, 1, min_open=True),
    help="Least share of the demonstrations that the tool answers [0.5].",
)
@click.option(
    "--exercise/--no-exercise",
    default=None,
    help="Let the model write requests for branches that no demonstration reaches, and answer them [off].",
)
@click.option(
    "--second", type=click.Choice(["auto", "always", "never"]), help="Make a second tool."
)
@model_options
@store_option
def make_command(
    *,
    file: Path,
    name: str | None,
    profile: str,
    unlabelled: Path | None,
    first: int | None,
    tries: int,
    **given: object,
) -> None:
    """Make, prove and store a tool from FILE (JSON lines or BIG-Bench JSON: input, target)."""
    labelled = read.parse_demonstrations(read.read_text(file), str(file))[:first]
    more = (
        read.parse_demonstrations(read.read_text(unlabelled), str(unlabelled), labelled=False)
        if unlabelled
        else []
    )
    settings = settings_of(**given)

    async def work() -> ToolRecord:
        from toolmint.assembly.session import make_request_of

        order = make_request_of(
            name or file.stem,
            labelled,
            settings,
            profile=profile,
            tries=tries,
            unlabelled=tuple(one.input for one in more),
        )
        with console().status("making") as status:

            def observe(line: str) -> None:
                say(f"  {line[:160]}")
                status.update(line[:80])

            async with opened(settings, observe) as client:
                return await client.make(order)

    record = run_sync(work())
    used = record.usage
    say(
        f"{record.label} is stored in {settings.store} and serves. {used.tokens} tokens, ",
    )
    left = unanswered_of(record.evidence)
    if left:
        say(
            f"{left} demonstrations are not answered yet: they are listed in its evidence, and queued"
        )
    say(f"see it with: toolmint tools show {record.request_class}")
