"""``toolmint make``: a file of demonstrations in, a stored and proved tool of each class out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolmint.cli.common import console, model_options, opened, say, settings_of, store_option
from toolmint.core import demonstrations as read
from toolmint.core.errors import MakerError
from toolmint.core.sync import run_sync
from toolmint.core.tool import Demonstration, Evidence, ToolRecord

if TYPE_CHECKING:
    from toolmint.assembly.making import ClassMaking, MakeChoices
    from toolmint.assembly.settings import Settings
    from toolmint.maker.survey import FileSurvey


def unanswered_of(evidence: Sequence[Evidence]) -> int:
    """Return how many demonstrations a tool does not answer."""
    found = [one.details.get("unanswered") for one in evidence]
    return sum(len(one) for one in found if isinstance(one, list))


@click.command("make")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--class", "name", help="The class's name: the file is one class [its name; see --dry-run]."
)
@click.option(
    "--profile",
    type=click.Choice(["auto", "proved", "latm", "learned"]),
    default="auto",
    show_default=True,
    help="Kind of tool; auto: what fits each class. A learned one costs no model call.",
)
@click.option(
    "--dry-run", is_flag=True, help="Say what the file holds, and stop: no model is asked."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--unlabelled", type=click.Path(path_type=Path), help="Requests without answers (JSONL)."
)
@click.option("--first", type=int, help="Use only the first N demonstrations of the file.")
@click.option(
    "--tries",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Proposals a class at most; one that answers more than those before is not counted, up to "
    "twice as many.",
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
    dry_run: bool,
    as_json: bool,
    unlabelled: Path | None,
    first: int | None,
    tries: int,
    **given: object,
) -> None:
    """Make, prove and store the tools of FILE (JSON lines or BIG-Bench JSON: input, target).

    The file is looked at first: which classes of requests it holds, and which kind of tool fits each.
    """
    from toolmint.assembly.making import MakeChoices
    from toolmint.maker.survey import survey

    labelled = read.parse_demonstrations(read.read_text(file), str(file))[:first]
    more = (
        read.parse_demonstrations(read.read_text(unlabelled), str(unlabelled), labelled=False)
        if unlabelled
        else []
    )
    settings = settings_of(**given)
    seen = survey(labelled, name or file.stem, single=name is not None)
    if not as_json:
        _show_survey(seen, file)
    if dry_run:
        if as_json:
            _print_json(seen, [])
        return
    choices = MakeChoices.of(profile, tries, tuple(one.input for one in more))
    made = run_sync(_make(labelled, seen, choices, settings, quiet=as_json))
    if as_json:
        _print_json(seen, made)
    _end(made, settings)


def _show_survey(seen: "FileSurvey", file: Path) -> None:
    from toolmint.cli.survey_table import show_survey

    show_survey(seen, file.name)


async def _make(
    labelled: Sequence[Demonstration],
    seen: "FileSurvey",
    choices: "MakeChoices",
    settings: "Settings",
    *,
    quiet: bool,
) -> "list[ClassMaking]":
    from toolmint.assembly.making import make_classes

    made: list[ClassMaking] = []
    with console().status("making") as status:
        if quiet:
            status.stop()

        def observe(line: str) -> None:
            if not quiet:
                say(f"  {line[:160]}")
                status.update(line[:80])

        async with opened(settings, observe) as client:
            async for one in make_classes(client, labelled, seen, choices):
                made.append(one)
                if one.record is not None and not quiet:
                    _say_made(one.record, settings)
                elif one.error is not None and len(seen.classes) > 1:
                    said = f"{one.seen.name}: error [{one.error.code}]: {one.error}"
                    click.echo(said, err=True)
    return made


def _say_made(record: ToolRecord, settings: "Settings") -> None:
    used = record.usage
    say(f"{record.label} is stored in {settings.store} and serves. {used.tokens} tokens")
    left = unanswered_of(record.evidence)
    if left:
        say(
            f"{left} demonstrations are not answered yet: they are listed in its evidence, and queued"
        )
    say(f"see it with: toolmint tools show {record.request_class}")


def _end(made: "Sequence[ClassMaking]", settings: "Settings") -> None:
    """End the command with an error where a class that was tried has no tool, or none was tried.

    Raises:
        ToolmintError: of one class its own error, of several one that names them.
    """
    failed = [one for one in made if one.error is not None and one.tried]
    if len(made) == 1 and made[0].error is not None:
        raise made[0].error
    if failed or not any(one.record for one in made):
        names = ", ".join(one.seen.name for one in failed or made)
        raise MakerError(
            f"{len(failed or made)} of {len(made)} classes have no tool: {names}; "
            f"the lines above say why, and `toolmint tools report CLASS --store {settings.store}` more",
            code="classes-failed",
        )


def _print_json(seen: "FileSurvey", made: "Sequence[ClassMaking]") -> None:
    from toolmint.cli.survey_table import survey_value

    makings: list[dict[str, Any]] = [
        {
            "class": one.seen.name,
            "version": one.record.version if one.record else None,
            "profile": one.record.profile if one.record else None,
            "usage": one.record.usage.model_dump(mode="json") if one.record else None,
            "error": None
            if one.error is None
            else {"code": one.error.code, "text": str(one.error)},
        }
        for one in made
    ]
    console().print_json(data=survey_value(seen) | {"makings": makings})
