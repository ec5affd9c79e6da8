"""``toolwright bill``: what each class cost, what it saved, when making paid for itself."""

import click

from toolwright.cli.common import console, money, opened, settings_of, store_option, without_models
from toolwright.core.doors import run_sync


@click.command("bill")
@click.option("--json", "as_json", is_flag=True, help="Give the bill as JSON.")
@store_option
def command(*, as_json: bool, **given: object) -> None:
    """Show the bill by class. A question mark is a price that is not known; it is never taken for 0."""
    from rich.table import Table

    from toolwright.cache.ledger import ClassBill, bill

    settings = without_models(settings_of(**given))

    async def work() -> list[ClassBill]:
        async with opened(settings) as workshop:
            return bill(await workshop.store.ledger(), await workshop.store.counts())

    bills = run_sync(work())
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
