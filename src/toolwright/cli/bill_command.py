"""``toolwright bill``: what each class cost, what it saved, when making paid for itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from toolwright.cli.common import console, money, opened, settings_of, store_option, without_models
from toolwright.core.doors import run_sync
from toolwright.core.model import Usage
from toolwright.core.store import LedgerEntry

if TYPE_CHECKING:
    from rich.table import Table


def _purposes(entries: Sequence[LedgerEntry]) -> "Table":
    """Give the table of model calls by what they were for."""
    from rich.table import Table

    table = Table("for", "calls", "tokens in", "out", "cost", "seconds", title="Model calls")
    for purpose in sorted({entry.purpose for entry in entries}):
        mine = [entry for entry in entries if entry.purpose == purpose]
        used = sum((entry.usage for entry in mine), start=Usage())
        table.add_row(
            purpose, str(used.requests), str(used.input_tokens), str(used.output_tokens),
            money(used.cost), f"{sum(entry.seconds for entry in mine):.1f}",
        )  # fmt: skip
    return table


@click.command("bill")
@click.option("--json", "as_json", is_flag=True, help="Give the bill as JSON.")
@store_option
def command(*, as_json: bool, **given: object) -> None:
    """Show the bill by class. A question mark is a price that is not known; it is never taken for 0."""
    from rich.table import Table

    from toolwright.cache.ledger import ClassBill, bill

    settings = without_models(settings_of(**given))

    async def work() -> tuple[Sequence[LedgerEntry], list[ClassBill]]:
        async with opened(settings) as workshop:
            found = await workshop.store.ledger()
            return found, bill(found, await workshop.store.counts())

    entries, bills = run_sync(work())
    if as_json:
        console().print_json(data=[one.model_dump(mode="json") for one in bills])
        return
    table = Table(
        "class", "requests", "by tier", "making", "serving", "cost", "without", "saved",
        "break-even", title="The bill",
    )  # fmt: skip
    for one in bills:
        tiers = ", ".join(f"{tier} {count}" for tier, count in sorted(one.by_tier.items()))
        table.add_row(
            one.request_class, str(one.requests), tiers, f"{one.making.tokens} tok",
            f"{one.serving.tokens} tok", money(one.cost), money(one.without), money(one.saved),
            "-" if one.break_even is None else f"{one.break_even} requests",
        )  # fmt: skip
    console().print(table)
    console().print(_purposes(entries))
