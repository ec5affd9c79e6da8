"""``toolwright tools``: the stored tools, their evidence and their life."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from toolwright.cli.common import (
    console,
    money,
    opened,
    say,
    settings_of,
    store_option,
    without_models,
)
from toolwright.core import demonstrations as read
from toolwright.core.doors import run_sync
from toolwright.core.errors import InputError, ToolNotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from toolwright.assembly.workshop import Workshop
    from toolwright.core.store import MakingReport, ToolStore
    from toolwright.core.tool import ToolRecord

T = TypeVar("T")
version_option = click.option("--version", type=int, help="The version [the newest].")


def _with_store(store: Path | None, action: "Callable[[ToolStore], Awaitable[T]]") -> T:
    return _with_workshop(store, lambda workshop: action(workshop.store))


def _with_workshop(store: Path | None, action: "Callable[[Workshop], Awaitable[T]]") -> T:
    settings = without_models(settings_of(store=store))

    async def work() -> T:
        async with opened(settings) as workshop:
            return await action(workshop)

    return run_sync(work())


@click.group("tools")
def command() -> None:
    """List, show, export, import, roll back and retire tools."""


@command.command("list")
@store_option
def list_tools(store: Path | None) -> None:
    """List every version of every tool."""
    from rich.table import Table

    table = Table("class", "version", "state", "profile", "gate", "made by", "made")
    for record, state in _with_store(store, lambda kept: kept.versions()):
        passed = sum(one.verdict == "passed" for one in record.evidence)
        table.add_row(
            record.request_class, str(record.version), state, record.profile,
            f"{passed} of {len(record.evidence)} passed", record.provenance.model,
            record.provenance.created.strftime("%Y-%m-%d %H:%M"),
        )  # fmt: skip
    console().print(table)


@command.command("show")
@click.argument("name")
@version_option
@store_option
def show(name: str, version: int | None, store: Path | None) -> None:
    """Show a tool: its evidence, its life, its making, its source."""
    from rich.syntax import Syntax

    record = _with_store(store, lambda kept: kept.get(name, version))
    history = _with_store(store, lambda kept: kept.history(name, record.version))
    kind = "with its own parser" if record.compiled else "called by a light model"
    say(f"{record.label}, {record.profile}, {kind}, digest {record.digest[:12]}")
    made = record.provenance
    second = f", second tool by {made.second_model}" if made.second_model else ""
    say(
        f"made by {made.model}{second} from {len(record.demonstrations)} demonstrations: "
        f"{record.usage.tokens} tokens, {money(record.usage.cost)}"
    )
    for one in record.evidence:
        say(f"  [{one.verdict}] {one.stage}: {one.summary}")
        for suspect in _list(one.details.get("suspects")):
            say(f"      suspect demonstration: {json.dumps(suspect, ensure_ascii=False)}")
        for row in _list(one.details.get("labels")):
            say(f"      {json.dumps(row, ensure_ascii=False)}")
    for change in history:
        say(f"  {change.at:%Y-%m-%d %H:%M:%S} {change.state}: {change.reason}")
    makings = _with_store(store, lambda kept: kept.reports(name))
    for making in [one for one in makings if one.version == record.version]:
        _tell(making, full=False)
    console().print(Syntax(record.source, "python", line_numbers=True))


def _list(value: object) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", value) if isinstance(value, list) else []


def _tell(making: "MakingReport", *, full: bool) -> None:
    made = f"made v{making.version}" if making.made else "FAILED"
    usage = making.body.get("usage")
    spent = cast("dict[str, Any]", usage) if isinstance(usage, dict) else {}
    tokens = spent.get("input_tokens", 0) + spent.get("output_tokens", 0)
    say(f"making {making.id} of {making.request_class!r}: {made}, {tokens} tokens, "
        f"{money(spent.get('cost'))}")  # fmt: skip
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


@command.command("report")
@click.argument("name")
@click.option("--full", is_flag=True, help="Show prompts and replies too.")
@store_option
def report(name: str, full: bool, store: Path | None) -> None:  # noqa: FBT001
    """Show the last making of a class, also one that failed: every step, verdict and token."""
    reports = _with_store(store, lambda kept: kept.reports(name))
    if not reports:
        raise ToolNotFound(f"no tool of the class {name!r} was ever asked for")
    _tell(reports[-1], full=full)


@command.command("export")
@click.argument("name")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True)
@version_option
@store_option
def export(name: str, output: Path, version: int | None, store: Path | None) -> None:
    """Write a tool with its record as one readable file."""
    from toolwright.assembly.toolfile import dump

    record = _with_store(store, lambda kept: kept.get(name, version))
    output.write_text(dump(record), encoding="utf-8")
    say(f"{record.label} stands in {output}")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def import_tool(file: Path, store: Path | None) -> None:
    """Prove an exported tool on its own demonstrations and store it; it serves once promoted."""
    from toolwright.assembly.toolfile import load

    record = load(read.read_text(file), str(file))

    async def take(workshop: "Workshop") -> "ToolRecord":
        if record.compiled:
            evidence = await workshop.prove(record)
            if evidence[-1].verdict == "failed":
                raise InputError(
                    f"{file} does not pass the gate: {evidence[-1].stage}: {evidence[-1].summary}",
                    code="tool-refused",
                )
        return await workshop.store.add(record, "verified", f"imported from {file.name}")

    kept = _with_workshop(store, take)
    say(f"{kept.label} is stored; `toolwright tools promote {kept.request_class}` lets it serve")


@command.command("promote")
@click.argument("name")
@version_option
@store_option
def promote(name: str, version: int | None, store: Path | None) -> None:
    """Let a stored version serve in place of the one that does."""
    record = _with_store(store, lambda kept: kept.get(name, version))
    _with_store(store, lambda kept: kept.move(name, record.version, "serving", "promoted by hand"))
    say(f"{record.label} serves")


@command.command("rollback")
@click.argument("name")
@store_option
def rollback(name: str, store: Path | None) -> None:
    """Go back to the version that served before."""
    versions = _with_store(store, lambda kept: kept.versions(name))
    serving = [record.version for record, state in versions if state == "serving"]
    before = [
        record.version
        for record, state in versions
        if state == "demoted" and (not serving or record.version < serving[0])
    ]
    if not before:
        raise InputError(f"{name!r} has no earlier version to go back to", code="no-rollback")
    _with_store(store, lambda kept: kept.move(name, before[-1], "serving", "rolled back by hand"))
    say(f"{name} v{before[-1]} serves again")


@command.command("retire")
@click.argument("name")
@version_option
@store_option
def retire(name: str, version: int | None, store: Path | None) -> None:
    """End a version for good."""
    record = _with_store(store, lambda kept: kept.get(name, version))
    _with_store(store, lambda kept: kept.move(name, record.version, "retired", "retired by hand"))
    say(f"{record.label} is retired")
