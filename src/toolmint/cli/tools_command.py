"""``toolmint tools``: the stored tools, their evidence and their life cycle."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from toolmint.cli.common import (
    console,
    money,
    opened,
    say,
    settings_of,
    store_option,
    without_models,
)
from toolmint.core.demonstrations import read_text
from toolmint.core.errors import InputError, ToolNotFound
from toolmint.core.sync import run_sync

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from toolmint.assembly.session import Session
    from toolmint.core.store import MakingReport, ToolStore
    from toolmint.core.tool import ToolRecord

_T = TypeVar("_T")
_version_option = click.option("--version", type=int, help="The version [the newest].")


def _with_store(store: Path | None, action: "Callable[[ToolStore], Awaitable[_T]]") -> _T:
    return _with_client(store, lambda client: action(client.store))


def _with_client(store: Path | None, action: "Callable[[Session], Awaitable[_T]]") -> _T:
    settings = without_models(settings_of(store=store))

    async def work() -> _T:
        async with opened(settings) as client:
            return await action(client)

    return run_sync(work())


def _named(store: Path | None, text: str) -> tuple[str, str]:
    """Return name and title of the class that an argument names, by either."""
    from toolmint.serving.titles import class_named, class_title

    async def found(kept: "ToolStore") -> tuple[str, str]:
        name = await class_named(kept, text)
        return name, class_title(await kept.classes(), name)

    return _with_store(store, found)


@click.group("tools")
def tools_command() -> None:
    """List, show, export, import, roll back and retire tools; CLASS is a class's name or its title."""


@tools_command.command("list")
@store_option
def list_tools(store: Path | None) -> None:
    """List every version of every tool."""
    from rich.table import Table

    from toolmint.serving.titles import class_title

    columns = ("class", "name", "version", "state", "profile", "verification", "made by", "made")
    table = Table(*columns)
    known = _with_store(store, lambda kept: kept.classes())
    for record, state in _with_store(store, lambda kept: kept.versions()):
        passed = sum(one.verdict == "passed" for one in record.evidence)
        table.add_row(
            class_title(known, record.request_class),
            record.request_class,
            str(record.version),
            state,
            record.profile,
            f"{passed} of {len(record.evidence)} passed",
            record.provenance.model,
            record.provenance.created.strftime("%Y-%m-%d %H:%M"),
        )
    console().print(table)


@tools_command.command("show")
@click.argument("name", metavar="CLASS")
@_version_option
@store_option
def show_tool(name: str, version: int | None, store: Path | None) -> None:
    """Show a tool: evidence, life cycle, making, source."""
    from rich.syntax import Syntax

    from toolmint.core.arcs import coverage_said

    name, title = _named(store, name)
    record = _with_store(store, lambda kept: kept.get(name, version))
    history = _with_store(store, lambda kept: kept.history(name, record.version))
    kind = {
        "code": "with its own parser",
        "light": "called by a light model",
        "learned": "answers in this process, without model and sandbox",
    }[record.kind]
    say(f"{title} v{record.version}, {record.profile}, {kind}, digest {record.digest[:12]}")
    if title != name:
        say(f"kept as {name}")
    made = record.provenance
    second = f", second tool by {made.second_model}" if made.second_model else ""
    say(
        f"made by {made.model}{second} from {len(record.demonstrations)} demonstrations: "
        f"{record.usage.tokens} tokens, {money(record.usage.cost)}"
    )
    if record.arcs is not None:
        say(f"  {coverage_said(record.arcs)}")
    for one in record.evidence:
        say(f"  [{one.verdict}] {one.stage}: {one.summary}")
        for suspect in _list(one.details.get("suspects")):
            say(f"      suspect demonstration: {json.dumps(suspect, ensure_ascii=False)}")
        for row in _list(one.details.get("labels")):
            say(f"      {json.dumps(row, ensure_ascii=False)}")
    for change in history:
        say(f"  {change.at:%Y-%m-%d %H:%M:%S} {change.state}: {change.reason}")
    makings = _with_store(store, lambda kept: kept.reports(name))
    for number, making in enumerate(makings, 1):
        if making.version == record.version:
            _print_making(making, number, title, full=False)
    if not record.learned:
        console().print(Syntax(record.source, "python", line_numbers=True))


def _list(value: object) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", value) if isinstance(value, list) else []


def _print_making(making: "MakingReport", number: int, title: str, *, full: bool) -> None:
    """Print a making; its number counts those of its class, from 1."""
    made = f"made v{making.version}" if making.made else "FAILED"
    usage = making.body.get("usage")
    spent = cast("dict[str, Any]", usage) if isinstance(usage, dict) else {}
    tokens = spent.get("input_tokens", 0) + spent.get("output_tokens", 0)
    say(f"making {number} of {title!r}: {made}, {tokens} tokens, {money(spent.get('cost'))}")
    for step in _list(making.body.get("steps")):
        say(f"- {step['kind']}: {step['text']}")
        if "usage" in step:
            used = step["usage"]
            say(
                f"    {used['input_tokens']} tokens in, {used['output_tokens']} out, "
                f"{money(used['cost'])}, {step['seconds']:.1f} s"
            )
        if full and "prompt" in step:
            say(f"    prompt:\n{step['prompt']}\n    reply:\n{step['reply']}")
    say(f"ending: {making.body.get('ending')}")


@tools_command.command("report")
@click.argument("name", metavar="CLASS")
@click.option("--full", is_flag=True, help="Show prompts and replies too.")
@store_option
def report(name: str, full: bool, store: Path | None) -> None:  # noqa: FBT001
    """Show the last making of a class, also a failed one: every step, verdict and token."""
    name, title = _named(store, name)
    reports = _with_store(store, lambda kept: kept.reports(name))
    if not reports:
        raise ToolNotFound(f"no making of the class {title!r} is recorded")
    _print_making(reports[-1], len(reports), title, full=full)


@tools_command.command("export")
@click.argument("name", metavar="CLASS")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True)
@_version_option
@store_option
def export_tool(name: str, output: Path, version: int | None, store: Path | None) -> None:
    """Write a tool and its record to one readable file."""
    from toolmint.assembly.toolfile import dump_tool

    name, title = _named(store, name)
    record = _with_store(store, lambda kept: kept.get(name, version))
    output.write_text(dump_tool(record), encoding="utf-8")
    say(f"{title} v{record.version} written to {output}")


@tools_command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def import_tool(file: Path, store: Path | None) -> None:
    """Verify an exported tool on its own demonstrations and store it; `promote` lets it serve."""
    from toolmint.assembly.toolfile import load_tool

    record = load_tool(read_text(file), str(file))

    async def take(client: "Session") -> "ToolRecord":
        taken = record
        if record.has_parser:
            evidence = await client.reverify(record)
            if evidence[-1].verdict == "failed":
                raise InputError(
                    f"{file} does not pass verification: {evidence[-1].stage}: {evidence[-1].summary}",
                    code="tool-refused",
                )
            fresh = {one.stage: one for one in evidence if one.verdict == "passed"}
            kept_as = tuple(fresh.get(one.stage, one) for one in record.evidence)
            taken = record.model_copy(update={"evidence": kept_as or evidence})
            taken = await client.with_arcs(taken)
        return await client.store.add(taken, "verified", f"imported from {file.name}")

    kept = _with_client(store, take)
    say(f"{kept.label} is stored; `toolmint tools promote {kept.request_class}` lets it serve")


@tools_command.command("promote")
@click.argument("name", metavar="CLASS")
@_version_option
@store_option
def promote(name: str, version: int | None, store: Path | None) -> None:
    """Let a stored version serve in place of the present one."""
    name, title = _named(store, name)
    record = _with_store(store, lambda kept: kept.get(name, version))
    _with_store(store, lambda kept: kept.move(name, record.version, "serving", "promoted by hand"))
    say(f"{title} v{record.version} serves")


@tools_command.command("rollback")
@click.argument("name", metavar="CLASS")
@store_option
def rollback(name: str, store: Path | None) -> None:
    """Return to the version that served before."""
    name, title = _named(store, name)
    versions = _with_store(store, lambda kept: kept.versions(name))
    serving = [record.version for record, state in versions if state == "serving"]
    before = [
        record.version
        for record, state in versions
        if state == "demoted" and (not serving or record.version < serving[0])
    ]
    if not before:
        raise InputError(f"{title!r} has no earlier version to go back to", code="no-rollback")
    _with_store(store, lambda kept: kept.move(name, before[-1], "serving", "rolled back by hand"))
    say(f"{title} v{before[-1]} serves again")


@tools_command.command("retire")
@click.argument("name", metavar="CLASS")
@_version_option
@store_option
def retire(name: str, version: int | None, store: Path | None) -> None:
    """Retire a version permanently."""
    name, title = _named(store, name)
    record = _with_store(store, lambda kept: kept.get(name, version))
    _with_store(store, lambda kept: kept.move(name, record.version, "retired", "retired by hand"))
    say(f"{title} v{record.version} is retired")
