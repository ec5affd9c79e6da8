"""``toolmint bill``: what each class cost, what it saved, when making paid for itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from toolmint.cli.common import console, money, opened, settings_of, store_option, without_models
from toolmint.core.model import Usage
from toolmint.core.store import LedgerEntry
from toolmint.core.sync import run_sync
from toolmint.core.values import clip

if TYPE_CHECKING:
    from rich.table import Table

    from toolmint.serving.billing import Bill


def _purposes(entries: Sequence[LedgerEntry]) -> "Table":
    """Return the table of model calls by what they were for."""
    from rich.table import Table

    table = Table("for", "calls", "tokens in", "out", "cost", "seconds", title="Model calls")
    for purpose in sorted({entry.purpose for entry in entries}):
        mine = [entry for entry in entries if entry.purpose == purpose]
        used = sum((entry.usage for entry in mine), start=Usage())
        table.add_row(
            purpose,
            str(used.requests),
            str(used.input_tokens),
            str(used.output_tokens),
            money(used.cost),
            f"{sum(entry.seconds for entry in mine):.1f}",
        )
    return table


def _classes(bill: "Bill") -> "Table":
    """Return the table of classes, with the sums of all below."""
    from rich.table import Table

    names = ("class", "requests", "by tier", "making", "spent", "saved", "net", "break-even")
    table = Table(*names, title="The bill")
    for one in bill.classes:
        tiers = ", ".join(f"{tier} {count}" for tier, count in sorted(one.by_tier.items()))
        table.add_row(
            clip(one.title, 60),
            str(one.requests),
            tiers,
            f"{one.making} ({one.making_tokens} tok)" if one.making_tokens else str(one.making),
            str(one.spent),
            money(one.saved),
            money(one.net),
            "-" if one.break_even is None else f"{one.break_even} requests",
        )
    table.add_section()
    tools = f"{bill.by_tools} by tools"
    table.add_row(
        "all",
        str(bill.requests),
        tools,
        str(bill.making),
        str(bill.spent),
        money(bill.saved),
        "",
        "",
    )
    return table


@click.command("bill")
@click.option("--json", "as_json", is_flag=True, help="Give the bill as JSON.")
@click.option("--since", default="", help="Requests from this day on (2026-01-31) [all].")
@store_option
def bill_command(*, as_json: bool, since: str, **given: object) -> None:
    """Show the bill by class. A question mark is a price that is not known; it is never taken for 0."""
    from toolmint.serving.billing import read_bill

    settings = without_models(settings_of(**given))

    async def work() -> "tuple[Sequence[LedgerEntry], Bill]":
        async with opened(settings) as session:
            store = session.store
            return await store.ledger(), await read_bill(store, store.traffic, since)

    entries, bill = run_sync(work())
    if as_json:
        console().print_json(data=bill.model_dump(mode="json"))
        return
    console().print(_classes(bill))
    console().print(_purposes(entries))
